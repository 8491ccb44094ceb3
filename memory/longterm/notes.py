"""Notes within their share of the budget."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from hippocam.memory.longterm.budget import Log
from hippocam.memory.store.notes import NoteRow, NoteTable, bytes_of

# Notes in one transaction, so that the log stays small.
BATCH = 8
# Share of the notes that is given up when they are too many.
_GIVEN_UP = 1 / 16


class Tables(Protocol):
    """The table of notes, in its database."""

    notes: NoteTable

    def transaction(self) -> AbstractContextManager[None]:
        """All statements inside take effect together, or none."""


class KeptNotes:
    """Keeps notes, and gives up others where they take more than their share.

    Args:
        tables: Tables of the memory.
        log: Log of its database.
        most_bytes: What all notes may take.
    """

    def __init__(self, tables: Tables, log: Log, most_bytes: int) -> None:
        self._tables = tables
        self._log = log
        self._most_bytes = most_bytes
        self.recount()

    @property
    def bytes(self) -> int:
        """What all notes take."""
        return self._bytes

    def recount(self) -> None:
        """Measure all notes anew, as after some were deleted."""
        self._bytes = self._tables.notes.bytes()

    def unkept(self, rows: Sequence[NoteRow]) -> list[NoteRow]:
        """Those of some notes that are not held as they are."""
        held = {row.id: row for row in self._tables.notes.get(row.id for row in rows)}
        return [row for row in rows if held.get(row.id) != row]

    def keep(self, rows: Sequence[NoteRow]) -> int:
        """Keep a batch of notes within their share; return how many were new."""
        new = 0
        with self._tables.transaction():
            for row in rows:
                if self._tables.notes.put(row):
                    new += 1
                    self._bytes += bytes_of(row.note)
        while self._bytes > self._most_bytes and self.give_up():
            pass
        return new

    def give_up(self) -> int:
        """Give up some notes: what comes again first, then the oldest; return how many bytes they took."""
        notes = self._tables.notes
        least = notes.get(notes.least(max(1, int(_GIVEN_UP * notes.count()))))
        for start in range(0, len(least), BATCH):
            batch = least[start : start + BATCH]
            self._log.keep_small()
            with self._tables.transaction():
                notes.delete(row.id for row in batch)
            self._bytes -= sum(bytes_of(row.note) for row in batch)
        return sum(bytes_of(row.note) for row in least)
