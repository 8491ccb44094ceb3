"""Change gate: a frame of a stream in, "changed" or "the same as the last kept one" out, before any encoder.

Two frames are compared as small blurred pictures, colour by colour (red may turn blue at the same grey), so
that compression noise does not count while a person in one corner of a still scene does. The comparison is
always with the last *kept* frame: slow drift adds up and is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hippocam.stream import opencv as cv2
from hippocam.stream.records import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """When a frame counts as changed.

    Attributes:
        side_px: Side of the square picture that is compared, pixels, 8 to 256.
        level: Difference of a pixel, in any colour, that counts, 1 to 255.
        area: Share of the picture that must differ by more than level, 0 to 1.
    """

    side_px: int = 64
    level: int = 14
    area: float = 0.002

    def __post_init__(self) -> None:
        for name, low, high in (("side_px", 8, 256), ("level", 1, 255), ("area", 0.0, 1.0)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"gate.{name} must be {low} to {high}, found {value}")


class Glance:
    """A picture at a small size, made once for all that compare it.

    Args:
        image: uint8 [H, W, 3], RGB, of any size.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        self._made: dict[int, Image] = {}

    def square(self, side_px: int) -> Image:
        """Give the picture as uint8 [side_px, side_px, 3], means of areas."""
        if side_px not in self._made:
            small = cv2.resize(self._image, (side_px, side_px), interpolation=cv2.INTER_AREA)
            self._made[side_px] = np.asarray(small, np.uint8)
        return self._made[side_px]


class ChangeGate:
    """Compares each frame of one stream with the last one that was kept."""

    def __init__(self, config: GateConfig | None = None) -> None:
        self._config = config or GateConfig()
        self._kept: NDArray[np.int16] | None = None

    def changed(self, seen: Glance) -> bool:
        """Tell whether a frame differs from the last kept one; if so it becomes the kept one.

        Args:
            seen: The frame. Its size may change from frame to frame.
        """
        small = cv2.GaussianBlur(seen.square(self._config.side_px), (3, 3), 0).astype(np.int16)
        if self._kept is not None:
            differs = np.abs(small - self._kept).max(axis=2) > self._config.level
            if float(differs.mean()) <= self._config.area:
                return False
        self._kept = small
        return True
