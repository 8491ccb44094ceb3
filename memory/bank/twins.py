"""The nearest neighbour of each entry among the keys of its stream: its twin.

Neighbours are looked for among the newest entries only, so that writing takes no longer as a memory grows.

Shapes: N, M rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hippocam.memory.bank.columns import LARGEST, Columns, Rows
from hippocam.memory.bank.state import in_steps
from hippocam.memory.records import Level
from hippocam.stream.records import FloatArray

# Entries that are compared at once when a bank is loaded: a block with itself and the one before.
_LOAD_BLOCK = 1024


class Compared(NamedTuple):
    """A key and what it was compared with.

    Attributes:
        key: float32 [D].
        rows: Rows of entries, rising.
        cosines: With their keys, float32 [N].
    """

    key: FloatArray
    rows: Rows
    cosines: FloatArray


class Twins:
    """Keeps the twins of entries up to date in their columns.

    Args:
        columns: The entries.
        window: Newest entries among which twins are looked for.
    """

    def __init__(self, columns: Columns, window: int) -> None:
        self._columns = columns
        self._window = window

    def of(self, row: int) -> int | None:
        """Id of an entry's twin, None where it has none."""
        twin = int(self._columns.twin[row])
        return int(self._columns.entry_id[twin]) if twin >= 0 else None

    def pair(self, row: int, compared: Compared | None = None) -> None:
        """Pair an entry with its nearest neighbour, and update the neighbours for which it is now nearest.

        Args:
            row: Row of the entry.
            compared: What a key was compared with last; it need not be done again if it is this entry's.
        """
        columns = self._columns
        rows = self._neighbours(row)
        if not len(rows):
            return
        cosines = self._cosines_known(row, rows, compared)
        if cosines is None:
            cosines = self._cosines_of(row, rows)
        cosines = in_steps(cosines)
        best = int(np.argmax(cosines))
        columns.set_twins(np.array([row]), int(rows[best]), float(cosines[best]))
        nearer = cosines > columns.twin_cosine[rows]
        columns.set_twins(rows[nearer], row, cosines[nearer])

    def unpair(self, rows: Rows) -> None:
        """Leave entries without a twin, and find another for those whose twin one of them was."""
        columns = self._columns
        columns.set_twins(rows, -1, -1.0)
        widowed = np.flatnonzero(columns.used & np.isin(columns.twin, rows))
        columns.set_twins(widowed, -1, -1.0)
        for other in widowed.tolist():
            self._find(other)

    def pair_all(self) -> None:
        """Pair all entries blockwise, each within its block and the ones beside it, as when a bank is loaded."""
        rows = self._columns.oldest_first(self._columns.rows_with_key())
        for start in range(0, len(rows), _LOAD_BLOCK):
            block = rows[start : start + _LOAD_BLOCK]
            self._pair_block(block, rows[max(0, start - _LOAD_BLOCK) : start + _LOAD_BLOCK])

    def _pair_block(self, block: Rows, others: Rows) -> None:
        """Pair each row of two blocks with its nearest row in either, if that is nearer than its twin."""
        columns = self._columns
        cosines = in_steps(self._mend(columns.keys(block) @ columns.keys(others).T, block, others))
        cosines[columns.stream[block][:, None] != columns.stream[others][None]] = -2
        cosines[block[:, None] == others[None]] = -2
        for these, those, table in ((block, others, cosines), (others, block, cosines.T)):
            best = table.argmax(axis=1)
            value = table[np.arange(len(these)), best]
            nearer = value > np.maximum(columns.twin_cosine[these], -1)
            columns.set_twins(these[nearer], those[best[nearer]], value[nearer])

    def _find(self, row: int) -> None:
        """Pair an entry with its nearest neighbour, and leave the neighbours as they are."""
        rows = self._neighbours(row)
        if len(rows):
            cosines = in_steps(self._cosines_of(row, rows))
            best = int(np.argmax(cosines))
            self._columns.set_twins(np.array([row]), int(rows[best]), float(cosines[best]))

    def _neighbours(self, row: int) -> Rows:
        """Rows of the newest other entries of the same stream that have a key."""
        columns = self._columns
        rows = columns.window.rows(self._window)
        own = columns.stream[rows] == columns.stream[row]
        at = int(np.searchsorted(rows, row))
        if at < len(rows) and rows[at] == row:
            own[at] = False
            if at == len(rows) - 1 and own[:at].all():  # as where all are of one stream
                return rows[:at]
        others: Rows = rows[own]
        return others

    def _cosines_known(self, row: int, rows: Rows, compared: Compared | None) -> FloatArray | None:
        """The same as `_cosines_of` where an entry's key was just compared with those of all these rows."""
        columns = self._columns
        if compared is None or columns.level[row] >= Level.SIGNS:
            return None
        if not np.array_equal(compared.key, columns.keys(np.array([row]))[0]):
            return None
        newest = compared.rows[max(0, len(compared.rows) - len(rows)) :]
        if np.array_equal(newest, rows):  # as where all are of one stream
            return compared.cosines[len(compared.rows) - len(rows) :]
        found = np.searchsorted(compared.rows, rows)
        if int(found[-1]) >= len(compared.rows) or not np.array_equal(compared.rows[found], rows):
            return None
        known: FloatArray = compared.cosines[found]
        return known

    def _cosines_of(self, row: int, rows: Rows) -> FloatArray:
        """Cosines of the key of one row with those of others."""
        one = np.array([row])
        cosines = self._columns.cosines(rows, self._columns.keys(one)[0])
        mended: FloatArray = self._mend(cosines[None], one, rows)[0]
        return mended

    def _mend(self, cosines: FloatArray, these: Rows, those: Rows) -> FloatArray:
        """Correct the inner products [N, M] of pairs of keys that were both reduced.

        The cosine of two sign vectors is 2 / pi asin(c) where that of the vectors was c (Charikar 2002). Outlines
        of vectors that are nearly the same err in the same way, so their own cosine tells.
        """
        columns = self._columns
        reduced = [columns.level[rows] == Level.SIGNS for rows in (these, those)]
        if not (reduced[0].any() and reduced[1].any()):
            return cosines
        signs = [
            own & (np.abs(columns.key[rows]) == LARGEST).all(axis=1)
            for own, rows in zip(reduced, (these, those), strict=True)
        ]
        lengths = [np.linalg.norm(columns.keys(rows), axis=1) for rows in (these, those)]
        for of_signs in (False, True):
            one, other = (own & (each == of_signs) for own, each in zip(reduced, signs, strict=True))
            if one.any() and other.any():
                at = np.ix_(one, other)
                sizes = np.outer(lengths[0][one], lengths[1][other])
                clipped = np.clip(cosines[at] / np.maximum(sizes, 1e-9), -1, 1)
                cosines[at] = np.sin(np.pi / 2 * clipped) if of_signs else clipped
        return cosines
