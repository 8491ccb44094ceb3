"""Vectors as bytes: a scale, and a signed byte a number or one bit.

Bytes are scalar quantisation (FAISS's SQ8, made symmetric). A unit vector of 512 numbers keeps its cosines to
about three digits in a quarter of float32's bytes. Of a vector that was reduced to its signs one bit a number is
kept: its inner product with another vector is then an estimate without bias whose error is about 0.75 / sqrt(D)
(as in RaBitQ, Gao and Long 2024, without its rotation).

Shapes: N vectors, D their dimension.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hippocam.stream.records import FloatArray

_SCALE = np.dtype("<f4")


def pack(vector: FloatArray) -> bytes:
    """Write a vector [D] as its scale (little-endian float32), then int8 numbers: D + 4 bytes.

    Of a vector whose numbers differ in sign alone, as `signs` makes it, only bits are written, D / 8 + 4 bytes
    with a negative scale; where D is divisible by 8.
    """
    sizes = np.abs(vector)
    largest = float(sizes.max(initial=0.0))
    if largest > 0 and len(vector) % 8 == 0 and float(sizes.min()) == largest:
        return np.asarray(-largest, _SCALE).tobytes() + np.packbits(vector > 0).tobytes()
    scale = np.asarray(largest / 127 or 1.0, _SCALE)
    numbers: bytes = np.rint(vector / scale).astype(np.int8).tobytes()
    return scale.tobytes() + numbers


def unpack(blob: bytes) -> FloatArray:
    """Read a vector that `pack` wrote, as float32 [D]."""
    row: FloatArray = unpack_many([blob])[0]
    return row


def unpack_many(blobs: Sequence[bytes]) -> FloatArray:
    """Read N vectors of one dimension that `pack` wrote, as float32 [N, D]."""
    rows: list[FloatArray | None] = [None] * len(blobs)
    for length in {len(blob) for blob in blobs}:
        at = [k for k, blob in enumerate(blobs) if len(blob) == length]
        packed = np.frombuffer(b"".join(blobs[k] for k in at), np.uint8).reshape(len(at), length)
        scales = np.ascontiguousarray(packed[:, : _SCALE.itemsize]).view(_SCALE).astype(np.float32)
        body = packed[:, _SCALE.itemsize :]
        whole: FloatArray = body.view(np.int8).astype(np.float32) * scales
        if len(at) == len(blobs) and (scales >= 0).all():
            return whole
        for k, scale, numbers, row in zip(at, scales[:, 0], body, whole, strict=True):
            signed = np.unpackbits(numbers).astype(np.float32) * 2 - 1 if scale < 0 else None
            rows[k] = row if signed is None else signed * -scale
    return np.stack([row for row in rows if row is not None])


def signs(vector: FloatArray) -> FloatArray:
    """Reduce a vector [D] to its signs, so scaled that its inner product with what it was stays the same."""
    total = float(np.abs(vector).sum())
    size = np.float32(float(vector @ vector) / total) if total > 0 else np.float32(0)
    return np.where(vector > 0, size, -size).astype(np.float32)


def sign_error(dim: int) -> float:
    """Standard deviation of the error of a cosine with a vector that was reduced to its signs."""
    return 0.755 / float(np.sqrt(dim))


def rounded(vector: FloatArray) -> FloatArray:
    """A vector as it comes back from the store."""
    return unpack(pack(vector))
