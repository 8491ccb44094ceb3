"""What the library gives back: how a watch goes and went, an answer, what a memory holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hippocam.apps.ask.deep import SecondLook
from hippocam.apps.ask.question.meaning import Meaning, Turn
from hippocam.memory.asof.links import Step
from hippocam.memory.asof.whereabouts import Whereabouts
from hippocam.memory.provenance.records import Import, Origin
from hippocam.memory.records import Entry, Evidence, StreamStatus, TierStatus
from hippocam.models.readers.reading import Given, Sentence
from hippocam.models.readers.surety import Surety
from hippocam.stream.errors import Failure as Failure
from hippocam.stream.metrics import StageStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchProgress:
    """How far a watch has come.

    Attributes:
        source: The source's address.
        time_s: Time in the source of the newest frame.
        duration_s: The source's length, None where it is unknown.
        done: Sources that are finished.
        total: Sources in all.
        watched_s: Seconds of footage watched so far, over all sources.
        seconds: Seconds that the watch took so far.
    """

    source: str
    time_s: float
    duration_s: float | None
    done: int
    total: int
    watched_s: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamReport:
    """What was watched of one stream. `resumed` says that some or all of it was in the memory already, at `fps`.

    `fps` is None for every frame and 0 for key frames alone.
    """

    id: str
    source: str
    duration_s: float
    frames_seen: int
    frames_encoded: int
    events: int
    entries: int
    fps: float | None
    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchReport:
    """The outcome of a watch.

    Attributes:
        streams: Those of the sources that could be opened.
        memory_bytes: What the memory's folder takes now.
        budget_bytes: What it may take.
        seconds: How long the watch took.
        times_real_time: Seconds of footage watched in a second.
        failed: Sources that failed; what could be read of them is kept.
        stages: What each stage did: items, seconds at work, seconds waiting for the others.
    """

    streams: tuple[StreamReport, ...] = ()
    memory_bytes: int = 0
    budget_bytes: int = 0
    seconds: float
    times_real_time: float = 0.0
    failed: tuple[Failure, ...]
    stages: tuple[StageStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer with what it rests on.

    Attributes:
        answer: One or a few sentences; "[2]" behind one means that it rests on the second moment of `evidence`,
            "(inference)" that it rests on none.
        unknown: Whether the memory holds nothing that answers the question.
        confidence: Belief, 0 to 1, that the answer is right; where it is unknown, the belief in the nearest
            moment.
        evidence: Moments, the strongest first; those in `cited` carry the answer.
        cited: Ids that the answer rests on: of evidence, or of live frames that are in `given`.
        reader: Which reader answered.
        latency_ms: Time from question to answer.
        sentences: The answer's sentences, each with the ids that it rests on.
        given: What the reader was given: moments and live frames, with or without their picture.
        prompt: The same word for word, with a line for each picture; "" for a reader without a model.
        failed: Why the reader that was asked could not answer, so that another did from the evidence alone; "" if
            it could.
        understood: What the question was taken to mean.
        looked: What was looked at again in the sources; None where the evidence was enough.
        surety: How sure it is, in a word whose meaning was measured: clear, likely, perhaps, not seen.
        states: Of a question about presence, what is known in each stream: seen, gone, never looked, or not seen
            while looking.
        path: The records that links led over to the answer, from the one that was found.
    """

    answer: str
    unknown: bool
    confidence: float
    evidence: tuple[Evidence, ...]
    cited: tuple[str, ...]
    reader: str
    latency_ms: float
    sentences: tuple[Sentence, ...] = ()
    given: tuple[Given, ...] = ()
    prompt: str = ""
    failed: str = ""
    understood: Meaning | None = None
    looked: SecondLook | None = None
    surety: Surety = Surety.PERHAPS
    states: tuple[Whereabouts, ...] = ()
    path: tuple[Step, ...] = ()

    @property
    def not_seen(self) -> bool:
        """Whether the memory holds nothing; else an unknown answer is one that its reader could not support."""
        return self.unknown and self.answer.startswith("Not seen")

    @property
    def turn(self) -> Turn | None:
        """What the next question of a conversation may lean on; None where nothing was understood."""
        if self.understood is None:
            return None
        cited = next((moment for moment in self.evidence if moment.id in self.cited), None)
        if cited is None:
            return Turn(meaning=self.understood)
        return Turn(meaning=self.understood, stream=cited.stream, t0_s=cited.t0_s, t1_s=cited.t1_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a memory holds, by stream and by tier; `pending` are deletions that the next writer has to finish."""

    memory: str
    encoder: str
    bytes: int
    budget_bytes: int
    streams: tuple[StreamStatus, ...]
    tiers: tuple[TierStatus, ...]
    pending: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMoment:
    """A moment as it is held.

    Attributes:
        id: Its entry's whole id.
        stream: Its stream's whole name.
        spans: When it was seen, as far as that was asked for, [t0_s, t1_s] each, by time.
        sentence: What it looks like, in one phrase that people read.
        image: Path of its picture, a JPEG; "" where it was given up.
        entry: The entry, under the names that its own memory has.
    """

    id: str
    stream: str
    spans: tuple[tuple[float, float], ...]
    sentence: str
    image: str
    entry: Entry


class SetApart(NamedTuple):
    """What is in quarantine, and the imports that it could name.

    Attributes:
        origins: What is in it, the oldest first.
        imports: Imports of which the memory holds streams, with the names of these.
        changed: Whether this call put something into it, or took it out.
    """

    origins: tuple[Origin, ...]
    imports: tuple[tuple[Import, tuple[str, ...]], ...]
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """The outcome of an import.

    Attributes:
        id: The import's id, by which what came with it can be put into quarantine or deleted.
        streams: Streams that were taken in.
        entries: Entries that were taken in; some may have been given up for later ones.
        notes: Notes that were taken in, likewise.
        known: Streams that were there already; they stay as they were.
        held: Entries that the memory holds now.
        memory_bytes: What its folder takes now.
        budget_bytes: What it may take.
    """

    id: str
    streams: tuple[str, ...]
    entries: int
    notes: int
    known: tuple[str, ...]
    held: int
    memory_bytes: int
    budget_bytes: int
