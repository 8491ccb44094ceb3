"""Weights into a quarter of their bytes: rows of whole numbers with one factor a row.

A row's largest number becomes 127 or -127, so each is off by at most 1/254 of it. Vectors stay float32, since they
are few.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import FloatArray

Arrays = dict[str, NDArray[np.generic]]
_FACTOR = ".factor"


def pack(numbers: Mapping[str, FloatArray]) -> Arrays:
    """Return int8 rows and their float32 factors for what has rows, float32 for the rest."""
    packed: Arrays = {}
    for name, values in numbers.items():
        packed[name] = np.ascontiguousarray(values, np.float32)
        if values.ndim > 1:
            rows = values.reshape(len(values), -1)
            factor = np.maximum(np.abs(rows).max(1), 1e-30).astype(np.float32) / 127
            packed[name] = np.rint(rows / factor[:, None]).astype(np.int8).reshape(values.shape)
            packed[name + _FACTOR] = factor
    return packed


def unpack(packed: Mapping[str, NDArray[np.generic]]) -> dict[str, FloatArray]:
    """Give the float32 numbers of what was packed."""
    numbers: dict[str, FloatArray] = {}
    for name, values in packed.items():
        if not name.endswith(_FACTOR):
            numbers[name] = np.asarray(values, np.float32)
            if values.ndim > 1:
                factor = np.asarray(packed[name + _FACTOR], np.float32)
                numbers[name] *= factor.reshape(-1, *[1] * (values.ndim - 1))
    return numbers
