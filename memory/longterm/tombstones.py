"""What sleeps replaced, kept within its share of the budget so that they can be taken back."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from hippocam.memory.longterm.budget import TOMBSTONE_BYTES, Log
from hippocam.memory.longterm.merging import GROUP
from hippocam.memory.store.tombstones import TombstoneTable


class Tables(Protocol):
    """The table of tombstones, in its database."""

    tombstones: TombstoneTable

    def transaction(self) -> AbstractContextManager[None]:
        """All statements inside take effect together, or none."""


class KeptTombstones:
    """Gives up tombstones, the oldest groups first.

    Args:
        tables: Tables of the memory.
        log: Log of its database.
        most_rows: How many tombstones may be kept.
    """

    def __init__(self, tables: Tables, log: Log, most_rows: int) -> None:
        self._tables = tables
        self._log = log
        self._most_rows = most_rows

    def make_room(self, count: int) -> bool:
        """Give up old tombstones until `count` more may be kept; False if that many may never be kept."""
        while self._tables.tombstones.count() + count > self._most_rows:
            if not self.give_up():
                return False
        return count <= self._most_rows

    def give_up(self) -> int:
        """Give up some of the oldest tombstones; return about how many bytes that frees, 0 without one."""
        if not self._tables.tombstones.newest():
            return 0
        with self._tables.transaction():
            return self._tables.tombstones.give_up_oldest(GROUP) * TOMBSTONE_BYTES

    def give_up_before(self, made_s: float) -> None:
        """Give up the tombstones that were made before a time by the clock on the wall."""
        gave_up = True
        while gave_up:
            self._log.keep_small()
            with self._tables.transaction():
                gave_up = self._tables.tombstones.give_up_before(made_s, GROUP) > 0
