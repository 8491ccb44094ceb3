"""Sleep: the bank made smaller while the memory is idle, and never at the cost of what it can recall.

Vectors are reduced and entries merged on a copy first (dream.py), as long as fixed probes find what they found
before. Only what passed is then written, some entries at a time, each time in one transaction. What was replaced
stays for a while without its picture (longterm/tombstones.py), so that a sleep can be undone.

Probes: views that were held out of events, questions of the past, and, since these are few, views drawn from the
keys of entries (views.py). They and their answers stay the same from the first replay to the last.

Shapes: D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.bank.bank import Bank
from hippocam.memory.longterm.merging import Consolidated
from hippocam.memory.records import Held
from hippocam.memory.sleep.config import SleepConfig
from hippocam.memory.sleep.dream import Proposer, both, dream
from hippocam.memory.sleep.probes import with_drawn
from hippocam.memory.sleep.replay import FIRST, Replay, Replica
from hippocam.memory.store.database import Store

# Probes, and entries that are reduced, that are written in one transaction.
_ROWS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepReport:
    """The outcome of a sleep.

    Attributes:
        before: Entries with vectors before it.
        after: Entries with vectors after it.
        bytes_before: Bytes of the memory's folder.
        bytes_after: Bytes of the folder after it.
        recall_before: Share of the probes that found their answer first, and among the first five.
        recall_after: These shares after it.
        probes: How many were asked.
        reduced: Entries whose vectors were reduced.
        committed: Groups that were merged, and entries that were reduced.
        rolled_back: Merges and reductions that lost too much and were taken back.
    """

    before: int
    after: int
    bytes_before: int
    bytes_after: int
    recall_before: dict[int, float]
    recall_after: dict[int, float]
    probes: int
    reduced: int
    committed: int
    rolled_back: int


class Writer(Protocol):
    """Writes what sleep decided."""

    def merge(self, group: Consolidated, *, sleep: int, now_s: float) -> bool:
        """Write what was decided about a group; False where one of its entries is not what it was."""

    def reduce(self, held: Sequence[Held], *, sleep: int, now_s: float) -> int:
        """Reduce the vectors of entries; return how many still were as here."""

    def note_found(self, found: Mapping[int, int]) -> None:
        """Keep what probes found when they were first asked."""

    def give_up_before(self, made_s: float) -> None:
        """Give up what sleeps before a time replaced."""


class LongTerm(Protocol):
    """The entries of a memory."""

    @property
    def bank(self) -> Bank:
        """What they are worth."""

    @property
    def sleep(self) -> Writer:
        """Writes what sleep decided."""


class Sleep:
    """One sleep of a memory: looks, dreams without holding anybody up, and writes what passed.

    Args:
        store: The memory's database.
        longterm: The same memory's entries.
        config: When and how far.
        key_weight: As in RecallConfig.
        proposer: Names groups that may become one.
    """

    def __init__(
        self,
        store: Store,
        longterm: LongTerm,
        config: SleepConfig | None = None,
        *,
        key_weight: float = 1.0,
        proposer: Proposer | None = None,
    ) -> None:
        self._store, self._longterm = store, longterm
        self._config = config or SleepConfig()
        self._key_weight, self._proposer = key_weight, proposer or both

    def look(self) -> Replay:
        """A copy of what is held, with the probes on it; nothing is written."""
        fixed, originals = self._store.probes.every(), self._store.tombstones.originals()
        found = self._store.entries.held()
        worths = self._longterm.bank.worths(one.id for one in found)
        pictures = self._store.entries.picture_bytes()
        held = [
            replace(one, worth=float(worth), picture_bytes=pictures.get(one.id, 0))
            for one, worth in zip(found, worths, strict=True)
        ]
        probes = with_drawn(held, fixed, originals, self._config.seed)
        return Replay(Replica(held, self._longterm.bank.codes.first), probes, key_weight=self._key_weight)

    def run(self, *, mutex: AbstractContextManager[object], size: Callable[[], int], now_s: float) -> SleepReport:
        """Sleep.

        Args:
            mutex: Held while the memory is read and written, not in between.
            size: Bytes of the memory's folder.
            now_s: Time by the clock on the wall.
        """
        config = self._config
        with mutex:
            bytes_before = size()
            self._longterm.sleep.give_up_before(now_s - config.horizon_s)
            sleep = self._store.tombstones.newest() + 1
            replay = self.look()
        replica, start = replay.replica, {first: hits.copy() for first, hits in replay.found.items()}
        before, count = list(replica.held), len(replica)
        outcome = dream(
            replica,
            replay,
            target=config.target,
            max_loss=config.max_loss,
            proposer=self._proposer,
            seed=config.seed,
        )
        merged, reduced = 0, 0
        for heir, others in replica.groups():
            group = Consolidated(before[heir], [before[row] for row in others], replica.held[heir])
            with mutex:
                merged += self._longterm.sleep.merge(group, sleep=sleep, now_s=now_s)
        alone = [before[row] for row in replica.alone() if replica.held[row].level > before[row].level]
        for begin in range(0, len(alone), _ROWS):
            with mutex:
                reduced += self._longterm.sleep.reduce(alone[begin : begin + _ROWS], sleep=sleep, now_s=now_s)
        committed = merged + reduced
        with mutex:
            if committed:
                self._note_found(replay, start)
                self._store.shrink()
            return SleepReport(
                before=count,
                after=self._store.entries.slept_share()[0],
                bytes_before=bytes_before,
                bytes_after=size(),
                recall_before=replay.recall(start),
                recall_after=replay.recall(replay.found),
                probes=len(replay.probes),
                reduced=reduced,
                committed=committed,
                rolled_back=outcome.rolled_back,
            )

    def _note_found(self, replay: Replay, start: Mapping[int, NDArray[np.bool_]]) -> None:
        """Keep what fixed probes found before this sleep, if no earlier one did: losses are counted from there."""
        bits = {
            probe.id: sum(int(start[first][index]) << bit for bit, first in enumerate(FIRST))
            for index, probe in enumerate(replay.probes)
            if probe.id is not None and probe.found is None
        }
        every = sorted(bits.items())
        for begin in range(0, len(every), _ROWS):
            self._longterm.sleep.note_found(dict(every[begin : begin + _ROWS]))
