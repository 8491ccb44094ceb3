"""Vectors as bytes: a scale, and a signed byte a number or one bit.

Bytes are scalar quantisation (FAISS's SQ8, made symmetric). A unit vector of 512 numbers keeps its cosines to
about three digits in a quarter of float32's bytes. A vector that was reduced to its signs keeps one bit a number:
its inner product with another vector is then an estimate without bias whose error is about 0.75 / sqrt(D) (as in
RaBitQ, Gao and Long 2024, without its rotation). Bits fill whole bytes: where D is not divisible by 8, a one and
zeros follow the last of them (the padding of ISO/IEC 7816-4), so a blob tells its own D.

Shapes: N vectors of dimension D.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import FloatArray

_SCALE = np.dtype("<f4")
# The scale of padded bits is multiplied by this, which tells them from bits that fill whole bytes by themselves:
# no scale of a vector of length about 1 comes near.
_PADDED = 2.0**64
_PADDED_FROM = 2.0**32
# Steps of a coarse number between a power of two and the next but one.
_COARSE = 2048
# Up to this many numbers a float32 holds every sum of their products: 127 * 127 * 1040 < 2**24.
_EXACT_DIM = 1040


def pack(vector: FloatArray) -> bytes:
    """Write a vector [D] as its scale (little-endian float32), then int8 numbers: D + 4 bytes.

    A vector whose numbers differ only in sign, as `signs` makes it, is written as bits with a negative scale:
    `sign_bytes(D)` bytes.
    """
    sizes = np.abs(vector)
    largest = float(sizes.max(initial=0.0))
    if 0 < largest < _PADDED_FROM and float(sizes.min()) == largest:
        bits, size = vector > 0, largest
        if len(bits) % 8:
            bits, size = np.append(bits, True), largest * _PADDED
        return np.asarray(-size, _SCALE).tobytes() + np.packbits(bits).tobytes()
    scale = np.asarray(largest / 127 or 1.0, _SCALE)
    numbers: bytes = np.rint(vector / scale).astype(np.int8).tobytes()
    return scale.tobytes() + numbers


def unpack(blob: bytes) -> FloatArray:
    """Read a vector that `pack` wrote, as float32 [D]."""
    row: FloatArray = unpack_many([blob])[0]
    return row


def unpack_many(blobs: Sequence[bytes]) -> FloatArray:
    """Read N vectors of one dimension that `pack` wrote, as float32 [N, D].

    Raises:
        ValueError: They are not of one dimension, or padded bits have no end.
    """
    rows: list[FloatArray | None] = [None] * len(blobs)
    for length in {len(blob) for blob in blobs}:
        at = [k for k, blob in enumerate(blobs) if len(blob) == length]
        packed = np.frombuffer(b"".join(blobs[k] for k in at), np.uint8).reshape(len(at), length)
        scales = np.ascontiguousarray(packed[:, : _SCALE.itemsize]).view(_SCALE).astype(np.float32)
        body = packed[:, _SCALE.itemsize :]
        whole: FloatArray = body.view(np.int8).astype(np.float32) * scales
        is_reduced = scales[:, 0] < 0  # a damaged scale may be no number: then its vector is none either
        if len(at) == len(blobs) and not is_reduced.any():
            return whole
        reduced = np.flatnonzero(is_reduced)
        if len(reduced):
            signed = _of_bits(body[reduced], -scales[reduced, 0])
            for k, row in zip(reduced, signed, strict=True):
                rows[at[k]] = row
        for k in np.flatnonzero(~is_reduced):
            rows[at[k]] = whole[k]
    return np.stack([row for row in rows if row is not None])


def _of_bits(packed: NDArray[np.uint8], sizes: FloatArray) -> list[FloatArray]:
    """The vectors whose numbers are their size where a bit is set, else minus that: N vectors, float32 [D]."""
    bits = np.unpackbits(packed, axis=1)
    padded = sizes >= _PADDED_FROM
    if (padded & ~bits.any(axis=1)).any():
        raise ValueError("padded bits without an end")
    ends = np.where(padded, bits.shape[1] - 1 - bits[:, ::-1].argmax(axis=1), bits.shape[1])
    sizes = np.where(padded, sizes / np.float32(_PADDED), sizes)[:, None]
    signed: FloatArray = np.where(bits > 0, sizes, -sizes).astype(np.float32)
    return [row[:end] for row, end in zip(signed, ends, strict=True)]


def holds_signs(blob: bytes) -> bool:
    """Whether a vector that `pack` wrote was reduced to its signs."""
    return float(np.frombuffer(blob, _SCALE, count=1)[0]) < 0


def quantised(vectors_ND: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """The numbers and scales that `pack` writes for N vectors: int8 [N, D] and float32 [N]."""
    largest = np.abs(vectors_ND).max(axis=1, initial=0.0).astype(np.float64)
    scales: FloatArray = (largest / 127).astype(np.float32)
    scales[scales == 0] = 1.0
    return np.rint(vectors_ND / scales[:, None]).astype(np.int8), scales


def products(numbers_ND: NDArray[np.int8], others_MD: NDArray[np.int8]) -> NDArray[np.floating]:
    """Inner products [N, M] of int8 numbers, to the last digit: they do not depend on what else is multiplied."""
    if numbers_ND.shape[1] > _EXACT_DIM:
        doubles: NDArray[np.floating] = numbers_ND.astype(np.float64) @ others_MD.astype(np.float64).T
        return doubles
    singles: NDArray[np.floating] = numbers_ND.astype(np.float32) @ others_MD.astype(np.float32).T
    return singles


def sign_bytes(dim: int) -> int:
    """Bytes that `pack` takes for a vector of `dim` numbers that was reduced to its signs."""
    return _SCALE.itemsize + -(-dim // 8)


def signs(vector: FloatArray) -> FloatArray:
    """Reduce a vector [D] to its signs, so scaled that its inner product with what it was stays the same.

    The scale is `coarse`, so it stays the same to three digits.
    """
    total = float(np.abs(vector).sum())
    size = np.float32(coarse(float(vector @ vector) / total)) if total > 0 else np.float32(0)
    return np.where(vector > 0, size, -size).astype(np.float32)


def coarse(value: float) -> float:
    """A number to eleven bits, as float16 has, whatever its size: it then takes few in a block of entries."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(round(mantissa * _COARSE), exponent) / _COARSE


def sign_error(dim: int) -> float:
    """Standard deviation of the error of a cosine with a vector that was reduced to its signs."""
    return 0.755 / float(np.sqrt(dim))


def rounded(vector: FloatArray) -> FloatArray:
    """A vector as it comes back from the store."""
    return unpack(pack(vector))
