"""What is looked for, and what is found: queries, candidates, summaries.

Shapes: D embedding dimension.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from hippocam.memory.filter import Filter
from hippocam.memory.recall.passages import Sentences
from hippocam.memory.recall.thing_hit import ThingHit
from hippocam.memory.records import Entry, Span, shown_span
from hippocam.memory.store.summaries import Summary
from hippocam.memory.stress import KEY_WEIGHT
from hippocam.stream.records import FloatArray, Note


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallConfig:
    """How candidates are weighed.

    Attributes:
        key_weight: How much what is new in an event counts beyond the rest of what it shows, 0 or more; less, the
            more of it is new. At 0 an event is found by its scene alone; the greater, the more by its key.
    """

    key_weight: float = KEY_WEIGHT

    def __post_init__(self) -> None:
        if not 0 <= self.key_weight <= 100:
            raise ValueError(f"recall.key_weight must be 0 to 100, found {self.key_weight}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Filter):
    """What is looked for, where and when: a Filter with a question.

    Attributes:
        text: The words of the question.
        vector: float32 [D], the question in the encoder's space.
        place_of: Only the place and the stream of this entry; none where it is not held or its place not known.
        top: Moments at most, 1 or more.
        beside: How many of these bring their neighbours in time with them, as context, in addition to `top`.
        far: Whether a neighbour may be any time away, as for what came next; else a few seconds at most.
        compared: How many pictures the belief rests on: those of all memories, where several are asked as one.
            None for this memory's own; see `comparable`.
        sentences: Tells which notes say what the question says in other words; None to go by words alone.
        in_words: Whether words are asked for, or can alone be the answer, whatever the text says: who the director
            was. Else that is read off the text.
        labels: What the detector calls the things that are named, if it knows them: a thing that it calls
            otherwise is none of these, however near its picture comes.
        of_place: Whether a place is described, which fills a picture: no thing by itself looks like one.
    """

    text: str
    vector: FloatArray
    place_of: int | None = None
    top: int = 5
    beside: int = 0
    far: bool = False
    compared: int | None = None
    sentences: Sentences | None = None
    in_words: bool = False
    labels: tuple[str, ...] = ()
    of_place: bool = False

    @property
    def wanted(self) -> Filter:
        """Only its conditions, without `place_of`."""
        return Filter(**{condition.name: getattr(self, condition.name) for condition in fields(Filter)})


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteHit:
    """Notes that hold a question's words, or say the same.

    Attributes:
        stream: Stream of all of them.
        notes: One or a few, close to each other, by time.
        words: The question's words in them.
        belief: That they are what was asked for, 0 to 1.
        span: Their time.
    """

    stream: str
    notes: tuple[Note, ...]
    words: tuple[str, ...]
    belief: float
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An entry with the beliefs that speak for it.

    Attributes:
        entry: The entry.
        score: Belief p that it shows what was asked for, 0 to 1; see recall.py.
        seen: p_seen, 0 to 1; 0 where the entry has only words.
        cosine: What p_seen rests on; 0 where the entry has words alone.
        words: Words of the question that the source's text or the labels hold.
        spans: When it was seen, as far as the question's conditions allow, by time; one at least.
        beside: The entry that it only stands beside in time; None where it speaks for itself.
        noted: What was read, heard or given at its time and holds words of the question; None where nothing was.
        thing: The thing whose own picture p_seen and the cosine rest on; None where they rest on the whole frames.
        witnessed: Belief without words that cannot be the answer; None where none speak for it: then the score.
        claimed: Whether words say so and no picture does; see trust.py. Then it is believed less than one half.
        told: Belief of words of its time, which cannot be the answer, where they may give it the last place.
        made_by: Id of the import that the entry came with; None for own footage.
        doubted: Whether it came with an import, beside own footage, and no look at its picture has borne it out.
    """

    entry: Entry
    score: float
    seen: float
    cosine: float
    words: tuple[str, ...]
    spans: tuple[Span, ...]
    beside: int | None = None
    noted: NoteHit | None = None
    thing: ThingHit | None = None
    witnessed: float | None = None
    claimed: bool = False
    told: float = 0.0
    made_by: int | None = None
    doubted: bool = False

    @property
    def shown(self) -> float:
        """Belief without words that cannot be the answer."""
        return self.seen if self.witnessed is None else self.witnessed

    @property
    def together(self) -> float:
        """Belief of what it shows and what is told of it, as independent causes; 0 where nothing is told."""
        return 1 - (1 - self.shown) * (1 - self.told) if self.told else 0.0

    @property
    def speaking(self) -> NoteHit | None:
        """Notes by which it stands where it does, and that say more than its picture; None where none are."""
        noted = self.noted
        if noted is None or self.score <= self.shown or noted.belief <= self.seen:
            return None
        return noted

    @property
    def cited(self) -> Span:
        """The span to show first: that of notes by which it stands, of a thing, then the exemplar's."""
        if (noted := self.speaking) is not None:
            return noted.span
        if self.thing is not None:
            return self.thing.span
        return shown_span(self.spans, self.entry.frame_s)


def order(candidate: Candidate) -> tuple[float, float, str, float, int]:
    """Sort key of candidates: the strongest first, equal ones by time."""
    entry = candidate.entry
    return -candidate.score, -candidate.cosine, entry.stream, entry.t0_s, entry.id


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryHit:
    """A scene, chapter or day that a question is about, as a whole: a coarse answer.

    Attributes:
        summary: What is known of that time.
        score: Belief, 0 to 1. The encoder is calibrated for pictures, not for their means: good for ranking.
        cosine: With the summary's mean.
        words: Words of the question that are among the summary's.
        entries: Entries held that begin within that time; with 0 the summary is all that is left of it.
    """

    summary: Summary
    score: float
    cosine: float
    words: tuple[str, ...]
    entries: int
