"""Nearest entries by cosine: a FAISS view of the store's vectors, in memory only and rebuilt from it.

Small memories are searched flat (half precision). Past `flat_values` numbers an inverted file with one byte a
number (IVF,SQ8) is built aside, in a thread, while the flat view goes on answering; then it replaces that view
whole. It is built anew once the memory has doubled or halved. Either view frees a row at once. Whatever the view,
the best candidates are scored again with the stored vectors, so scores do not depend on it.

A search in it compares as many rows as the largest flat view holds, so none takes much longer than there:
8 lists in 100 at a million rows of 512. On 20,000 frames of real videos, 6 lists in 100 held 0.97 of the ten best
frames for real texts, 11 in 100 held 0.99.

With `faiss-gpu` and a GPU, unfiltered searches go to a half-precision copy of the flat view there; the copy is
made again once 1 % of its rows were removed. This part was never run, for want of a GPU.

Shapes: N rows, D numbers a row.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import FloatArray

# The most numbers that a search compares (78,000 rows of 512): some 8 ms on one core.
FLAT_VALUES = 40_000_000
# Lists of an inverted file: this times the root of N, as FAISS's guidelines say.
_LISTS = 4
# Rows of each list that its centre is trained on.
_ROWS_A_LIST = 32
# Passes of k-means.
_PASSES = 6
# Rows that are decoded, assigned or added at a time; between two such steps a build can be given up.
_STEP = 16_384
# Candidates that are scored again for each that is asked for, and more than are asked for at least.
_WIDER = 4
_AT_LEAST = 32
# Where a filter leaves no more rows than this, an inexact view is passed over for the stored vectors.
_FEW = 2048
# What one GPU search can return.
_GPU_MOST = 2048

Ids = NDArray[np.int64]
# A change while a new view is built: ids, and their rows where they were added.
_Change = tuple[Ids, FloatArray | None]


class KeyIndex:
    """Inner-product search over rows with 63-bit ids; safe to use from several threads.

    Args:
        dim: Length D of a row.
        read: Gives the exact rows of some ids, float32 [N, D] in their order; called by `search` only.
        flat_values: Numbers (N * D) up to which the view stays flat.
    """

    def __init__(
        self, dim: int, read: Callable[[Sequence[int]], FloatArray], *, flat_values: int = FLAT_VALUES
    ) -> None:
        self.dim = dim
        self._read = read
        self._flat_rows = max(1, flat_values // dim)
        self._view = _flat(dim)
        self._trained_rows = 0  # 0: the view is flat
        self._ids: set[int] = set()
        self._since: list[_Change] | None = None  # changes since a build began
        self._builder: threading.Thread | None = None
        self._gpu = _Gpu()
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return int(self._view.ntotal)

    @property
    def exact(self) -> bool:
        """Whether the view is flat."""
        return self._trained_rows == 0

    @property
    def bytes(self) -> int:
        """Roughly what the rows and their ids take in main memory."""
        a_number = 2 if self.exact else 1
        return len(self) * (self.dim * a_number + 8)

    def __contains__(self, entry_id: int) -> bool:
        return entry_id in self._ids

    def ids(self, among: Sequence[int] | None = None) -> set[int]:
        """Ids of all rows, or of those among some."""
        with self._lock:
            return set(self._ids) if among is None else self._ids.intersection(among)

    def add(self, entry_ids: Sequence[int], rows_ND: FloatArray) -> None:
        """Add rows under ids that are not in the index yet."""
        if not len(entry_ids):
            return
        ids, rows = np.asarray(entry_ids, np.int64), np.ascontiguousarray(rows_ND, np.float32)
        with self._lock:
            self._change((ids, rows))
            self._ids.update(entry_ids)

    def remove(self, entry_ids: Sequence[int]) -> None:
        """Remove rows and free what they took."""
        if not len(entry_ids):
            return
        with self._lock:
            self._change((np.asarray(entry_ids, np.int64), None))
            self._ids.difference_update(entry_ids)

    def _change(self, change: _Change) -> None:
        _apply(self._view, change)
        self._gpu.apply(change)
        if self._since is not None:
            self._since.append(change)

    def search(self, row: FloatArray, k: int, among: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """Find the k rows with the greatest inner product, greatest first, equal ones by id.

        Args:
            row: float32 [D].
            k: How many at most.
            among: Only these ids, all in the index; None for all.
        """
        with self._lock:
            k = min(k, len(self) if among is None else len(among))
            if k < 1:
                return []
            if among is not None and (len(among) <= k or (not self.exact and len(among) <= _FEW)):
                near = list(among)
            else:
                near = self._nearest(row, max(_WIDER * k, k + _AT_LEAST), among)
        near.sort()
        scores = (self._read(near) * row).sum(axis=1, dtype=np.float64)  # not @: its rounding varies with N
        found = zip(near, scores.tolist(), strict=True)
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]

    def _nearest(self, row: FloatArray, k: int, among: Sequence[int] | None) -> list[int]:
        query = row.reshape(1, -1).astype(np.float32)
        faiss.omp_set_num_threads(1)  # of this thread: more make one question slower, much so on a busy machine
        selector = None if among is None else faiss.IDSelectorBatch(np.asarray(among, np.int64))
        if selector is None and self.exact and k <= _GPU_MOST and self._gpu.ready(self._view):
            return [n for n in self._gpu.search(query, min(k, len(self))) if n in self._ids]
        if self.exact:
            parameters = None if selector is None else faiss.SearchParameters(sel=selector)
        else:
            passing = len(self) if among is None else len(among)
            lists = self._view.nlist
            probes = min(lists, max(8, lists * self._flat_rows // passing))
            parameters = faiss.SearchParametersIVF(nprobe=probes, sel=selector)
        _, ids = self._view.search(query, min(k, len(self)), params=parameters)
        return [entry_id for entry_id in ids[0].tolist() if entry_id >= 0]

    # another view ------------------------------------------------------------------------------------------

    def due(self) -> bool:
        """Whether another view would serve better than this one: see the module."""
        if self.exact:
            return len(self) > self._flat_rows
        return len(self) > 2 * self._trained_rows or 2 * len(self) < self._trained_rows

    def rebuild(self, *, wait: bool = False) -> None:
        """Build another view aside and replace this one with it; the process may end meanwhile.

        Args:
            wait: Return only once that is done.
        """
        with self._lock:
            if self._builder is None:
                self._since = []
                self._builder = threading.Thread(target=self._build, args=(_copy(self._view),), name="index")
                self._builder.start()
            builder = self._builder
        if wait:
            builder.join()

    def _build(self, old: _Rows) -> None:
        try:
            flat = len(old.ids) <= self._flat_rows
            new = _flat(self.dim) if flat else _train(old, self.dim)
            _fill(new, old)
            with self._lock:
                for change in self._since or ():
                    _apply(new, change)
                self._view, self._gpu = new, _Gpu()
                self._trained_rows = 0 if flat else len(old.ids)
        except _GivenUpError:
            pass
        finally:
            with self._lock:
                self._since = self._builder = None


class _GivenUpError(Exception):
    """The process ends."""


def _go_on() -> None:
    """Give up a build once the main thread is gone: a build must not hold the process."""
    if not threading.main_thread().is_alive():
        raise _GivenUpError


class _Rows:
    """A copy of a view's rows, still as codes.

    Attributes:
        ids: int64 [N].
        codes: uint8 [N, bytes a row].
        quantizer: Decodes them.
    """

    def __init__(self, ids: Ids, codes: NDArray[np.uint8], quantizer: Any) -> None:
        self.ids, self.codes, self.quantizer = ids, codes, quantizer

    def rows(self, indexes: slice | NDArray[np.int64]) -> FloatArray:
        """Rows at some indices, float32 [n, D]."""
        decoded: FloatArray = self.quantizer.decode(np.ascontiguousarray(self.codes[indexes]))
        return decoded


def _flat(dim: int) -> Any:
    codes = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    return faiss.IndexIDMap(codes)


def _apply(view: Any, change: _Change) -> None:
    ids, rows = change
    if rows is None:
        view.remove_ids(ids)
    else:
        view.add_with_ids(rows, ids)


def _copy(view: Any) -> _Rows:
    if isinstance(view, faiss.IndexIDMap):
        flat = faiss.downcast_index(view.index)
        ids = faiss.vector_to_array(view.id_map)
        return _Rows(ids, faiss.vector_to_array(flat.codes).reshape(len(ids), -1), _same(flat.sq))
    lists, size = view.invlists, view.code_size
    every_id, every_code = [np.zeros(0, np.int64)], [np.zeros((0, size), np.uint8)]
    for index in range(view.nlist):
        if held := lists.list_size(index):
            every_id.append(faiss.rev_swig_ptr(lists.get_ids(index), held).copy())
            codes = faiss.rev_swig_ptr(lists.get_codes(index), held * size)
            every_code.append(codes.reshape(held, size).copy())
    return _Rows(np.concatenate(every_id), np.concatenate(every_code), _same(view.sq))


def _same(quantizer: Any) -> Any:
    """A copy of a scalar quantizer that outlives its index."""
    copy = faiss.ScalarQuantizer(quantizer.d, quantizer.qtype)
    faiss.copy_array_to_vector(faiss.vector_to_array(quantizer.trained), copy.trained)
    return copy


def _train(old: _Rows, dim: int) -> Any:
    """An empty inverted file for these rows: k-means on a sample, a pass at a time."""
    rng = np.random.default_rng(0)
    lists = max(1, round(_LISTS * len(old.ids) ** 0.5))
    sample = old.rows(np.sort(rng.choice(len(old.ids), min(len(old.ids), _ROWS_A_LIST * lists), replace=False)))
    centres = sample[np.sort(rng.choice(len(sample), lists, replace=False))]
    for _ in range(_PASSES):
        _go_on()
        means = faiss.Kmeans(
            dim,
            lists,
            niter=1,
            spherical=True,
            seed=1,
            min_points_per_centroid=1,
            max_points_per_centroid=len(sample),
        )
        means.train(sample, init_centroids=centres)
        centres = means.centroids
    coarse = faiss.IndexFlatIP(dim)
    coarse.add(centres)
    # without residuals the codes can be decoded, for the next build, by the quantizer alone
    view = faiss.IndexIVFScalarQuantizer(
        coarse, dim, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT, False
    )
    view.train(sample)
    return view


def _fill(new: Any, old: _Rows) -> None:
    """Put all rows into a new view."""
    for start in range(0, len(old.ids), _STEP):
        _go_on()
        new.add_with_ids(old.rows(slice(start, start + _STEP)), old.ids[start : start + _STEP])


class _Gpu:
    """A copy of the flat view on a GPU where FAISS has one; rows removed since are passed over by the caller."""

    def __init__(self) -> None:
        self._present = hasattr(faiss, "get_num_gpus") and faiss.get_num_gpus() > 0
        self._copy: Any = None
        self._removed = 0

    def ready(self, view: Any) -> bool:
        """Bring the copy of a flat view up to date; False where there is no GPU."""
        if not self._present:
            return False
        if self._copy is None or 100 * self._removed > view.ntotal:
            self._copy = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, view)
            self._removed = 0
        return True

    def apply(self, change: _Change) -> None:
        """Follow a change of the view."""
        if self._copy is not None:
            ids, rows = change
            if rows is None:
                self._removed += len(ids)
            else:
                self._copy.add_with_ids(rows, ids)

    def search(self, query: FloatArray, k: int) -> list[int]:
        """Ids of the nearest rows, those removed since the copy was made among them."""
        _, ids = self._copy.search(query, k)
        return [entry_id for entry_id in ids[0].tolist() if entry_id >= 0]
