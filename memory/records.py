"""What the memory keeps and what it gives back: events, long-term entries, evidence.

A thing that was seen has four shapes, each with what its user needs and no more: an Event as working memory closes
it, with its vectors and the picture's bytes; an Entry as it is stored and recalled, without vectors; a Slot as
the bank weighs it, without words and pictures; Held as sleep merges it, with both vectors. Evidence is what the
library gives back of a moment.

Shapes: D embedding dimension. Times are seconds from the start of the stream's source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import NO_SENSORS, Box, FloatArray, Note, Sensors
from hippocam.stream.robot.motion import Motion
from hippocam.stream.timecode import DATES_FROM_S

# Stands for a sampling rate: a stream was previewed by its key frames alone.
KEY_FRAMES = 0.0


def id_of(stream: str, first_seq: int) -> int:
    """Identity of the event of a stream that begins at first_seq: positive, 63 bits.

    It depends on nothing else, so the same footage makes the same ids whatever ran beside it, and a
    replayed event is recognised.
    """
    digest = hashlib.blake2b(f"{stream}\0{first_seq}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def format_id(entry_id: int) -> str:
    """Write an entry's id as people see it: 16 hexadecimal digits."""
    return f"{entry_id:016x}"


class Level(IntEnum):
    """How much of an entry's evidence is still kept; it only falls.

    FULL: the exemplar as it came. SMALL: a thumbnail of it. VECTORS: no picture, only vectors. SIGNS: only the
    signs of the vectors, or where something was learned of them their outline. WORDS: only its times and words.
    """

    FULL = 0
    SMALL = 1
    VECTORS = 2
    SIGNS = 3
    WORDS = 4


# Stands beside the levels for a step within SIGNS, after which only a short outline is kept.
SHORT = max(Level) + 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time in which a thing was seen.

    Attributes:
        t0_s: Start.
        t1_s: End.
        known_s: Time of the last frame that it rests on: before it, the span was not yet known.
    """

    t0_s: float
    t1_s: float
    known_s: float


def shown_span(spans: Sequence[Span], frame_s: float) -> Span:
    """The one of some spans, one at least, in which an exemplar of this time was seen, else the last."""
    return next((span for span in spans if span.t0_s <= frame_s <= span.t1_s), spans[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A closed stretch of one stream, ready for long-term memory.

    Attributes:
        stream: Which stream.
        first_seq: Position of its first frame.
        last_seq: Position of its last frame.
        t0_s: Time of its first frame.
        t1_s: Time at which the next event begins, or of its last frame where nothing follows closely.
        known_s: Time of the last frame that went into the keys: before it, the event was not yet known.
        key: float32 [D], what is new in it: its mean less what the stream's context explains.
        scene: float32 [D], its mean: what is shown in all.
        surprise: Share of its mean that the stream's context does not explain, 0 to 1: see working/context.py.
        utility: New over known (the tangent of the angle whose sine is the surprise), over that of the stream's
            usual event: 1 is usual. A still camera's visitor differs less from its background than any two shots
            of a film, and matters no less. More for what lasts longer than any piece that is cut.
        frame_s: Time of the exemplar, the frame nearest to the mean.
        jpeg: The exemplar.
        sensors: What the robot knew at the exemplar.
        motion: What it did along the event; None where that is not known.
        labels: Names of what was recognised, the most frequent first.
        text: Words that the source gave. Untrusted.
        frames: Frames that were encoded.
        repeats: Frames that the gate counted as unchanged.
        place: Which of the stream's places it was in, from 1; 0 where that is not known.
        cut: Why it ended.
        view: float32 [D], the key of one of its frames that was held out of its mean, to ask with; mostly None.
    """

    stream: str
    first_seq: int
    last_seq: int
    t0_s: float
    t1_s: float
    known_s: float
    key: FloatArray
    scene: FloatArray
    surprise: float
    utility: float
    frame_s: float
    jpeg: bytes
    sensors: Sensors = NO_SENSORS
    motion: Motion | None = None
    labels: tuple[str, ...] = ()
    text: str = ""
    frames: int = 1
    repeats: int = 0
    place: int = 0
    cut: str = ""
    view: FloatArray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """What the last event of a stream showed was there unchanged from t0_s to t1_s (repeats only).

    It goes on where that event or the continuation before ended, but behind a gap: there t0_s is its own.
    """

    stream: str
    last_seq: int
    t0_s: float
    t1_s: float
    repeats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A long-term slot as it is stored. Fields as in Event.

    Attributes:
        id: See id_of.
        jpeg_bytes: Size of the exemplar's file; 0 where the picture was given up.
        spans: When it was seen: first, latest and up to two more, by time. The first is [t0_s, t1_s].
        strength: Grows with spaced re-use and slows its decay; 1 at first.
        met: How often it was seen.
        uses: How often it was used as evidence.
        pinned: Never given up.
        level: How much of its evidence is kept.
        place: As in Event.
    """

    id: int
    stream: str
    t0_s: float
    t1_s: float
    known_s: float
    frame_s: float
    surprise: float
    utility: float
    labels: tuple[str, ...]
    text: str
    frames: int
    repeats: int
    jpeg_bytes: int
    sensors: Sensors = NO_SENSORS
    motion: Motion | None = None
    spans: tuple[Span, ...] = ()
    strength: float = 1.0
    met: int = 1
    uses: int = 0
    pinned: bool = False
    level: Level = Level.FULL
    place: int = 0
    first_seq: int = 0

    @property
    def poses(self) -> NDArray[np.float64]:
        """Where the robot was along the event, or else at the exemplar: float64 [N, 7], none where not known."""
        if self.motion is not None and self.motion.poses is not None:
            return self.motion.poses
        own = self.sensors.pose
        return np.zeros((0, 7)) if own is None else own.astype(np.float64).reshape(1, 7)

    @property
    def shown(self) -> Span:
        """The span in which its exemplar was seen, else the last."""
        return shown_span(self.spans, self.frame_s)


def unheld_entry(entry_id: int, stream: str, span: Span, frame_s: float) -> Entry:
    """Stands for a moment that no entry holds any more: its times alone, without a picture."""
    return Entry(
        id=entry_id,
        stream=stream,
        t0_s=span.t0_s,
        t1_s=span.t1_s,
        known_s=span.known_s,
        frame_s=frame_s,
        surprise=0.0,
        utility=0.0,
        labels=(),
        text="",
        frames=0,
        repeats=0,
        jpeg_bytes=0,
        spans=(span,),
        level=Level.WORDS,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An entry as the bank weighs it: what decides whether it is kept, without words and pictures.

    Fields as in Entry.

    Attributes:
        entry_id: Its id.
        first_seq: As in Entry; -1 where that is not known.
        key_D: float32 [D]; None where it has no vectors any more.
        last_s: When it was last seen.
        words_bytes: About how many bytes its words take, full text included.
        short: Whether a short outline is all that is left of its vectors: see memory/codec.py.
    """

    entry_id: int
    stream: str
    place: int
    key_D: FloatArray | None
    utility: float
    last_s: float
    jpeg_bytes: int = 0
    words_bytes: int = 0
    strength: float = 1.0
    met: int = 1
    uses: int = 0
    pinned: bool = False
    level: Level = Level.FULL
    short: bool = False
    first_seq: int = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """An entry with vectors, as sleep sees it; fields as in Entry.

    Attributes:
        key_D: float32 [D], as in Event.
        scene_D: float32 [D], as in Event.
        worth: What the bank says that it is worth now.
        slept: Entries that earlier sleeps merged into it.
        mass: How often its views, and those of what was merged into it, are found in all: see sleep/views.py.
        picture_bytes: What its picture takes.
    """

    id: int
    stream: str
    key_D: FloatArray
    scene_D: FloatArray
    spans: tuple[Span, ...]
    utility: float
    strength: float = 1.0
    met: int = 1
    pinned: bool = False
    level: Level = Level.FULL
    place: int = 0
    text: str = ""
    worth: float = 0.0
    slept: int = 0
    mass: float = 1.0
    picture_bytes: int = 0

    def unchanged(self, now: Held) -> bool:
        """Whether this is what the entry is now, but for its worth."""
        own, others = ((e.id, e.spans, e.met, e.pinned, e.level, e.place, e.text, e.slept) for e in (self, now))
        return (
            own == others and np.array_equal(self.key_D, now.key_D) and np.array_equal(self.scene_D, now.scene_D)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A moment that bears on a question.

    Attributes:
        id: Id of the entry, as in format_id.
        stream: Which stream.
        t0_s: Start of the moment.
        t1_s: End of the moment.
        score: Belief, 0 to 1, that the moment shows what was asked for.
        why: What the score rests on, for people.
        image: Path of the exemplar, a JPEG inside the memory; "" where it was given up for the budget.
        frame_s: Time of the exemplar.
        sentence: What it looks like, in one phrase that people read: no evidence, never searched. "" where it was
            not asked for.
        text: Words that the source gave. Untrusted.
        sensors: What the robot knew at the exemplar.
        spans: All times at which it was seen, [t0_s, t1_s] each, by time.
        met: How often it was seen; more often than there are spans once these are full.
        place: Which of the stream's places it was in; 0 where that is not known.
        coarse: Whether its stream was previewed by its key frames alone: its times are those of key frames.
        notes: What was read on screen, said, or given by the container at its time, each with its own true times;
            those that hold words of the question first. Untrusted.
        noted: How many of these, from the first, speak for the moment, which then has their times; 0 where the
            picture speaks for it.
        thing: Label of the thing whose own picture speaks for the moment, which then has the times of its visit;
        ""
            where whole frames do.
        visit: Id of that visit, as in format_id; "" for none.
        box: Where the thing is in the exemplar: left, top, right, bottom as shares; None where that is not known.
        witnessed: Belief, 0 to 1, without words that cannot be the answer; None where none speak for it: then the
            score.
        claimed: Whether words say so and the picture does not bear them out: then it is believed less than one
            half.
        told: Belief, 0 to 1, of words of its time, which cannot be the answer, where of all moments they tell most
            of it; 0 of the others.
        imported: Id of the import that it came with, as in format_id; "" for own footage.
        detected: Whether the detector saw what is asked for in its stream, so that the picture is not all that
            speaks for it: a thing of the kind, of which no more is said than where it is and how it looks.
        recorded: Whether its belief rests on a record, as of the detector, and not on what a picture looks like.
    """

    id: str
    stream: str
    t0_s: float
    t1_s: float
    score: float
    why: str
    image: str
    frame_s: float
    sentence: str = ""
    text: str = ""
    sensors: Sensors = field(default=NO_SENSORS, repr=False)
    spans: tuple[tuple[float, float], ...] = ()
    met: int = 1
    place: int = 0
    coarse: bool = False
    notes: tuple[Note, ...] = ()
    noted: int = 0
    thing: str = ""
    visit: str = ""
    box: Box | None = None
    witnessed: float | None = None
    claimed: bool = False
    told: float = 0.0
    imported: str = ""
    detected: bool = False
    recorded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStatus:
    """What a memory holds of one stream.

    Attributes:
        id: Name of the stream.
        source: Where it came from, as the user wrote it.
        fps: Frames a second that were looked at; None for every one, KEY_FRAMES (0) for key frames alone.
        duration_s: Time of the end of what was watched.
        complete: Whether the source was watched to its end.
        frames_seen: Frames sampled from the source.
        frames_encoded: Frames that passed the change gate.
        events: Events that were cut.
        entries: Events that are still held.
        entry_bytes: What these take: rows and pictures.
        evicted: Events that were given up for the budget.
        t0_s: Start of the earliest entry, None where there is none.
        t1_s: End of the latest entry, None where there is none.
        recorded_s: When its recording begins, in seconds since 1970, where its times count from then on; None
            where they count from its start, and for live cameras.
        imported: Whether the source is what a file said that was imported: nobody here has named that path.
        quarantined: How much of it is in quarantine, kept and not recalled: "", "part" or "all".
        looked: When it was looked at, [t0_s, t1_s] each, by time; between them nobody looked.
        senses: What perceived beside the encoder, as ("screen", "things"); empty where that is not known.
    """

    id: str
    source: str
    fps: float | None
    duration_s: float
    complete: bool
    frames_seen: int
    frames_encoded: int
    events: int
    entries: int
    entry_bytes: int
    evicted: int
    t0_s: float | None
    t1_s: float | None
    recorded_s: float | None = None
    imported: bool = False
    quarantined: Literal["", "part", "all"] = ""
    looked: tuple[tuple[float, float], ...] = ()
    senses: tuple[str, ...] = ()

    @property
    def coarse(self) -> bool:
        """Whether only key frames were looked at."""
        return self.fps == KEY_FRAMES

    @property
    def goes_on(self) -> bool:
        """Whether it is a live camera, whose times are dates and which has no end."""
        return not self.complete and self.recorded_s is None and (self.t0_s or self.duration_s) >= DATES_FROM_S

    @property
    def last_look_s(self) -> float:
        """Until when it was watched, as far as is written."""
        return max(self.duration_s, self.t1_s or 0.0)

    def end_s(self, clock_s: float) -> float:
        """When it ends for whoever asks at a time of the clock: a live camera then, also while it is away."""
        return max(self.last_look_s, clock_s) if self.goes_on else self.last_look_s

    def in_source_s(self, time_s: float) -> float:
        """A time of the stream as its source has it: seconds from the start of the file."""
        return time_s - (self.recorded_s or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TierStatus:
    """What one tier holds: "sensory", "working" or "long-term".

    Attributes:
        name: Name of the tier.
        entries: Frames (sensory, working) or entries (long-term).
        bytes: What they take, in main memory for the first two tiers, on disk for the last.
        budget_bytes: What they may take; None where frames are counted instead (working memory).
        where: "memory" or "disk".
    """

    name: str
    entries: int
    bytes: int
    budget_bytes: int | None
    where: str
