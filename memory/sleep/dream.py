"""A copy of the bank made smaller, and never at the cost of what it can recall.

Vectors of entries without a picture are reduced first: that frees most of their bytes and costs
hardly a moment. Where it is not enough, a proposer (proposals.py) names entries that could be one. Everything is
tried out on a copy (replay.py): fixed probes are asked again, and what loses more of them than is allowed since
the sleep began is taken back, batch by batch, halving each batch that failed until the culprit is found. Finally
the merged keys are tuned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.records import Level
from hippocam.memory.sleep.probes import answers
from hippocam.memory.sleep.proposals import Group, nearest_pairs, propose
from hippocam.memory.sleep.replay import Before, Replay, Replica
from hippocam.memory.sleep.tuning import tune
from hippocam.memory.sleep.views import cosines_of, draw

# Proposals that are tried out together.
_BATCH = 32
# Share of the surplus that is merged in one turn: the cheapest first; the rest may find better matches later.
_AT_ONCE = 0.15
# Most turns, and turns in a row without a merge after which keys are tuned.
_TURNS = 48
_IDLE = 2
# How often merging begins anew after keys were tuned.
_PHASES = 3
# Steps in which merged keys are tuned, views of each key, and how far the first step goes.
_TUNE_STEPS = 40
_TUNE_VIEWS = 384
_TUNE_RATE = 0.1

# What is tried out: a group that is merged, an entry that is reduced.
Wanted = TypeVar("Wanted")
# Names groups that may become one in the n-th turn.
Proposer = Callable[[Replica, int], Iterable[Group]]


class Outcome(NamedTuple):
    """The outcome of trying out: changes that were taken back."""

    rolled_back: int


def learned(replica: Replica, turn: int) -> Iterator[Group]:
    """What the trained network proposes."""
    for rows, entries in replica.streams():
        yield from _of_replica(rows, propose(entries, _allowing(replica, rows), turn=turn))


def paired(replica: Replica, turn: int) -> Iterator[Group]:
    """The nearest pairs."""
    for rows, entries in replica.streams():
        yield from _of_replica(rows, nearest_pairs(entries, _allowing(replica, rows)))


def _allowing(replica: Replica, rows: NDArray[np.int64]) -> Callable[[Sequence[int]], bool]:
    return lambda indices: replica.allowed([int(rows[index]) for index in indices])


def _of_replica(rows: NDArray[np.int64], groups: Iterable[Group]) -> Iterator[Group]:
    """Turn groups of a stream's rows into groups of the replica's rows."""
    for group in groups:
        yield group._replace(rows=tuple(int(rows[index]) for index in group.rows))


def both(replica: Replica, turn: int) -> Iterator[Group]:
    """What the network proposes, and the nearest pairs."""
    yield from learned(replica, turn)
    yield from paired(replica, turn)


def dream(
    replica: Replica, replay: Replay, *, target: float, max_loss: float, proposer: Proposer = both, seed: int = 0
) -> Outcome:
    """Reduce and merge in the replica until the target is reached or any more would cost too many probes.

    Args:
        replica: What is held; it is changed.
        replay: The probes on it.
        target: As in SleepConfig.
        max_loss: As in SleepConfig.
        proposer: Names groups that may become one.
        seed: Seed of the views that keys are tuned on.
    """
    replay.weigh()
    rolled_back = _reduce(replica, replay, target, max_loss)
    tuner, turn = Tuner(replica, replay, seed), 0
    for _ in range(_PHASES):
        refused, idle = set[frozenset[int]](), 0
        for _ in range(_TURNS):
            surplus, count = replica.surplus(target), len(replica)
            if surplus <= 0 or idle == _IDLE:
                break
            offered = [group for group in proposer(replica, turn) if frozenset(group.rows) not in refused]
            offered.sort(key=lambda group: (group.cost, group.rows))
            chosen = list(_until(replica, _apart(replica, offered), surplus))
            for start in range(0, len(chosen), _BATCH):
                batch = chosen[start : start + _BATCH]
                culprits = _refused(replay, batch, partial(_merge_some, replay), max_loss)
                refused.update(frozenset(group.rows) for group in culprits)
            idle = idle + 1 if len(replica) == count else 0
            turn += 1
        rolled_back += len(refused)
        if not tuner.tune(max_loss) or replica.surplus(target) <= 0:
            break  # else what cost too much before may be affordable now
    return Outcome(rolled_back)


class Tuner:
    """Tunes merged keys on views that are drawn for this, not on the probes."""

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
        """Tune for some steps; False if fewer probes are found, or far fewer of one kind."""
        rows = np.flatnonzero(self._replica.alive)
        held, members = self._replica.held, self._replica.members
        merged = np.array([len(members[row]) > 1 and held[row].level < Level.SIGNS for row in rows], bool)
        if not merged.any():
            return False
        owner = np.zeros(len(self._first), np.int64)
        for index, row in enumerate(rows):
            owner[members[row]] = index
        keys = np.stack([held[row].key_D for row in rows])
        for step in range(_TUNE_STEPS):
            asked = self._rng.permutation(len(self._first))[:_TUNE_VIEWS]
            near = cosines_of(self._utility[asked], self._known[:, 0], self._known[:, 1], self._rng)
            views = draw(self._keys[asked], near, self._keys, self._rng)
            keys = tune(keys, merged, views, owner[asked], rate=_TUNE_RATE * (1 - step / _TUNE_STEPS))
        return self._replay.rekey([int(row) for row in rows[merged]], keys[merged], max_loss)


def _apart(replica: Replica, groups: Iterable[Group]) -> Iterator[Group]:
    """Groups that may be merged and have no entry in common."""
    taken = set[int]()
    for group in groups:
        if taken.isdisjoint(group.rows) and replica.allowed(group.rows):
            taken.update(group.rows)
            yield group


def _until(replica: Replica, groups: Iterable[Group], surplus: int) -> Iterator[Group]:
    """The first groups that together free a share of the surplus; the last one is cut down to the surplus."""
    fewer, freed_bytes = 0, 0
    for group in groups:
        if freed_bytes >= surplus or (fewer >= _BATCH and freed_bytes >= surplus * _AT_ONCE):
            return
        count = 2
        while count < len(group.rows) and freed_bytes + replica.freed_by_merging(group.rows[:count]) < surplus:
            count += 1
        fewer += count - 1
        freed_bytes += replica.freed_by_merging(group.rows[:count])
        yield group._replace(rows=group.rows[:count])


def _reduce(replica: Replica, replay: Replay, target: float, max_loss: float) -> int:
    """Reduce vectors, the cheapest first, as far as needed; return how many cost too much."""
    rows = np.array(replica.reducible(), np.int64)
    if not len(rows):
        return 0
    worths = [replica.held[row].worth for row in rows]
    left = rows[np.lexsort((worths, replay.cost_of_reducing(rows.tolist())))].tolist()
    refused = 0
    while left and (surplus := replica.surplus(target)) > 0:
        freed_bytes = np.cumsum([replica.freed_by_reducing(row) for row in left])
        count = int(np.searchsorted(freed_bytes, surplus)) + 1
        refused += len(_refused(replay, left[:count], replay.reduce, max_loss))
        left = left[count:]
    return refused


def _merge_some(replay: Replay, groups: Sequence[Group]) -> Before:
    return replay.try_out([replay.choose(group.rows, group.key_D, group.scene_D) for group in groups])


def _refused(
    replay: Replay, wanted: Sequence[Wanted], try_out: Callable[[Sequence[Wanted]], Before], max_loss: float
) -> list[Wanted]:
    """Try changes out as far as the probes allow; halve a batch that fails until the culprits are found.

    Returns:
        The culprits, which were not made.
    """
    before = try_out(wanted)
    if replay.holds(max_loss):
        return []
    replay.take_back(before)
    if len(wanted) == 1:
        return list(wanted)
    half = len(wanted) // 2
    first = _refused(replay, wanted[:half], try_out, max_loss)
    return first + _refused(replay, wanted[half:], try_out, max_loss)
