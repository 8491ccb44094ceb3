"""The tour as a MiniGrid environment: its walls, doors and movements are MiniGrid's, what is seen is `tour.py`'s.

Needs the package minigrid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrid.core.actions import Actions
from minigrid.core.constants import COLOR_NAMES
from minigrid.core.grid import Grid
from minigrid.core.mission import MissionSpace
from minigrid.core.world_object import Ball, Box, Door, Key
from minigrid.minigrid_env import MiniGridEnv

from hippocam.apps.worlds.tour import FORWARD, LEFT, OPEN, RIGHT, Stand, Tour, TourConfig

_ACTIONS = {LEFT: Actions.left, RIGHT: Actions.right, FORWARD: Actions.forward, OPEN: Actions.toggle}
# Rows of the grid: the rooms, their doors, and the corridor between.
_NORTH_ROOM, _NORTH_DOOR, _CORRIDOR, _SOUTH_DOOR, _SOUTH_ROOM = range(1, 6)
_KINDS = (Ball, Box, Key)


class TourGrid(MiniGridEnv):  # type: ignore[misc]
    """A corridor with rooms to both sides, one object in each.

    Args:
        rooms: How many; even.
        max_steps: After which it is truncated.
    """

    def __init__(self, rooms: int, max_steps: int, **kwargs: Any) -> None:
        self.rooms = rooms
        super().__init__(
            mission_space=MissionSpace(mission_func=lambda: "open the door of the room that is asked for"),
            width=rooms + 4,
            height=7,
            max_steps=max_steps,
            **kwargs,
        )

    def _gen_grid(self, width: int, height: int) -> None:
        self.grid = Grid(width, height)
        for y in range(height):
            self.grid.horz_wall(0, y)
        for x in range(1, width - 1):
            self.grid.set(x, _CORRIDOR, None)
        self.doors: list[Door] = []
        for room in range(self.rooms):
            x = 2 + 2 * (room // 2)
            door, inside = (_SOUTH_DOOR, _SOUTH_ROOM) if room % 2 else (_NORTH_DOOR, _NORTH_ROOM)
            self.doors.append(Door(COLOR_NAMES[room % len(COLOR_NAMES)], is_open=True))
            self.grid.set(x, door, self.doors[-1])
            self.grid.set(x, inside, _KINDS[room % len(_KINDS)](COLOR_NAMES[-1 - room % len(COLOR_NAMES)]))
        self.agent_pos, self.agent_dir = (1, _CORRIDOR), 0
        self.mission = "open the door of the room that is asked for"


class MiniGridTour(Tour):
    """One episode, moved by MiniGrid; see `Tour`."""

    def __init__(self, config: TourConfig, seed: Sequence[int]) -> None:
        self.env = TourGrid(config.rooms, max_steps=1_000_000)
        self.env.reset(seed=0)
        super().__init__(config, seed)

    @property
    def stand(self) -> Stand:
        """Where MiniGrid has the robot; its y axis points down."""
        return Stand(int(self.env.agent_pos[0]) - 1, -int(self.env.agent_dir) % 4)

    @stand.setter
    def stand(self, stand: Stand) -> None:
        self.env.agent_pos, self.env.agent_dir = (stand.x + 1, _CORRIDOR), -stand.heading % 4

    @property
    def doors_open(self) -> bool:
        """Whether all doors are open."""
        return all(door.is_open for door in self.env.doors)

    @doors_open.setter
    def doors_open(self, are_open: bool) -> None:
        for door in self.env.doors:
            door.is_open = are_open

    def room_before(self) -> int | None:
        """Number of the room whose door is MiniGrid's cell in front."""
        front = self.env.grid.get(*self.env.front_pos)
        return self.env.doors.index(front) if isinstance(front, Door) else None

    def rooms_aside(self) -> list[int]:
        """Numbers of the rooms whose open doors are beside MiniGrid's cell in front."""
        x, y = self.env.front_pos
        if y != _CORRIDOR:
            return []
        beside = [self.env.grid.get(x, row) for row in (_NORTH_DOOR, _SOUTH_DOOR)]
        return [self.env.doors.index(cell) for cell in beside if isinstance(cell, Door) and cell.is_open]

    def _move(self, action: int) -> None:
        self.env.step(_ACTIONS[action])
