"""Second time better: a jammed machine has several levers, and only one gets it going.

Which one it is cannot be seen. Who knows nothing tries one lever after the other; who has met the machine before
knows which one worked. Machines look new in each episode. What a robot sees is an encoder's vector of the machine
and the lever that it holds.

Before an episode the robot may have tried other machines, whose levers say nothing about this one's, and this one.
How each pull went is kept with it, as a mark.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hippocam.apps.worlds.tour import DIM, unit
from hippocam.models.policies.playing import FAILED, WORKED, Turn
from hippocam.stream.records import FloatArray

LEVERS = 5
STEP_S = 1.0
# Metres between two levers; where the robot stands before it pulls one.
_APART_M, _AWAY = 1.0, -1
# How much of a view is the machine and how much the lever; lengths of the noise, and of what the task's picture of
# the machine differs by.
_MACHINE, _LEVER, _NOISE, _OTHER_SIDE = 0.75, 0.6, 0.1, 0.5


def _looks(rng: np.random.Generator, count: int) -> FloatArray:
    drawn = rng.standard_normal((count, DIM))
    looks: FloatArray = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return looks


# How the encoder sees the levers, and the robot standing away from them: the same in every episode.
_HELD = _looks(np.random.default_rng(21), LEVERS + 1)


class Levers:
    """One episode.

    Args:
        others: Machines that were tried before.
        met: Whether this one was, too, at any time among them.
        seed: Numbers of 0 or more; the same ones give the same episode.

    Attributes:
        goal_D: The machine, as seen from another side.
        lever: The one that works.
        done: Whether it works, or too many levers were pulled.
        success: Whether it works.
    """

    def __init__(self, others: int, met: bool, seed: Sequence[int]) -> None:
        self._rng = np.random.default_rng([*seed, others, int(met)])
        self.look_D, *self._others = _looks(self._rng, 1 + others)
        self.lever = int(self._rng.integers(LEVERS))
        self.goal_D = unit(self.look_D + _OTHER_SIDE * _looks(self._rng, 1)[0])
        self._met = met
        self._held, self._step, self._pulled = _AWAY, 0, 0
        self._mark, self._repeated = "", False
        self.done = self.success = False

    def again(self) -> None:
        """Stand before the same machine another time, with nothing shown beforehand."""
        self._held, self._pulled, self._mark, self._repeated = _AWAY, 0, "", True
        self.done = self.success = False

    def turns(self) -> list[Turn]:
        """What was tried before, one lever after the other each time."""
        if self._repeated:
            return []
        machines = [(look_D, int(self._rng.integers(LEVERS))) for look_D in self._others]
        if self._met:
            machines.insert(int(self._rng.integers(len(machines) + 1)), (self.look_D, self.lever))
        seen = []
        for look_D, lever in machines:
            for held in range(_AWAY, lever + 1):
                mark = "" if held == _AWAY else WORKED if held == lever else FAILED
                seen.append(self._turn(look_D, held, mark))
        return seen

    def now(self) -> Turn:
        """What the robot sees, and how its last pull went."""
        turn = self._turn(self.look_D, self._held, self._mark)
        self._mark = ""
        return turn

    def act(self, action: int) -> None:
        """Pull a lever."""
        if self.done:
            raise ValueError("the episode is over")
        self._held, self._pulled = action, self._pulled + 1
        self.success = action == self.lever
        self._mark = WORKED if self.success else FAILED
        self.done = self.success or self._pulled >= 3 * LEVERS

    def expert(self, steps: int) -> list[int]:
        """Pull the lever that worked, or where none is known the next one; what then depends on how it goes."""
        del steps
        return [self.lever if self._met else (self._held + 1) % LEVERS]

    def _turn(self, look_D: FloatArray, held: int, mark: str) -> Turn:
        noise = self._rng.standard_normal(DIM)
        seen = _MACHINE * look_D + _LEVER * _HELD[held] + _NOISE * noise / np.linalg.norm(noise)
        self._step += 1
        return Turn(self._step * STEP_S, unit(seen), np.array([held * _APART_M, 0.0, 0.0]), mark)
