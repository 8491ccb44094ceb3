"""A question into moments, and moments into an answer: what search and ask share, without files or settings."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypedDict

import numpy as np

from hippocam.apps.ask.before_after import JUST_S
from hippocam.apps.ask.count_answer import CountAnswer, answer_count
from hippocam.apps.ask.deep import DeepConfig, SecondLook, look_again, thin
from hippocam.apps.ask.description import description
from hippocam.apps.ask.meaning import Meaning, Turn
from hippocam.apps.ask.understand import understand
from hippocam.apps.ids import find_entry
from hippocam.apps.live.open_frames import with_open_moments
from hippocam.apps.records import Answer
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.recall.notes import SHOWN
from hippocam.memory.recall.query import Candidate, Query
from hippocam.memory.records import Evidence, Level, Span, StreamStatus, format_id
from hippocam.models.errors import ReaderError
from hippocam.models.readers.context import Context, ContextConfig, build_context
from hippocam.models.readers.extractive import ExtractiveReader
from hippocam.models.readers.note_text import told_note
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reading import SEEN_FROM, Reading, Sentence
from hippocam.stream.errors import HippocamError
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Embedding, FloatArray

_TOP = 5
# What was before or after something stands beside the last of the moments that show it.
_BESIDE = 3
_MOST = 1_000_000


class Where(TypedDict, total=False):
    """Where and when to look, and how much to give back; what is left out or None is no condition.

    Attributes:
        stream: Only this stream, or the cameras of this source.
        camera: Only cameras of this name: what follows the last "/" of a stream's name.
        place_of: Only the place of this entry, in its stream: its id, or the beginning of it.
        near: Only within a radius of a point: x, y, radius in metres, against the robot's pose at the picture.
        after_s: Only moments that end after this time.
        before_s: Only moments that begin before this time.
        at_s: As if the streams ended here: nothing later is used.
        top: Moments at most, 1 or more; None for 5, or what the reader takes.
        beside: Of so many of the best the neighbours in time come too, in addition to `top`.
    """

    stream: str | None
    camera: str | None
    place_of: str | None
    near: tuple[float, float, float] | None
    after_s: float | None
    before_s: float | None
    at_s: float | None
    top: int | None
    beside: int


class Reader(Protocol):
    """Turns what it is given into an answer."""

    @property
    def id(self) -> str:
        """Name of the reader, kept with its answers."""

    @property
    def budget(self) -> ContextConfig:
        """What it is to be given."""

    def read(self, context: Context, on_token: Callable[[str], None] | None = None) -> Reading:
        """Answer a question; on_token gets the words as they come, before they are checked."""


class Askable(Protocol):
    """What is asked: one memory, or several as one (federation.py)."""

    def streams(self) -> Sequence[StreamStatus]:
        """What is held of each stream."""

    def search(self, text: str, where: Where) -> tuple[Evidence, ...]:
        """Moments that show what a text describes, the strongest first."""

    def notable(self, where: Where, top: int) -> Sequence[tuple[float, Evidence]]:
        """The moments that were newest to their streams, at most `top`, each with its utility."""

    def count(self, question: str, where: Where) -> CountAnswer | None:
        """The answer to a question that counts things; None where it is none, or cannot be counted."""


class OneMemory:
    """A memory and the encoder that made its vectors, to be asked."""

    def __init__(self, memory: Memory, encoder: Encoder) -> None:
        self._memory, self._encoder = memory, encoder

    def streams(self) -> Sequence[StreamStatus]:
        """What is held of each stream."""
        return self._memory.streams()

    def search(self, text: str, where: Where) -> tuple[Evidence, ...]:
        """Moments that show what a text describes, the strongest first.

        Raises:
            HippocamError: The text is empty, or a condition names what the memory does not know.
        """
        check_asked(self._memory, text, where)
        query = query_of(self._memory, text, self._encoder.encode_texts([description(text)])[0], where)
        moments = evidence_of(self._memory, query, self._memory.recall(query))
        return with_open_moments(self._memory.folder, moments, query)

    def count(self, question: str, where: Where) -> CountAnswer | None:
        """The answer to a question that counts things; None where it is none, or cannot be counted."""
        stream, top = where.get("stream"), where.get("top") or _TOP
        others = ("camera", "place_of", "near", "after_s", "before_s")
        if any(where.get(name) is not None for name in others):
            return None
        ends_s = [s.duration_s for s in self._memory.streams() if stream in (None, s.id)]
        if not ends_s:
            return None
        query = Query(text="", vector=np.zeros(0, np.float32), at_s=where.get("at_s"))

        def moment(number: int) -> Evidence | None:
            entry = self._memory.entry(number)
            if entry is None:
                return None
            alone = Candidate(entry=entry, score=0.0, seen=0.0, cosine=0.0, words=(), spans=entry.spans)
            return evidence_of(self._memory, query, [alone])[0]

        at_s = max(ends_s) if query.at_s is None else query.at_s  # now is the end of what was watched
        return answer_count(self._memory, question, stream=stream, at_s=at_s, top=top, moment=moment)

    def notable(self, where: Where, top: int) -> Sequence[tuple[float, Evidence]]:
        """The moments that were newest to their streams, at most `top`, each with its utility."""
        found = self._memory.notable(_filter(where), top)
        query = Query(text="", vector=np.zeros(0, np.float32), at_s=where.get("at_s"))
        return [
            (c.entry.utility, replace(m, why=f"new to its stream: {c.entry.utility:.1f} times the usual"))
            for c, m in zip(found, evidence_of(self._memory, query, found), strict=True)
        ]


def ask(
    memory: Askable,
    encoder: Encoder,
    question: str,
    where: Where,
    reader: Reader,
    *,
    latest: Callable[[str], Sequence[Embedding]],
    on_token: Callable[[str], None] | None = None,
    before: Turn | None = None,
    deep: DeepConfig | None = None,
) -> Answer:
    """Answer a question with the moments that the answer rests on.

    A reader that fails does not keep the evidence back: the extractive reader words it then, and the answer
    says so in `failed`.

    Args:
        memory: What is asked.
        encoder: The one that made its vectors.
        question: In plain words.
        where: Where to look.
        reader: Who words the answer.
        latest: Gives the newest frames of a stream that is being watched.
        on_token: Gets the words of the answer as they come, before they are checked.
        before: The last question of the conversation, if it is one.
        deep: When and how far sources are looked at again; None for never.

    Raises:
        HippocamError: As for `search`.
    """
    started = time.monotonic()
    budget = reader.budget
    streams = [s for s in memory.streams() if _filter(where).of_stream(s.id)]
    turn = understand(question, streams, at_s=where.get("at_s"), before=before)
    top = where.get("top")
    wanted: Where = {**where, "top": budget.moments if top is None else top}
    if turn.kind in (QuestionKind.BEFORE, QuestionKind.AFTER):
        wanted["beside"] = max(_BESIDE, where.get("beside") or 0)
    count = memory.count(question, where)
    places, missing = ([], "") if count else _places(memory, turn, wanted)
    evidence = count.evidence if count else _gather(memory, turn, places, wanted)
    looked: SecondLook | None = None
    again = deep if count is None and turn.kind != QuestionKind.WHAT else None
    if again is not None and thin(evidence, again, sees=budget.frames > 0):
        looked = look_again(
            evidence,
            encoder.encode_texts([description(turn.text)])[0],
            encoder,
            streams,
            again,
            compared=sum(stream.entries for stream in streams),
            at_s=where.get("at_s"),
        )
        evidence = looked.evidence
    pictures = looked.pictures if looked else {}
    live = _live(memory, where, latest) if budget.live_frames else []
    failed, who = "", reader.id
    if count is not None:
        reading, who = count.reading, "counting"
    elif missing:
        reading = Reading(sentences=(Sentence(text=missing),), unknown=True)
    else:
        context = build_context(turn.question, evidence, live, budget, kind=turn.kind, closer=pictures)
        try:
            reading = reader.read(context, on_token)
        except ReaderError as error:
            failed, fallback = f"{reader.id}: {error}", ExtractiveReader()
            reading, who = fallback.read(context), fallback.id
    names = {moment.id: str(place) for place, moment in enumerate(evidence, start=1)}
    names |= {given.id: f"live {given.time_s:.1f} s" for given in reading.given if given.id not in names}
    return Answer(
        answer=reading.cited_answer(names),
        unknown=reading.unknown,
        confidence=reading.confidence,
        evidence=evidence,
        cited=reading.evidence_ids,
        reader=who,
        latency_ms=(time.monotonic() - started) * 1000,
        sentences=reading.sentences,
        given=reading.given,
        prompt=reading.prompt,
        failed=failed,
        understood=turn,
        looked=looked,
    )


def _places(memory: Askable, turn: Meaning, where: Where) -> tuple[list[Where], str]:
    """Where and when a question wants to be answered from, each; or why there is no such place."""
    anchor, places = turn.anchor, [_narrowed(where, span) for span in turn.spans]
    if anchor is None:
        return [place for place in places if place is not None], ""
    t0_s, t1_s, stream = anchor.t0_s, anchor.t1_s, anchor.stream
    if t0_s is None or t1_s is None:
        found = [
            moment
            for place in places
            if place is not None
            for moment in memory.search(anchor.text, {**place, "top": 1, "beside": 0})
        ]
        best = max(found, key=lambda moment: moment.score, default=None)
        if best is None or best.score < SEEN_FROM:
            return [], f'Not seen: nothing matches "{anchor.text}", {anchor.side} which to look.'
        t0_s, t1_s, stream = best.t0_s, best.t1_s, best.stream
    if anchor.side == "before":
        span = Filter(stream=stream, after_s=t0_s - JUST_S if anchor.just else None, before_s=t0_s)
    else:
        span = Filter(stream=stream, after_s=t1_s, before_s=t1_s + JUST_S if anchor.just else None)
    narrow = [_narrowed(place, span) for place in places if place is not None]
    return [place for place in narrow if place is not None], ""


def _narrowed(where: Where, span: Filter) -> Where | None:
    """Both conditions at once; None where nothing meets them."""
    stream = where.get("stream")
    if span.stream is not None and stream is not None and not _filter(where).of_stream(span.stream):
        return None
    after = [time_s for time_s in (where.get("after_s"), span.after_s) if time_s is not None]
    before = [time_s for time_s in (where.get("before_s"), span.before_s) if time_s is not None]
    return {
        **where,
        "stream": span.stream or stream,
        "after_s": max(after, default=None),
        "before_s": min(before, default=None),
    }


def _gather(memory: Askable, turn: Meaning, places: Sequence[Where], where: Where) -> tuple[Evidence, ...]:
    """Moments from all places, the strongest first; of a question for what there was, by time."""
    top = where["top"] or _TOP
    if turn.kind == QuestionKind.WHAT:
        found = [pair for place in places for pair in memory.notable(place, top)]
        best = [moment for _, moment in sorted(found, key=lambda pair: -pair[0])[:top]]
        return tuple(sorted(best, key=lambda m: (m.spans[0][0], m.stream, m.id)))
    moments = {m.id: m for place in places for m in memory.search(turn.text, place)}
    return tuple(sorted(moments.values(), key=lambda m: (-m.score, m.stream, m.t0_s))[: max(top, len(places))])


def check_asked(memory: Askable | Memory, text: str, where: Where) -> None:
    """Refuse, with HippocamError, to look for nothing, and in streams and cameras that a memory does not know."""
    if not text.strip():
        raise HippocamError("the text is empty: describe what to look for")
    stream, camera = where.get("stream"), where.get("camera")
    if stream is not None:
        check_stream(memory, stream)
    if camera is not None:
        _check_camera(memory, camera)


def query_of(memory: Memory, text: str, vector: FloatArray, where: Where) -> Query:
    """What is looked for in a memory.

    Args:
        memory: Where the entry is whose place is meant.
        text: The words of the question.
        vector: float32 [D], these in the encoder's space.
        where: Conditions, whose names were checked.

    Raises:
        HippocamError: A condition is out of its range, or the entry is not known.
    """
    top, beside = where.get("top"), where.get("beside") or 0
    top = _TOP if top is None else top
    near, place_of = where.get("near"), where.get("place_of")
    if top < 1:
        raise HippocamError(f"--top must be 1 or more, found {top}")
    if not 0 <= beside <= _MOST:
        raise HippocamError(f"--beside must be 0 or more, found {beside}")
    if near is not None and not near[2] > 0:
        raise HippocamError(f"--near needs a radius above 0 metres, found {near[2]:g}")
    return Query(
        text=text,
        vector=vector,
        stream=where.get("stream"),
        camera=where.get("camera"),
        place_of=None if place_of is None else _with_place(memory, place_of),
        near=near,
        after_s=where.get("after_s"),
        before_s=where.get("before_s"),
        at_s=where.get("at_s"),
        top=top,
        beside=beside,
    )


def check_stream(memory: Askable | Memory, stream: str) -> None:
    """Refuse, with HippocamError, a name that is of no stream of a memory and of no source."""
    known = [s.id for s in memory.streams()]
    if not any(k == stream or k.startswith(stream + "/") for k in known):
        raise HippocamError(f"stream {stream!r} is not in this memory; it holds {', '.join(known) or 'none'}")


def _check_camera(memory: Askable | Memory, camera: str) -> None:
    known = sorted({s.id.rpartition("/")[2] for s in memory.streams()})
    if camera not in known:
        raise HippocamError(f"camera {camera!r} is not in this memory; it holds {', '.join(known) or 'none'}")


def _with_place(memory: Memory, written: str) -> int:
    number = find_entry(memory, written)
    entry = memory.entry(number)
    if entry is None:
        raise HippocamError(f"--place-of {written}: the entry was given up; see hippocam explain {written}")
    if not entry.place:
        raise HippocamError(f"--place-of {written}: the place of this entry is not known; give another")
    return number


def _live(memory: Askable, where: Where, latest: Callable[[str], Sequence[Embedding]]) -> list[Embedding]:
    """Newest frames of the streams that a question is about; none where it asks for a place, which they lack."""
    if where.get("near") is not None or where.get("place_of") is not None:
        return []
    wanted = _filter(where)
    frames = (f for stream in memory.streams() if wanted.of_stream(stream.id) for f in latest(stream.id))
    return sorted(
        (f for f in frames if wanted.overlaps(f.time_s, f.time_s, f.time_s)), key=lambda f: (f.time_s, f.stream)
    )


def _filter(where: Where) -> Filter:
    """The conditions on streams and times."""
    return Filter(
        stream=where.get("stream"),
        camera=where.get("camera"),
        after_s=where.get("after_s"),
        before_s=where.get("before_s"),
        at_s=where.get("at_s"),
    )


def evidence_of(
    memory: Memory, query: Query, found: Sequence[Candidate], *, prefix: str = ""
) -> tuple[Evidence, ...]:
    """What a memory found for a query, as evidence.

    Args:
        memory: That found it.
        query: What was asked.
        found: Candidates, in any order; it is kept.
        prefix: Stands before each stream and id: "MEMORY/" where several memories are asked as one.
    """
    coarse, at_s = memory.coarse_streams(), query.at_s

    def times(span: Span) -> tuple[float, float]:
        return span.t0_s, span.t1_s if at_s is None else min(span.t1_s, at_s)

    def evidence(candidate: Candidate) -> Evidence:
        entry, (t0_s, t1_s) = candidate.entry, times(candidate.cited)
        holding = candidate.noted.notes if candidate.noted else ()
        speaks = candidate.noted is not None and candidate.noted.belief > candidate.seen
        near = memory.notes(
            entry.stream,
            t0_s if query.after_s is None else max(t0_s, query.after_s),
            t1_s if query.before_s is None else min(t1_s, query.before_s),
            at_s=at_s,
        )
        notes = [*holding, *(note for note in near if note not in holding)][:SHOWN]
        return Evidence(
            id=prefix + format_id(entry.id),
            stream=prefix + entry.stream,
            t0_s=t0_s,
            t1_s=t1_s,
            score=candidate.score,
            why=_why(candidate, prefix),
            image=str(memory.image(entry.id).resolve()) if entry.level < Level.VECTORS else "",
            frame_s=entry.frame_s,
            labels=entry.labels,
            text=entry.text,
            sensors=entry.sensors,
            spans=tuple(map(times, candidate.spans)),
            met=entry.met if at_s is None else len(candidate.spans),
            place=entry.place,
            coarse=entry.stream in coarse,
            notes=tuple(replace(note, stream=prefix + note.stream) for note in notes),
            noted=min(len(holding), len(notes)) if speaks else 0,
        )

    return tuple(map(evidence, found))


def _why(candidate: Candidate, prefix: str) -> str:
    if candidate.beside is not None:
        return f"stands beside {prefix}{format_id(candidate.beside)} in time"
    parts = [f"picture against words: cosine {candidate.cosine:.2f}, belief {candidate.seen:.0%}"]
    if candidate.noted is not None:
        told = "; ".join(map(told_note, candidate.noted.notes))
        parts = [f"{told} (belief {candidate.noted.belief:.0%})", *(parts if candidate.seen else ())]
    if candidate.entry.labels:
        parts.append("looks like " + ", ".join(candidate.entry.labels[:3]))
    if candidate.words:
        parts.append("named in it: " + ", ".join(candidate.words))
    return "; ".join(parts)
