"""MiniGrid's Memory task at fixed sizes: which of two objects at a corridor's end is the one in the first room?

The robot is led to the first room and looks around; then it is asked, and walks. From 11 cells on the object
cannot be seen together with the choice. What it sees is MiniGrid's own view, of which a small encoder without
training makes a vector.

Needs the package minigrid.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from minigrid.core.actions import Actions
from minigrid.core.constants import DIR_TO_VEC, OBJECT_TO_IDX
from minigrid.envs.memory import MemoryEnv
from numpy.typing import NDArray

from hippocam.apps.worlds.tour import DIM, STEP_S, unit
from hippocam.models.policies.playing import Turn
from hippocam.stream.records import FloatArray

LEFT, RIGHT, FORWARD = range(3)
ACTIONS = 3
_ACTIONS = (Actions.left, Actions.right, Actions.forward)
# Where the robot looks around: a cell of the first room.
_LOOKS_FROM_X = 3
_VIEW = 7
# How much a thing, and how much a cell of the ground or a wall, weighs in what the encoder sees; how much of a
# cell is where it is.
_THING, _GROUND, _WHERE = 1.0, 0.02, 0.3
_Key = tuple[int, int, int]


def _directions() -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(22)
    kinds = rng.standard_normal((len(OBJECT_TO_IDX), DIM)) / np.sqrt(DIM)
    cells = rng.standard_normal((_VIEW * _VIEW, DIM)) / np.sqrt(DIM)
    return kinds.astype(np.float32), cells.astype(np.float32)


_KINDS, _CELLS = _directions()
_THINGS = (OBJECT_TO_IDX["key"], OBJECT_TO_IDX["ball"])
_WEIGHTS = np.full(len(OBJECT_TO_IDX), _GROUND, np.float32)
_WEIGHTS[list(_THINGS)] = _THING
_WEIGHTS[OBJECT_TO_IDX["unseen"]] = 0.0


def encoded(view: NDArray[np.integer]) -> FloatArray:
    """What the encoder makes of a view of MiniGrid's, [7, 7, 3]: float32 [D], of length 1."""
    kinds = view[..., 0].reshape(-1)
    weights = _WEIGHTS[kinds]
    return unit(weights @ _KINDS[kinds] + _WHERE * (weights @ _CELLS))


class MiniGridMemory:
    """One episode.

    Args:
        size: Cells of the world's side, an odd number of 11 or more.
        seed: Numbers of 0 or more; the same ones give the same episode.

    Attributes:
        goal_D: A thing, key or ball: what is asked for is not named, but where it is.
        done: Whether one of the two objects was reached, or too many steps were made.
        success: Whether it was the right one.
    """

    def __init__(self, size: int, seed: Sequence[int]) -> None:
        if size < 11 or size % 2 == 0:
            raise ValueError(f"the world must have an odd number of 11 cells or more, found {size}")
        self.env = MemoryEnv(size=size)
        drawn = np.random.default_rng([*seed, size]).integers(2**31)
        self._seen, _ = self.env.reset(seed=int(drawn))
        self.goal_D = unit(_KINDS[_THINGS[0]] + _KINDS[_THINGS[1]])
        self._step = 0
        self.done = self.success = False

    def turns(self) -> list[Turn]:
        """Lead the robot into the first room, where it looks around, and turn it to the corridor."""
        seen = [self.now()]
        seen += [self._led(action) for action in (LEFT, LEFT)]
        while int(self.env.agent_pos[0]) > _LOOKS_FROM_X:
            seen.append(self._led(FORWARD))
        return seen + [self._led(action) for action in (LEFT, LEFT)]

    def now(self) -> Turn:
        """What the robot sees before it acts."""
        self._step += 1
        x, y = map(float, self.env.agent_pos)
        pose = np.array([x, -y, -int(self.env.agent_dir) % 4 * np.pi / 2])
        return Turn(self._step * STEP_S, encoded(self._seen["image"]), pose)

    def act(self, action: int) -> None:
        """Do one of LEFT, RIGHT and FORWARD."""
        if self.done:
            raise ValueError("the episode is over")
        self._seen, reward, ended, cut, _ = self.env.step(_ACTIONS[action])
        self.done, self.success = ended or cut, float(reward) > 0

    def expert(self, steps: int) -> list[int]:
        """The first steps of the shortest way to the right object."""
        x, y = map(int, self.env.agent_pos)
        start = (x, y, int(self.env.agent_dir))
        came: dict[_Key, tuple[_Key, int]] = {}
        waiting, end = deque([start]), start
        while waiting:
            end = waiting.popleft()
            if end[:2] == tuple(self.env.success_pos):
                break
            for action in range(ACTIONS):
                there = self._moved(end, action)
                if there != start and there not in came:
                    came[there] = (end, action)
                    waiting.append(there)
        way = []
        while end != start:
            end, action = came[end]
            way.append(action)
        return way[::-1][:steps]

    def _led(self, action: int) -> Turn:
        self._seen = self.env.step(_ACTIONS[action])[0]
        return self.now()

    def _moved(self, stand: _Key, action: int) -> _Key:
        x, y, way = stand
        if action != FORWARD:
            return x, y, (way + (1 if action == RIGHT else -1)) % 4
        there = x + int(DIR_TO_VEC[way][0]), y + int(DIR_TO_VEC[way][1])
        cell = self.env.grid.get(*there)
        blocked = cell is not None and not cell.can_overlap()
        wrong = there == tuple(self.env.failure_pos)
        return stand if blocked or wrong else (*there, way)
