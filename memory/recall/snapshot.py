"""Published states of a memory, each whole and never changed again, for recall that waits for nobody.

`SnapshotFollower` reads what a writer commits and publishes one state after the other; whoever recalls takes the
newest and keeps it as long as it likes. A state is a large part that is indexed once (exact up to 20,000 entries,
IVF,SQ8 beyond) and a small part with what came since, compared one by one. Publishing copies the small part alone.

Shapes: N entries, D embedding dimension.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from hippocam.memory.provenance.records import Quarantine
from hippocam.memory.recall.query import RecallConfig
from hippocam.memory.recall.recall import index_rows
from hippocam.memory.recall.rows import Bools, Condition, Hit, Rows
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


_NOTHING = Rows.of([], np.zeros((0, 0), np.float32))


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
        self.latest = Snapshot(0, _NOTHING, np.zeros(0, bool), _NOTHING, None)

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
        large, index, gone = before.large, before.index, before.gone | np.isin(before.large.ids, touched)
        if not before.version and len(small.ids) > EXACT:  # or the first questions would be compared with all
            (large, index), gone, small = _indexed(small), np.zeros(len(small.ids), bool), _NOTHING
        self._touched.update(changed)
        self._generation, self._journal_id = generation, journal_id
        self.latest = Snapshot(before.version + 1, large, gone, small, index)

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
        indexed: tuple[Rows, Any] = rows, None
        try:
            indexed = _indexed(rows)
        finally:  # where that fails, all rows are compared
            self._indexed = indexed


def _indexed(rows: Rows) -> tuple[Rows, Any]:
    """Rows as a state's large part, with an index where they are too many for each to be compared."""
    if len(rows.ids) <= EXACT:
        return rows, None
    rows = replace(rows, vectors=rows.vectors.astype(np.float16))
    return rows, _inverted_file(rows.vectors)


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
