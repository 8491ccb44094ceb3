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

Shapes: N numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Wholes = NDArray[np.int64]

# How many parts of one a real number may be counted in; the first stands for its bits. New ones go to the end.
UNITS = (0, 1, 10, 100, 1000, 24, 25, 30, 50, 60, 10_000, 100_000, 1_000_000, 12_800, 15_360, 90_000)
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
    column = np.asarray(values, np.int64)
    least = int(column.min()) if len(column) else 0
    above = column.view(np.uint64) - np.int64(least).astype(np.uint64)
    used = int(np.bitwise_or.reduce(above)) if len(column) else 0
    shift = (used & -used).bit_length() - 1 if used else 0
    width = used.bit_length() - shift
    head = count(least << 1 if least >= 0 else (-least << 1) - 1) + bytes([shift, width])
    if not width:
        return head
    bits = np.unpackbits((above >> np.uint64(shift)).astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
    return head + np.packbits(bits[:, 64 - width :]).tobytes()


def unit_of(values: NDArray[np.float64]) -> int:
    """The index in UNITS of the first in which all of some numbers are whole; 0 where they are in none."""
    if not (np.abs(values) < _EXACT).all():
        return 0
    for index, unit in enumerate(UNITS[1:], 1):
        counted = np.rint(values * unit)
        if (np.abs(counted) < _EXACT).all() and (counted / unit == values).all():
            return index
    return 0


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
