"""A description into moments: every memory recalls, and what they find is merged.

The text is encoded once. With several memories (one a day, a site or a machine) each recalls in a thread of its
own, and the strongest moments of all go on. How much a cosine is believed depends on how many pictures were
compared (see EncoderSpec), since the best of more wrong ones comes nearer; a small memory by itself would be
believed too easily. So the memories count first, and each believes as if it had compared the pictures of all: the
moments, their order and their beliefs are those of one memory that holds everything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from hippocam.apps.ask.answer.facts import READ_FOR_DRAWN, drawn_streams
from hippocam.apps.ask.asof import Subject
from hippocam.apps.ask.belief.compared import shift, shifted
from hippocam.apps.ask.belief.presence import confirmed, doubted, labels_named, supposed
from hippocam.apps.ask.belief.regions import LOOKED, RegionEncoder, by_regions, on_its_scale
from hippocam.apps.ask.belief.witnesses import together
from hippocam.apps.ask.count.count import StreamTimes, answer_count
from hippocam.apps.ask.count.question import CountAnswer, EntityView
from hippocam.apps.ask.evidence import evidence_of
from hippocam.apps.ask.memories import Member, Memories, at_once
from hippocam.apps.ask.nouns import names_place
from hippocam.apps.ask.question.description import description
from hippocam.apps.ask.question.timeline import away, start_and_end_s, timelines
from hippocam.apps.ask.robot.lookup import RobotLookup
from hippocam.apps.ask.where import TOP, Where, conditions, filter_of
from hippocam.apps.ids import entry_with_place
from hippocam.apps.live.folder import LiveFolder
from hippocam.apps.live.open_frames import open_moments
from hippocam.apps.zones.files import kept_zones
from hippocam.apps.zones.sources import marked_in
from hippocam.memory.asof.coverage import Coverage
from hippocam.memory.asof.lookup import of_place, of_things, of_words
from hippocam.memory.asof.remains import Remains, remains
from hippocam.memory.asof.whereabouts import Whereabouts
from hippocam.memory.entities.detections import VERY_HIGH, Detected
from hippocam.memory.entities.records import Entity
from hippocam.memory.errors import memory_errors
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Candidate, Query, order
from hippocam.memory.recall.ranking import by_belief, trusted, with_told
from hippocam.memory.records import Entry, Evidence, StreamStatus
from hippocam.models.encoders.absent import AbsentEncoder
from hippocam.models.lazy import Lazy
from hippocam.models.likeness import likeness_here
from hippocam.models.sentences.people import Kinds
from hippocam.models.sentences.vectors import phrase_vectors
from hippocam.stream.errors import HippocamError
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import FloatArray, Note
from hippocam.stream.zones.polygons import CameraZones

_MOST = 1_000_000
# What is believed at most of a moment for which neither a picture nor a word speaks.
_BY_NO_WORD = 0.01


class Part(NamedTuple):
    """A memory, and the query that is put to it."""

    member: Member
    query: Query

    @property
    def memory(self) -> Memory:
        """The memory alone."""
        return self.member.memory


class _Found(NamedTuple):
    """What one of the parts found, by its index."""

    part: int
    candidate: Candidate


class Search:
    """Memories, and the encoder that made their vectors. Streams and entries in conditions have their whole names.

    Args:
        memories: Where to look.
        encoder: The one that made their vectors.

    Attributes:
        encoder: The encoder given.
        robot: What is known of robots beside their pictures.
    """

    def __init__(self, memories: Memories, encoder: Encoder) -> None:
        self._memories, self.encoder = memories, encoder
        self.robot = RobotLookup(memories, _alone)
        self._phrases = Lazy(partial(phrase_vectors, encoder.spec, lambda: encoder))

    def streams(self) -> Sequence[StreamStatus]:
        """What is held of each stream."""
        return self._memories.streams()

    def search(self, text: str, where: Where) -> tuple[Evidence, ...]:
        """Moments that show what a text describes, the strongest first.

        Raises:
            HippocamError: The text is empty, a condition is out of its range or names what no memory knows.
        """
        if not text.strip():
            raise HippocamError("the text is empty: describe what to look for")
        self._memories.check(where)
        vector = self.encoder.encode_texts([description(text)])[0]
        presupposed = where.get("presupposed", False)
        parts = [
            Part(member, _query_of(member.memory, text, vector, own))
            for member, own in self._memories.meant(where)
        ]
        if not parts:
            return ()
        top = max(parts[0].query.top, LOOKED if isinstance(self.encoder, RegionEncoder) else 0)
        if parts[0].query.beside == 0 and top > parts[0].query.top:  # the regions of a few more are looked at
            wider = [Part(member, replace(query, top=top)) for member, query in parts]
            looked = self._confirmed(text, self._found(wider, presupposed=presupposed), where)
            moments = tuple(with_told(looked[: parts[0].query.top], looked, together))
        else:
            moments = self._confirmed(text, self._found(parts, presupposed=presupposed), where)
        if isinstance(self.encoder, AbsentEncoder):
            return tuple(moment for moment in moments if moment.noted or moment.score > _BY_NO_WORD)
        return moments

    def _confirmed(self, text: str, moments: Sequence[Evidence], where: Where) -> tuple[Evidence, ...]:
        at_s = where.get("at_s")

        def is_drawn(stream: str) -> bool:
            notable = self.notable({"stream": stream, "at_s": at_s}, READ_FOR_DRAWN)
            return stream in drawn_streams(moment for _, moment in notable)

        return confirmed(text, moments, lambda: self.entities(at_s), is_drawn)

    def _found(self, parts: Sequence[Part], *, presupposed: bool) -> tuple[Evidence, ...]:
        if len(parts) > 1:
            return self._search_several(parts, presupposed=presupposed)
        found = [_Found(0, candidate) for candidate in self.recall(parts[0])]
        return _moments(parts, found, [0.0], self.encoder, self._phrases, presupposed=presupposed)

    def recall(self, part: Part) -> list[Candidate]:
        """What a memory finds."""
        return part.memory.recall(part.query, self._memories.check_of(part.member, self.encoder))

    def _search_several(self, parts: Sequence[Part], *, presupposed: bool) -> tuple[Evidence, ...]:
        """Let each memory recall as if it were part of one large one, and take the best of all."""
        counts = at_once(lambda part: part.memory.comparable(part.query), parts)
        compared, top, beside = sum(counts), parts[0].query.top, parts[0].query.beside
        parts = [Part(member, replace(query, compared=compared, beside=0)) for member, query in parts]
        recalled = at_once(self.recall, parts)
        every = [_Found(index, candidate) for index, found in enumerate(recalled) for candidate in found]
        ranked = _trusted(sorted(every, key=lambda found: _order(parts, found)))
        best = with_told(ranked[:top], ranked, lambda each: each.candidate.together)
        best += _neighbours(parts, best, beside)
        best.sort(key=lambda found: _order(parts, found))
        shifts = [shift(self.encoder.spec, own, compared) for own in counts]
        return _moments(parts, best, shifts, self.encoder, self._phrases, presupposed=presupposed)

    def notable(self, where: Where, top: int) -> list[tuple[float, Evidence]]:
        """The moments that were most novel in their streams, `top` of each memory at most, with their utility."""
        moments = list[tuple[float, Evidence]]()
        for member, own in self._memories.meant(where):
            wanted, place_of = filter_of(own), own.get("place_of")
            if place_of is not None:
                entry = entry_with_place(member.memory, place_of)
                wanted = replace(wanted, stream=entry.stream, place=entry.place)
            found = member.memory.notable(wanted, top)
            evidence = evidence_of(member, _query_at(own), found)
            for candidate, moment in zip(found, evidence, strict=True):
                utility = candidate.entry.utility
                moments.append(
                    (
                        utility,
                        replace(moment, why=f"new to its stream: {utility:.1f} times the usual", recorded=True),
                    )
                )
        return moments

    def entities(self, at_s: float | None) -> list[Entity]:
        """Things and people that were told apart, by the time of their first visit."""
        return self._memories.entities(None, None, at_s)

    def people(self, at_s: float | None) -> Kinds:
        """What the portraits of visits show, "man" or "woman", by stream and visit, where it can be told."""
        return {
            (member.prefix + stream, visit_id): kind
            for member in self._memories.members
            for (stream, visit_id), kind in member.sentences.people.kinds(at_s).items()
        }

    def detected(self, at_s: float | None) -> list[Detected]:
        """When which labels were detected in any stream, followed or not."""
        return [
            each._replace(stream=member.prefix + each.stream)
            for member in self._memories.members
            for held in member.memory.streams()
            if not held.quarantined
            for each in member.memory.entities.detected(held.id)
            if at_s is None or each.t1_s <= at_s
        ]

    def notes(self, where: Where) -> list[Note]:
        """What was read, heard or given in some streams and times, by time."""
        found = list[Note]()
        for member, own in self._memories.meant(where):
            wanted = filter_of(own)
            after_s, before_s = wanted.after_s or 0.0, wanted.before_s
            for held in member.memory.streams():
                if wanted.of_stream(held.id) and held.quarantined != "all":
                    end_s = max(held.duration_s, held.t1_s or 0.0) if before_s is None else before_s
                    found += [
                        replace(note, stream=member.prefix + note.stream)
                        for note in member.memory.notes(held.id, after_s, end_s, at_s=wanted.at_s)
                    ]
        return found

    def whereabouts(self, subject: Subject, where: Where) -> list[Whereabouts]:
        """Whereabouts of things, words or a place, in each stream that is meant and is recalled."""
        found = list[Whereabouts]()
        for member, own in self._memories.meant(where):
            memory, recalled = member.memory, _recalled(member.memory)
            place_of = own.get("place_of")
            with memory_errors(memory.folder):
                if subject.labels:
                    every = of_things(memory.store, memory.entities, subject.labels, filter_of(own))
                elif subject.words:
                    every = of_words(memory.store, subject.words, filter_of(own))
                elif place_of is not None:
                    entry = entry_with_place(memory, place_of)
                    every = of_place(memory.store, entry.stream, entry.place, filter_of(own))
                else:
                    continue
            found += [replace(one, stream=member.prefix + one.stream) for one in every if one.stream in recalled]
        return found

    def remains(self, where: Where) -> list[Remains]:
        """What is left of a time of which no moment is held, in each stream that is meant and is recalled."""
        found = list[Remains]()
        for member, own in self._memories.meant(where):
            recalled = _recalled(member.memory)
            with memory_errors(member.memory.folder):
                every = list(remains(member.memory.store, filter_of(own)))
            found += [
                line._replace(stream=member.prefix + line.stream) for line in every if line.stream in recalled
            ]
        return found

    def coverage(self, where: Where) -> dict[str, Coverage]:
        """When each stream that is meant, and is recalled, was looked at."""
        found = dict[str, Coverage]()
        for member, own in self._memories.meant(where):
            memory, wanted = member.memory, filter_of(own)
            recalled = _recalled(memory)
            with memory_errors(memory.folder):
                every = memory.store.coverage.every()
            for stream, coverage in every.items():
                if stream in recalled and wanted.of_stream(stream):
                    name = member.prefix + stream
                    cut = coverage if wanted.at_s is None else coverage.within(-math.inf, wanted.at_s)
                    found[name] = replace(cut, stream=name)
        return found

    def moment_at(
        self, stream: str, time_s: float, at_s: float | None, within: tuple[float, float] | None = None
    ) -> Evidence | None:
        """The moment of a stream that shows a time; None where none is held.

        Pictures that were taken `within` a stretch of time come first.
        """
        for member in self._memories.members:
            if own := member.within(stream):
                entry_id = member.memory.entry_at(own, time_s, at_s, within)
                entry = None if entry_id is None else member.memory.entry(entry_id)
                return None if entry is None else _alone(member, entry, at_s)
        return None

    def marked(self) -> dict[str, CameraZones]:
        """What is marked in the pictures of each stream."""
        found = dict[str, CameraZones]()
        for member in self._memories.members:
            if zones := kept_zones(LiveFolder(member.memory.folder).zones):
                for held in member.memory.streams():
                    found[member.prefix + held.id] = marked_in(zones, held.id, held.source)
        return found

    def count(self, question: str, where: Where, view: EntityView | None = None) -> CountAnswer | None:
        """Answer a question that counts things; nobody is followed from one stream or memory to another.

        Args:
            question: In the user's words.
            where: Conditions.
            view: What of the things counts; None for all.

        Returns:
            None where it is no such question, or the entities do not tell.
        """
        if any(where.get(name) is not None for name in ("place_of", "near")):
            return None
        at_s = where.get("at_s")
        meant = [
            held
            for held in self._memories.streams()
            if filter_of(where).of_stream(held.id) and not held.quarantined
        ]
        missing, lines = away(meant) if at_s is None else {}, timelines(meant, at_s)
        streams = [
            StreamTimes(
                held.id,
                *start_and_end_s(held, at_s),
                lines[held.id],
                missing.get(held.id),
                over=held.complete and at_s is None and held.id not in missing,
            )
            for held in meant
        ]
        return answer_count(
            view or self._memories,
            question,
            streams=streams,
            at_s=at_s,
            limits=(where.get("after_s"), where.get("before_s")),
            top=where.get("top") or TOP,
            moment=lambda stream, time_s, within: self.moment_at(stream, time_s, at_s, within),
        )


def _recalled(memory: Memory) -> set[str]:
    return {stream.id for stream in memory.streams() if not stream.quarantined}


def _query_of(memory: Memory, text: str, vector: FloatArray, where: Where) -> Query:
    """Put a text and its conditions to a memory.

    Args:
        memory: Where the entry is whose place is meant.
        text: The words of the question.
        vector: float32 [D], these in the encoder's space.
        where: Conditions, under the memory's own names.

    Raises:
        HippocamError: A condition is out of its range, or the entry is not known.
    """
    top, beside = where.get("top"), where.get("beside") or 0
    top = TOP if top is None else top
    near, place_of = where.get("near"), where.get("place_of")
    if top < 1:
        raise HippocamError(f"top must be 1 or more, found {top}")
    if not 0 <= beside <= _MOST:
        raise HippocamError(f"beside must be 0 or more, found {beside}")
    if near is not None and not near[2] > 0:
        raise HippocamError(f"near needs a radius above 0 metres, found {near[2]:g}")
    return Query(
        text=text,
        vector=vector,
        place_of=None if place_of is None else entry_with_place(memory, place_of).id,
        top=top,
        beside=beside,
        far=where.get("far", False),
        in_words=where.get("in_words", False),
        labels=tuple(labels_named(text)),
        of_place=names_place(text),
        sentences=likeness_here(),
        **conditions(where),
    )


def _alone(member: Member, entry: Entry, at_s: float | None) -> Evidence:
    """Evidence of an entry that no question was compared with."""
    alone = Candidate(entry=entry, score=0.0, seen=0.0, cosine=0.0, words=(), spans=entry.spans)
    return evidence_of(member, _query_at({"at_s": at_s}), [alone])[0]


def _query_at(where: Where) -> Query:
    """A query without words: only the time of asking."""
    return Query(text="", vector=np.zeros(0, np.float32), at_s=where.get("at_s"))


def _order(parts: Sequence[Part], found: _Found) -> tuple[float, float, str, float, int]:
    """Order as within one memory whose streams are named as here."""
    score, cosine, stream, t0_s, entry_id = order(found.candidate)
    return score, cosine, parts[found.part].member.prefix + stream, t0_s, entry_id


def _trusted(found: Sequence[_Found]) -> list[_Found]:
    """Put what is doubted or claimed where it belongs, whichever memory has what it stands behind."""
    candidates = trusted([each.candidate for each in found])
    moved = [_Found(each.part, candidate) for each, candidate in zip(found, candidates, strict=True)]
    return sorted(moved, key=lambda each: by_belief(each.candidate))  # stable


def _neighbours(parts: Sequence[Part], best: Sequence[_Found], beside: int) -> list[_Found]:
    """The neighbours in time of the first `beside` of the best moments, each asked of its own memory."""
    found = list[_Found]()
    for index in sorted({found.part for found in best[:beside]}):
        known = {f.candidate.entry.id for f in best if f.part == index}
        anchors = sum(f.part == index for f in best[:beside])
        for candidate in parts[index].memory.recall(replace(parts[index].query, top=len(known), beside=anchors)):
            if candidate.beside is not None and candidate.entry.id not in known:
                found.append(_Found(index, candidate))
    return found


def _moments(
    parts: Sequence[Part],
    best: Sequence[_Found],
    shifts: Sequence[float],
    encoder: Encoder,
    phrases: Callable[[], FloatArray],
    *,
    presupposed: bool,
) -> tuple[Evidence, ...]:
    """What was found as evidence, the most believed first, with what live processes hold of open events."""
    closed, still_open = list[Iterator[Evidence]](), list[Evidence]()
    for index, (member, query) in enumerate(parts):
        found = [f.candidate for f in best if f.part == index]
        own = evidence_of(member, query, found)
        very_high = VERY_HIGH
        if query.beside == 0:  # beside them stand neighbours, which are believed less than what they stand beside
            own, very_high = by_regions(own, query.vector, encoder, phrases), on_its_scale(VERY_HIGH, encoder)
        own = supposed(own) if presupposed else own
        own = doubted(member.memory, query, own, prefix=member.prefix, very_high=very_high)
        closed.append(iter(own))
        plain = [replace(moment, stream=moment.stream.removeprefix(member.prefix)) for moment in own]
        apart = {held.id for held in member.memory.streams() if held.quarantined == "all"}
        for moment in open_moments(member.memory.folder, plain, query, member.sentences.of_frame):
            if moment.stream in apart:
                continue
            score = shifted(moment.score, shifts[index])
            score = on_its_scale(score, encoder) if query.beside == 0 else score
            still_open.append(replace(member.rename(moment), score=score))
    every = [*(next(closed[f.part]) for f in best), *still_open]
    most = max(parts[0].query.top, len(best))
    return tuple(sorted(every, key=lambda moment: -moment.score)[:most])  # stable
