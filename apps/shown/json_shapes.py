"""The shapes of the JSON values that `api.py` makes of records; types alone.

They say of each value what `--json` prints, the HTTP interface sends and its OpenAPI document describes. Times are
seconds, ids 16 hexadecimal digits (before which several memories have their names), boxes left, top, right, bottom
as shares of the picture.
"""

from __future__ import annotations

from typing import (
    Any,
    NotRequired,  # pydantic needs these before Python 3.12
)

from typing_extensions import TypedDict

Json = dict[str, Any]
Times = list[list[float]]


class NoteJson(TypedDict):
    """Words with a time of their own. They come from outside."""

    kind: str
    t0_s: float
    t1_s: float
    text: str


class EvidenceJson(TypedDict):
    """A moment that bears on a question; `score` is a belief, 0 to 1, `image` a JPEG, "" where it was given up."""

    id: str
    stream: str
    t0_s: float
    t1_s: float
    score: float
    looks_like: str
    why: str
    image: str
    spans: Times
    met: int
    place: int
    coarse: bool
    claimed: bool
    imported: str
    notes: list[NoteJson]
    thing: str
    visit: str
    box: list[float] | None


class MomentsJson(TypedDict):
    """Moments, the strongest first."""

    moments: list[EvidenceJson]


class SentenceJson(TypedDict):
    """A sentence of an answer, with the ids of what it rests on."""

    text: str
    evidence: list[str]


class StateJson(TypedDict):
    """What is known of something in a stream as of a moment: seen, gone, never looked, not seen while looking.

    `stay` is the newest one, `without_s` the first look that showed its place without it, `rough` whether there
    may be gaps in what was looked at; a time that has no beginning is null.
    """

    stream: str
    state: str
    asked: list[float | None]
    stay: list[float | None] | None
    without_s: float | None
    earlier: list[list[float | None]]
    looked: list[list[float | None]]
    looked_s: float | None
    rough: bool


class AnswerJson(TypedDict):
    """An answer; "[2]" in its text means the second moment of `evidence`.

    `surety` is clear, likely, perhaps or not seen; `failed` says why the reader that was asked could not answer.
    """

    answer: str
    unknown: bool
    confidence: float
    surety: str
    kind: str
    evidence: list[EvidenceJson]
    cited: list[str]
    sentences: list[SentenceJson]
    given: list[Json]
    reader: str
    failed: str
    understood: str
    looked_again: Json | None
    latency_ms: float
    states: list[StateJson]
    path: list[Json]
    prompt: NotRequired[str]


class EntryJson(TypedDict):
    """A moment as it is held; `level` (full, small, vectors, signs, words) is how much of its evidence is left."""

    id: str
    stream: str
    frame_s: float
    spans: Times
    level: str
    labels: list[str]
    text: str
    surprise: float
    utility: float
    frames: int
    repeats: int
    jpeg_bytes: int
    strength: float
    met: int
    uses: int
    pinned: bool
    place: int
    first_seq: int


class HeldMomentJson(EntryJson):
    """A moment of a stream by time: the entry, what it looks like, and its picture, "" where it was given up."""

    looks_like: str
    image: str


class TimelineJson(TypedDict):
    """Moments by time; `more` says that there are further ones behind them."""

    moments: list[HeldMomentJson]
    more: bool


class JournalJson(TypedDict):
    """Something that happened to an entry, in numbers and in words."""

    time_s: float
    action: str
    entry: str
    other: str | None
    why: Json
    text: str


class ExplanationJson(TypedDict):
    """What an entry is, what happened to it, what keeps it, and where it came from."""

    id: str
    entry: EntryJson | None
    looks_like: str
    journal: list[JournalJson]
    provenance: Json | None
    looked: Json | None
    worth: Json | None


class StreamJson(TypedDict):
    """What a memory holds of a stream; `coarse` says that only key frames were looked at."""

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
    recorded_s: float | None
    imported: bool
    quarantined: str
    looked: Times
    senses: list[str]
    coarse: bool


class StreamsJson(TypedDict):
    """The streams of a memory."""

    streams: list[StreamJson]


class StatusJson(StreamsJson):
    """What a memory holds, by stream and by tier; `pending` are deletions that the next writer has to finish."""

    memory: str
    encoder: str
    bytes: int
    budget_bytes: int
    tiers: list[Json]
    pending: list[str]


class SeenJson(TypedDict):
    """One visit of a thing: where in the picture, how large, which way it went, its colours from top to bottom.

    `cut_off` says that it ended only because the watching broke off: nobody saw the thing leave.
    """

    position: str
    size: str
    motion: str | None
    colours: list[str]
    cut_off: bool


class EntityJson(TypedDict):
    """A thing or person that was told apart.

    `visits` counts all visits; `spans` lists those that are still kept: id, start, end (null while it lasts), and
    `seen` tells of each of these. `box` is where the thing is at `exemplar_s`.
    """

    id: str
    label: str
    stream: str
    first_s: float
    last_s: float
    seconds: float
    visits: int
    exemplar_s: float
    box: tuple[float, float, float, float]
    spans: list[tuple[str, float, float | None]]
    seen: list[SeenJson]


class EntitiesJson(TypedDict):
    """Things and people by the time of their first visit."""

    entities: list[EntityJson]


class ChangeJson(TypedDict):
    """What a merge, split or undo of entities did; its number undoes it."""

    change: int
    kind: str
    undone: bool


class PinnedJson(TypedDict):
    """Entries that were pinned, or unpinned."""

    entries: list[str]
    pinned: bool


class DeletionJson(TypedDict):
    """How much was deleted; which uploaded files went and which stay, where there are any."""

    entries: int
    streams: int
    summaries: int
    notes: int
    files: NotRequired[list[str]]
    kept: NotRequired[list[str]]


class ToDeleteJson(TypedDict):
    """What would be deleted of one stream."""

    stream: str
    entries: int
    t0_s: float
    t1_s: float


class PreviewJson(TypedDict):
    """What would be deleted, by stream."""

    to_delete: list[ToDeleteJson]
