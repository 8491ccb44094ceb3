"""Which step of which entry costs the least worth for its bytes.

All entries are ranked at once, and those of them again that took a step: making room often takes many steps. Of
very many entries only those are ranked that were the cheapest when all were ranked last, and newer ones.

Shapes: N rows.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.bank.columns import Columns, Rows
from hippocam.memory.records import SHORT, Level

Doubles = NDArray[np.float64]

# Up to this many entries all are ranked; else the share of the cheapest, and as many of them at least.
_ALL = 4096
_SHARE = 1 / 32
_LEAST = 2048


class Appraiser(Protocol):
    """Says what entries are worth."""

    def worths(self, rows: Rows) -> Doubles:
        """What some rows are worth now."""

    def redundancy(self, rows: Rows) -> Doubles:
        """Share of each row's worth which its twin holds too."""


class Ladder(Protocol):
    """The next step of entries."""

    def next_levels(self, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64], Doubles]:
        """The level that each row falls to, NOTHING for none; bytes freed; share of its worth lost."""

    def whole_bytes(self, rows: Rows) -> NDArray[np.int64]:
        """Bytes that each row takes as it is."""


class Ranked(NamedTuple):
    """The entry whose next step costs least.

    Attributes:
        row: Its row.
        to: The level that it falls to; None if it is given up whole.
        short: Whether it keeps a short outline alone.
        merges: Whether its twin takes over its spans.
        worth: What it is worth.
        redundancy: Share of that worth which its twin holds too.
        freed_bytes: About how many bytes the step frees.
    """

    row: int
    to: Level | None
    short: bool
    merges: bool
    worth: float
    redundancy: float
    freed_bytes: int


class _Table(NamedTuple):
    """The next step of each row. Columns as in `Ranked`, and the cost: worth that is lost for each byte."""

    rows: Rows
    worth: Doubles
    redundancy: Doubles
    target: NDArray[np.int64]
    freed: NDArray[np.int64]
    cost: Doubles


class Ranking:
    """Ranks the entries that are not pinned by what their next step costs.

    Args:
        columns: The entries.
        appraiser: What they are worth.
        ladder: What their next steps are.
        merged_from: Redundancy from which an entry is merged into its twin.
    """

    def __init__(self, columns: Columns, appraiser: Appraiser, ladder: Ladder, *, merged_from: float) -> None:
        self._columns = columns
        self._appraiser = appraiser
        self._ladder = ladder
        self._merged_from = merged_from
        self._table: _Table | None = None
        self._stale = list[int]()  # rows that are to be ranked again
        self._few: Rows | None = None  # the cheapest when all were last ranked; None to rank all
        self._ranked_to = 0  # the order of the newest entry then

    def forget(self) -> None:
        """Rank all entries anew: something changed that bears on several."""
        self._table = None
        self._stale = []

    def shorten(self) -> None:
        """Rank all entries, and from now on, where they are many, only those that are the cheapest now."""
        columns = self._columns
        self.forget()
        self._few, self._ranked_to = None, columns.added
        if len(columns) <= _ALL:
            return
        table = self._ranked(self._free_to_go(columns.all_rows()))
        most = min(max(_LEAST, int(_SHARE * len(columns))), len(table.rows))
        cheapest = np.lexsort((table.rows, table.cost))[:most]
        self._few = np.sort(table.rows[cheapest])

    def few(self) -> bytes:
        """Which entries are ranked, to be kept; empty where all are."""
        if self._few is None:
            return b""
        steps = np.diff(self._few, prepend=0)
        return zlib.compress(np.concatenate([[self._ranked_to], steps]).astype("<i8").tobytes())

    def restore(self, few: bytes) -> None:
        """Rank the entries that `few` told."""
        self.forget()
        self._few, self._ranked_to = None, 0
        if few:
            steps = np.frombuffer(zlib.decompress(few), "<i8").astype(np.int64)
            rows = np.cumsum(steps[1:])
            self._few, self._ranked_to = rows[rows < len(self._columns.used)], int(steps[0])  # others are free now

    def again(self, rows: Rows) -> None:
        """Rank entries again which alone have changed, before the next step."""
        if self._table is not None:
            self._stale += rows.tolist()

    def _rank_again(self, table: _Table) -> None:
        rows = np.array(sorted(set(self._stale)))
        indices = np.searchsorted(table.rows, rows)
        there = indices < len(table.rows)
        there[there] = table.rows[indices[there]] == rows[there]
        if there.any():
            for column, values in zip(table, self._ranked(rows[there]), strict=True):
                column[indices[there]] = values
        self._stale = []

    def least(self, least_bytes: int = 1, most: int = 1) -> list[Ranked]:
        """The entries whose next steps cost least, the cheapest first, of equals that of the smallest id.

        They can be taken at once: none bears on another, as one does that leaves on those whose twin it is, and on
        the one that it is merged into. A picture is made smaller alone.

        Args:
            least_bytes: About how many bytes they free, if there are so many.
            most: How many they are at most.
        """
        columns = self._columns
        if self._table is None:
            self._table = self._ranked(self._wanted())
        table = self._table
        if self._stale:
            self._rank_again(table)
        found, left, heirs, freed_bytes = list[Ranked](), set[int](), set[int](), 0
        for index in self._in_order(table, 2 * most):
            ranked = self._at(table, index)
            twin = int(columns.twin[ranked.row])
            smaller = ranked.to == Level.SMALL
            if (smaller and found) or freed_bytes >= least_bytes or len(found) == most:
                break
            if ranked.row in heirs or twin in left:
                continue
            found.append(ranked)
            freed_bytes += ranked.freed_bytes
            if smaller:
                break
            if ranked.to is None:
                left.add(ranked.row)
                if ranked.merges:
                    heirs.add(twin)
        return found

    def _in_order(self, table: _Table, most: int) -> list[int]:
        """Indexes of the rows of a table, the cheapest first: `most`, and those that cost as much as the last."""
        among = np.arange(len(table.cost))
        if most < len(among):
            among = np.flatnonzero(table.cost <= np.partition(table.cost, most - 1)[most - 1])
        ids = self._columns.entry_id[table.rows[among]]
        order: list[int] = among[np.lexsort((ids, table.cost[among]))].tolist()
        return order

    def _at(self, table: _Table, index: int) -> Ranked:
        merges = bool(table.redundancy[index] >= self._merged_from)
        target = int(table.target[index])
        short = target == SHORT and not merges
        level = Level(target) if target <= Level.WORDS else None
        return Ranked(
            row=int(table.rows[index]),
            to=None if merges else Level.SIGNS if short else level,
            short=short,
            merges=merges,
            worth=float(table.worth[index]),
            redundancy=float(table.redundancy[index]),
            freed_bytes=int(table.freed[index]),
        )

    def _wanted(self) -> Rows:
        """The entries that are to be ranked, rising."""
        columns = self._columns
        if self._few is not None:
            wanted = np.zeros(len(columns.used), np.bool_)
            wanted[self._few] = wanted[columns.newest(columns.added - self._ranked_to)] = True
            rows = self._free_to_go(np.flatnonzero(wanted))
            if len(rows):
                return rows
        return self._free_to_go(columns.all_rows())

    def _free_to_go(self, rows: Rows) -> Rows:
        columns = self._columns
        free: Rows = rows[columns.used[rows] & ~columns.pinned[rows]]
        return free

    def _ranked(self, rows: Rows) -> _Table:
        worth, redundancy = self._appraiser.worths(rows), self._appraiser.redundancy(rows)
        target, freed, share = self._ladder.next_levels(rows)
        merged = redundancy >= self._merged_from
        freed = np.maximum(np.where(merged, self._ladder.whole_bytes(rows), freed), 1)
        cost = np.where(merged, worth, worth * share) / freed
        return _Table(rows, worth, redundancy, target, freed, cost)
