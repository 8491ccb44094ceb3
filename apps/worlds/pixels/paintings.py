"""Paintings that nobody has seen before: drawn at random, with blocks, stripes and discs of colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Pixels of a painting's side.
SIDE_PX = 64
_MOST_SHAPES = 4


def painting(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A painting: uint8 [SIDE_PX, SIDE_PX, 3], RGB."""
    across, down = rng.integers(1, 4, size=2)
    blocks = rng.random((down, across, 3))
    rows = np.arange(SIDE_PX)
    painted: NDArray[np.float64] = blocks[rows * down // SIDE_PX][:, rows * across // SIDE_PX]
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] / SIDE_PX
    for _ in range(rng.integers(1, _MOST_SHAPES + 1)):
        if rng.random() < 0.5:
            centre_x, centre_y, radius = *rng.random(2), rng.uniform(0.1, 0.35)
            covered = np.hypot(x - centre_x, y - centre_y) < radius
        else:
            angle, width = rng.uniform(0, np.pi), rng.uniform(0.1, 0.3)
            along = x * np.cos(angle) + y * np.sin(angle)
            covered = (along + rng.random()) % (2 * width) < width
        painted[covered] = rng.random(3)
    return (255 * painted).astype(np.uint8)
