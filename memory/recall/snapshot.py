"""Published states of a memory, each whole and never changed again, for recall that waits for nobody.

`SnapshotFollower` reads what a writer commits and publishes one state after the other; whoever recalls takes the
newest and keeps it as long as it likes. A state is a large part that is indexed once (exact up to 20,000 entries,
IVF,SQ8 beyond) and a small part with what came since, compared one by one. Publishing copies the small part alone.

Shapes: N entries, D embedding dimension, S spans, P poses.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from hippocam.memory.filter import passed_by
from hippocam.memory.provenance.records import Quarantine
from hippocam.memory.recall.query import RecallConfig
from hippocam.memory.recall.recall import index_rows
from hippocam.memory.records import Entry
from hippocam.memory.store.database import Store
from hippocam.stream.records import FloatArray

# Entries up to which all are compared.
EXACT = 20_000
# Entries that may have come since the large part was indexed, and the share of its rows that may have gone.
_MOST_NEW = 2048
_MOST_GONE = 0.2
# Lists of an inverted file: this times the root of N; how many of them are searched.
_LISTS = 2
_PROBES = 32
_PASSES = 4
_ROWS_A_LIST = 32
# Where conditions leave no more rows than this, all of them are compared.
_FEW = 4096
# Candidates that are scored again for each that is asked for, and more than are asked for at least.
_WIDER, _AT_LEAST = 4, 32
# Rows that are read at a time.
_BATCH = 1024

Bools = NDArray[np.bool_]
Ids = NDArray[np.int64]
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
    """

    entry_id: int
    stream: str
    t0_s: float
    t1_s: float
    cosine: float
    vector_D: FloatArray
    pose: Doubles | None


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
        spans: float64 [S, 2], start and end.
        span_row: int64 [S], whose row each is of, rising.
        poses: float64 [P, 7].
        pose_row: int64 [P], whose row each is of, rising.
        boxes: float64 [N, 4], least x and y and greatest x and y of each one's poses; not numbers without any.
    """

    ids: Ids
    vectors: NDArray[np.float16] | FloatArray
    names: tuple[str, ...]
    name_of: Ids
    spans: Doubles
    span_row: Ids
    poses: Doubles
    pose_row: Ids
    boxes: Doubles

    @staticmethod
    def of(entries: Sequence[Entry], rows_ND: FloatArray) -> Rows:
        """Lay out entries and their rows, float32 [N, D]."""
        spans = [(span.t0_s, span.t1_s) for entry in entries for span in entry.spans]
        posed = [_poses(entry) for entry in entries]
        poses = [pose for every in posed for pose in every]
        names = {name: k for k, name in enumerate(dict.fromkeys(entry.stream for entry in entries))}
        return Rows(
            np.array([entry.id for entry in entries], np.int64),
            rows_ND.astype(np.float16).astype(np.float32),
            tuple(names),
            np.array([names[entry.stream] for entry in entries], np.int64),
            np.array(spans, np.float64).reshape(-1, 2),
            np.array([k for k, entry in enumerate(entries) for _ in entry.spans], np.int64),
            np.array(poses, np.float64).reshape(-1, 7),
            np.array([k for k, every in enumerate(posed) for _ in every], np.int64),
            np.array([_box(every) for every in posed], np.float64).reshape(-1, 4),
        )

    @staticmethod
    def joined(parts: Sequence[Rows]) -> Rows:
        """The rows of several, one after the other; those without any are passed over."""
        some = [part for part in parts if len(part.ids)] or list(parts[:1])
        starts = np.cumsum([0, *(len(part.ids) for part in some[:-1])])
        names = {name: k for k, name in enumerate(dict.fromkeys(name for part in some for name in part.names))}
        renamed = [np.array([names[name] for name in part.names], np.int64) for part in some]
        return Rows(
            np.concatenate([part.ids for part in some]),
            np.concatenate([part.vectors for part in some]),
            tuple(names),
            np.concatenate([new[part.name_of] for part, new in zip(some, renamed, strict=True)]),
            np.concatenate([part.spans for part in some]),
            np.concatenate([part.span_row + start for part, start in zip(some, starts, strict=True)]),
            np.concatenate([part.poses for part in some]),
            np.concatenate([part.pose_row + start for part, start in zip(some, starts, strict=True)]),
            np.concatenate([part.boxes for part in some]),
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
            self.spans[spans],
            at[self.span_row[spans]],
            self.poses[poses],
            at[self.pose_row[poses]],
            self.boxes[keep],
        )

    def placed(self, condition: Condition) -> Bools:
        """Which entries meet the conditions on place and heading: [N]."""
        found = np.zeros(len(self.ids), bool)
        poses, pose_row = self.poses, self.pose_row
        if condition.near is not None:
            x, y, radius = condition.near
            low, high = self.boxes[:, :2] - radius, self.boxes[:, 2:] + radius
            rows = np.flatnonzero(((low <= (x, y)) & (high >= (x, y))).all(1))
            starts, ends = np.searchsorted(pose_row, [rows, rows + 1])
            at = np.concatenate([np.zeros(0, np.int64), *map(np.arange, starts, ends)])
            poses, pose_row = poses[at], pose_row[at]
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
        vector_D = self.vectors[row].astype(np.float32)
        stream = self.names[self.name_of[row]]
        return Hit(int(self.ids[row]), stream, float(t0_s), float(t1_s), cosine, vector_D, pose)


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


class Snapshot:
    """One state of a memory; nothing in it changes.

    Args:
        version: Rises from one to the next.
        large: Entries that are indexed.
        gone: bool [N], which of these are held no more, or are held otherwise now.
        small: Entries that came or changed since.
        index: Over the vectors of `large`, by row; None where all are compared.
    """

    def __init__(self, version: int, large: Rows, gone: Bools, small: Rows, index: Any) -> None:
        self.version = version
        self.large, self.gone, self.small, self.index = large, gone, small, index

    def __len__(self) -> int:
        return len(self.large.ids) - int(self.gone.sum()) + len(self.small.ids)

    def search(self, vector_D: FloatArray | None, condition: Condition, top: int) -> list[Hit]:
        """Find the entries nearest to a question that meet some conditions, the nearest first.

        Args:
            vector_D: float32 [D], of length 1; None for the latest entries that meet the conditions.
            condition: What they must meet.
            top: How many at most.
        """
        parts = ((self.large, ~self.gone, self.index), (self.small, np.ones(len(self.small.ids), bool), None))
        found: list[tuple[float, float, Rows, int]] = []
        for rows, held, index in parts:
            allowed = held & rows.meeting(condition) if condition else held
            for row, cosine in _nearest(rows, allowed, index, vector_D, top):
                ours = slice(*np.searchsorted(rows.span_row, [row, row + 1]))
                found.append((cosine, float(rows.spans[ours, 1].max()), rows, row))
        found.sort(key=lambda each: (-each[0], -each[1]))
        return [rows.hit(row, cosine, condition) for cosine, _, rows, row in found[:top]]


def _nearest(
    rows: Rows, allowed: Bools, index: Any, vector_D: FloatArray | None, top: int
) -> Iterator[tuple[int, float]]:
    """The allowed rows with the greatest cosines, or without a question those that were seen last."""
    among = np.flatnonzero(allowed)
    if not len(among):
        return
    if vector_D is None:
        last_s = np.full(len(rows.ids), -np.inf)
        np.maximum.at(last_s, rows.span_row, rows.spans[:, 1])
        for row in among[np.argsort(-last_s[among], kind="stable")[:top]]:
            yield int(row), 0.0
        return
    if index is not None and len(among) > _FEW:
        faiss.omp_set_num_threads(1)
        wide = min(len(among), max(_WIDER * top, top + _AT_LEAST))
        selector = None
        if len(among) < len(rows.ids):
            selector = faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        probes = min(index.nlist, max(_PROBES, _PROBES * len(rows.ids) // (4 * len(among))))
        parameters = faiss.SearchParametersIVF(nprobe=probes, sel=selector)
        _, near = index.search(vector_D.reshape(1, -1), wide, params=parameters)
        among = near[0][near[0] >= 0]
    every = index is None and len(among) == len(rows.ids)  # in their own order: no copy is needed
    vectors = rows.vectors if every else rows.vectors[among]
    cosines = vectors.astype(np.float32, copy=False) @ vector_D
    best = np.argsort(-cosines, kind="stable")[:top]
    for row, cosine in zip(among[best], cosines[best], strict=True):
        yield int(row), float(cosine)


class SnapshotFollower:
    """Publishes a memory's states as a writer commits them; `latest` may be read from any thread.

    Args:
        store: The memory's database, open for reading; used by `follow` alone.
        config: How an entry's two vectors become the one that is compared.

    Attributes:
        latest: The newest state.
    """

    def __init__(self, store: Store, config: RecallConfig) -> None:
        self._store, self._config = store, config
        self._version: tuple[int, int] | None = None
        self._generation = -1
        self._journal_id = 0
        self._apart = Quarantine()  # what is in it is in no state
        self._indexing: threading.Thread | None = None
        self._indexed: tuple[Rows, Any] | None = None
        self._touched: set[int] = set()  # entries that changed since `_indexing` began
        nothing = Rows.of([], np.zeros((0, 0), np.float32))
        self.latest = Snapshot(0, nothing, np.zeros(0, bool), nothing, None)

    def follow(self) -> bool:
        """Publish what was committed since the last call; return whether there was anything."""
        version = self._store.version()
        changed = version != self._version
        if changed:
            with self._store.snapshot():
                self._publish()
            self._version = version
        self._index_anew()
        return changed

    def _publish(self) -> None:
        before, generation = self.latest, self._store.generation()
        journal_id, changed = self._store.journal.changed_since(self._journal_id)
        apart = self._store.provenance.quarantine()
        if changed is None or generation != self._generation or apart != self._apart:
            changed = sorted({*self._store.entries.ids(), *before.large.ids.tolist(), *before.small.ids.tolist()})
        else:  # an entry is prolonged without a word in the journal
            changed = sorted({*changed, *self._store.streams.under_way()})
        self._apart = apart
        touched = np.array(changed, np.int64)
        kept = before.small.only(~np.isin(before.small.ids, touched))
        small = Rows.joined([kept, *self._read(changed)])
        gone = before.gone | np.isin(before.large.ids, touched)
        self._touched.update(changed)
        self._generation, self._journal_id = generation, journal_id
        self.latest = Snapshot(before.version + 1, before.large, gone, small, before.index)

    def _read(self, entry_ids: Sequence[int]) -> Iterator[Rows]:
        held = sorted(self._store.entries.ids(entry_ids))
        for start in range(0, len(held), _BATCH):
            batch = held[start : start + _BATCH]
            found = self._store.entries.several(batch)
            entries = [entry for entry in map(found.get, batch) if entry is not None]
            entries = [entry for entry in entries if not self._apart.holds_entry(entry.stream, entry.first_seq)]
            if entries:
                rows_ND = index_rows(self._store, [entry.id for entry in entries], self._config)
                yield Rows.of(entries, rows_ND)

    def _index_anew(self) -> None:
        """Index all entries aside once many have come or gone, and take that over when it is done."""
        now = self.latest
        if self._indexing is None:
            if len(now.small.ids) > _MOST_NEW or now.gone.sum() > _MOST_GONE * max(len(now.large.ids), _MOST_NEW):
                rows = Rows.joined([now.large.only(~now.gone), now.small])
                self._touched = set()
                self._indexing = threading.Thread(target=self._index, args=(rows,), name="snapshot", daemon=True)
                self._indexing.start()
        elif self._indexed is not None:
            self._indexing.join()
            (large, index), touched = self._indexed, np.array(sorted(self._touched), np.int64)
            self._indexing = self._indexed = None
            since = np.isin(now.small.ids, touched) | ~np.isin(now.small.ids, large.ids)
            gone = np.isin(large.ids, touched)
            self.latest = Snapshot(now.version + 1, large, gone, now.small.only(since), index)

    def _index(self, rows: Rows) -> None:
        index = None
        try:
            if len(rows.ids) > EXACT:
                rows = replace(rows, vectors=rows.vectors.astype(np.float16))
                index = _inverted_file(rows.vectors)
        finally:  # without an index all rows are compared
            self._indexed = (rows, index)


def _inverted_file(rows_ND: NDArray[np.float16] | FloatArray) -> Any:
    """An inverted file over rows, which are found by their positions."""
    count, dim = rows_ND.shape
    lists = round(_LISTS * count**0.5)
    faiss.omp_set_num_threads(1)
    coarse = faiss.IndexFlatIP(dim)
    index = faiss.IndexIVFScalarQuantizer(
        coarse, dim, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.niter, index.cp.spherical = _PASSES, True
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, _ROWS_A_LIST
    index.train(rows_ND[np.random.default_rng(0).permutation(count)[: _ROWS_A_LIST * lists]].astype(np.float32))
    for start in range(0, count, 8 * _BATCH):
        index.add(rows_ND[start : start + 8 * _BATCH].astype(np.float32))
    return index
