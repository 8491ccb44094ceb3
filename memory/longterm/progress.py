"""How far each stream is kept, to go on from: written once with each commit, whatever how many events share it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from hippocam.memory.asof.table import CoverageTable, Look
from hippocam.memory.bank.bank import Bank
from hippocam.memory.records import Continuation, Event
from hippocam.memory.store.places import PlaceTable
from hippocam.memory.store.states import StateTable
from hippocam.memory.store.streams import StreamTable
from hippocam.memory.working.context import Place
from hippocam.memory.working.working import WorkingState


class Tables(Protocol):
    """The tables that tell of progress, in one database."""

    streams: StreamTable
    places: PlaceTable
    coverage: CoverageTable
    tracked: StateTable

    def with_commit(self, write: Callable[[], None]) -> None:
        """Inside a transaction: call `write` once, in the same transaction, when it is about to be committed."""


@dataclass(slots=True, kw_only=True)
class _Ahead:
    """What of a stream's progress is to be written with the commit that is to come.

    Attributes:
        last_seq: Position of its last frame; None where it did not move on.
        end_s: Time of the end of what was watched.
        seen: Frames since the last commit.
        encoded: How many of them were encoded.
        events: Events since then.
        state: The working memory's state.
        places: Its places that changed, by number; None for one that was given up.
        looks: When it was looked at since then.
        tracked: The state of what follows its things; None where that did not move on.
    """

    last_seq: int | None = None
    end_s: float = -math.inf
    seen: int = 0
    encoded: int = 0
    events: int = 0
    state: bytes = b""
    places: dict[int, Place | None] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)
    tracked: bytes | None = None


class Progress:
    """Writes how far streams are kept. Every method but `forget` is called inside a transaction.

    Args:
        tables: Tables of the memory.
        bank: Is told how far streams are.
        coverage_rows: Rows that may say when streams were looked at.
    """

    def __init__(self, tables: Tables, bank: Bank, *, coverage_rows: int) -> None:
        self._tables = tables
        self._bank = bank
        self._coverage_rows = coverage_rows
        self._ahead = dict[str, _Ahead]()

    def advance(self, event: Event, state: WorkingState) -> None:
        """Move a stream on past an event."""
        ahead = self._of(event.stream)
        ahead.encoded += event.frames
        ahead.events += 1
        looks = event.frames + event.repeats
        self._move(event.stream, ahead, event.last_seq, Look(event.t0_s, event.t1_s, looks), state)

    def extend(self, more: Continuation, state: WorkingState) -> None:
        """Move a stream on past a continuation."""
        look = Look(more.t0_s, more.t1_s, more.repeats)
        self._move(more.stream, self._of(more.stream), more.last_seq, look, state)

    def follow(self, stream: str, tracked: bytes) -> None:
        """Keep the state of what follows a stream's things."""
        self._of(stream).tracked = tracked

    def follows(self, stream: str) -> bool:
        """Whether there is such a state of a stream, which the next replaces."""
        ahead = self._ahead.get(stream)
        return bool(ahead is not None and ahead.tracked) or self._tables.tracked.has(stream)

    def forget(self) -> None:
        """Write nothing of what waits for a commit: it was taken back."""
        self._ahead = {}

    def _of(self, stream: str) -> _Ahead:
        self._tables.with_commit(self._put)
        return self._ahead.setdefault(stream, _Ahead())

    def _move(self, stream: str, ahead: _Ahead, last_seq: int, look: Look, state: WorkingState) -> None:
        ahead.last_seq, ahead.end_s = last_seq, max(ahead.end_s, look.t1_s)
        ahead.seen += look.looks
        ahead.state = state.blob
        ahead.looks.append(look)
        if state.change is not None:
            if state.change.given_up is not None:
                ahead.places[state.change.given_up] = None
            ahead.places[state.change.place.number] = state.change.place
        self._bank.reach(stream, look.t1_s)

    def _put(self) -> None:
        for stream, ahead in self._ahead.items():
            for number, place in ahead.places.items():
                if place is None:
                    self._tables.places.delete(stream, number)
                else:
                    self._tables.places.put(stream, number, place.vector, place.seen, place.last_s)
            if ahead.last_seq is not None:
                self._tables.streams.advance(
                    stream,
                    last_seq=ahead.last_seq,
                    end_s=ahead.end_s,
                    seen=ahead.seen,
                    encoded=ahead.encoded,
                    events=ahead.events,
                    state=ahead.state,
                )
            self._tables.coverage.add(stream, ahead.looks, most=self._coverage_rows)
            if ahead.tracked is not None:
                self._tables.tracked.put(stream, ahead.tracked)
        self._ahead = {}
