"""Vectors as bytes: a scale, and a signed byte a number or one bit.

Bytes are scalar quantisation (FAISS's SQ8, made symmetric). A unit vector of 512 numbers keeps its cosines to
about three digits in a quarter of float32's bytes. A vector that was reduced to its signs keeps one bit a number:
its inner product with another vector is then an estimate without bias whose error is about 0.75 / sqrt(D) (as in
RaBitQ, Gao and Long 2024, without its rotation). Bits fill whole bytes: where D is not divisible by 8, a one and
zeros follow the last of them (the padding of ISO/IEC 7816-4), so a blob tells its own D.

Where it was learned how an encoder's vectors lie, a vector can be reduced further, to its outline. Two kinds were
made. What is written today is a sum: of each of some tables of 256 learned vectors the one is named that brings
the sum nearest (residual quantisation, Chen et al. 2010, with a beam as in Babenko and Lempitsky 2014), a byte a
table. What was written before holds signs along a few directions, turned at random so that each says as much as
any other (PCA and a random rotation, as in Gong and Lazebnik 2011). Outlines ship with the product; a blob tells
by a number which one it is of, so none of them ever changes.

Shapes: N vectors of dimension D; K directions; M tables of W vectors.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

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
# Four bytes that are no scale, but say that an outline follows; its number is in the other bits.
_OUTLINED, _NUMBERS = 0xFFF00000, 0x000FFFFF
_HEAD = np.dtype("<u4")
_SHIPPED = Path(__file__).parent / "assets"
# Vectors in a table.
WORDS = 256
# Sums that are followed side by side while the nearest is looked for.
_BEAM = 8


class Outline(Protocol):
    """Reduces the vectors of an encoder.

    Attributes:
        number: What blobs know it by, from what it holds: 20 bits.
        dim: Length D of a vector.
        body_bytes: Bytes of an outline without its head.
        error: Standard deviation of the error of a cosine with a vector that was reduced.
    """

    @property
    def number(self) -> int:
        """As above."""

    @property
    def dim(self) -> int:
        """As above."""

    @property
    def body_bytes(self) -> int:
        """As above."""

    @property
    def error(self) -> float:
        """As above."""

    def body(self, vector_D: FloatArray) -> bytes:
        """What is left of a vector, without the head that names the outline."""

    def unpack(self, bodies_NB: NDArray[np.uint8]) -> FloatArray:
        """Read N outlines without their heads as float32 [N, D], each the same whatever is read beside it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SignOutline:
    """Signs along a few directions in which the vectors of an encoder differ most.

    Attributes:
        number: As in Outline.
        directions_KD: int8 [K, D], at right angles and of one length, about; K is divisible by 8. Sums of whole
            numbers do not depend on what else is unpacked with a vector.
        size: What each sign counts, so that inner products with what a vector was come out right on average.
        error: As in Outline.
    """

    number: int
    directions_KD: NDArray[np.int8]
    size: float
    error: float

    @property
    def dim(self) -> int:
        """As in Outline."""
        return int(self.directions_KD.shape[1])

    @property
    def body_bytes(self) -> int:
        """As in Outline."""
        return len(self.directions_KD) // 8

    def body(self, vector_D: FloatArray) -> bytes:
        """As in Outline."""
        bits: bytes = np.packbits(self.directions_KD.astype(np.float32) @ vector_D > 0).tobytes()
        return bits

    def unpack(self, bodies_NB: NDArray[np.uint8]) -> FloatArray:
        """As in Outline."""
        signs_NK = 2 * np.unpackbits(bodies_NB, axis=1).astype(np.float32) - 1
        rows: FloatArray = (signs_NK @ self.directions_KD.astype(np.float32)) * np.float32(self.size)
        return rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SumOutline:
    """Sums of learned vectors, one of each table.

    Attributes:
        number: As in Outline.
        tables_MWK: int8 [M, 256, K], along the directions. Sums of whole numbers do not depend on what else is
            unpacked with a vector.
        directions_KD: int8 [K, D], at right angles and of one length, about.
        gain: A vector's products with the directions, times this, are in the tables' unit.
        size: Length of what comes back, so that inner products with what a vector was are right on average.
        error: As in Outline.
    """

    number: int
    tables_MWK: NDArray[np.int8]
    directions_KD: NDArray[np.int8]
    gain: float
    size: float
    error: float
    _words_MWK: FloatArray = field(init=False, repr=False)  # the tables, and the squared lengths of their vectors
    _squares_MW: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        words_MWK = self.tables_MWK.astype(np.float32)
        object.__setattr__(self, "_words_MWK", words_MWK)
        object.__setattr__(self, "_squares_MW", np.square(words_MWK).sum(axis=2))

    @property
    def dim(self) -> int:
        """As in Outline."""
        return int(self.directions_KD.shape[1])

    @property
    def body_bytes(self) -> int:
        """As in Outline."""
        return len(self.tables_MWK)

    def body(self, vector_D: FloatArray) -> bytes:
        """As in Outline: of the sums that were followed, the nearest, whatever the vector's length."""
        length = max(float(np.linalg.norm(vector_D)), 1e-9)
        rests_SK = (self.directions_KD.astype(np.float32) @ vector_D)[None] * np.float32(self.gain / length)
        left_S1 = np.square(rests_SK).sum(axis=1, keepdims=True)  # squared lengths of the rests
        named_SM = np.zeros((1, 0), np.uint8)
        for words_WK, squares_W in zip(self._words_MWK, self._squares_MW, strict=True):
            left_X = (left_S1 + squares_W - 2 * rests_SK @ words_WK.T).reshape(-1)
            best = np.argpartition(left_X, _BEAM)[:_BEAM]
            best = best[np.argsort(left_X[best], kind="stable")]  # the nearest first
            sums, words = np.divmod(best, WORDS)
            left_S1, rests_SK = left_X[best, None], rests_SK[sums] - words_WK[words]
            named_SM = np.concatenate([named_SM[sums], words[:, None].astype(np.uint8)], axis=1)
        named: bytes = named_SM[0].tobytes()
        return named

    def unpack(self, bodies_NB: NDArray[np.uint8]) -> FloatArray:
        """As in Outline."""
        sums_NK = np.zeros((len(bodies_NB), len(self.directions_KD)), np.int32)
        for table_WK, words_N in zip(self.tables_MWK, bodies_NB.T, strict=True):
            sums_NK += table_WK[words_N]
        # float64 holds these whole numbers, and the sums of their squares, to the last digit
        rows_ND = sums_NK.astype(np.float64) @ self.directions_KD.astype(np.float64)
        lengths_N1 = np.sqrt(np.square(rows_ND).sum(axis=1, keepdims=True))
        rows: FloatArray = (rows_ND * (self.size / np.maximum(lengths_N1, 1e-9))).astype(np.float32)
        return rows


def packed_bytes(outline: Outline) -> int:
    """Bytes of a vector that is packed as an outline."""
    return _HEAD.itemsize + outline.body_bytes


def pack_outline(outline: Outline, vector_D: FloatArray) -> bytes:
    """Write a vector, or what is left of one, as its outline."""
    return np.asarray(_OUTLINED | outline.number, _HEAD).tobytes() + outline.body(vector_D)


def outlined(outline: Outline, vector_D: FloatArray) -> FloatArray:
    """A vector, float32 [D], as it comes back from its outline."""
    row: FloatArray = outline.unpack(np.frombuffer(outline.body(vector_D), np.uint8)[None])[0]
    return row


def _outline_at(head: int) -> Outline | None:
    """The outline that the first four bytes of a blob name; None where they are a scale, or it does not ship."""
    if head & _OUTLINED != _OUTLINED:
        return None
    number = head & _NUMBERS
    return next((outline for outline in _outlines().values() if outline.number == number), None)


def outline_of(encoder_id: str, dim: int) -> Outline | None:
    """What ships to write vectors [dim] of an encoder with; None where nothing does."""
    found = _outlines().get(outline_path(encoder_id).name)
    return found if found is not None and found.dim == dim else None


def outline_path(encoder_id: str, folder: Path = _SHIPPED) -> Path:
    """Path of an encoder's outline in a folder, whether it is there or not; by default of what ships."""
    return folder / f"sums-{re.sub(r'[^a-z0-9.]+', '-', encoder_id.lower())}.safetensors"


def read_outline(path: Path) -> Outline:
    """Read an outline from the file that its training wrote."""
    from safetensors.numpy import load_file

    held = load_file(path)
    numbers = held.pop("numbers", None)
    directions_KD = np.ascontiguousarray(held["directions"], np.int8)
    if numbers is None:
        size, error = held["size_error"].tolist()
        number = outline_number(directions_KD, numbers=(size, error))
        return SignOutline(number=number, directions_KD=directions_KD, size=size, error=error)
    gain, size, error = numbers.tolist()
    tables_MWK = np.ascontiguousarray(held["tables"], np.int8)
    return SumOutline(
        number=outline_number(tables_MWK, directions_KD, numbers=(gain, size, error)),
        tables_MWK=tables_MWK,
        directions_KD=directions_KD,
        gain=gain,
        size=size,
        error=error,
    )


def write_outline(path: Path, outline: SumOutline) -> None:
    """Write an outline where `read_outline` reads it."""
    from safetensors.numpy import save_file

    numbers = np.array([outline.gain, outline.size, outline.error], "<f8")
    held = {"tables": outline.tables_MWK, "directions": outline.directions_KD, "numbers": numbers}
    save_file(held, path)
    path.chmod(0o644)


def outline_number(*arrays: NDArray[np.int8], numbers: tuple[float, ...]) -> int:
    """What blobs know an outline by, from its arrays and numbers."""
    content = b"".join(array.tobytes() for array in arrays) + np.array(numbers, "<f8").tobytes()
    return zlib.crc32(content) & _NUMBERS


@cache
def _outlines() -> Mapping[str, Outline]:
    """All that ship, by the names of their files."""
    paths = (path for kind in ("outline", "sums") for path in sorted(_SHIPPED.glob(f"{kind}-*.safetensors")))
    return {path.name: read_outline(path) for path in paths}


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
        if outline is not None and packed_bytes(outline) == packed.shape[1]:
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
    return rounded(signs(vector)) if outline is None else outlined(outline, vector)
