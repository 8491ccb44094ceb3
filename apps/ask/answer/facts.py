"""What a memory's records hold of the streams and times that one question is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from hippocam.memory.entities.describing import Position
from hippocam.memory.entities.detections import Detected
from hippocam.memory.entities.records import Entity, Visit
from hippocam.memory.recall.words import content_words
from hippocam.memory.records import Evidence
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reading import SEEN_FROM
from hippocam.models.sentences.people import Kinds
from hippocam.stream.records import Box, Note

# Kinds of notes that tell what was said, and what was to be read.
SPOKEN = ("speech", "subtitle")
WRITTEN = ("screen", "subtitle", "chapter", "mark")
READ = ("screen",)
# Sentences of moments that nobody filmed; the share of them from which on a stream is of such; how many are read.
_DRAWN = re.compile(r"^(?:an? )?(?:cartoon|drawing|animated|text on|picture on a screen|(?:[\w-]+ ){1,4}screen)\b")
_DRAWN_SHARE, READ_FOR_DRAWN = 0.2, 48
# "At 0:46", "at the end": a moment, however wide the window is in which pictures are looked for.
_AT = re.compile(r"\bat (?:about |around |exactly )?(?P<time>\d+(?::\d+)+(?:\.\d+)?)\b", re.IGNORECASE)
_AT_END = re.compile(r"\bat the (?:very )?(?:end|finish)\b", re.IGNORECASE)
_MOMENT_S = 12.0
# A visit is sure that has so many detections, the surest of at least this score.
_SURE_HITS, _SURE_SCORE = 3, 0.66
# A stream that shows so many kinds of animals shows none: each is a guess at what the detector does not know.
_ANIMALS = frozenset("bird cat dog horse sheep cow elephant bear zebra giraffe".split())
_TOO_MANY_KINDS = 3


def drawn_streams(moments: Iterable[Evidence]) -> set[str]:
    """The streams of drawings and screens, by what their most novel moments look like, READ_FOR_DRAWN of each.

    Measured on eight clips: of three of drawings and screens a third to all of the sentences say so, of the five
    that were filmed none.
    """
    read = dict[str, list[bool]]()
    for moment in moments:
        read.setdefault(moment.stream, []).append(_DRAWN.search(moment.sentence) is not None)
    return {stream for stream, each in read.items() if sum(each) >= _DRAWN_SHARE * len(each)}


class Records(Protocol):
    """Looks up what needs no search, within the streams and times that a question is about."""

    def entities(self) -> Sequence[Entity]:
        """Things and people that were told apart in any stream, by the time of their first visit."""

    def people(self) -> Kinds:
        """What the portraits of visits show, "man" or "woman", by stream and visit, where it can be told."""

    def detected(self) -> Sequence[Detected]:
        """When which labels were detected, followed or not."""

    def notes(self) -> Sequence[Note]:
        """What was read, heard or given, by time."""

    def moment_at(self, stream: str, time_s: float, within: tuple[float, float] | None = None) -> Evidence | None:
        """The moment of a stream that shows a time; pictures that were taken `within` a stretch come first."""

    def notable(self, top: int) -> Sequence[tuple[float, Evidence]]:
        """The moments that were most novel in their streams, with their utility."""


class Closeup(NamedTuple):
    """A part of a picture that looks most like what was named.

    Attributes:
        colour: Name of its colour; "" where it has none that tells.
        where: Where in the picture it is.
        nearness: Cosine of the part with what was named.
    """

    colour: str
    where: Position
    nearness: float


class Closer(Protocol):
    """Looks again at the pictures that are kept of moments."""

    def find(self, moment: Evidence, text: str, *, fills: bool) -> Closeup | None:
        """The part of a moment's picture that looks most like what a text names; None where no picture is kept.

        Args:
            moment: Which picture.
            text: "the sofa".
            fills: Whether what is named fills such a part, as a floor or the sky does.
        """

    def near(self, moments: Sequence[Evidence], texts: Sequence[str]) -> list[float]:
        """How near the pictures of moments come to each of some texts: cosines, their mean over the pictures."""

    def brightness(self, moments: Sequence[Evidence]) -> float:
        """How bright the pictures of some moments are in the mean, 0 to 1."""

    def part(self, moment: Evidence, box: Box, part: Box) -> str:
        """The colour of a part of a thing, given in shares of its box; "" where it tells none."""

    def background(self, moment: Evidence) -> str:
        """The colour of most of a picture's border; "" where no picture is kept."""


class Watched(NamedTuple):
    """What a question is about of one stream: all that was watched of it, or a window of time."""

    stream: str
    start_s: float
    end_s: float


def is_sure(visit: Visit) -> bool:
    """Whether the detector saw a visit well and often."""
    return visit.hits >= _SURE_HITS and visit.score >= _SURE_SCORE


def confused(entities: Sequence[Entity]) -> set[str]:
    """The streams in which the detector takes what it sees for ever other animals."""
    kinds = dict[str, set[str]]()
    for entity in entities:
        if entity.label in _ANIMALS:
            kinds.setdefault(entity.stream, set()).add(entity.label)
    return {stream for stream, seen in kinds.items() if len(seen) >= _TOO_MANY_KINDS}


class Stay(NamedTuple):
    """A visit within what the question is about."""

    entity: Entity
    visit: Visit
    t0_s: float
    t1_s: float

    @property
    def sure(self) -> bool:
        """Whether the detector saw it well and often."""
        return is_sure(self.visit)

    @property
    def clothes(self) -> str:
        """What somebody wears: "in black", "in grey above and black below"; "" where nothing is known."""
        above, below = (*self.visit.colours, "", "")[:2]
        if self.visit.label != "person":
            return ""
        if above and below and above != below:
            return f"in {above} above and {below} below"
        return f"in {above or below}" if above or below else ""


def different(stays: Iterable[Stay]) -> int:
    """How many different things or people some visits are of."""
    return len({stay.entity.id for stay in stays})


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A question, and the records of what it is about.

    Attributes:
        question: As a whole sentence.
        kind: What it wants to know.
        text: What it names to look for; "" for all that there was.
        nth: Which in a row, from 1; 0 where it does not say, or means the last.
        beside: Whether it means the time before or after something else.
        watched: The streams that it is about, those that it names first, with the time of each.
        records: Looks up the rest.
        top: Moments to show at most.
    """

    question: str
    kind: QuestionKind
    text: str
    nth: int
    beside: bool
    watched: tuple[Watched, ...]
    records: Records
    top: int

    def stays(self, wanted: Callable[[Entity], bool] = lambda entity: True) -> list[Stay]:
        """Visits of some entities within what the question is about, by time."""
        meant = {each.stream: each for each in self.watched}
        found = list[Stay]()
        for entity in self.records.entities():
            if entity.stream not in meant or not wanted(entity):
                continue
            _, start_s, end_s = meant[entity.stream]
            for visit in entity.visits:
                if visit.t0_s < end_s and visit.t1_s > start_s:
                    found.append(Stay(entity, visit, max(visit.t0_s, start_s), min(visit.t1_s, end_s)))
        return sorted(found, key=lambda stay: (stay.t0_s, stay.visit.stream, stay.visit.id))

    def kind_of(self, stay: Stay) -> str:
        """Whether somebody is a "man", a "woman", a "boy", a "girl" or a "child" by the portraits of all visits.

        Returns:
            "" where none tells, or they do not agree.
        """
        people = self.records.people()
        kinds = {kind for visit in stay.entity.visits if (kind := people.get((visit.stream, visit.id)))}
        return kinds.pop() if len(kinds) == 1 else ""

    def person(self, stay: Stay, unknown: str = "one") -> str:
        """Somebody by looks: "a woman in black", "one in black" where the portrait does not tell more."""
        kind = self.kind_of(stay)
        return f"{f'a {kind}' if kind else unknown} {stay.clothes}".strip()

    def of_kind(self, meant: Collection[str], stays: Sequence[Stay], *, or_unknown: bool = False) -> list[Stay]:
        """The visits of people of some kinds.

        Args:
            meant: "woman" for ladies, as in `nouns.people_shown_as`; all stay in where it is empty.
            stays: Visits of people.
            or_unknown: Whether those stay in of whom it is not known.
        """
        return [s for s in stays if not meant or (k := self.kind_of(s)) in meant or (or_unknown and not k)]

    def likely_of(self, meant: Collection[str], stays: Sequence[Stay]) -> list[Stay]:
        """The visits of people of some kinds; where no portrait shows one, of those of whom it is not known."""
        return self.of_kind(meant, stays) or self.of_kind(meant, stays, or_unknown=True)

    def came(self, labels: Collection[str]) -> list[list[Stay]]:
        """The visits of each thing of some labels, in the order in which they came."""
        found = dict[int, list[Stay]]()
        for stay in self.stays(lambda entity: entity.label in labels):
            found.setdefault(stay.entity.id, []).append(stay)
        return list(found.values())

    def glimpsed(self, labels: Sequence[str]) -> list[Detected]:
        """Stretches within what the question is about in which one of some labels was detected, by time."""
        meant = {each.stream: each for each in self.watched}
        found = [
            each
            for each in self.records.detected()
            if each.label in labels
            and each.stream in meant
            and meant[each.stream].start_s <= each.t0_s
            and each.t1_s <= meant[each.stream].end_s
        ]
        return sorted(found, key=lambda each: (each.t0_s, each.stream))

    def told_apart(self) -> set[str]:
        """The streams in which anything was ever recognised: elsewhere the absence of a thing says nothing."""
        return {entity.stream for entity in self.records.entities()}

    def drawn(self) -> set[str]:
        """The streams of drawings and screens, by what their moments look like."""
        return drawn_streams(moment for _, moment in self.records.notable(READ_FOR_DRAWN))

    def filmed(self, stays: Sequence[Stay]) -> list[Stay]:
        """The visits in streams that were filmed: in drawings the detector sees what is not there."""
        drawn = self.drawn() if stays else ()
        return [stay for stay in stays if stay.visit.stream not in drawn]

    @property
    def moment_s(self) -> float | None:
        """The moment of its one stream that the question names; None where it means a stretch, or all of it."""
        if len(self.watched) != 1:
            return None
        _, start_s, end_s = self.watched[0]
        if _AT_END.search(self.question):
            return end_s
        return (start_s + end_s) / 2 if _AT.search(self.question) and end_s - start_s <= _MOMENT_S else None

    def meant(self, named: str, evidence: Sequence[Evidence], most: int) -> list[Evidence]:
        """The best moment of what a question names; where it names nothing, the most notable moments.

        Args:
            named: The words that name something to look for.
            evidence: What was found for it, the strongest first.
            most: How many moments at most.
        """
        if content_words(named) and evidence and evidence[0].score >= SEEN_FROM:
            return [evidence[0]]
        return [moment for _, moment in self.records.notable(most)]

    def notes(self, kinds: Sequence[str]) -> list[Note]:
        """Notes of some kinds, by time."""
        return [note for note in self.records.notes() if note.kind in kinds]

    def shown(self, spans: Sequence[tuple[str, float, float, float]], why: str, belief: float) -> list[Evidence]:
        """Moments for some spans, each with these as its times; those without an entry are left out.

        Args:
            spans: Stream, start, end, and the time at which the thing is seen best.
            why: What the moments rest on.
            belief: That they show it, 0 to 1.
        """
        moments = dict[str, Evidence]()
        for stream, t0_s, t1_s, best_s in spans:
            moment = self.records.moment_at(stream, best_s, (t0_s, t1_s))
            if moment is None:
                continue
            known = moments.get(moment.id)
            if known is not None:
                moments[moment.id] = replace(known, spans=(*known.spans, (t0_s, t1_s)), met=known.met + 1)
            elif len(moments) < self.top:
                moments[moment.id] = replace(
                    moment,
                    t0_s=t0_s,
                    t1_s=t1_s,
                    spans=((t0_s, t1_s),),
                    score=belief,
                    why=why,
                    met=1,
                    recorded=True,
                )
        return list(moments.values())

    def moments_of(self, stays: Sequence[Stay], why: str, belief: float) -> list[Evidence]:
        """Moments for some visits, where each is seen best; see `shown`."""
        best = [min(max(stay.visit.frame_s, stay.t0_s), stay.t1_s) for stay in stays]
        spans = [(s.visit.stream, s.t0_s, s.t1_s, best_s) for s, best_s in zip(stays, best, strict=True)]
        return self.shown(spans, why, belief)
