"""Vectors of an encoder into the directions of their outline: see Outline in memory/codec.py.

The directions are the leading ones of the vectors' second moments, turned at random among themselves: so each
tells about as much as any other, and a sign of each is well spent (Gong and Lazebnik 2011, who then go on turning;
here that gained nothing).

Shapes: N vectors of dimension D; K directions.
"""

from __future__ import annotations

import numpy as np

from hippocam.memory.codec import Outline, outline_number
from hippocam.stream.records import FloatArray

DIRECTIONS = 128
_LARGEST = 127
# Vectors of which the error of cosines is measured.
_MEASURED = 2000


def learn_outline(vectors_ND: FloatArray, *, directions: int = DIRECTIONS, seed: int = 0) -> Outline:
    """Find the directions for vectors like these.

    Args:
        vectors_ND: float32 [N, D], of length 1.
        directions: How many, K: divisible by 8, and D at most.
        seed: Seed of the turning.

    Raises:
        ValueError: There are fewer vectors than directions, or more directions than dimensions.
    """
    count, dim = vectors_ND.shape
    if directions % 8 or not 0 < directions <= min(dim, count):
        raise ValueError(f"directions must be divisible by 8 and up to {min(dim, count)}, found {directions}")
    doubles = vectors_ND.astype(np.float64)
    _, leading = np.linalg.eigh(doubles.T @ doubles)
    rng = np.random.default_rng(seed)
    turned, triangle = np.linalg.qr(rng.normal(size=(directions, directions)))
    turned *= np.sign(np.diag(triangle))  # without it the draw would depend on the library
    main_KD = turned @ leading[:, ::-1][:, :directions].T
    directions_KD = np.rint(main_KD * (_LARGEST / np.abs(main_KD).max())).astype(np.int8)
    sums_NK = doubles @ directions_KD.T.astype(np.float64)
    size = 1 / float(np.abs(sums_NK).sum(axis=1).mean())
    drawn = rng.permutation(count)[:_MEASURED]
    rows_MD = (np.where(sums_NK[drawn] > 0, size, -size) @ directions_KD.astype(np.float64)).astype(np.float32)
    apart = np.roll(drawn, 1)
    told = np.einsum("md,md->m", rows_MD, vectors_ND[apart])
    error = float((told - np.einsum("md,md->m", vectors_ND[drawn], vectors_ND[apart])).std())
    number = outline_number(directions_KD, size, error)
    return Outline(number=number, directions_KD=directions_KD, size=size, error=error)
