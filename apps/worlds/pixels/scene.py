"""A corridor with rooms to both sides, drawn by MiniWorld: what is seen from anywhere in it, and walking.

Needs the package miniworld, and OpenGL: without a screen by EGL.

Lengths are in metres. MiniWorld's x axis is the corridor's, its z axis points to the right of it, and angles turn
from x away from z.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("PYGLET_HEADLESS", "true")

import pyglet
from miniworld.entity import ImageFrame
from miniworld.miniworld import MiniWorldEnv
from miniworld.opengl import Texture

Picture = NDArray[np.uint8]
WIDE_PX, HIGH_PX = 80, 60
# Length of a step, from which a room is two away from the next on its side.
CELL_M = 1.5
# Parts in which MiniWorld goes it: it looks for walls only where it arrives.
_PACES = 5
_HALF_CORRIDOR_M, _WALL_M = 1.0, 0.2
_HALF_ROOM_M, _DEPTH_M, _HALF_DOOR_M, _DOOR_HIGH_M = 1.3, 2.5, 0.8, 2.2
_PAINTING_M, _EYE_M = 1.6, 1.3
_NORTH, _SOUTH = np.pi / 2, -np.pi / 2


class Stood(NamedTuple):
    """Where a camera is.

    Attributes:
        x_m: Along the corridor.
        z_m: To the right of it.
        heading: Radians, from the x axis to the left.
    """

    x_m: float
    z_m: float
    heading: float


def room_x_m(room: int) -> float:
    """The middle of a room along the corridor: two are opposite each other."""
    return (1 + 2 * (room // 2)) * CELL_M


class _Corridor(MiniWorldEnv):  # type: ignore[misc]
    """MiniWorld's environment of one scene after the other."""

    def __init__(self) -> None:
        self.paintings: Sequence[Picture] = ()
        self.doors_open = True
        with redirect_stdout(StringIO()):  # it tells of each of its frame buffers
            super().__init__(obs_width=WIDE_PX, obs_height=HIGH_PX, window_width=WIDE_PX, window_height=HIGH_PX)

    def _gen_world(self) -> None:
        end_m = room_x_m(max(1, len(self.paintings)) - 1) + 3 * CELL_M
        corridor = self.add_rect_room(
            min_x=-CELL_M, max_x=end_m, min_z=-_HALF_CORRIDOR_M, max_z=_HALF_CORRIDOR_M, wall_tex="drywall"
        )
        for room in range(len(self.paintings)):
            self._add_room(corridor, room)
        self.agent.pos, self.agent.dir = np.zeros(3), 0.0
        self.entities.append(self.agent)

    def _add_room(self, corridor: Any, room: int) -> None:
        x_m, side = room_x_m(room), 1 if room % 2 else -1
        facing = -_SOUTH if side > 0 else -_NORTH
        near_m, far_m = _HALF_CORRIDOR_M + _WALL_M, _HALF_CORRIDOR_M + _WALL_M + _DEPTH_M
        if not self.doors_open:
            door = np.array([x_m, _DOOR_HIGH_M / 2, side * (_HALF_CORRIDOR_M - 0.01)])
            self.entities.append(ImageFrame(pos=door, dir=facing, tex_name="door_doom", width=2 * _HALF_DOOR_M))
            return
        low_m, high_m = sorted((side * near_m, side * far_m))
        made = self.add_rect_room(
            min_x=x_m - _HALF_ROOM_M, max_x=x_m + _HALF_ROOM_M, min_z=low_m, max_z=high_m, wall_tex="cinder_blocks"
        )
        self.connect_rooms(corridor, made, min_x=x_m - _HALF_DOOR_M, max_x=x_m + _HALF_DOOR_M, max_y=_DOOR_HIGH_M)
        hung = np.array([x_m, _EYE_M, side * (far_m - 0.01)])
        self.entities.append(ImageFrame(pos=hung, dir=facing, tex_name=_name(room), width=_PAINTING_M))


def _name(room: int) -> str:
    return f"hippocam-painting-{room}"


class Scene:
    """Draws scenes, one at a time: whoever looks next has its own drawn."""

    def __init__(self) -> None:
        self._env = _Corridor()
        self._drawn: tuple[Sequence[Picture], bool] | None = None

    def look(self, paintings: Sequence[Picture], stood: Stood, *, doors_open: bool) -> Picture:
        """What is seen: uint8 [HIGH_PX, WIDE_PX, 3], RGB."""
        self._enter(paintings, stood, doors_open)
        seen: Picture = self._env.render_obs()
        return seen

    def walk(self, paintings: Sequence[Picture], stood: Stood, *, doors_open: bool) -> Stood:
        """Go a step forward, as far as walls and doors allow."""
        self._enter(paintings, stood, doors_open)
        for _ in range(_PACES):
            self._env.move_agent(CELL_M / _PACES, 0.0)
        x_m, _, z_m = self._env.agent.pos
        return Stood(float(x_m), float(z_m), stood.heading)

    def look_at_painting(self, paintings: Sequence[Picture], room: int, rng: np.random.Generator) -> Picture:
        """A picture that somebody took in a room, from the side: uint8 [HIGH_PX, WIDE_PX, 3], RGB."""
        side = 1 if room % 2 else -1
        off_m, away_m = rng.uniform(0.5, 0.9) * rng.choice([-1, 1]), rng.uniform(1.3, 2.0)
        wall_m = _HALF_CORRIDOR_M + _WALL_M + _DEPTH_M
        heading = np.arctan2(-side * away_m, -off_m) + rng.uniform(-0.15, 0.15)
        stood = Stood(room_x_m(room) + off_m, side * (wall_m - away_m), float(heading))
        return self.look(paintings, stood, doors_open=True)

    def _enter(self, paintings: Sequence[Picture], stood: Stood, doors_open: bool) -> None:
        if not self._shows(paintings, doors_open):
            for room, painted in enumerate(paintings if doors_open else ()):
                _hang(_name(room), painted)
            self._env.paintings, self._env.doors_open = paintings, doors_open
            self._env.reset(seed=0)
            self._drawn = (paintings, doors_open)
        self._env.agent.pos = np.array([stood.x_m, 0.0, stood.z_m])
        self._env.agent.dir = stood.heading

    def _shows(self, paintings: Sequence[Picture], doors_open: bool) -> bool:
        """Whether this is the scene that is drawn; closed doors hide which paintings these are."""
        if self._drawn is None or self._drawn[1] != doors_open:
            return False
        drawn, _ = self._drawn
        return drawn is paintings or (not doors_open and len(drawn) == len(paintings))


def _hang(name: str, painted: Picture) -> None:
    """Make a painting known to MiniWorld by a name, as if it had come with it."""
    high, wide, _ = painted.shape
    image = pyglet.image.ImageData(wide, high, "RGB", np.ascontiguousarray(painted[::-1]).tobytes(), 3 * wide)
    Texture.tex_paths[name] = [name]
    Texture.tex_cache[name] = Texture(image.get_mipmapped_texture(), name)
