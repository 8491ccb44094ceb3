"""Tour, then ask: a corridor of rooms that a robot is shown before it is told what it will be asked for.

The robot is led past N rooms with open doors. All doors are closed, it waits in a hall where others pass by, and
only then a goal is named, as an encoder sees it from another side. It must walk back, and the first door that it
opens counts. What it sees are an encoder's vectors; every room has a look of its own, drawn anew in each episode,
so that nothing of it can be learned beforehand.

    y  1    room 0      room 2            ...
       0  start  .  .  .  .  .  ... hall     the corridor, x from 0 to the hall
      -1    room 1      room 3            ...

Rooms lie at x = 1, 3, 5 ..., two by two. `minigrid_tour.py` has the same rules as a MiniGrid environment.

Shapes: D numbers of a vector, T steps of the tour and the delay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hippocam.models.policies.playing import Turn
from hippocam.stream.records import FloatArray

DIM = 32
LEFT, RIGHT, FORWARD, OPEN = range(4)
ACTIONS = 4
STEP_S = 0.2
# How much of a view is what stands before the robot, what the place looks like, and what is seen from the side.
_FRONT, _BEHIND, _ASIDE = 0.85, 0.5, 0.35
# Length of the noise in every view, and of what makes the goal's picture another one than that of the tour.
_NOISE, _OTHER_SIDE = 0.1, 0.6
# Steps that the tour stands before a door; that pass from one passer-by to the next; that one is seen; how many.
_STAYS, _BETWEEN, _PASSES, _PASSERS = 3, 12, 4, 24
_EAST, _NORTH, _WEST, _SOUTH = range(4)


class Stand(NamedTuple):
    """Where a robot is.

    Attributes:
        x: Cell of the corridor.
        heading: Quarter turns from the x axis to the y axis, 0 to 3.
    """

    x: int
    heading: int


def units(rng: np.random.Generator, count: int) -> FloatArray:
    """Directions drawn at random: float32 [count, D], of length 1."""
    drawn = rng.standard_normal((count, DIM))
    found: FloatArray = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return found


# How the encoder sees what is the same in every episode: a closed door, a wall, the corridor's two ends, the hall
# in four directions, and what lies behind everything.
_DOOR, _WALL, _EASTWARD, _WESTWARD, *_HALL, _GROUND = units(np.random.default_rng(20), 9)


@dataclass(frozen=True, slots=True, kw_only=True)
class TourConfig:
    """How large the world is.

    Attributes:
        rooms: N, an even number of 2 or more.
        delay: Steps in the hall between the tour and the question.
    """

    rooms: int = 8
    delay: int = 0

    def __post_init__(self) -> None:
        if self.rooms < 2 or self.rooms % 2 or self.delay < 0:
            raise ValueError(
                f"a tour needs an even number of rooms, 2 or more, and a delay of 0 or more, found {self.rooms}, "
                f"{self.delay}"
            )


class Tour:
    """One episode; `turns` leads through it, then `act` takes what the robot does.

    Args:
        config: Its size.
        seed: Numbers of 0 or more, of looks, goal and noise: the same ones give the same episode.

    Attributes:
        goal: Number of the room that is asked for.
        stand: Where the robot is.
        done: Whether a door was opened, or too many steps were made.
        success: Whether it was the right one.
    """

    def __init__(self, config: TourConfig, seed: Sequence[int]) -> None:
        rng = np.random.default_rng([*seed, config.rooms, config.delay])
        self.config = config
        self.looks = units(rng, config.rooms)
        self._passers = units(rng, _PASSERS)
        self.goal = int(rng.integers(config.rooms))
        self.goal_D = unit(self.looks[self.goal] + _OTHER_SIDE * units(rng, 1)[0])
        self.hall_x = config.rooms + 1
        self.most_steps = 4 * (self.hall_x + 8)
        self._rng = rng
        self._passing: FloatArray | None = None
        self._step = self._acted = 0
        self.stand = Stand(0, _EAST)
        self.doors_open = True
        self.done = self.success = False

    def turns(self) -> list[Turn]:
        """Lead the robot through the tour and the delay; what it saw at each step."""
        seen = [self._turn()]
        for x in range(1, self.hall_x + 1):
            seen.append(self._led(FORWARD))
            for before, after in ((LEFT, RIGHT), (RIGHT, LEFT)) if x % 2 and x < self.hall_x else ():
                seen.append(self._led(before))
                seen += [self._turn() for _ in range(_STAYS - 1)]
                seen.append(self._led(after))
        self.doors_open = False
        for step in range(self.config.delay):
            turn, passed = divmod(step, _BETWEEN)
            passer = self._passers[int(self._rng.integers(_PASSERS))] if passed == 0 else self._passing
            self._passing = passer
            seen.append(self._turn(passer if turn and passed < _PASSES else None))
        return seen

    def _led(self, action: int) -> Turn:
        self._move(action)
        return self._turn()

    def now(self) -> Turn:
        """What the robot sees before it acts."""
        return self._turn()

    def act(self, action: int) -> None:
        """Do one of LEFT, RIGHT, FORWARD and OPEN."""
        if self.done:
            raise ValueError("the episode is over")
        if action == OPEN:
            room = self.room_before()
            self.done, self.success = room is not None, room == self.goal
        self._move(action)
        self._acted += 1
        self.done = self.done or self._acted >= self.most_steps

    def expert(self, steps: int) -> list[int]:
        """What somebody who knows the goal's room does from here on, at most so many steps."""
        planned: list[int] = []
        stand = self.stand
        while len(planned) < steps and OPEN not in planned:
            planned.append(self._best(stand))
            stand = self._moved(stand, planned[-1])
        return planned

    def _best(self, stand: Stand) -> int:
        x, heading = stand
        goal_x, side = 1 + 2 * (self.goal // 2), _SOUTH if self.goal % 2 else _NORTH
        wanted = side if x == goal_x else _EAST if x < goal_x else _WEST
        turn = (wanted - heading) % 4
        if turn:
            return RIGHT if turn == 3 else LEFT
        return OPEN if x == goal_x else FORWARD

    def _move(self, action: int) -> None:
        self.stand = self._moved(self.stand, action)

    def _moved(self, stand: Stand, action: int) -> Stand:
        x, heading = stand
        if action == FORWARD:
            ahead = x + (heading == _EAST) - (heading == _WEST)
            return Stand(min(max(ahead, 0), self.hall_x), heading)
        return Stand(x, (heading + (action == LEFT) - (action == RIGHT)) % 4)

    def room_before(self) -> int | None:
        """Number of the room whose door the robot stands before; None where it stands before none."""
        x, heading = self.stand
        if heading not in (_NORTH, _SOUTH) or x % 2 == 0 or x >= self.hall_x:
            return None
        return x - 1 + (heading == _SOUTH)

    def view(self, passer_D: FloatArray | None = None) -> FloatArray:
        """What the encoder makes of what is seen from here, without noise: float32 [D].

        Args:
            passer_D: Look of somebody who passes by.
        """
        x, heading = self.stand
        room = self.room_before()
        if passer_D is not None:
            front = passer_D
        elif room is not None:
            front = self.looks[room] if self.doors_open else _DOOR
        elif x == self.hall_x:
            front = _HALL[heading]
        elif heading in (_NORTH, _SOUTH):
            front = _WALL
        else:
            front = _EASTWARD if heading == _EAST else _WESTWARD
        seen: FloatArray = _FRONT * front + _BEHIND * _GROUND
        for room in self.rooms_aside():
            seen = seen + _ASIDE * self.looks[room]
        return seen

    def rooms_aside(self) -> list[int]:
        """Numbers of the rooms that are seen into from the side, through open doors one cell ahead."""
        x, heading = self.stand
        beside = x + (heading == _EAST) - (heading == _WEST)
        if not self.doors_open or beside == x or beside % 2 == 0 or not 0 < beside < self.hall_x:
            return []
        return [beside - 1, beside]

    def _turn(self, passer_D: FloatArray | None = None) -> Turn:
        noise = self._rng.standard_normal(DIM)
        vector_D = unit(self.view(passer_D) + _NOISE * noise / np.linalg.norm(noise))
        x, heading = self.stand
        self._step += 1
        return Turn(self._step * STEP_S, vector_D, np.array([x, 0.0, heading * np.pi / 2]))


def unit(vector_D: FloatArray) -> FloatArray:
    """Divide a vector by its length."""
    scaled: FloatArray = (vector_D / np.linalg.norm(vector_D)).astype(np.float32)
    return scaled
