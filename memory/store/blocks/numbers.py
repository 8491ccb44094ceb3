"""Columns of whole and of real numbers as few bits, to the last bit, and back.

A column of whole numbers is its least one, the power of two that all differences from it have in common, and each
difference in as many bits as the largest needs:

    least       variable length, the sign in the lowest bit
    shift       one byte: zeros at the end of every difference, which are left out
    width       one byte: bits of each difference without them; 0 where all are equal
    bits        [N * width], the highest first, padded to whole bytes

Real numbers are whole ones in some unit where that gives every one back exactly (times of frames mostly are: of
hundredths, of a thirtieth of a second). Others are taken as the whole numbers that their bits spell. Numbers that
were rounded to fewer bits then take no more than these: all others are zeros at the end.

Shapes: N numbers, C columns of them, U units.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Wholes = NDArray[np.int64]

# How many parts of one a real number may be counted in; the first stands for its bits. New ones go to the end.
UNITS = (0, 1, 10, 100, 1000, 24, 25, 30, 50, 60, 10_000, 100_000, 1_000_000, 12_800, 15_360, 90_000)
_PARTS_U1 = np.array(UNITS[1:], np.float64)[:, None]
# Whole numbers up to this are real numbers without loss.
_EXACT = 2.0**52


class Reader:
    """Takes values off the front of bytes.

    Args:
        content: The bytes.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next bytes.

        Raises:
            ValueError: There are not so many.
        """
        taken = self._content[self._at : self._at + count]
        if count < 0 or len(taken) < count:
            raise ValueError("a block that is cut short")
        self._at += count
        return taken

    def count(self) -> int:
        """A number that `count` wrote."""
        value, shift = 0, 0
        while True:
            (byte,) = self.take(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("a number that does not end")

    def wholes(self, count: int) -> Wholes:
        """A column of so many numbers that `wholes` wrote."""
        sign_last = self.count()
        least = (sign_last >> 1) ^ -(sign_last & 1)
        shift, width = self.take(2)
        if shift + width > 64 or not -(1 << 63) <= least < 1 << 63:
            raise ValueError("a column of no known layout")
        if not width:
            return np.full(count, least, np.int64)
        bits = np.unpackbits(np.frombuffer(self.take(-(-count * width // 8)), np.uint8), count=count * width)
        padded = np.zeros((count, 64), np.uint8)
        padded[:, 64 - width :] = bits.reshape(count, width)
        above = np.packbits(padded, axis=1).view(">u8")[:, 0].astype(np.uint64) << np.uint64(shift)
        return (above + np.int64(least).astype(np.uint64)).view(np.int64)

    def end(self, padding: int = 0) -> None:
        """Check that nothing is left, but for so many bytes of padding.

        Raises:
            ValueError: Something is.
        """
        if not 0 <= len(self._content) - self._at <= padding:
            raise ValueError("a block with more than its rows")


def count(value: int) -> bytes:
    """A number, 0 or more, in as many bytes as it needs: seven bits each, the lowest first."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def wholes(values: Wholes | Sequence[int]) -> bytes:
    """A column of whole numbers of 64 bits."""
    return _columns(np.asarray(values, np.int64)[None])[0]


# Bytes that stand as they are, or a column of whole numbers.
Part = bytes | Wholes


def joined(*blocks: Sequence[Part]) -> list[bytes]:
    """The parts of each block one after the other, columns as `wholes` writes them: all of a length at once."""
    columns = [part for block in blocks for part in block if not isinstance(part, bytes)]
    of_length: dict[int, list[int]] = {}
    for k, column in enumerate(columns):
        of_length.setdefault(len(column), []).append(k)
    written = dict[int, bytes]()
    for these in of_length.values():
        written.update(zip(these, _columns(np.array([columns[k] for k in these], np.int64)), strict=True))
    in_order = iter([written[k] for k in range(len(columns))])
    return [b"".join([part if isinstance(part, bytes) else next(in_order) for part in block]) for block in blocks]


def _columns(values_CN: Wholes) -> list[bytes]:
    """Columns [C, N] as bytes, each for itself."""
    columns, size = values_CN.shape
    least_C = values_CN.min(axis=1) if size else np.zeros(columns, np.int64)
    above_CN = values_CN.view(np.uint64) - least_C.view(np.uint64)[:, None]
    used: list[int] = np.bitwise_or.reduce(above_CN, axis=1).tolist()
    shifts = [(bits & -bits).bit_length() - 1 if bits else 0 for bits in used]
    widths = [bits.bit_length() - shift for bits, shift in zip(used, shifts, strict=True)]
    shifted_CN = above_CN >> np.array(shifts, np.uint64)[:, None]
    bits_CN = np.unpackbits(shifted_CN.astype(">u8").view(np.uint8).reshape(columns, size, 8), axis=2)
    written = []
    for least, shift, width, bits_N in zip(least_C.tolist(), shifts, widths, bits_CN, strict=True):
        head = count(least << 1 if least >= 0 else (-least << 1) - 1) + bytes((shift, width))
        written.append(head + np.packbits(bits_N[:, 64 - width :]).tobytes() if width else head)
    return written


def unit_of(values: NDArray[np.float64]) -> int:
    """The index in UNITS of the first in which all of some numbers are whole; 0 where they are in none."""
    if not (np.abs(values) < _EXACT).all():
        return 0
    counted_UN = np.rint(values * _PARTS_U1)
    whole_U = ((np.abs(counted_UN) < _EXACT) & (counted_UN / _PARTS_U1 == values)).all(axis=1)
    first = int(whole_U.argmax())
    return first + 1 if whole_U[first] else 0


def in_unit(values: NDArray[np.float64], index: int) -> Wholes:
    """Real numbers as whole ones, in a unit that `unit_of` found for them."""
    if not index:
        return values.view(np.int64)
    counted: Wholes = np.rint(values * UNITS[index]).astype(np.int64)
    return counted


def from_unit(counted: Wholes, index: int) -> NDArray[np.float64]:
    """The real numbers that `in_unit` was given."""
    if not 0 <= index < len(UNITS):
        raise ValueError(f"an unknown unit {index}")
    return counted.view(np.float64) if not index else counted / UNITS[index]
