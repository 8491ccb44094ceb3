"""Zones and masks of cameras: polygons in shares of the picture.

A zone says where a thing must stand, for an alert or a question. A mask says what of a picture nobody looks at: it
is grey before the gate, the encoder and the detector, so that a road behind a fence, a clock or a neighbour's
window is not remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hippocam.stream import opencv as cv2
from hippocam.stream.records import Box, Image

Polygon = Sequence[Sequence[float]]
_GREY = 114
# Less than a pixel, as a share of the picture.
_EDGE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraZones:
    """What is marked in the picture of one camera.

    Attributes:
        zones: By name, the corners of a polygon each, x and y from 0, the left and upper edge, to 1.
        masks: Polygons that nobody looks at, likewise.
    """

    zones: Mapping[str, Polygon] = field(default_factory=dict)
    masks: Sequence[Polygon] = ()

    def __post_init__(self) -> None:
        for name, polygon in (*self.zones.items(), *(("a mask", mask) for mask in self.masks)):
            _check(name, polygon)

    def zone(self, name: str) -> Zone | None:
        """A zone by its name; None where there is none."""
        return Zone(_corners(self.zones[name])) if name in self.zones else None

    def masked_like(self, other: CameraZones) -> bool:
        """Whether the same is masked, to a ten-thousandth of the picture, which is less than a pixel."""
        return _rounded(self.masks) == _rounded(other.masks)


@dataclass(frozen=True, slots=True)
class Zone:
    """A polygon in a picture.

    Attributes:
        corners: x and y of each, as shares of the picture.
    """

    corners: tuple[tuple[float, float], ...]

    def holds(self, box: Box) -> bool:
        """Whether a thing stands in it: the middle of its box's lower edge does."""
        # what the picture's edge cuts off stands within it, as a zone does that is drawn up to the edge
        x, y = (min(max(at, _EDGE), 1 - _EDGE) for at in ((box[0] + box[2]) / 2, box[3]))
        inside = False
        for (x0, y0), (x1, y1) in zip(self.corners, (*self.corners[1:], self.corners[0]), strict=True):
            if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
                inside = not inside
        return inside


NOTHING_MARKED = CameraZones()


def marked_for(zones: Mapping[str, CameraZones], *names: str) -> CameraZones:
    """What is marked in the pictures of a camera.

    Args:
        zones: By the names of streams or cameras, or patterns of them ("front*", "*" for all).
        names: What the camera is called; the first that stands there counts, else the first pattern that fits one.
    """
    for name in names:
        if name in zones:
            return zones[name]
    fitting = (
        marked for pattern, marked in zones.items() for name in names if name and fnmatchcase(name, pattern)
    )
    return next(fitting, NOTHING_MARKED)


def masked(image: Image, masks: Sequence[Polygon]) -> Image:
    """A picture in which the masks are grey, uint8 [H, W, 3]; itself where there are none."""
    if not masks:
        return image
    height, width = image.shape[:2]
    shown = image.copy()
    shown[covered(masks, height, width)] = _GREY
    return shown


def covered(masks: Sequence[Polygon], height: int, width: int) -> NDArray[np.bool_]:
    """Which pixels masks cover, bool [H, W]; not to be changed."""
    return _covered(tuple(map(_corners, masks)), height, width)


@lru_cache(maxsize=32)
def _covered(masks: tuple[tuple[tuple[float, float], ...], ...], height: int, width: int) -> NDArray[np.bool_]:
    """Which pixels the masks cover, bool [H, W]."""
    drawn = np.zeros((height, width), np.uint8)
    for mask in masks:
        corners = np.array([(round(x * width), round(y * height)) for x, y in mask], np.int32)
        cv2.fillPoly(drawn, [corners], 1)
    return drawn.astype(bool)


def _rounded(masks: Sequence[Polygon]) -> list[list[tuple[float, float]]]:
    return [[(round(x, 4), round(y, 4)) for x, y in mask] for mask in masks]


def _corners(polygon: Polygon) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in polygon)


def _check(name: str, polygon: object) -> None:
    corners = polygon if isinstance(polygon, Sequence) else ()
    pairs = [corner for corner in corners if isinstance(corner, Sequence) and len(corner) == 2]
    numbers = [edge for corner in pairs for edge in corner if isinstance(edge, (int, float))]
    if len(corners) < 3 or len(numbers) != 2 * len(corners):
        raise ValueError(f"{name} must have three corners or more, each an x and a y, found {polygon!r}")
    if not all(0 <= edge <= 1 for edge in numbers):
        raise ValueError(f"the corners of {name} are shares of the picture, 0 to 1, found {polygon!r}")
