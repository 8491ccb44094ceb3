"""The ladder that an entry falls down: what it gives up next, what that frees, and what it costs.

In order: a smaller picture, no picture, what its vectors are reduced to (codes.py), a short outline of that where
one is known, only its words, nothing. Each step loses a share of the entry's worth and frees some bytes.

Shapes: N rows.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.bank.columns import Columns, Rows
from hippocam.memory.records import SHORT, Level, Slot

Doubles = NDArray[np.float64]

# About how many bytes a thumbnail takes.
SMALL_BYTES = 2500
# About how many bytes an entry takes without vectors and words: in a row; in a block, where those are whose
# vectors were reduced.
ROW_BYTES = 300
BLOCK_BYTES = 30
# What words take in a block, of what they take in a row: half when they are deflated, and no full text.
_WORDS_IN_BLOCK = 1 / 4
# Beyond the last level nothing is held.
NOTHING = int(Level.WORDS) + 1
# Where each step of `next_levels` leads, in its order.
_TARGETS = np.array([Level.SMALL, Level.VECTORS, Level.SIGNS, SHORT, Level.WORDS, NOTHING], np.int64)
# Share of an entry's worth that is lost with each level of evidence.
_SHARES = {Level.FULL: 0.15, Level.SMALL: 0.45, Level.VECTORS: 0.35, Level.WORDS: 0.05}
# Vectors that are reduced lose, for each unit of a cosine's error, this much of what losing them would.
_ERROR_SHARE = 2.0
# Of that, a short outline loses this much more: so much less is found in a list of them (lifelog.md).
_SHORT_SHARE = 0.07


class Code(Protocol):
    """What a vector is reduced to.

    Attributes:
        size: Bytes of a vector that is packed.
        error: Standard deviation of the error of a cosine with a vector that was reduced.
    """

    @property
    def size(self) -> int:
        """As above."""

    @property
    def error(self) -> float:
        """As above."""


class Codes(Protocol):
    """What vectors are reduced to.

    Attributes:
        first: To this; None where they never are.
        short: Then to this; None for no further.
    """

    @property
    def first(self) -> Code | None:
        """As above."""

    @property
    def short(self) -> Code | None:
        """As above."""


class Ladder:
    """The next step of entries.

    Args:
        columns: The entries.
        row_bytes: About how many bytes an entry takes without vectors, words and picture.
        block_bytes: The same of one whose vectors were reduced.
        vectors: How many vectors each entry keeps; of a short outline it is one.
        codes: What vectors are reduced to.
    """

    def __init__(
        self,
        columns: Columns,
        *,
        row_bytes: int,
        block_bytes: int,
        vectors: int,
        codes: Codes,
    ) -> None:
        self._columns = columns
        self._row_bytes = row_bytes
        self._block_bytes = block_bytes
        self._vectors = vectors
        self._codes = codes

    def next_levels(self, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64], Doubles]:
        """What each row gives up next.

        Returns:
            The level that it falls to, SHORT for a short outline, NOTHING beyond the last; bytes that are freed;
            share of its worth that is lost.
        """
        columns, codes = self._columns, self._codes
        level, picture, words = columns.level[rows], columns.picture_bytes[rows], columns.words_bytes[rows]
        short, reduced = columns.short[rows], level == Level.SIGNS
        vectors = self._vector_bytes(level, short)
        words_now, words_packed = _words_bytes(level, words), _words_bytes(np.full_like(level, Level.SIGNS), words)
        # by the first case that holds, in the order of the levels
        cases = [
            (level == Level.FULL) & (picture > 2 * SMALL_BYTES),
            picture > 0,
            (level <= Level.VECTORS) & (codes.first is not None),
            reduced & ~short & (codes.short is not None),
            (level < Level.WORDS) & (words > 0),
        ]
        first_bytes, short_bytes = self._vector_bytes(np.full(2, Level.SIGNS), np.array([False, True]))
        packed = self._plain_bytes(level) - self._block_bytes + words_now - words_packed
        held = np.stack(cases)
        case = np.where(held.any(axis=0), held.argmax(axis=0), len(cases))  # np.select takes three times as long
        freed = np.choose(
            case,
            [
                picture - SMALL_BYTES,
                picture,
                vectors - first_bytes + packed,
                vectors - short_bytes,
                vectors,
                vectors + self._plain_bytes(level) + words_now,
            ],
        )
        by_first = _lost_by(codes.first)
        by_short = by_first + _SHORT_SHARE * _SHARES[Level.VECTORS]
        left = _SHARES[Level.VECTORS] - np.where(short, by_short, by_first * reduced)
        share = np.choose(
            case,
            [
                _SHARES[Level.FULL],
                _SHARES[Level.SMALL],
                by_first,
                by_short - by_first,
                left,
                np.where(level == Level.WORDS, 0.0, left) + _SHARES[Level.WORDS],
            ],
        )
        return _TARGETS[case], freed.astype(np.int64), share.astype(np.float64)

    def whole_bytes(self, rows: Rows) -> NDArray[np.int64]:
        """Bytes that each row takes as it is."""
        columns = self._columns
        own: NDArray[np.int64] = (
            self._vector_bytes(columns.level[rows], columns.short[rows])
            + self._plain_bytes(columns.level[rows])
            + columns.picture_bytes[rows]
            + _words_bytes(columns.level[rows], columns.words_bytes[rows])
        )
        return own

    def new_bytes(self, slot: Slot) -> int:
        """Bytes that an entry takes while it has its vectors."""
        return slot.jpeg_bytes + slot.words_bytes + self._vectors * (self._columns.dim + 4) + self._row_bytes

    def _plain_bytes(self, level: NDArray[np.integer]) -> NDArray[np.int64]:
        """Bytes that entries take without vectors and words, at some levels."""
        return np.where(level >= Level.SIGNS, self._block_bytes, self._row_bytes)

    def _vector_bytes(self, level: NDArray[np.integer], short: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Bytes of the vectors of an entry at each of some levels, or of one short outline."""
        each = np.zeros(NOTHING, np.int64)
        each[: Level.SIGNS] = self._columns.dim + 4
        each[Level.SIGNS] = _size(self._codes.first)
        return np.where(short, _size(self._codes.short), self._vectors * each[level])


def _size(code: Code | None) -> int:
    return 0 if code is None else code.size


def _lost_by(code: Code | None) -> float:
    """Share of an entry's worth that is lost where its vectors are reduced to a code."""
    return 0.0 if code is None else min(0.5, _ERROR_SHARE * code.error) * _SHARES[Level.VECTORS]


def _words_bytes(level: NDArray[np.integer], in_row: NDArray[np.integer]) -> NDArray[np.int64]:
    """Bytes of the words of entries at some levels, from those that they take in a row."""
    return np.where(level >= Level.SIGNS, (_WORDS_IN_BLOCK * in_row).astype(np.int64), in_row)
