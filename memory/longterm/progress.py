"""How far each stream is kept, and what was learned of all: written with what is kept, to go on from."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from hippocam.memory.bank.bank import REFRESH_EVENTS, Bank
from hippocam.memory.records import Continuation, Event
from hippocam.memory.store.places import PlaceTable
from hippocam.memory.store.states import StateTable
from hippocam.memory.store.streams import StreamTable
from hippocam.memory.working.working import WorkingState


class Tables(Protocol):
    """The tables that tell of progress, in one database."""

    streams: StreamTable
    places: PlaceTable
    learned: StateTable

    def transaction(self) -> AbstractContextManager[None]:
        """All statements inside take effect together, or none."""


class Progress:
    """Writes how far streams are kept.

    Args:
        tables: Tables of the memory.
        bank: Learns from the events.
    """

    def __init__(self, tables: Tables, bank: Bank) -> None:
        self._tables = tables
        self._bank = bank
        self._saved_at = bank.events

    def advance(self, event: Event, state: WorkingState) -> None:
        """Move a stream on past an event, inside a transaction; what was learned is saved now and then."""
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
        if self._bank.events - self._saved_at >= REFRESH_EVENTS:
            self._save_learned()

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

    def save_learned(self) -> None:
        """Save what was learned from the streams so far."""
        with self._tables.transaction():
            self._save_learned()

    def _save_learned(self) -> None:
        for name, value in self._bank.learned().items():
            self._tables.learned.put(name, value)
        self._saved_at = self._bank.events

    def _keep_place(self, stream: str, state: WorkingState) -> None:
        if state.change is not None:
            place = state.change.place
            if state.change.given_up is not None:
                self._tables.places.delete(stream, state.change.given_up)
            self._tables.places.put(stream, place.number, place.vector, place.seen, place.last_s)
