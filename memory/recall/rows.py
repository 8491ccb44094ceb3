"""Entries laid out column by column, and which of them meet conditions on stream, time, place and heading.

Shapes: N entries, D embedding dimension, S spans, P poses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.filter import passed_by
from hippocam.memory.records import Entry
from hippocam.stream.records import FloatArray

# Equal parts of a turn, a bit each; their width, and how near a border a heading counts to both sides, radians.
_SECTORS = 64
_SECTOR, _BORDER = 2 * math.pi / _SECTORS, 1e-9

Bools = NDArray[np.bool_]
Ids = NDArray[np.int64]
Bits = NDArray[np.uint64]
Doubles = NDArray[np.float64]


class Hit(NamedTuple):
    """An entry of a snapshot that was found.

    Attributes:
        entry_id: Its id.
        stream: Its stream.
        t0_s: Start of its latest span that meets the conditions.
        t1_s: End of that.
        cosine: With the question; 0 without one.
        vector_D: float32 [D], of length 1.
        pose: float64 [7], that of its poses which is nearest to the place asked for, else its exemplar's; or None.
        text: Words that its source gave. Untrusted.
        pictured: Whether its picture is held.
    """

    entry_id: int
    stream: str
    t0_s: float
    t1_s: float
    cosine: float
    vector_D: FloatArray
    pose: Doubles | None
    text: str
    pictured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a hit must meet; a field that is None sets no condition.

    Attributes:
        streams: Only streams whose names begin with one of these and a slash, or are one of them.
        after_s: Seen after this time.
        before_s: Seen before this time.
        near: x, y and radius, metres: the robot was no further from there in it.
        heading: Radians from the x axis to the y axis, and how far off it may be: it then looked that way.
    """

    streams: tuple[str, ...] | None = None
    after_s: float | None = None
    before_s: float | None = None
    near: tuple[float, float, float] | None = None
    heading: tuple[float, float] | None = None

    def __bool__(self) -> bool:
        return self != Condition()

    def met_by(self, spans: Doubles) -> Bools:
        """Which of some spans [S, 2] meet the conditions on time: [S]."""
        meeting = np.ones(len(spans), bool)
        if self.after_s is not None:
            meeting &= spans[:, 1] > self.after_s
        if self.before_s is not None:
            meeting &= spans[:, 0] < self.before_s
        return meeting


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Some entries, column by column; never changed.

    Attributes:
        ids: int64 [N].
        vectors: [N, D], rounded to float16; held as float32 where all are compared, as float16 beside an index.
        names: Names of streams, each once.
        name_of: int64 [N], which of these each one's stream is.
        texts: Words of sources, each once.
        text_of: int64 [N], which of these are each one's.
        pictured: bool [N], whether its picture is held.
        spans: float64 [S, 2], start and end.
        span_row: int64 [S], whose row each is of, rising.
        poses: float64 [P, 7].
        pose_row: int64 [P], whose row each is of, rising.
        boxes: float64 [N, 4], least x and y and greatest x and y of each one's poses; not numbers without any.
        sectors: uint64 [N], a bit for each 64th of a turn that one of its poses looks into.
    """

    ids: Ids
    vectors: NDArray[np.float16] | FloatArray
    names: tuple[str, ...]
    name_of: Ids
    texts: tuple[str, ...]
    text_of: Ids
    pictured: Bools
    spans: Doubles
    span_row: Ids
    poses: Doubles
    pose_row: Ids
    boxes: Doubles
    sectors: Bits

    @staticmethod
    def of(entries: Sequence[Entry], rows_ND: FloatArray) -> Rows:
        """Lay out entries and their rows, float32 [N, D]."""
        spans = [(span.t0_s, span.t1_s) for entry in entries for span in entry.spans]
        posed = [_poses(entry) for entry in entries]
        poses = np.array([pose for every in posed for pose in every], np.float64).reshape(-1, 7)
        pose_row = np.array([k for k, every in enumerate(posed) for _ in every], np.int64)
        names, name_of = _each_once([entry.stream for entry in entries])
        texts, text_of = _each_once([entry.text for entry in entries])
        return Rows(
            np.array([entry.id for entry in entries], np.int64),
            rows_ND.astype(np.float16).astype(np.float32),
            names,
            name_of,
            texts,
            text_of,
            np.array([entry.jpeg_bytes > 0 for entry in entries], bool),
            np.array(spans, np.float64).reshape(-1, 2),
            np.array([k for k, entry in enumerate(entries) for _ in entry.spans], np.int64),
            poses,
            pose_row,
            np.array([_box(every) for every in posed], np.float64).reshape(-1, 4),
            _sectors(poses, pose_row, len(entries)),
        )

    @staticmethod
    def joined(parts: Sequence[Rows]) -> Rows:
        """The rows of several, one after the other; those without any are passed over."""
        some = [part for part in parts if len(part.ids)] or list(parts[:1])
        starts = np.cumsum([0, *(len(part.ids) for part in some[:-1])])
        names, name_of = _joined([(part.names, part.name_of) for part in some])
        texts, text_of = _joined([(part.texts, part.text_of) for part in some])
        return Rows(
            np.concatenate([part.ids for part in some]),
            np.concatenate([part.vectors for part in some]),
            names,
            name_of,
            texts,
            text_of,
            np.concatenate([part.pictured for part in some]),
            np.concatenate([part.spans for part in some]),
            np.concatenate([part.span_row + start for part, start in zip(some, starts, strict=True)]),
            np.concatenate([part.poses for part in some]),
            np.concatenate([part.pose_row + start for part, start in zip(some, starts, strict=True)]),
            np.concatenate([part.boxes for part in some]),
            np.concatenate([part.sectors for part in some]),
        )

    def only(self, keep: Bools) -> Rows:
        """The rows that are to be kept, in their order; keep: [N]."""
        at = np.cumsum(keep) - 1
        spans, poses = keep[self.span_row], keep[self.pose_row]
        return Rows(
            self.ids[keep],
            self.vectors[keep],
            self.names,
            self.name_of[keep],
            self.texts,
            self.text_of[keep],
            self.pictured[keep],
            self.spans[spans],
            at[self.span_row[spans]],
            self.poses[poses],
            at[self.pose_row[poses]],
            self.boxes[keep],
            self.sectors[keep],
        )

    def placed(self, condition: Condition) -> Bools:
        """Which entries meet the conditions on place and heading: [N].

        Boxes and sectors settle most of them; only the poses of the others are looked at.
        """
        may, must = np.ones(len(self.ids), bool), np.ones(len(self.ids), bool)
        if condition.near is not None:
            x, y, radius = condition.near
            low, high = self.boxes[:, :2] - (x, y), self.boxes[:, 2:] - (x, y)
            may &= ((low <= radius) & (high >= -radius)).all(1)
            farthest = np.maximum(np.abs(low), np.abs(high))
            must &= np.hypot(farthest[:, 0], farthest[:, 1]) <= radius
        if condition.heading is not None:
            some, every = _sectors_within(*condition.heading)
            may &= (self.sectors & some) != 0
            must &= (self.sectors & every) != 0
        found = may & must
        rows = np.flatnonzero(may & ~must)
        starts, ends = np.searchsorted(self.pose_row, [rows, rows + 1])
        counts = ends - starts
        at = np.arange(counts.sum()) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
        poses, pose_row = self.poses[at], self.pose_row[at]
        found[pose_row[_poses_meeting(poses, pose_row, condition)]] = True
        return found

    def meeting(self, condition: Condition) -> Bools:
        """Which entries meet all conditions: [N]."""
        found = np.zeros(len(self.ids), bool)
        found[self.span_row[condition.met_by(self.spans)]] = True
        if condition.near is not None or condition.heading is not None:
            found &= self.placed(condition)
        if condition.streams is not None:
            begun = tuple(name + "/" for name in condition.streams)
            wanted = [name in condition.streams or name.startswith(begun) for name in self.names]
            found &= np.array(wanted, bool)[self.name_of]
        return found

    def hit(self, row: int, cosine: float, condition: Condition) -> Hit:
        """What is known of a row that was found."""
        ours = slice(*np.searchsorted(self.span_row, [row, row + 1]))
        spans = self.spans[ours]
        t0_s, t1_s = spans[condition.met_by(spans)][-1]
        poses = self.poses[slice(*np.searchsorted(self.pose_row, [row, row + 1]))]
        pose = poses[0] if len(poses) else None
        if condition.near is not None and len(poses):
            x, y, _ = condition.near
            pose = poses[int(np.argmin(np.hypot(poses[:, 0] - x, poses[:, 1] - y)))]
        return Hit(
            entry_id=int(self.ids[row]),
            stream=self.names[self.name_of[row]],
            t0_s=float(t0_s),
            t1_s=float(t1_s),
            cosine=cosine,
            vector_D=self.vectors[row].astype(np.float32),
            pose=pose,
            text=self.texts[self.text_of[row]],
            pictured=bool(self.pictured[row]),
        )


def _each_once(words: Sequence[str]) -> tuple[tuple[str, ...], Ids]:
    """Words without those that come again, and which of them each one is."""
    positions = {word: k for k, word in enumerate(dict.fromkeys(words))}
    return tuple(positions), np.array([positions[word] for word in words], np.int64)


def _joined(parts: Sequence[tuple[tuple[str, ...], Ids]]) -> tuple[tuple[str, ...], Ids]:
    """Several of what `_each_once` gives, one after the other; words that nobody has any more are left out."""
    used = [(words, np.unique(word_of)) for words, word_of in parts]
    positions = {
        word: k for k, word in enumerate(dict.fromkeys(words[at] for words, held in used for at in held.tolist()))
    }
    renamed = [np.array([positions.get(word, -1) for word in words], np.int64) for words, _ in parts]
    return tuple(positions), np.concatenate([new[of] for (_, of), new in zip(parts, renamed, strict=True)])


def _poses(entry: Entry) -> Doubles:
    """Where the robot was: at the exemplar first, then along the event; float64 [N, 7]."""
    own = entry.sensors.pose
    along = entry.poses
    if entry.motion is None or entry.motion.poses is None:
        return along
    return np.vstack([along[0] if own is None else own.astype(np.float64), along])


def _box(poses: Doubles) -> Doubles:
    """Least x and y, and greatest x and y, of some poses; not numbers without any."""
    points = poses[:, :2]
    return np.concatenate([points.min(0), points.max(0)]) if len(points) else np.full(4, np.nan)


def _sectors(poses: Doubles, pose_row: Ids, count: int) -> Bits:
    """The parts of a turn that the poses of each row look into, a bit each: [N]."""
    known = np.isfinite(poses).all(1)
    parts = np.floor(headings(poses[known]) / _SECTOR).astype(np.int64) % _SECTORS
    sectors = np.zeros(count, np.uint64)
    np.bitwise_or.at(sectors, pose_row[known], np.uint64(1) << parts.astype(np.uint64))
    return sectors


def _sectors_within(asked: float, tolerance: float) -> tuple[np.uint64, np.uint64]:
    """The parts of a turn that some, and that all headings so near to the one asked for lie in, a bit each."""
    low, high = asked - tolerance, asked + tolerance
    some = range(math.floor((low - _BORDER) / _SECTOR), math.floor((high + _BORDER) / _SECTOR) + 1)
    every = range(math.ceil((low + _BORDER) / _SECTOR), math.floor((high - _BORDER) / _SECTOR))
    first, second = (sum({1 << part % _SECTORS for part in parts[:_SECTORS]}) for parts in (some, every))
    return np.uint64(first), np.uint64(second)


def _poses_meeting(poses: Doubles, pose_row: Ids, condition: Condition) -> Bools:
    """Which poses, of whole rows, meet the conditions on place and heading: [P]."""
    meeting, goes_on = np.ones(len(poses), bool), np.zeros(len(poses), bool)
    if condition.near is not None and len(poses):
        x, y, radius = condition.near
        # the first pose of a row is its exemplar's, and those behind it follow each other
        first = np.r_[True, pose_row[1:] != pose_row[:-1]]
        goes_on[:-1] = ~first[:-1] & ~first[1:]
        meeting &= passed_by(poses[:, :2], goes_on, x, y) <= radius
    if condition.heading is not None:
        asked, tolerance = condition.heading
        off = np.angle(np.exp(1j * (headings(poses) - asked)))
        looking = np.abs(off) <= tolerance
        looking[:-1] |= goes_on[:-1] & looking[1:]
        meeting &= looking
    return meeting


def headings(poses: Doubles) -> Doubles:
    """Where the x axis of each pose [P, 7] points in the plane: radians from the map's x axis to its y axis."""
    x, y, z, w = poses[:, 3:].T
    angles: Doubles = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    return angles
