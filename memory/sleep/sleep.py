"""Sleep: the bank made smaller while the memory is idle, and never at the cost of what it can recall.

A proposer (proposals.py) names entries that could be one. Each proposal is tried out on a copy (replay.py):
fixed probes are asked again, and what loses more of them than is allowed since the sleep began is taken back,
batch by batch, halving each batch that failed until the culprit is found. Only what held is then written, group
by group, each in a transaction of its own. What was replaced stays for a while without its picture
(store/tombstones.py), so that a sleep can be undone.

Probes: views that were held out of events, questions of the past, and, since these are few, views drawn from the
keys of entries (views.py). They and their answers stay the same from the first replay to the last.

Shapes: D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.longterm.bank import Bank
from hippocam.memory.longterm.merging import Consolidated
from hippocam.memory.records import Level
from hippocam.memory.sleep.config import SleepConfig
from hippocam.memory.sleep.probes import answers, with_drawn
from hippocam.memory.sleep.proposals import Group, nearest_pairs, propose
from hippocam.memory.sleep.replay import FIRST, Replay, Replica
from hippocam.memory.sleep.tuning import tune
from hippocam.memory.sleep.views import cosines_of, draw
from hippocam.memory.store.database import Store

# Proposals that are tried out together, and the share of what is too many that goes in one turn: the cheapest
# first, and the rest may find better company.
_BATCH, _AT_ONCE = 32, 0.15
# Turns at most, and those in a row that came to nothing after which keys are tuned; how often it begins anew then.
_TURNS, _IDLE, _PHASES = 48, 2, 3
# Steps in which merged keys are tuned, views of each, and how far the first goes.
_TUNE_STEPS, _TUNE_VIEWS, _TUNE_RATE = 40, 384, 0.1
# Probes that are written in one transaction.
_ROWS = 16

# Names groups that may become one, in the n-th turn.
Proposer = Callable[[Replica, int], Iterable[Group]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepReport:
    """The outcome of a sleep.

    Attributes:
        before: Entries with vectors before it.
        after: And after it.
        bytes_before: Of the memory's folder.
        bytes_after: The same.
        recall_before: Share of the probes that found their answer first, and among the first five.
        recall_after: The same after it.
        probes: How many were asked.
        committed: Groups that were written.
        rolled_back: Proposals that lost too much and were taken back.
    """

    before: int
    after: int
    bytes_before: int
    bytes_after: int
    recall_before: dict[int, float]
    recall_after: dict[int, float]
    probes: int
    committed: int
    rolled_back: int


class Outcome(NamedTuple):
    """What trying out came to: proposals that were taken back."""

    rolled_back: int


class Writer(Protocol):
    """Writes what sleep decided."""

    def merge(self, group: Consolidated, *, sleep: int, now_s: float) -> bool:
        """Write what was decided about a group; False where one of its entries is not what it was."""

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
    """One sleep of a memory: looks, dreams without holding anybody up, and writes what held.

    Args:
        store: The memory's database.
        longterm: Of the same memory.
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
        held = [replace(one, worth=float(worth)) for one, worth in zip(found, worths, strict=True)]
        probes = with_drawn(held, fixed, originals, self._config.seed)
        return Replay(Replica(held), probes, key_weight=self._key_weight)

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
            number = self._store.tombstones.newest() + 1
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
        committed = 0
        for heir, others in replica.groups():
            group = Consolidated(before[heir], [before[row] for row in others], replica.held[heir])
            with mutex:
                committed += self._longterm.sleep.merge(group, sleep=number, now_s=now_s)
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
                committed=committed,
                rolled_back=outcome.rolled_back,
            )

    def _note_found(self, replay: Replay, start: Mapping[int, NDArray[np.bool_]]) -> None:
        """Keep what fixed probes found before this sleep, unless an earlier one did: losses count from there."""
        bits = {
            probe.id: sum(int(start[first][place]) << bit for bit, first in enumerate(FIRST))
            for place, probe in enumerate(replay.probes)
            if probe.id is not None and probe.found is None
        }
        every = sorted(bits.items())
        for begin in range(0, len(every), _ROWS):
            self._longterm.sleep.note_found(dict(every[begin : begin + _ROWS]))


def learned(replica: Replica, turn: int) -> Iterator[Group]:
    """What the trained network proposes."""
    for rows, entries in replica.streams():
        yield from _of_replica(rows, propose(entries, _allowing(replica, rows), turn=turn))


def paired(replica: Replica, turn: int) -> Iterator[Group]:
    """The nearest pairs."""
    for rows, entries in replica.streams():
        yield from _of_replica(rows, nearest_pairs(entries, _allowing(replica, rows)))


def _allowing(replica: Replica, rows: NDArray[np.int64]) -> Callable[[Sequence[int]], bool]:
    return lambda places: replica.allowed([int(rows[place]) for place in places])


def _of_replica(rows: NDArray[np.int64], groups: Iterable[Group]) -> Iterator[Group]:
    """Groups of rows of a stream as those of the replica."""
    for group in groups:
        yield group._replace(rows=tuple(int(rows[place]) for place in group.rows))


def both(replica: Replica, turn: int) -> Iterator[Group]:
    """What the network proposes and the nearest pairs; the cheaper ones are tried first, whosever they are."""
    yield from learned(replica, turn)
    yield from paired(replica, turn)


def dream(
    replica: Replica, replay: Replay, *, target: float, max_loss: float, proposer: Proposer = both, seed: int = 0
) -> Outcome:
    """Merge in the replica until the target is reached or nothing more is held by the probes.

    Args:
        replica: What is held; it is changed.
        replay: The probes on it.
        target: As in SleepConfig.
        max_loss: As in SleepConfig.
        proposer: Names groups that may become one.
        seed: Draws the views that keys are tuned on.
    """
    replay.weigh()
    tuner, rolled_back, turn = _Tuner(replica, replay, seed), 0, 0
    for _ in range(_PHASES):
        refused, idle = set[frozenset[int]](), 0
        for _ in range(_TURNS):
            surplus, count = replica.surplus(target), len(replica)
            if surplus <= 0 or idle == _IDLE:
                break
            offered = [group for group in proposer(replica, turn) if frozenset(group.rows) not in refused]
            offered.sort(key=lambda group: (group.cost, group.rows))
            chosen = list(_until(_apart(replica, offered), max(_BATCH, int(surplus * _AT_ONCE)), surplus))
            for start in range(0, len(chosen), _BATCH):
                _try_out(replay, chosen[start : start + _BATCH], max_loss, refused)
            idle = idle + 1 if len(replica) == count else 0
            turn += 1
        rolled_back += len(refused)
        if not tuner.tune(max_loss) or replica.surplus(target) <= 0:
            break  # else what was too much before may be held now
    return Outcome(rolled_back)


class _Tuner:
    """Tunes merged keys on views that are drawn for it, other ones than the probes."""

    def __init__(self, replica: Replica, replay: Replay, seed: int) -> None:
        self._replica, self._replay = replica, replay
        self._rng = np.random.default_rng([seed, 1])
        self._first = list(replica.held)
        self._keys = np.stack([one.key_D for one in self._first]) if self._first else np.zeros((0, 0), np.float32)
        self._utility = np.array([one.utility for one in self._first])
        pairs = [
            (self._utility[row], self._keys[row] @ p.vector_D) for p, row in answers(replay.probes, self._first)
        ]
        self._known = np.array(pairs, np.float64).reshape(-1, 2)

    def tune(self, max_loss: float) -> bool:
        """Some steps; whether the probes find no less, and no kind of them too much less."""
        rows = np.flatnonzero(self._replica.alive)
        held, members = self._replica.held, self._replica.members
        merged = np.array([len(members[row]) > 1 and held[row].level < Level.SIGNS for row in rows], bool)
        if not merged.any():
            return False
        owner = np.zeros(len(self._first), np.int64)
        for place, row in enumerate(rows):
            owner[members[row]] = place
        keys = np.stack([held[row].key_D for row in rows])
        for step in range(_TUNE_STEPS):
            asked = self._rng.permutation(len(self._first))[:_TUNE_VIEWS]
            near = cosines_of(self._utility[asked], self._known[:, 0], self._known[:, 1], self._rng)
            views = draw(self._keys[asked], near, self._keys, self._rng)
            keys = tune(keys, merged, views, owner[asked], rate=_TUNE_RATE * (1 - step / _TUNE_STEPS))
        return self._replay.rekey([int(row) for row in rows[merged]], keys[merged], max_loss)


def _apart(replica: Replica, groups: Iterable[Group]) -> Iterator[Group]:
    """Groups that are allowed and have no entry in common."""
    taken = set[int]()
    for group in groups:
        if taken.isdisjoint(group.rows) and replica.allowed(group.rows):
            taken.update(group.rows)
            yield group


def _until(groups: Iterable[Group], enough: int, surplus: int) -> Iterator[Group]:
    """The first groups that together make the bank smaller by enough; the last one cut down to the surplus."""
    gone = 0
    for group in groups:
        if gone >= enough:
            return
        rows = group.rows[: surplus - gone + 1]
        gone += len(rows) - 1
        yield group._replace(rows=rows)


def _try_out(replay: Replay, groups: Sequence[Group], max_loss: float, refused: set[frozenset[int]]) -> None:
    """Keep of some groups those that the probes hold."""
    merges = [replay.choose(group.rows, group.key_D, group.scene_D) for group in groups]
    before = replay.try_out(merges)
    if replay.holds(max_loss):
        return
    replay.take_back(before)
    if len(groups) == 1:
        refused.add(frozenset(groups[0].rows))
        return
    half = len(groups) // 2
    _try_out(replay, groups[:half], max_loss, refused)
    _try_out(replay, groups[half:], max_loss, refused)
