"""The tour in pixels: the same rules, but MiniWorld draws what is seen, and walls stop who walks into them.

The goal is a picture that somebody took in one of the rooms, from the side. Paintings are new in every episode: no
encoder or policy has learned from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from hippocam.apps.worlds.pixels.encoder import eye
from hippocam.apps.worlds.pixels.paintings import painting
from hippocam.apps.worlds.pixels.scene import CELL_M, Picture, Scene, Stood
from hippocam.apps.worlds.tour import FORWARD, LEFT, RIGHT, STEP_S, Stand, Tour, TourConfig
from hippocam.models.policies.playing import Turn
from hippocam.stream.records import FloatArray

_QUARTER = np.pi / 2
# Digits of a metre in which places are told apart.
_DIGITS = 6


class _Seen(NamedTuple):
    """A picture as the encoder sees it, and as JPEG."""

    vector_D: FloatArray
    jpeg: bytes

    @classmethod
    def of(cls, picture: Picture) -> _Seen:
        """What is made of a picture."""
        _, jpeg = cv2.imencode(".jpg", picture[..., ::-1])
        return cls(eye().encode(picture), jpeg.tobytes())


@cache
def _scene() -> Scene:
    """One for all episodes: each has a window of its own."""
    return Scene()


# Behind closed doors all corridors of a length look alike, so each place in them is drawn and tried once.
_HIDDEN = np.zeros((1, 1, 3), np.uint8)


@cache
def _seen_closed(rooms: int, stood: Stood) -> _Seen:
    return _Seen.of(_scene().look([_HIDDEN] * rooms, stood, doors_open=False))


@cache
def _walked_closed(rooms: int, stood: Stood) -> Stood:
    return _scene().walk([_HIDDEN] * rooms, stood, doors_open=False)


class PixelTour(Tour):
    """One episode; see `Tour`. Nobody passes by in the hall.

    Attributes:
        paintings: One a room.
        stood: Where the robot is, exactly; `stand` is the nearest cell.
        goal_picture: What was asked for, as `goal_D` has it.
    """

    def __init__(self, config: TourConfig, seed: Sequence[int]) -> None:
        rng = np.random.default_rng([*seed, config.rooms, config.delay, 1])
        self.paintings = [painting(rng) for _ in range(config.rooms)]
        self.stood = Stood(0.0, 0.0, 0.0)
        self._seen: dict[Stood, _Seen] = {}
        super().__init__(config, seed)
        self.goal_picture = _scene().look_at_painting(self.paintings, self.goal, rng)
        self.goal_D = eye().encode(self.goal_picture)

    @property
    def stand(self) -> Stand:
        """The cell that the robot is in, and the direction that it looks into."""
        return Stand(round(self.stood.x_m / CELL_M), round(self.stood.heading / _QUARTER) % 4)

    @stand.setter
    def stand(self, stand: Stand) -> None:
        self.stood = Stood(stand.x * CELL_M, 0.0, stand.heading * _QUARTER)

    def seen(self) -> Picture:
        """What the robot sees: uint8 [H, W, 3], RGB."""
        return _scene().look(self.paintings, self.stood, doors_open=self.doors_open)

    def _move(self, action: int) -> None:
        if action == FORWARD and self.doors_open:
            self.stood = _scene().walk(self.paintings, self.stood, doors_open=True)
        elif action == FORWARD:
            self.stood = _walked_closed(self.config.rooms, self.stood)
        x_m, z_m, heading = self.stood
        quarters = round(heading / _QUARTER) + (action == LEFT) - (action == RIGHT)
        # without what adding has left, so that a place that was seen before is known as the same
        self.stood = Stood(round(x_m, _DIGITS), round(z_m, _DIGITS), quarters % 4 * _QUARTER)

    def _turn(self, passer_D: FloatArray | None = None) -> Turn:
        del passer_D
        seen = self._seen_open() if self.doors_open else _seen_closed(self.config.rooms, self.stood)
        self._step += 1
        x_m, z_m, heading = self.stood
        pose = np.array([x_m / CELL_M, -z_m / CELL_M, heading])
        return Turn(self._step * STEP_S, seen.vector_D, pose, jpeg=seen.jpeg)

    def _seen_open(self) -> _Seen:
        """What is seen with open doors; what was seen from here before is not drawn again."""
        if self.stood not in self._seen:
            self._seen[self.stood] = _Seen.of(self.seen())
        return self._seen[self.stood]
