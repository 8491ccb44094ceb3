"""The ladder that an entry falls down: what it gives up next, what that frees, and what it costs.

In order: a smaller picture, no picture, only the signs of its vectors, only its words, nothing. Each step loses a
share of the entry's worth and frees some bytes. Where an outline is known (codec.py) and signs have room for few,
the outline of one vector takes the place of signs, for all entries: that of signs would be a poor one, and of a
mixture of both fewest are found.

Shapes: N rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.bank.columns import Columns, Rows
from hippocam.memory.codec import Outline, packed_bytes, sign_bytes, sign_error
from hippocam.memory.records import OUTLINE, Level, Slot

Doubles = NDArray[np.float64]

# About how many bytes a thumbnail takes.
SMALL_BYTES = 2500
# About how many bytes an entry takes without vectors and words: in a row; in a block, where those are that keep no
# more than signs.
ROW_BYTES = 300
BLOCK_BYTES = 30
# What words take in a block, of what they take in a row: half when they are deflated, and no full text.
_WORDS_IN_BLOCK = 1 / 4
# Beyond the last level nothing is held.
NOTHING = int(Level.WORDS) + 1
# Where each step of `next_levels` leads, in its order.
_TARGETS = np.array([Level.SMALL, Level.VECTORS, Level.SIGNS, OUTLINE, Level.WORDS, NOTHING], np.int64)
# Share of an entry's worth that is lost with each level of evidence.
_SHARES = {Level.FULL: 0.15, Level.SMALL: 0.45, Level.VECTORS: 0.35, Level.WORDS: 0.05}
# Keeping only the signs of vectors loses, for each unit of a cosine's error, this much of what losing the vectors
# would.
_SIGN_SHARE = 2.0
# Outlines begin where signs would have room for no more entries than this when the first numbers are given up.
# Once begun they go on.
_BEGUN_UP_TO = 2500


class Ladder:
    """The next step of entries.

    Args:
        columns: The entries.
        row_bytes: About how many bytes an entry takes without vectors, words and picture.
        block_bytes: The same of one that keeps only its signs.
        vectors: How many vectors each entry keeps.
        by_signs: Whether vectors may be reduced to their signs.
        outline: What vectors may be reduced to in place of signs; None for nothing.
    """

    def __init__(
        self,
        columns: Columns,
        *,
        row_bytes: int,
        block_bytes: int,
        vectors: int,
        by_signs: bool,
        outline: Outline | None = None,
    ) -> None:
        self._columns = columns
        self._row_bytes = row_bytes
        self._block_bytes = block_bytes
        self._vectors = vectors
        self._by_signs = by_signs
        self._outline = outline if by_signs else None

    def next_levels(self, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64], Doubles]:
        """What each row gives up next.

        Returns:
            The level that it falls to, OUTLINE for that, NOTHING beyond the last; bytes that are freed; share of
            its worth that is lost.
        """
        columns, outlines = self._columns, self.outlines()
        level, picture, words = columns.level[rows], columns.picture_bytes[rows], columns.words_bytes[rows]
        outlined = columns.outlined[rows]
        vectors = self._vector_bytes(level, outlined)
        words_now, words_packed = _words_bytes(level, words), _words_bytes(np.full_like(level, Level.SIGNS), words)
        by_signs, by_outline = self._lost()
        # by the first case that holds, in the order of the levels
        cases = [
            (level == Level.FULL) & (picture > 2 * SMALL_BYTES),
            picture > 0,
            (level <= Level.VECTORS) & (self._by_signs and not outlines),
            (level <= Level.VECTORS) & outlines,
            (level < Level.WORDS) & (words > 0),
        ]
        signs_bytes, outline_bytes = self._vector_bytes(np.full(2, Level.SIGNS), np.array([False, True]))
        packed = self._plain_bytes(level) - self._block_bytes + words_now - words_packed
        held = np.stack(cases)
        case = np.where(held.any(axis=0), held.argmax(axis=0), len(cases))  # np.select takes three times as long
        freed = np.choose(
            case,
            [
                picture - SMALL_BYTES,
                picture,
                vectors - signs_bytes + packed,
                vectors - outline_bytes + packed,
                vectors,
                vectors + self._plain_bytes(level) + words_now,
            ],
        )
        left = _SHARES[Level.VECTORS] - np.where(outlined, by_outline, by_signs * (level == Level.SIGNS))
        share = np.choose(
            case,
            [
                _SHARES[Level.FULL],
                _SHARES[Level.SMALL],
                by_signs,
                by_outline,
                left,
                np.where(level == Level.WORDS, 0.0, left) + _SHARES[Level.WORDS],
            ],
        )
        return _TARGETS[case], freed.astype(np.int64), share.astype(np.float64)

    def whole_bytes(self, rows: Rows) -> NDArray[np.int64]:
        """Bytes that each row takes as it is."""
        columns = self._columns
        own: NDArray[np.int64] = (
            self._vector_bytes(columns.level[rows], columns.outlined[rows])
            + self._plain_bytes(columns.level[rows])
            + columns.picture_bytes[rows]
            + _words_bytes(columns.level[rows], columns.words_bytes[rows])
        )
        return own

    def new_bytes(self, slot: Slot) -> int:
        """Bytes that an entry takes while it has its vectors."""
        return slot.jpeg_bytes + slot.words_bytes + self._vectors * (self._columns.dim + 4) + self._row_bytes

    def outlines(self) -> bool:
        """Whether numbers become outlines: some entry is one, or none has signs, which would have little room."""
        columns = self._columns
        if self._outline is None:
            return False
        if (columns.used & columns.outlined).any():
            return True
        if len(columns) > _BEGUN_UP_TO or (columns.used & (columns.level == Level.SIGNS)).any():
            return False
        each_bytes = self._vectors * sign_bytes(columns.dim) + self._block_bytes
        return int(self.whole_bytes(columns.all_rows()).sum()) <= _BEGUN_UP_TO * each_bytes

    def _lost(self) -> tuple[float, float]:
        """Share of an entry's worth that is lost with all but its signs, and with all but its outline."""
        errors = sign_error(self._columns.dim), 0.0 if self._outline is None else self._outline.error
        by_signs, by_outline = (min(0.5, _SIGN_SHARE * error) * _SHARES[Level.VECTORS] for error in errors)
        return by_signs, max(by_signs, by_outline)

    def _plain_bytes(self, level: NDArray[np.integer]) -> NDArray[np.int64]:
        """Bytes that entries take without vectors and words, at some levels."""
        return np.where(level >= Level.SIGNS, self._block_bytes, self._row_bytes)

    def _vector_bytes(self, level: NDArray[np.integer], outlined: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Bytes of the vectors of an entry at each of some levels, or of one outline."""
        each = np.zeros(NOTHING, np.int64)
        each[: Level.SIGNS] = self._columns.dim + 4
        each[Level.SIGNS] = sign_bytes(self._columns.dim)
        of_outline = 0 if self._outline is None else packed_bytes(self._outline)
        return np.where(outlined, of_outline, self._vectors * each[level])


def _words_bytes(level: NDArray[np.integer], in_row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bytes of the words of entries at some levels, from those that they take in a row."""
    return np.where(level >= Level.SIGNS, (_WORDS_IN_BLOCK * in_row).astype(np.int64), in_row)
