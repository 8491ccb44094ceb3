"""The tour in pixels: the same rules, but MiniWorld draws what is seen, and walls stop who walks into them.

The goal is a picture that somebody took in one of the rooms, from the side. Paintings are new in every episode: no
encoder or policy has learned from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np

from hippocam.apps.worlds.pixels.encoder import eye
from hippocam.apps.worlds.pixels.paintings import painting
from hippocam.apps.worlds.pixels.scene import CELL_M, Picture, Scene, Stood
from hippocam.apps.worlds.tour import FORWARD, LEFT, RIGHT, STEP_S, Stand, Tour, TourConfig
from hippocam.models.policies.playing import Turn
from hippocam.stream.records import FloatArray

_QUARTER = np.pi / 2


@cache
def _scene() -> Scene:
    """One for all episodes: each has a window of its own."""
    return Scene()


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
        if action == FORWARD:
            self.stood = _scene().walk(self.paintings, self.stood, doors_open=self.doors_open)
        turned = (action == LEFT) - (action == RIGHT)
        self.stood = self.stood._replace(heading=self.stood.heading + turned * _QUARTER)

    def _turn(self, passer_D: FloatArray | None = None) -> Turn:
        del passer_D
        picture = self.seen()
        self._step += 1
        x_m, z_m, heading = self.stood
        pose = np.array([x_m / CELL_M, -z_m / CELL_M, heading % (4 * _QUARTER)])
        _, jpeg = cv2.imencode(".jpg", picture[..., ::-1])
        return Turn(self._step * STEP_S, eye().encode(picture), pose, jpeg=jpeg.tobytes())
