"""An expert shown to a policy: moments of episodes, as a memory recalled then, with what the expert did.

The expert slips now and then, so that the policy sees how it goes on after a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hippocam.models.policies.playing import LEARNED, Game, PlayWorld, Remembering
from hippocam.models.policies.records import Batch, Moment, batch_of
from hippocam.stream.records import FloatArray

# Share of steps at which the expert does something at random.
_SLIPS = 0.15
# Moments that are learned from of each episode: these many at random, and the last ones.
_MOMENTS, _LAST = 12, 4
# Directions in which the vectors of lessons are turned, so that no look can be learned by heart.
_TURNS = 64
Opens = Callable[[], AbstractContextManager[Remembering]]


class Lesson(NamedTuple):
    """A moment, and what the expert does from there on: fewer than H actions at the end of an episode."""

    moment: Moment
    actions: list[int]


def demonstrate(game: Game, memory: Remembering, chunk: int, rng: np.random.Generator) -> list[Lesson]:
    """Play an episode as the expert does, with a memory beside.

    Args:
        game: The episode.
        memory: What it observes into.
        chunk: H, actions that are chosen at once.
        rng: Of slips, and of which moments are kept.
    """
    for turn in game.turns():
        memory.observe(turn)
    memory.named()
    lessons = []
    while not game.done:
        turn = game.now()
        memory.observe(turn)
        actions = game.expert(chunk)
        recalled = memory.recall(game.goal_D, turn.time_s)
        moment = Moment(view_D=turn.vector_D, goal_D=game.goal_D, pose=turn.pose, recalled=recalled)
        lessons.append(Lesson(moment, actions))
        game.act(int(rng.integers(3)) if rng.random() < _SLIPS else actions[0])
    first, last = lessons[:-_LAST], lessons[-_LAST:]
    chosen = rng.permutation(len(first))[:_MOMENTS]
    return [first[k] for k in sorted(chosen.tolist())] + last


def episodes(world: PlayWorld, count: int, seed: int, *, first: int = 0) -> list[Game]:
    """Episodes of all sizes and delays of a world to learn from, by turns."""
    rng = np.random.default_rng([LEARNED, seed, first])
    delays = rng.choice(world.delays, size=count)
    return [
        world.play(world.sizes[k % len(world.sizes)], int(delays[k]), (LEARNED, seed, first + k))
        for k in range(count)
    ]


class LaidOut:
    """Lessons as a network learns from them.

    Args:
        lessons: What was demonstrated.
        chunk: H, actions that are chosen at once.
        turned: Which vectors are turned at random, all alike: `PlayWorld.new_looks`.
        seed: Of these turns.
    """

    def __init__(self, lessons: Sequence[Lesson], chunk: int, *, turned: Collection[str], seed: int = 0) -> None:
        self._all = batch_of([lesson.moment for lesson in lessons])
        padded = [lesson.actions + [-1] * (chunk - len(lesson.actions)) for lesson in lessons]
        self._chunks = torch.tensor(padded, dtype=torch.int64)
        self._rng = np.random.default_rng(seed)
        dim = self._all.goal_BD.shape[1]
        self._turned = tuple(turned)
        self._turns = torch.from_numpy(_rotations(self._rng, dim)) if turned else None

    def __len__(self) -> int:
        return len(self._chunks)

    @classmethod
    def of(
        cls, lessons: Sequence[Lesson], chunk: int, *, share: float, seed: int, turned: Collection[str]
    ) -> tuple[Self, Self]:
        """Lessons to learn from, and a share of them, the last ones, that is held out."""
        held = max(1, round(share * len(lessons)))
        return (
            cls(lessons[:-held], chunk, turned=turned, seed=seed),
            cls(lessons[-held:], chunk, turned=()),
        )

    def batch(self, rows: Sequence[int]) -> tuple[Batch, Tensor]:
        """Some lessons."""
        chosen = torch.tensor(rows, dtype=torch.int64)
        batch = Batch(*(part[chosen] for part in self._all))
        if self._turns is not None:
            turn = self._turns[int(self._rng.integers(len(self._turns)))]
            batch = batch._replace(**{name: getattr(batch, name) @ turn for name in self._turned})
        return batch, self._chunks[chosen]


def _rotations(rng: np.random.Generator, dim: int) -> FloatArray:
    turns: NDArray[np.float64] = np.linalg.qr(rng.standard_normal((_TURNS, dim, dim)))[0]
    return turns.astype(np.float32)
