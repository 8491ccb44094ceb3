"""The ladder that an entry falls down: what it gives up next, what that frees, and what it costs.

In order: a smaller picture, no picture, only the signs of its vectors, only its words, nothing. Each step loses a
share of the entry's worth and frees some bytes.

Shapes: N rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.bank.columns import Columns, Rows
from hippocam.memory.codec import sign_bytes, sign_error
from hippocam.memory.records import Level

Doubles = NDArray[np.float64]

# About how many bytes a thumbnail takes.
SMALL_BYTES = 2500
# About how many bytes an entry takes without vectors and words: in a row; in a block, where those are that keep no
# more than signs and have no words.
ROW_BYTES = 300
BLOCK_BYTES = 30
# Beyond the last level nothing is held.
NOTHING = int(Level.WORDS) + 1
# Share of an entry's worth that is lost with each level of evidence.
_SHARES = {Level.FULL: 0.15, Level.SMALL: 0.45, Level.VECTORS: 0.35, Level.WORDS: 0.05}
# Keeping only the signs of vectors loses, for each unit of a cosine's error, this much of what losing the vectors
# would.
_SIGN_SHARE = 2.0


class Ladder:
    """The next step of entries.

    Args:
        columns: The entries.
        row_bytes: About how many bytes an entry takes without vectors, words and picture.
        block_bytes: The same of one that keeps only its signs and has no words.
        vectors: How many vectors each entry keeps.
        by_signs: Whether vectors may be reduced to their signs.
    """

    def __init__(
        self, columns: Columns, *, row_bytes: int, block_bytes: int, vectors: int, by_signs: bool
    ) -> None:
        self._columns = columns
        self._row_bytes = row_bytes
        self._block_bytes = block_bytes
        self._vectors = vectors
        self._by_signs = by_signs

    def next_levels(self, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64], Doubles]:
        """What each row gives up next.

        Returns:
            The level that it falls to, NOTHING beyond the last; bytes that are freed; share of its worth that is
            lost.
        """
        columns = self._columns
        level, picture, words = columns.level[rows], columns.picture_bytes[rows], columns.words_bytes[rows]
        vectors = self._vector_bytes(level)
        by_signs = min(0.5, _SIGN_SHARE * sign_error(columns.dim)) * _SHARES[Level.VECTORS]
        # by the first case that holds, in the order of the levels
        cases = [
            (level == Level.FULL) & (picture > 2 * SMALL_BYTES),
            picture > 0,
            (level <= Level.VECTORS) & self._by_signs,
            (level < Level.WORDS) & (words > 0),
        ]
        signs_bytes = self._vector_bytes(np.array([Level.SIGNS]))
        block = self._plain_bytes(np.full_like(level, Level.SIGNS), words)
        target = np.select(cases, [Level.SMALL, Level.VECTORS, Level.SIGNS, Level.WORDS], NOTHING)
        freed = np.select(
            cases,
            [
                picture - SMALL_BYTES,
                picture,
                vectors - signs_bytes + self._plain_bytes(level, words) - block,
                vectors,
            ],
            vectors + self._plain_bytes(level, words) + words,
        )
        left = _SHARES[Level.VECTORS] - by_signs * (level == Level.SIGNS)
        share = np.select(
            cases,
            [_SHARES[Level.FULL], _SHARES[Level.SMALL], by_signs, left],
            np.where(level == Level.WORDS, 0.0, left) + _SHARES[Level.WORDS],
        )
        return target.astype(np.int64), freed.astype(np.int64), share.astype(np.float64)

    def whole_bytes(self, rows: Rows) -> NDArray[np.int64]:
        """Bytes that each row takes as it is."""
        columns = self._columns
        own: NDArray[np.int64] = (
            self._vector_bytes(columns.level[rows])
            + self._plain_bytes(columns.level[rows], columns.words_bytes[rows])
            + columns.picture_bytes[rows]
            + columns.words_bytes[rows]
        )
        return own

    def _plain_bytes(self, level: NDArray[np.integer], words: NDArray[np.int64]) -> NDArray[np.int64]:
        """Bytes that entries take without vectors and words, at some levels."""
        in_block = (level >= Level.SIGNS) & (words == 0)
        return np.where(in_block, self._block_bytes, self._row_bytes)

    def _vector_bytes(self, level: NDArray[np.integer]) -> NDArray[np.int64]:
        """Bytes of the vectors of an entry at each of some levels."""
        each = np.zeros(NOTHING, np.int64)
        each[: Level.SIGNS] = self._columns.dim + 4
        each[Level.SIGNS] = sign_bytes(self._columns.dim)
        total: NDArray[np.int64] = self._vectors * each[level]
        return total
