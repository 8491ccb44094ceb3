"""A picture into what a camera makes of it: another part, another light, a slow pan, or a spoiled picture."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocam.stream import opencv as cv2
from hippocam.stream.records import Image

SPOILS = ("covered", "blurred", "smeared", "overexposed", "noise", "bars", "blocks")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Which part of a picture is shown, and in which light.

    Attributes:
        left: Share of the width that is cut off on the left.
        top: Share of the height that is cut off above.
        size: Share of both sides that is shown.
        mirrored: Whether left is right.
        gains: Factors of red, green and blue.
        offset: Added to each, on the scale 0 to 255.
    """

    left: float = 0.0
    top: float = 0.0
    size: float = 1.0
    mirrored: bool = False
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)
    offset: float = 0.0

    def of(self, image: Image) -> Image:
        """Show a picture, uint8 [H, W, 3], in this view."""
        height, width = image.shape[:2]
        top, left = int(self.top * height), int(self.left * width)
        part = image[top : top + max(1, int(self.size * height)), left : left + max(1, int(self.size * width))]
        if self.mirrored:
            part = part[:, ::-1]
        values = part * np.array(self.gains, np.float32) + self.offset
        shown: Image = np.clip(np.rint(values), 0, 255).astype(np.uint8)
        return shown


def random_view(rng: np.random.Generator, sizes: tuple[float, float], light: float, *, mirrored: bool) -> View:
    """Draw a view.

    Args:
        rng: Draws it.
        sizes: Smallest and greatest share of both sides that is shown.
        light: How far brightness may go from 1; the three colours go apart by a third of it.
        mirrored: Whether left is right.
    """
    size = float(rng.uniform(*sizes))
    red, green, blue = rng.uniform(1 - light, 1 + light) * rng.uniform(1 - light / 3, 1 + light / 3, 3)
    return View(
        left=float(rng.uniform(0, 1 - size)),
        top=float(rng.uniform(0, 1 - size)),
        size=size,
        mirrored=mirrored,
        gains=(float(red), float(green), float(blue)),
        offset=float(rng.uniform(-60, 60) * light),
    )


def pan(a: View, b: View, frames: int) -> tuple[View, ...]:
    """Give the views of a slow pan from one view to another, in the light of the first."""
    return tuple(
        replace(a, **{name: getattr(a, name) * (1 - s) + getattr(b, name) * s for name in ("left", "top", "size")})
        for s in np.linspace(0, 1, frames).tolist()
    )


def spoil(image: Image, kind: str, rng: np.random.Generator) -> Image:
    """Give a worthless picture: surprising, and of no use to anybody later.

    Args:
        image: What the camera would have seen, uint8 [H, W, 3].
        kind: One of `SPOILS`.
        rng: Draws how it is spoiled, for this picture alone.

    Raises:
        ValueError: The kind is not known.
    """
    height, width = image.shape[:2]
    values: NDArray[Any] = image.astype(np.float32)
    if kind == "covered":
        values = values * rng.uniform(0.01, 0.06) + rng.uniform(2, 8) + rng.normal(0, 2, image.shape)
    elif kind == "blurred":
        few = (int(rng.integers(4, 8)), int(rng.integers(3, 6)))
        values = cv2.resize(cv2.resize(values, few, interpolation=cv2.INTER_AREA), (width, height))
    elif kind == "smeared":
        reach = int(width * rng.uniform(0.3, 0.5)) + 1
        values = cv2.blur(values, (reach, 1) if rng.random() < 0.8 else (1, reach))
    elif kind == "overexposed":
        values = values * rng.uniform(2, 3) + rng.uniform(110, 170)
    elif kind == "noise":
        values = values * rng.uniform(0, 0.1) + rng.normal(110, rng.uniform(60, 90), image.shape)
    elif kind == "bars":
        bars_83 = np.array([[c >> 1 & 1, c >> 2 & 1, c & 1] for c in range(7, -1, -1)]) * rng.uniform(170, 250)
        values = np.broadcast_to(bars_83[np.arange(width) * 8 // width], image.shape)
        values = values + rng.normal(0, 4, image.shape)
    elif kind == "blocks":
        grid = cv2.resize(image, (256, 256)).reshape(8, 32, 8, 32, 3).swapaxes(1, 2).reshape(64, 32, 32, 3)
        torn = np.flatnonzero(rng.random(64) < 0.7)
        grid[torn] = grid[rng.permutation(torn)]
        flat = rng.random(64) < 0.25
        grid[flat] = grid[flat].mean((1, 2), keepdims=True).astype(np.uint8)
        values = grid.reshape(8, 8, 32, 32, 3).swapaxes(1, 2).reshape(256, 256, 3)
    else:
        raise ValueError(f"kind must be one of {', '.join(SPOILS)}, found {kind!r}")
    spoiled: Image = np.clip(values, 0, 255).astype(np.uint8)
    return spoiled


def chance(*names: object) -> np.random.Generator:
    """A random generator that depends on these names alone, the same on every machine."""
    return np.random.default_rng(list(hashlib.sha256(repr(names).encode()).digest()[:16]))
