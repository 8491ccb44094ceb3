"""Nearest keys by cosine: a FAISS view of the store's vectors, in memory only and rebuilt from it.

Flat and exact; removal frees the row at once. Each entry contributes one row, its key and its scene side by
side, so that one inner product gives the weighted sum of both cosines.

Shapes: N entries, D embedding dimension, 2D a row.
"""

from __future__ import annotations

from collections.abc import Sequence

import faiss
import numpy as np

from hippocam.stream.records import FloatArray


class KeyIndex:
    """Exact inner-product search over rows with 63-bit ids.

    Args:
        dim: Length of a row.
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self._index = faiss.IndexIDMap(faiss.IndexFlatIP(dim))
        self._ids: set[int] = set()

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def ids(self) -> set[int]:
        """Ids of all rows."""
        return set(self._ids)

    def add(self, numbers: Sequence[int], rows_ND: FloatArray) -> None:
        """Add rows under ids that are not in the index yet."""
        self._ids.update(numbers)
        self._index.add_with_ids(np.ascontiguousarray(rows_ND, np.float32), np.asarray(numbers, np.int64))

    def remove(self, numbers: Sequence[int]) -> None:
        """Remove rows and free their places."""
        self._index.remove_ids(np.asarray(numbers, np.int64))
        self._ids.difference_update(numbers)

    def search(self, row: FloatArray, k: int, among: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """The k rows with the greatest inner product, greatest first, equal ones by id.

        Args:
            row: float32 [dim].
            k: How many at most.
            among: Only these ids; None for all.
        """
        k = min(k, len(self) if among is None else len(among))
        if k < 1:
            return []
        parameters = None
        if among is not None:
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBatch(np.asarray(among, np.int64)))
        scores, numbers = self._index.search(row.reshape(1, -1).astype(np.float32), k, params=parameters)
        found = [(int(n), float(s)) for n, s in zip(numbers[0], scores[0], strict=True) if n >= 0]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))
