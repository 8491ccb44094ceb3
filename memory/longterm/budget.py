"""The byte budget of a memory's folder: what the folder takes, what is given up for it, and in which order.

Everything in the folder counts, as `du -sb` counts it: the database, its log, pictures, the folders themselves.
Before something is written, room is made for it, and a little ahead of need, while frames come that close no
event: for some events at once, since many steps in one transaction cost far less than each by itself. First the
oldest tombstones are given up, which only serve to take sleeps back; then what costs the least worth for its bytes
(bank/bank.py); then notes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hippocam.memory.errors import BudgetTooSmallError, DiskError
from hippocam.memory.store.schema import PAGE_BYTES

# SQLite's shared-memory file beside the log.
SHM_BYTES = 32768
# Share of the budget that the log may take where that is more than it must, and bytes that it takes at most.
_LOG_SHARE = 1 / 64
_MOST_LOG_BYTES = 8_000_000
# Share of what is free on the disk that the log takes at most.
_DISK_SHARE = 1 / 8
# By how much a folder grows when its names no longer fit.
FOLDER_BYTES = 4096
# About how many bytes a tombstone takes without its vectors.
TOMBSTONE_BYTES = 400
# With less than this share of the budget left, room is made ahead of need: as much as the last events took, and a
# share of the budget beyond, which lasts for the next ones, in so many steps at most. An event then finds room.
_AHEAD_SHARE = 0.0025
_MOST_AHEAD_BYTES = 65_536
_LEAST_AHEAD_PAGES = 2
_BEYOND_SHARE = 0.0025
_MOST_BEYOND_BYTES = 16_384
AHEAD_STEPS = 64
# Steps after which there is no room yet: then the full text, which holds what was deleted, is merged a little, as
# many times a few pages; and all of it after more steps the larger the budget is, since that takes longer.
_FRUITLESS_STEPS = 8
_FRUITLESS_BYTES = 100_000  # of the budget, for each of those steps
# Steps that change no more pages than an event may, and how many are taken at once at most, which takes some ms.
STEPS_TOGETHER = 3
_MOST_STEPS = 32
# Bytes of text that the entries of steps which are taken at once may have: as much as an event's.
TEXT_TOGETHER_BYTES = 2000
# Share of the room that is left which may be filled before it is measured again: what is written takes no more
# than was said, but others change the folder, too.
_SURE_SHARE = 0.5
# Share of the budget that each may take of: the journal, the probes, the streams without entries, the coverage.
_SIDE_SHARE = 0.01
# About how many bytes a row of each takes.
_JOURNAL_BYTES = 200
_PROBE_BYTES = 100
_STREAM_BYTES = 300
_COVERAGE_BYTES = 160
# Share of the budget that entities may take at most, and bytes that they are left with at least.
_ENTITY_SHARE = 0.05
_LEAST_ENTITY_BYTES = 50_000
_MOST_LEAST_ENTITY_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCosts:
    """What writing takes in pages of a size, at most.

    Attributes:
        insert_bytes: New pages of an insert: the row, indexes, full text, journal, place, summary.
        empty_bytes: The database of an empty memory.
    """

    insert_bytes: int
    empty_bytes: int

    @classmethod
    def of(cls, page_bytes: int) -> PageCosts:
        """The costs with pages of so many bytes."""
        whole_rows = 0 if page_bytes == PAGE_BYTES else 8000  # of which none fits a small page
        return cls(insert_bytes=whole_rows + 12 * page_bytes, empty_bytes=46 * page_bytes + 12_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What each kind of rows beside the entries may take of a budget.

    Attributes:
        journal_rows: Rows of the journal.
        probe_rows: Probes of each kind.
        stream_rows: Finished streams without entries.
        coverage_rows: Runs in which streams were looked at; each stream keeps one.
        tombstone_rows: Tombstones.
        note_bytes: All notes.
    """

    journal_rows: int
    probe_rows: int
    stream_rows: int
    coverage_rows: int
    tombstone_rows: int
    note_bytes: int

    @classmethod
    def of(cls, budget_bytes: int, dim: int, *, sleep_share: float, notes_share: float) -> Shares:
        """The shares of a budget.

        Args:
            budget_bytes: What the whole folder may take.
            dim: Length D of a vector.
            sleep_share: Share that tombstones may take, 0 to 1.
            notes_share: Share that notes may take, 0 to 1.
        """
        side_bytes = int(_SIDE_SHARE * budget_bytes)
        return cls(
            journal_rows=max(min(64, budget_bytes // 8000), side_bytes // _JOURNAL_BYTES),
            probe_rows=max(min(16, budget_bytes // 40_000), side_bytes // (_PROBE_BYTES + dim)),
            stream_rows=max(16, side_bytes // _STREAM_BYTES),
            coverage_rows=max(min(32, budget_bytes // 16_000), side_bytes // _COVERAGE_BYTES),
            tombstone_rows=int(sleep_share * budget_bytes) // (2 * dim + TOMBSTONE_BYTES),
            note_bytes=int(notes_share * budget_bytes),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSizes:
    """How the log grows; bytes of its file.

    Attributes:
        folded_from: From here it is folded into the database, aside.
        waits_from: From here whoever writes waits for that, and it is emptied if nobody reads.
        emptied_from: From here it is emptied, whoever reads.
        most: What it may become, which the budget counts with.
        together: Transactions that may share a commit.
        steps: Steps down the ladder that one of them may take.
    """

    folded_from: int
    waits_from: int
    emptied_from: int
    most: int
    together: int
    steps: int

    @classmethod
    def of(cls, budget_bytes: int, page_bytes: int = PAGE_BYTES, *, free_bytes: float = math.inf) -> LogSizes:
        """The sizes for a budget.

        Of small pages a transaction changes more, but fewer bytes: measured, 24 pages of 4096 bytes, 130 of 512.

        Args:
            budget_bytes: The whole memory's.
            page_bytes: Bytes of a page.
            free_bytes: What is free on the disk: where that is little, the log is folded sooner.
        """
        framed = page_bytes + 24  # as a page is in the log
        transaction_bytes = 66_000 + 8 * framed
        least_bytes = 20 * framed + transaction_bytes
        most = max(least_bytes, min(int(_LOG_SHARE * budget_bytes), _MOST_LOG_BYTES))
        begun = max(least_bytes, int(min(most, _DISK_SHARE * free_bytes)))
        emptied_from = min(begun * 5 // 11, begun - transaction_bytes)
        together = (begun - emptied_from) // transaction_bytes
        return cls(
            folded_from=emptied_from * 2 // 5,
            waits_from=emptied_from * 4 // 5,
            emptied_from=emptied_from,
            most=most,
            together=together,
            steps=min(_MOST_STEPS, STEPS_TOGETHER * together),
        )


def entity_bytes(budget_bytes: int, most_bytes: int) -> int:
    """What entities may take of a budget: a twentieth, `most_bytes` at most, and always a little."""
    least_bytes = min(_LEAST_ENTITY_BYTES, int(_MOST_LEAST_ENTITY_SHARE * budget_bytes))
    return max(least_bytes, min(most_bytes, int(_ENTITY_SHARE * budget_bytes)))


class Database(Protocol):
    """The memory's database file."""

    path: Path
    page_bytes: int

    def live_bytes(self) -> int:
        """Bytes of the pages in use."""

    def log_bytes(self) -> int:
        """Bytes of the log's file."""

    def shrink(self, least_bytes: float) -> None:
        """Give at least so many bytes of free pages back to the disk, if there are so many."""

    def fold_log(self, *, waits: bool = True) -> bool:
        """Fold the log into the file and empty it; False where a reader, for whom it waits or not, prevents it."""

    def merge_words(self, steps: int | None = None) -> None:
        """Merge full text so many times a few pages, or all: until then it holds what was deleted."""


class GivesUp(Protocol):
    """Something of which a part can be given up."""

    def give_up(self) -> int:
        """Give up some of what is worth least; return about how many bytes that frees, 0 if nothing is left."""


class Entries(GivesUp, Protocol):
    """The entries, which are given up one step at a time."""

    def give_up(self, least_bytes: int = 1) -> int:
        """Give up what is worth least, about so many bytes of it if one transaction may; return how many."""

    @property
    def given_up(self) -> tuple[int, int]:
        """Steps since the last event, and about how many more bytes steps have freed than events took."""


class Log:
    """The database's log, which must stay small: the budget counts with its size.

    Args:
        folder: The memory's folder.
        database: Whose log it is.
        sizes: How it grows.
    """

    def __init__(self, folder: Path, database: Database, sizes: LogSizes) -> None:
        self._folder = folder
        self._database = database
        self.sizes = sizes

    def folds(self) -> bool:
        """Let the log be folded into the database where it has grown; False where a reader prevents it."""
        if self.bytes() <= self.sizes.waits_from:
            return True
        if self._database.fold_log(waits=False):  # one that is folded and keeps its size would seem full for long
            return True
        return self.bytes() <= self.sizes.emptied_from or self._database.fold_log()

    def keep_small(self) -> None:
        """Let the log be folded into the database where it has grown.

        Raises:
            DiskError: A reader keeps it from being folded back. Entries must never be given up for that.
        """
        if not self.folds():
            raise DiskError(
                self._folder,
                "a process that reads this memory keeps its log from being folded back (is one stopped?); end it "
                "and do this again: what was kept is safe",
            )

    def bytes(self) -> int:
        """Bytes of the log's file."""
        return self._database.log_bytes()


class ByteBudget:
    """Keeps a memory's folder within its bytes.

    Args:
        folder: The memory's folder.
        database: In the folder.
        pictures: Folder of the pictures.
        given_bytes: What the whole folder may take.
        picture_bytes: Says what all pictures take now.
        log: Log of the database.
        tombstones: Given up first.
        entries: Given up next.
        notes: Given up last.
        reserved_bytes: Kept free for what others than the writer put into the folder.

    Attributes:
        given_bytes: What the whole folder may take.
        insert_bytes: New pages of an insert, at most.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        pictures: Path,
        *,
        given_bytes: int,
        picture_bytes: Callable[[], int],
        log: Log,
        tombstones: GivesUp,
        entries: Entries,
        notes: GivesUp,
        reserved_bytes: int = 0,
    ) -> None:
        self._folder = folder
        self._database = database
        self._pictures = pictures
        self.given_bytes = given_bytes
        self._picture_bytes = picture_bytes
        self._log = log
        self._costs = PageCosts.of(database.page_bytes)
        self.insert_bytes = self._costs.insert_bytes
        self.reserved_bytes = reserved_bytes
        self._ahead_bytes = max(
            _LEAST_AHEAD_PAGES * database.page_bytes, min(_MOST_AHEAD_BYTES, int(_AHEAD_SHARE * given_bytes))
        )
        self._beyond_bytes = min(_MOST_BEYOND_BYTES, int(_BEYOND_SHARE * given_bytes))
        self._spare_bytes = 0  # beside what was to be written when room was made last
        self._measured_from = math.inf  # as long as so many of them are left, they are counted and not measured
        self._tombstones, self._entries, self._notes = tombstones, entries, notes

    def make_room(self, needed_bytes: int, *, picture_bytes: int = 0) -> None:
        """Give up what is worth least until `needed_bytes` more fit.

        Args:
            needed_bytes: What is to be written takes no more: a picture, rows, words, new pages.
            picture_bytes: How much of that is a picture, beside the database.

        Raises:
            BudgetTooSmallError: They do not fit, whatever is given up.
            DiskError: A reader keeps the log from being folded back.
        """
        self._log.keep_small()
        if self._spare_bytes - needed_bytes >= self._measured_from:
            self._spare_bytes -= needed_bytes
            return
        # before anything is given up for it
        fixed_bytes = self._fixed_bytes()
        self._refuse(fixed_bytes + self._costs.empty_bytes + needed_bytes, needed_bytes)
        projected_bytes = fixed_bytes + self._live_bytes() + needed_bytes
        steps = 0
        while projected_bytes > self.given_bytes:
            over_bytes = projected_bytes - self.given_bytes
            if not (self._tombstones.give_up() or self._entries.give_up(over_bytes) or self._notes.give_up()):
                break
            steps += 1
            if steps % max(_FRUITLESS_STEPS, self.given_bytes // _FRUITLESS_BYTES) == 0:
                self._database.merge_words()
            elif steps % _FRUITLESS_STEPS == 0:
                self._database.merge_words(steps=_FRUITLESS_STEPS)
            self._log.keep_small()
            projected_bytes = self._projected_bytes(needed_bytes)
        self._refuse(projected_bytes, needed_bytes)
        self._spare_bytes = self.given_bytes - projected_bytes
        self._shrink(needed_bytes, picture_bytes, projected_bytes)
        self._measured_from = _SURE_SHARE * self._spare_bytes + self._free_bytes()

    def make_ready(self) -> bool:
        """Give up a little ahead of the next events, in one transaction; return whether it suffices.

        Pages come free some at a time, long after the first row in them was given up. So that not many rows go at
        once, about as much goes as the last events took, and a little more, so that the next ones need none. What
        goes depends on what is held alone, so a memory that was killed in between goes on alike.
        """
        if self._spare_bytes >= self.insert_bytes + self._ahead_bytes:  # also once that was written
            return True
        wanted_bytes = self._wanted_ahead()
        if not wanted_bytes or not self._log.folds():  # whoever writes next is told
            return True
        gave_up = self._tombstones.give_up() or self._entries.give_up(wanted_bytes)
        return not gave_up or not self._wanted_ahead()

    def _wanted_ahead(self) -> int:
        """About how many bytes are to be given up before the next event, 0 where enough is left."""
        steps, freed_bytes = self._entries.given_up
        if steps >= AHEAD_STEPS or freed_bytes >= (self._beyond_bytes if steps else 0):
            return 0
        over_bytes = self._projected_bytes(self.insert_bytes) + self._ahead_bytes - self.given_bytes
        return min(max(0, over_bytes), -freed_bytes) + self._beyond_bytes if over_bytes > 0 else 0

    def _shrink(self, needed_bytes: int, picture_bytes: int, projected_bytes: int) -> None:
        """Give free pages back to the disk where they are in the way of a picture; rows go into free pages."""
        free_bytes = self._free_bytes()
        in_free_bytes = min(free_bytes, needed_bytes - picture_bytes)
        over_bytes = projected_bytes + free_bytes - in_free_bytes - self.given_bytes
        if over_bytes > 0:
            self._database.shrink(over_bytes)

    def used_bytes(self) -> int:
        """Bytes of the folder with its log as large as it may be, with what is kept free, without free pages."""
        return self._projected_bytes(0)

    def fits(self, needed_bytes: int) -> bool:
        """Whether that many more bytes fit into the file as it is, with its free pages."""
        return self._projected_bytes(needed_bytes) + self._free_bytes() <= self.given_bytes

    def _free_bytes(self) -> int:
        """Bytes of the database's free pages, as far as its file has them."""
        return max(0, self._database.path.stat().st_size - self._database.live_bytes())

    def _projected_bytes(self, needed_bytes: int) -> int:
        """Bytes of the folder once that many more are written, without the database's free pages."""
        return self._fixed_bytes() + self._live_bytes() + needed_bytes

    def _live_bytes(self) -> int:
        """Bytes of what can be given up, and of the tables."""
        return self._database.live_bytes() + self._picture_bytes()

    def _fixed_bytes(self) -> int:
        """Bytes that cannot be given up: the log, shared memory, the folders, what is kept free."""
        folders = self._folder.stat().st_size + self._pictures.stat().st_size + FOLDER_BYTES
        return max(self._log.sizes.most, self._log.bytes()) + SHM_BYTES + folders + self.reserved_bytes

    def _refuse(self, total_bytes: int, needed_bytes: int) -> None:
        if total_bytes > self.given_bytes:
            raise BudgetTooSmallError(self._folder, needed_bytes=needed_bytes, given_bytes=self.given_bytes)
