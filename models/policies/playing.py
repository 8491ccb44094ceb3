"""What every world that a policy acts in has: what is seen at a step, and what may be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hippocam.models.policies.records import Recollection
from hippocam.stream.records import FloatArray

# First number of an episode's seed: episodes that are learned from are never those that are tried.
TRIED, LEARNED, ELSEWHERE = range(3)


# What may look new in every episode, by the names that it has in a `Batch`.
VIEWS, GOALS, RECALLED = "view_BD", "goal_BD", "vectors_BKD"

# Marks that say how what was done went; a policy reads them with the moments that they are of.
WORKED, FAILED = "worked", "failed"
# How a policy reads them; what has no such mark is 0.
OUTCOMES = {WORKED: 1.0, FAILED: -1.0}


class Turn(NamedTuple):
    """What a robot sees at one step.

    Attributes:
        time_s: When.
        vector_D: float32 [D], of length 1: what the encoder makes of its picture.
        pose: float64 [3]: x and y in metres, and the heading in radians.
        mark: Why this is a key event, such as `WORKED` or `FAILED`; "" where it is none.
        jpeg: Its picture, b"" where the world has none.
    """

    time_s: float
    vector_D: FloatArray
    pose: NDArray[np.float64]
    mark: str = ""
    jpeg: bytes = b""


class Game(Protocol):
    """One episode of a world."""

    @property
    def goal_D(self) -> FloatArray:
        """What is asked for, as the encoder sees it: float32 [D], of length 1."""

    @property
    def done(self) -> bool:
        """Whether it is over."""

    @property
    def success(self) -> bool:
        """Whether it ended well."""

    def turns(self) -> list[Turn]:
        """Lead the robot through what comes before the question."""

    def now(self) -> Turn:
        """What it sees before it acts."""

    def act(self, action: int) -> None:
        """Do something."""

    def expert(self, steps: int) -> list[int]:
        """What somebody who knows the answer does from here on, at most so many steps."""


class Remembering(Protocol):
    """What a policy's memory is, in a world."""

    def observe(self, turn: Turn) -> None:
        """Take what is seen at a step."""

    def named(self) -> None:
        """Another task was given: a key event."""

    def recall(self, goal_D: FloatArray, now_s: float) -> Recollection:
        """What a goal reminds of."""

    def bytes(self) -> int:
        """What it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayWorld:
    """A world.

    Attributes:
        name: What it is called.
        play: Begins an episode: size, delay, seed.
        sizes: Sizes that are tried; in the tour, numbers of rooms.
        delays: Delays that are learned from, steps.
        dim: Numbers of the encoder's vectors.
        actions: Kinds of actions.
        replan: Actions of a chunk that are done before the next is chosen.
        new_looks: What looks new in every episode, of `Batch`: while a policy learns it is turned at random, all
            alike, so that no look can be learned by heart.
        episodes: Demonstrations that a policy is taught by, where nobody says.
        steps: Batches that a policy is taught with at most, where several are compared.
        tried_at: Size at which delays are tried, and a memory that is taken away.
        tried_delays: Delays that are tried, steps.
    """

    name: str
    play: Callable[[int, int, Sequence[int]], Game]
    sizes: tuple[int, ...]
    delays: tuple[int, ...]
    dim: int
    actions: int
    replan: int = 2
    new_looks: tuple[str, ...] = (GOALS, RECALLED)
    episodes: int = 120
    steps: int = 600
    tried_at: int = 8
    tried_delays: tuple[int, ...] = (0,)
