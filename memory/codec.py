"""Vectors as bytes: one scale and one signed byte a number (scalar quantisation, FAISS's SQ8 made symmetric).

A unit vector of 512 numbers keeps its cosines to about three digits in a quarter of float32's bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hippocam.stream.records import FloatArray

_SCALE = np.dtype("<f4")


def pack(vector: FloatArray) -> bytes:
    """Write a vector [D] as D + 4 bytes: its scale (little-endian float32), then int8 numbers."""
    largest = float(np.abs(vector).max(initial=0.0))
    scale = np.asarray(largest / 127 or 1.0, _SCALE)
    numbers: bytes = np.rint(vector / scale).astype(np.int8).tobytes()
    return scale.tobytes() + numbers


def unpack(blob: bytes) -> FloatArray:
    """Read a vector that `pack` wrote, as float32 [D]."""
    (scale,) = np.frombuffer(blob[: _SCALE.itemsize], _SCALE)
    return np.frombuffer(blob[_SCALE.itemsize :], np.int8).astype(np.float32) * np.float32(scale)


def unpack_many(blobs: Sequence[bytes]) -> FloatArray:
    """Read N vectors of one length that `pack` wrote, as float32 [N, D]."""
    rows = np.frombuffer(b"".join(blobs), np.uint8).reshape(len(blobs), -1)
    scales = np.ascontiguousarray(rows[:, : _SCALE.itemsize]).view(_SCALE)
    return rows[:, _SCALE.itemsize :].view(np.int8).astype(np.float32) * scales.astype(np.float32)


def rounded(vector: FloatArray) -> FloatArray:
    """A vector as it comes back from the store."""
    return unpack(pack(vector))
