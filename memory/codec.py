"""Vectors as bytes: a scale, and a signed byte a number; or what little is left where they are reduced.

Bytes are scalar quantisation (FAISS's SQ8, made symmetric). A unit vector of 512 numbers keeps its cosines to
about three digits in a quarter of float32's bytes. A vector that was reduced to its signs keeps one bit a number:
its inner product with another vector is then an estimate without bias whose error is about 0.75 / sqrt(D) (as in
RaBitQ, Gao and Long 2024, without its rotation). Bits fill whole bytes: where D is not divisible by 8, a one and
zeros follow the last of them (the padding of ISO/IEC 7816-4), so a blob tells its own D.

Where it was learned how an encoder's vectors lie, they are reduced to an outline in place of signs: of each of
some tables of learned vectors one is named, so that their sum comes nearest (residual quantisation, Chen et al.
2010), a byte a table. The first tables alone give a shorter outline. Tables ship with the product; a blob tells by
a number which ones it is of, so none of them ever changes.

Shapes: N vectors of dimension D; M tables of W vectors, of which an outline names one of each of the first B.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
# Steps of a coarse number between a power of two and the next but one.
_COARSE = 2048
# Up to this many numbers a float32 holds every sum of their products: 127 * 127 * 1040 < 2**24.
_EXACT_DIM = 1040
# Vectors in a table.
WORDS = 256
# Tables of an outline, and of a short one.
OUTLINE_TABLES, SHORT_TABLES = 32, 16
# Four bytes that are no scale, but say that an outline follows; its tables' number is in the other bits.
_OUTLINED, _NUMBERS = 0xFFF00000, 0x000FFFFF
_HEAD = np.dtype("<u4")
HEAD_BYTES = _HEAD.itemsize
_SHIPPED = Path(__file__).parent / "assets"
# How the names of the files with tables begin: those that are written with, and those of older versions.
_KIND, _OLDER_KINDS = "tables", ("outline", "sums")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tables:
    """Learned vectors whose sums stand for the vectors of an encoder.

    Attributes:
        number: What blobs know them by, from what they hold: 20 bits.
        tables_MWD: Whole numbers [M, 256, D]. Sums of these do not depend on what else is unpacked with a vector.
        unit: What one of these numbers stands for in a vector of length 1; 0 where nothing is written with them.
        length: Length of what comes back: 1, or of older ones a little more.
        errors: For each number of tables that outlines are written with, the standard deviation of the error of a
            cosine with a vector that was reduced, of those that it was learned from.
    """

    number: int
    tables_MWD: NDArray[np.integer]
    unit: float = 0.0
    length: float = 1.0
    errors: Mapping[int, float] = field(default_factory=dict)

    @property
    def dim(self) -> int:
        """Length D of a vector."""
        return int(self.tables_MWD.shape[2])

    def blob(self, words: bytes) -> bytes:
        """An outline that names these vectors, one of each of the first tables."""
        return np.asarray(_OUTLINED | self.number, _HEAD).tobytes() + words

    def unpack(self, words_NB: NDArray[np.uint8]) -> FloatArray:
        """Read N outlines without their heads as float32 [N, D], each the same whatever is read beside it."""
        # 256 tables of bytes have no larger sums than int16 holds; float64 holds the sums of their squares, too
        sums_ND = np.zeros((len(words_NB), self.dim), np.int16 if self.tables_MWD.itemsize == 1 else np.int32)
        for table_WD, words_N in zip(self.tables_MWD, words_NB.T, strict=False):
            sums_ND += table_WD[words_N]
        doubles_ND = sums_ND.astype(np.float64)
        squares_N = np.einsum("nd,nd->n", doubles_ND, doubles_ND)
        doubles_ND *= (self.length / np.sqrt(np.maximum(squares_N, 1)))[:, None]
        rows: FloatArray = doubles_ND.astype(np.float32)
        return rows


def tables_of(encoder_id: str, dim: int) -> Tables | None:
    """What ships to write vectors [dim] of an encoder with; None where nothing does."""
    found = _shipped().get(tables_path(encoder_id).name)
    return found if found is not None and found.dim == dim else None


def tables_path(encoder_id: str, folder: Path = _SHIPPED) -> Path:
    """Path of an encoder's tables in a folder, whether they are there or not; by default of what ships."""
    return folder / f"{_KIND}-{re.sub(r'[^a-z0-9.]+', '-', encoder_id.lower())}.safetensors"


def read_tables(path: Path) -> Tables:
    """Read tables from the file that their training wrote, also from those of older versions.

    Version 0.2 wrote signs along directions, eight in a byte: a table of their sums for each byte. Format 7 had
    tables along directions. Both had a number of what their arrays and a few more numbers hold.
    """
    from safetensors.numpy import load_file

    held = load_file(path)
    if "unit" in held:
        tables_MWD, unit = np.ascontiguousarray(held["tables"], np.int8), held["unit"].item()
        errors = dict(zip(held["counts"].tolist(), held["errors"].tolist(), strict=True))
        return Tables(number=tables_number(tables_MWD), tables_MWD=tables_MWD, unit=unit, errors=errors)
    directions_KD = np.ascontiguousarray(held["directions"], np.int8)
    wide_KD = directions_KD.astype(np.float64)  # which holds these products to the last digit, and is quick
    if "tables" in held:
        numbers, along_MWK = held["numbers"], np.ascontiguousarray(held["tables"], np.int8)
        number, length = tables_number(along_MWK, directions_KD, numbers=numbers), float(numbers[1])
        return Tables(number=number, tables_MWD=_whole(along_MWK @ wide_KD), length=length)
    numbers = held["size_error"]
    signs_W8 = 2.0 * np.unpackbits(np.arange(WORDS, dtype=np.uint8)[:, None], axis=1) - 1
    length = float(numbers[0]) * float(np.linalg.norm(wide_KD))
    number = tables_number(directions_KD, numbers=numbers)
    sums_MWD = signs_W8 @ wide_KD.reshape(-1, 8, wide_KD.shape[1])
    return Tables(number=number, tables_MWD=_whole(sums_MWD), length=length)


def _whole(sums_MWD: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.rint(sums_MWD).astype(np.int32)


def tables_number(*arrays: NDArray[np.int8], numbers: FloatArray | Sequence[float] = ()) -> int:
    """What blobs know tables by, from what their file holds."""
    content = b"".join(array.tobytes() for array in arrays) + np.asarray(numbers, "<f8").tobytes()
    return zlib.crc32(content) & _NUMBERS


@cache
def _shipped() -> Mapping[str, Tables]:
    """All that ship to be written with, by the names of their files."""
    return {path.name: read_tables(path) for path in sorted(_SHIPPED.glob(f"{_KIND}-*.safetensors"))}


@cache
def _older() -> Sequence[Tables]:
    """All that older versions wrote with."""
    return [read_tables(path) for kind in _OLDER_KINDS for path in sorted(_SHIPPED.glob(f"{kind}-*.safetensors"))]


def _tables_at(head: int) -> Tables | None:
    """The tables that the first four bytes of a blob name; None where they are a scale, or none such ship."""
    if head & _OUTLINED != _OUTLINED:
        return None
    number = head & _NUMBERS
    found = (tables for known in (_shipped().values, _older) for tables in known() if tables.number == number)
    return next(found, None)


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
    scale = np.frombuffer(blob, _SCALE, count=1)
    if scale[0] >= 0:  # neither reduced nor damaged
        whole: FloatArray = np.frombuffer(blob, np.int8, offset=_SCALE.itemsize).astype(np.float32) * scale
        return whole
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
    heads = np.ascontiguousarray(packed[:, :HEAD_BYTES]).view(_HEAD)[:, 0]
    for head in set(heads.tolist()):
        tables = _tables_at(head)
        if tables is not None and 0 < packed.shape[1] - HEAD_BYTES <= len(tables.tables_MWD):
            mine = np.flatnonzero(heads == head)
            yield from zip(at[mine].tolist(), tables.unpack(packed[mine, HEAD_BYTES:]), strict=True)


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


def is_short(blob: bytes) -> bool:
    """Whether a vector was reduced to an outline that is reduced no further: a short one, or an older one."""
    return len(blob) <= HEAD_BYTES + SHORT_TABLES and bool(are_short([blob])[0])


def are_short(blobs: Sequence[bytes]) -> NDArray[np.bool_]:
    """The same of N vectors."""
    heads = np.frombuffer(b"".join(blob[:HEAD_BYTES] for blob in blobs), _HEAD)
    outlines = [head for head in set(heads.tolist()) if _tables_at(head) is not None]
    brief = np.array([len(blob) <= HEAD_BYTES + SHORT_TABLES for blob in blobs], np.bool_)
    found: NDArray[np.bool_] = brief & np.isin(heads, np.array(outlines, _HEAD))
    return found


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
