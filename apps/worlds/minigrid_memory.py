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

from hippocam.apps.worlds.tour import DIM, STEP_S, unit, units
from hippocam.models.policies.playing import Turn
from hippocam.stream.records import FloatArray

LEFT, RIGHT, FORWARD = range(3)
ACTIONS = 3
_ACTIONS = (Actions.left, Actions.right, Actions.forward)
# Where the robot looks around: a cell of the first room.
_LOOKS_FROM_X = 3
_WESTWARD = 2
_VIEW = 7
# How much of what the encoder makes of a thing is its kind, and how much where it is in the view; how much a cell
# of the ground or a wall weighs, of which only the place matters; length of the noise.
_THING, _WHERE, _GROUND, _NOISE = 1.0, 0.6, 0.25, 0.1
_Key = tuple[int, int, int]


def _directions() -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(22)
    kinds, cells = len(OBJECT_TO_IDX), _VIEW * _VIEW
    return units(rng, kinds), units(rng, kinds * cells).reshape(kinds, cells, DIM)


# How it sees a kind of thing wherever that is, and one in a cell: a key to the left and a ball to the right must
# look other than a ball to the left and a key to the right.
_KINDS, _PLACED = _directions()
_CELLS = np.arange(_VIEW * _VIEW)
_THINGS, _UNSEEN = (OBJECT_TO_IDX["key"], OBJECT_TO_IDX["ball"]), OBJECT_TO_IDX["unseen"]


def encoded(view: NDArray[np.integer]) -> FloatArray:
    """What the encoder makes of a view of MiniGrid's, [7, 7, 3]: float32 [D], of length 1."""
    kinds = view[..., 0].reshape(-1)
    things = np.isin(kinds, _THINGS)
    placed = np.where(things, _WHERE, np.where(kinds == _UNSEEN, 0.0, _GROUND)).astype(np.float32)
    return unit(_THING * _KINDS[kinds[things]].sum(0) + placed @ _PLACED[kinds, _CELLS])


class MiniGridMemory:
    """One episode.

    Args:
        size: Cells of the world's side, an odd number of 11 or more.
        seed: Numbers of 0 or more; the same ones give the same episode.

    Attributes:
        goal_D: The first room as it looks without its object: what stood here?
        done: Whether one of the two objects was reached, or too many steps were made.
        success: Whether it was the right one.
    """

    def __init__(self, size: int, seed: Sequence[int]) -> None:
        if size < 11 or size % 2 == 0:
            raise ValueError(f"the world must have an odd number of 11 cells or more, found {size}")
        self.env = MemoryEnv(size=size)
        drawn = np.random.default_rng([*seed, size]).integers(2**31)
        self._seen, _ = self.env.reset(seed=int(drawn))
        self._rng = np.random.default_rng([*seed, size, 1])
        self.goal_D = self._first_room()
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
        noise = self._rng.standard_normal(DIM)
        vector_D = unit(encoded(self._seen["image"]) + _NOISE * noise / np.linalg.norm(noise))
        return Turn(self._step * STEP_S, vector_D, pose)

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

    def _first_room(self) -> FloatArray:
        """The first room as it looks from where the robot will be led, without its object."""
        place = (1, self.env.height // 2 - 1)
        (x, y), heading, thing = self.env.agent_pos, self.env.agent_dir, self.env.grid.get(*place)
        self.env.grid.set(*place, None)
        self.env.agent_pos, self.env.agent_dir = np.array((min(x, _LOOKS_FROM_X), y)), _WESTWARD
        looks_D = encoded(self.env.gen_obs()["image"])
        self.env.grid.set(*place, thing)
        self.env.agent_pos, self.env.agent_dir = np.array((x, y)), heading
        return looks_D

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
