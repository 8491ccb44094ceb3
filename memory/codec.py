"""Vectors as bytes: a scale, and a signed byte a number or one bit.

Bytes are scalar quantisation (FAISS's SQ8, made symmetric). A unit vector of 512 numbers keeps its cosines to
about three digits in a quarter of float32's bytes. A vector that was reduced to its signs keeps one bit a number:
its inner product with another vector is then an estimate without bias whose error is about 0.75 / sqrt(D) (as in
RaBitQ, Gao and Long 2024, without its rotation). Bits fill whole bytes: where D is not divisible by 8, a one and
zeros follow the last of them (the padding of ISO/IEC 7816-4), so a blob tells its own D.

Where it is known how an encoder's vectors lie, a vector can be reduced further, to its outline: its signs along a
few directions in which such vectors differ most, turned at random so that each says as much as any other (PCA and
a random rotation, as in Gong and Lazebnik 2011). The directions ship with the product; a blob tells by a number
which they are.

Shapes: N vectors of dimension D; K directions.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import FloatArray

_SCALE = np.dtype("<f4")
# The scale of padded bits is multiplied by this, which tells them from bits that fill whole bytes by themselves:
# no scale of a vector of length about 1 comes near.
_PADDED = 2.0**64
_PADDED_FROM = 2.0**32
# Four bytes that are no scale, but say that an outline follows; its number is in the other bits.
_OUTLINED, _NUMBERS = 0xFFF00000, 0x000FFFFF
_HEAD = np.dtype("<u4")
_OUTLINES = Path(__file__).parent / "assets"
# Steps of a coarse number between a power of two and the next but one.
_COARSE = 2048
# Up to this many numbers a float32 holds every sum of their products: 127 * 127 * 1040 < 2**24.
_EXACT_DIM = 1040


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outline:
    """The directions in which the vectors of an encoder differ most.

    Attributes:
        number: What blobs know it by, from what it holds: 20 bits.
        directions_KD: int8 [K, D], at right angles and of one length, about; K is divisible by 8. Sums of whole
            numbers do not depend on what else is unpacked with a vector.
        size: What each sign counts, so that inner products with what a vector was come out right on average.
        error: Standard deviation of the error of a cosine with a vector that was reduced to its outline.
    """

    number: int
    directions_KD: NDArray[np.int8]
    size: float
    error: float

    @property
    def packed_bytes(self) -> int:
        """Bytes of a vector that is packed."""
        return _HEAD.itemsize + len(self.directions_KD) // 8

    def pack(self, vector_D: FloatArray) -> bytes:
        """Write a vector, or what is left of one, as its outline."""
        return np.asarray(_OUTLINED | self.number, _HEAD).tobytes() + self._bits(vector_D).tobytes()

    def of(self, vector_D: FloatArray) -> FloatArray:
        """A vector, float32 [D], as it comes back from its outline."""
        row: FloatArray = self.unpack(self._bits(vector_D)[None])[0]
        return row

    def unpack(self, bits_NB: NDArray[np.uint8]) -> FloatArray:
        """Read N outlines, without their heads, as float32 [N, D]."""
        signs_NK = 2 * np.unpackbits(bits_NB, axis=1).astype(np.float32) - 1
        rows: FloatArray = (signs_NK @ self.directions_KD.astype(np.float32)) * np.float32(self.size)
        return rows

    def _bits(self, vector_D: FloatArray) -> NDArray[np.uint8]:
        return np.packbits(self.directions_KD.astype(np.float32) @ vector_D > 0)


def outline_path(encoder_id: str, folder: Path = _OUTLINES) -> Path:
    """Path of an encoder's outline in a folder, whether it is there or not; by default of what ships."""
    return folder / f"outline-{re.sub(r'[^a-z0-9.]+', '-', encoder_id.lower())}.safetensors"


def outline_of(encoder_id: str, dim: int) -> Outline | None:
    """What ships for the vectors [dim] of an encoder; None where nothing does."""
    found = _outlines().get(outline_path(encoder_id).name)
    return found if found is not None and found.directions_KD.shape[1] == dim else None


def read_outline(path: Path) -> Outline:
    """Read learned directions from the file that their training wrote."""
    from safetensors.numpy import load_file

    held = load_file(path)
    directions_KD = np.ascontiguousarray(held["directions"], np.int8)
    size, error = held["size_error"].tolist()
    number = outline_number(directions_KD, size, error)
    return Outline(number=number, directions_KD=directions_KD, size=size, error=error)


def write_outline(path: Path, outline: Outline) -> None:
    """Write directions where `read_outline` reads them."""
    from safetensors.numpy import save_file

    size_error = np.array([outline.size, outline.error], "<f8")
    save_file({"directions": outline.directions_KD, "size_error": size_error}, path)
    path.chmod(0o644)


def outline_number(directions_KD: NDArray[np.int8], size: float, error: float) -> int:
    """What blobs know an outline by."""
    return zlib.crc32(directions_KD.tobytes() + np.array([size, error], "<f8").tobytes()) & _NUMBERS


@cache
def _outlines() -> Mapping[str, Outline]:
    """All that ship, by the names of their files."""
    return {path.name: read_outline(path) for path in sorted(_OUTLINES.glob("outline-*.safetensors"))}


def _outline_at(head: int) -> Outline | None:
    """The outline that the first four bytes of a blob name; None where they are a scale, or it does not ship."""
    if head & _OUTLINED != _OUTLINED:
        return None
    number = head & _NUMBERS
    return next((outline for outline in _outlines().values() if outline.number == number), None)


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
        # a damaged scale may be no number: then its vector is none either
        special = np.flatnonzero((scales[:, 0] < 0) | np.isnan(scales[:, 0]))
        if len(at) == len(blobs) and not len(special):
            return whole
        for k, row in enumerate(whole):
            rows[at[k]] = row
        signed = special[scales[special, 0] < 0]
        if len(signed):
            for k, row in zip(signed, _of_bits(body[signed], -scales[signed, 0]), strict=True):
                rows[at[k]] = row
        for k, row in _of_outlines(packed[special], special):
            rows[at[k]] = row
    return np.stack([row for row in rows if row is not None])


def _of_outlines(packed: NDArray[np.uint8], at: NDArray[np.intp]) -> Iterator[tuple[int, FloatArray]]:
    """The vectors, float32 [D], of the blobs that are outlines, each with what stands for it in `at`."""
    heads = np.ascontiguousarray(packed[:, : _HEAD.itemsize]).view(_HEAD)[:, 0]
    for head in set(heads.tolist()):
        outline = _outline_at(head)
        if outline is not None and outline.packed_bytes == packed.shape[1]:
            mine = np.flatnonzero(heads == head)
            yield from zip(at[mine].tolist(), outline.unpack(packed[mine, _HEAD.itemsize :]), strict=True)


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


def holds_outline(blob: bytes) -> bool:
    """Whether a vector was reduced to its outline."""
    return _outline_at(int(np.frombuffer(blob, _HEAD, count=1)[0])) is not None


def hold_outlines(blobs: Sequence[bytes]) -> NDArray[np.bool_]:
    """Which of N vectors were reduced to their outlines."""
    heads = np.frombuffer(b"".join(blob[: _HEAD.itemsize] for blob in blobs), _HEAD)
    outlined = [head for head in set(heads.tolist()) if _outline_at(head) is not None]
    return np.isin(heads, np.array(outlined, _HEAD))


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
    """A vector as it comes back from the store: `unpack` of `pack` of it, sooner."""
    sizes = np.abs(vector)
    largest = float(sizes.max(initial=0.0))
    if not len(vector) or float(sizes.min()) == largest:  # signs, or nothing
        return unpack(pack(vector))
    scale = np.float32(largest / 127)
    numbers: FloatArray = np.rint(vector / scale).astype(np.int8).astype(np.float32)
    return numbers * scale


def from_signs(vector: FloatArray, outline: Outline | None = None) -> FloatArray:
    """A vector [D] as its signs give it back from the store, or an outline of it where one is given."""
    return rounded(signs(vector)) if outline is None else outline.of(vector)
