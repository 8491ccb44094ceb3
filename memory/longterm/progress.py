"""How far each stream is kept: written with what is kept, to go on from."""

from __future__ import annotations

from typing import Protocol

from hippocam.memory.asof.table import CoverageTable
from hippocam.memory.bank.bank import Bank
from hippocam.memory.records import Continuation, Event
from hippocam.memory.store.places import PlaceTable
from hippocam.memory.store.streams import StreamTable
from hippocam.memory.working.working import WorkingState


class Tables(Protocol):
    """The tables that tell of progress, in one database."""

    streams: StreamTable
    places: PlaceTable
    coverage: CoverageTable


class Progress:
    """Writes how far streams are kept.

    Args:
        tables: Tables of the memory.
        bank: Is told how far streams are.
        coverage_rows: Rows that may say when streams were looked at.
    """

    def __init__(self, tables: Tables, bank: Bank, *, coverage_rows: int) -> None:
        self._tables = tables
        self._bank = bank
        self._coverage_rows = coverage_rows

    def advance(self, event: Event, state: WorkingState) -> None:
        """Move a stream on past an event, inside a transaction."""
        self._keep_place(event.stream, state)
        self._tables.streams.advance(
            event.stream,
            last_seq=event.last_seq,
            end_s=event.t1_s,
            seen=event.frames + event.repeats,
            encoded=event.frames,
            events=1,
            state=state.blob,
        )
        self._look(event.stream, event.t0_s, event.t1_s, event.frames + event.repeats)
        self._bank.reach(event.stream, event.t1_s)

    def extend(self, more: Continuation, state: WorkingState) -> None:
        """Move a stream on past a continuation, inside a transaction."""
        self._keep_place(more.stream, state)
        self._tables.streams.advance(
            more.stream,
            last_seq=more.last_seq,
            end_s=more.t1_s,
            seen=more.repeats,
            encoded=0,
            events=0,
            state=state.blob,
        )
        self._look(more.stream, more.t0_s, more.t1_s, more.repeats)
        self._bank.reach(more.stream, more.t1_s)

    def _look(self, stream: str, t0_s: float, t1_s: float, looks: int) -> None:
        self._tables.coverage.add(stream, t0_s, t1_s, looks, most=self._coverage_rows)

    def _keep_place(self, stream: str, state: WorkingState) -> None:
        if state.change is not None:
            place = state.change.place
            if state.change.given_up is not None:
                self._tables.places.delete(stream, state.change.given_up)
            self._tables.places.put(stream, place.number, place.vector, place.seen, place.last_s)
