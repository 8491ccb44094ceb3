"""An expert shown to a policy: moments of episodes, as a memory recalled then, with what the expert did.

The expert needs no memory, so an episode is played once, whatever is to remember it. It slips now and then, so
that the policy sees how it goes on after a mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hippocam.models.policies.playing import LEARNED, Game, PlayWorld, Remembering, Turn
from hippocam.models.policies.records import Batch, Moment, PolicySizes, batch_of
from hippocam.stream.records import FloatArray

# Share of steps at which the expert does something at random.
_SLIPS = 0.15
# Moments that are learned from of each episode: these many at random, and the last ones.
_MOMENTS, _LAST = 12, 4
# Directions in which the vectors of lessons are turned, so that no look can be learned by heart.
_TURNS = 64
Opens = Callable[[], AbstractContextManager[Remembering]]


class Step(NamedTuple):
    """What the robot sees, and what the expert does from there on: fewer than H actions at an episode's end."""

    turn: Turn
    actions: list[int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Demonstration:
    """An episode as the expert played it, whatever is remembered of it.

    Attributes:
        goal_D: What is asked for, as the encoder sees it.
        shown: What is seen before the question.
        steps: What follows it.
        chosen: Indices of the steps that are learned from.
    """

    goal_D: FloatArray
    shown: list[Turn]
    steps: list[Step]
    chosen: list[int]


class Lesson(NamedTuple):
    """A moment, with what was recalled then, and what the expert does from there on."""

    moment: Moment
    actions: list[int]


def demonstrate(game: Game, chunk: int, rng: np.random.Generator) -> Demonstration:
    """Play an episode as the expert does.

    Args:
        game: The episode.
        chunk: H, actions that are chosen at once.
        rng: Of slips, and of which moments are kept.
    """
    shown, steps = game.turns(), []
    while not game.done:
        steps.append(Step(game.now(), game.expert(chunk)))
        game.act(int(rng.integers(3)) if rng.random() < _SLIPS else steps[-1].actions[0])
    first = max(0, len(steps) - _LAST)
    chosen = sorted(rng.permutation(first)[:_MOMENTS].tolist()) + list(range(first, len(steps)))
    return Demonstration(goal_D=game.goal_D, shown=shown, steps=steps, chosen=chosen)


def remembered(played: Demonstration, memory: Remembering) -> list[Lesson]:
    """What a policy learns from a demonstration with a memory beside it.

    Args:
        played: The demonstration.
        memory: Empty; it observes every step.
    """
    for turn in played.shown:
        memory.observe(turn)
    memory.named()
    lessons, chosen = [], set(played.chosen)
    for index, (turn, actions) in enumerate(played.steps):
        memory.observe(turn)
        if index in chosen:
            recalled = memory.recall(played.goal_D, turn.time_s)
            moment = Moment(view_D=turn.vector_D, goal_D=played.goal_D, pose=turn.pose, recalled=recalled)
            lessons.append(Lesson(moment, actions))
    return lessons


def episodes(world: PlayWorld, count: int, seed: int) -> Iterator[Game]:
    """Episodes of all sizes and delays of a world to learn from, by turns, each begun when it is due."""
    delays = np.random.default_rng([LEARNED, seed, 0]).choice(world.delays, size=count)
    for number in range(count):
        size = world.sizes[number % len(world.sizes)]
        yield world.play(size, int(delays[number]), (LEARNED, seed, number))


def demonstrations(world: PlayWorld, count: int, seed: int) -> Iterator[Demonstration]:
    """Demonstrations of a world, each played when it is due.

    Args:
        world: The world.
        count: How many.
        seed: Of the episodes, and of the expert's slips.
    """
    rng, chunk = np.random.default_rng(seed), PolicySizes(dim=world.dim, actions=world.actions).chunk
    return (demonstrate(game, chunk, rng) for game in episodes(world, count, seed))


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
