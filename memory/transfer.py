"""Whole rows out of one memory's database and into another's: what export and import of a memory need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hippocam.memory.asof.coverage import Run
from hippocam.memory.codec import unpack
from hippocam.memory.entities.bank import EntityMemory, VisitRow
from hippocam.memory.entities.detections import Detected
from hippocam.memory.longterm.longterm import LongTerm
from hippocam.memory.provenance.records import ImportedPart
from hippocam.memory.store.database import Store
from hippocam.memory.store.entries import EntryRow
from hippocam.memory.store.notes import NoteRow
from hippocam.memory.store.places import PlaceRow
from hippocam.memory.store.schema import PAGE_BYTES
from hippocam.memory.store.streams import StreamRow
from hippocam.memory.store.summaries import Summary

# Rows that are read at a time: a short read does not keep a writer from folding its log.
_PAGE = 64
# Share of the budget that summaries may take.
_SUMMARY_SHARE = 0.05
# About how many bytes a summary takes without its vector.
_SUMMARY_BYTES = 512
# Bytes of a stream's row without its names, with new pages for it.
_STREAM_BYTES = 2 * PAGE_BYTES


def read_entries(store: Store, stream: str) -> Iterator[EntryRow]:
    """The entries of a stream by the time of their first span; what a writer gives up meanwhile is left out."""
    after = (float("-inf"), -1)
    while True:
        rows = store.entries.rows(stream, after, _PAGE)
        yield from rows
        if len(rows) < _PAGE:
            return
        after = (rows[-1].entry.t0_s, rows[-1].entry.id)


def read_summaries(store: Store, stream: str) -> list[Summary]:
    """The summaries of a stream, the coarsest first; what is open is given as if it were closed."""
    found = store.summaries.of(stream)
    return [replace(s, state=None) for s in sorted(found, key=lambda s: (-s.kind, s.first_seq))]


def read_visits(store: Store, stream: str) -> list[VisitRow]:
    """The visits of things to a stream, by time; what is only counted is left out."""
    return EntityMemory(store.connection).visits(stream)


def read_detected(store: Store, stream: str) -> list[Detected]:
    """When which labels were detected in a stream, by label and time."""
    return EntityMemory(store.connection).detected(stream)


class Restoring:
    """Takes in the rows of another memory: the streams first, then what belongs to them, finally their progress.

    A stream without its progress is one whose rows are still coming: if that is cut short, they can be taken in
    again, and those that are there already stay as they are.

    Args:
        store: The database, writable.
        longterm: The same memory's entries; gives up what the budget asks for.
        entities: The same memory's things.
        dim: Length D of the encoder's vectors.
        budget_bytes: Budget of the memory.
    """

    def __init__(
        self, store: Store, longterm: LongTerm, entities: EntityMemory, *, dim: int, budget_bytes: int
    ) -> None:
        self._store = store
        self._intake, self._known = longterm.intake, longterm.summaries
        self._entities = entities
        most = int(_SUMMARY_SHARE * budget_bytes) // (dim + _SUMMARY_BYTES)
        self._coverage_rows = longterm.coverage_rows
        self._summaries = most - store.summaries.count()

    def stream(self, row: StreamRow, part: ImportedPart) -> None:
        """Make a stream known, without progress, and first of all that it was imported."""
        self._intake.make_room(_STREAM_BYTES + 2 * sum(len(v) for v in row if isinstance(v, str)))
        with self._store.transaction():
            self._store.streams.add(row.id, row.recording, row.source, row.fingerprint, row.fps)
            self._store.provenance.note_import(row.id, part)

    def entry(self, row: EntryRow, jpeg: bytes | None) -> bool:
        """Take an entry in, with its picture if it has one; False where it is held already."""
        return self._intake.restore(row, jpeg or b"")

    def place(self, row: PlaceRow) -> None:
        """Take a place in."""
        self._intake.make_room(PAGE_BYTES)
        with self._store.transaction():
            self._store.places.put(row.stream, row.number, unpack(row.vector), row.seen, row.last_s)

    def summary(self, row: Summary) -> bool:
        """Take a summary in; False where it is held already, or there are as many as there may be."""
        if self._summaries <= 0 or self._store.summaries.get(row.id) is not None:
            return False
        self._summaries -= 1
        self._intake.make_room(2 * PAGE_BYTES)
        with self._store.transaction():
            self._store.summaries.put(row)
        return True

    def notes(self, rows: Sequence[NoteRow]) -> int:
        """Take notes in, within their share; return how many were not held already."""
        return self._intake.keep_notes(rows)

    def visit(self, row: VisitRow) -> bool:
        """Take a visit in, with its entity; False where it is held already."""
        self._intake.make_room(2 * PAGE_BYTES)
        with self._store.transaction():
            return self._entities.take_in(row)

    def detected(self, row: Detected) -> bool:
        """Take in when a label was detected; False where that is held already."""
        self._intake.make_room(2 * PAGE_BYTES)
        with self._store.transaction():
            return self._entities.take_in_detected(row)

    def looked(self, run: Run) -> bool:
        """Take in when a stream was looked at; False where that is held already, or there is no room for it."""
        self._intake.make_room(PAGE_BYTES)
        with self._store.transaction():
            return self._store.coverage.take_in(run, most=self._coverage_rows)

    def settle(self, row: StreamRow) -> None:
        """Give a stream its progress, since all of it is there; add what was given up on the way in."""
        with self._store.transaction():
            self._store.streams.settle(row)
        self._known.reload()
