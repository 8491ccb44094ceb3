"""The same task twice with one memory: is the second attempt shorter, as it is remembered how the first went?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from hippocam.apps.robot.policy.trials import Played, play
from hippocam.models.policies.playing import TRIED, Game, PlayWorld, Remembering
from hippocam.models.policies.policy import Actor
from hippocam.models.policies.training import one_thread
from hippocam.stream.errors import HippocamError


@runtime_checkable
class Repeatable(Game, Protocol):
    """An episode that can be played again."""

    def again(self) -> None:
        """Begin anew, with the same task and nothing shown beforehand."""


class Attempts(NamedTuple):
    """One task, tried twice."""

    first: Played
    second: Played


@one_thread()
def try_twice(
    world: PlayWorld,
    actor: Actor,
    opens: Callable[[], AbstractContextManager[Remembering]],
    *,
    size: int,
    seeds: Sequence[int],
    episodes: int,
) -> list[Attempts]:
    """Play tasks twice; the memory holds what the policy itself did the first time, and how it went.

    Args:
        world: The world.
        actor: Who acts.
        opens: Opens an empty memory.
        size: Size of the world.
        seeds: Each gives tasks of its own.
        episodes: How many a seed.

    Raises:
        HippocamError: The world's tasks cannot be repeated.
    """
    every = []
    for seed in seeds:
        for number in range(episodes):
            game = world.play(size, 0, (TRIED, seed, number))
            if not isinstance(game, Repeatable):
                raise HippocamError(f"a task of the world {world.name} cannot be tried twice")
            with opens() as memory:
                first = play(game, memory, actor, world.replan)
                memory.observe(game.now())  # how the last action went
                game.again()
                every.append(Attempts(first, play(game, memory, actor, world.replan)))
    return every


def spared(every: Sequence[Attempts]) -> tuple[float, float, float]:
    """Actions that the second attempt spared on average, and the ends of the 95 % interval of that (normal)."""
    fewer = np.array([attempts.first.steps - attempts.second.steps for attempts in every], np.float64)
    mean, off = float(fewer.mean()), 1.96 * float(fewer.std(ddof=1)) / len(fewer) ** 0.5
    return round(mean, 2), round(mean - off, 2), round(mean + off, 2)
