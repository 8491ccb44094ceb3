"""A memory taken away from a policy in several ways, to see that it acts on what it remembers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hippocam.models.policies.playing import Remembering, Turn
from hippocam.models.policies.records import Recollection, nothing
from hippocam.stream.records import FloatArray

EMPTIED, OTHER, SHUFFLED, FROZEN = ABLATIONS = ("emptied", "other", "shuffled", "frozen")


class Emptied:
    """A memory that recalls nothing."""

    def __init__(self, memory: Remembering) -> None:
        self._memory = memory

    def observe(self, turn: Turn) -> None:
        """Take what is seen."""
        self._memory.observe(turn)

    def named(self) -> None:
        """Another task was given."""
        self._memory.named()

    def recall(self, goal_D: FloatArray, now_s: float) -> Recollection:
        """Nothing."""
        del now_s
        return nothing(len(goal_D))

    def bytes(self) -> int:
        """What it takes."""
        return self._memory.bytes()


class Other(Emptied):
    """A memory of another episode.

    Args:
        memory: Takes what was seen there.
        turns: What was seen there, before its question.
    """

    def __init__(self, memory: Remembering, turns: Sequence[Turn]) -> None:
        super().__init__(memory)
        for turn in turns:
            memory.observe(turn)

    def observe(self, turn: Turn) -> None:
        """Pass over what is seen here."""

    def recall(self, goal_D: FloatArray, now_s: float) -> Recollection:
        """What the other episode's memory recalls."""
        return self._memory.recall(goal_D, now_s)


class Shuffled(Emptied):
    """A memory whose moments have each other's places: what was recalled is right, where it was is not."""

    def recall(self, goal_D: FloatArray, now_s: float) -> Recollection:
        """What the memory recalls, each moment with the place of the one after it."""
        found = self._memory.recall(goal_D, now_s)
        turned = found.only(np.roll(np.arange(len(found)), 1))
        return Recollection(
            vectors_KD=found.vectors_KD,
            cosines_K=found.cosines_K,
            poses_K3=turned.poses_K3,
            ages_K=found.ages_K,
            outcomes_K=found.outcomes_K,
            stale=found.stale,
        )


class Frozen(Emptied):
    """A memory that stopped after the first steps: what it recalls is from then, and says that it is stale.

    Args:
        memory: Takes the first steps.
        steps: How many.
        stale_s: From how much later on it is stale.
    """

    def __init__(self, memory: Remembering, steps: int, stale_s: float) -> None:
        super().__init__(memory)
        self._steps, self._stale_s = steps, stale_s
        self._as_of_s = 0.0

    def observe(self, turn: Turn) -> None:
        """Take what is seen, until it stops."""
        if self._steps:
            self._steps -= 1
            self._as_of_s = turn.time_s
            self._memory.observe(turn)

    def recall(self, goal_D: FloatArray, now_s: float) -> Recollection:
        """What was remembered until it stopped."""
        found = self._memory.recall(goal_D, now_s)
        return Recollection(
            vectors_KD=found.vectors_KD,
            cosines_K=found.cosines_K,
            poses_K3=found.poses_K3,
            ages_K=found.ages_K,
            outcomes_K=found.outcomes_K,
            stale=now_s - self._as_of_s > self._stale_s,
        )
