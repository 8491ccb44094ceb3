"""What a bank goes on from: all that it holds beyond its entries' rows, as bytes.

What the entries' rows do not tell (who is whose twin, what was known of a key when it was new) is kept here, so
that a bank that is opened again goes on to the last bit. An event changes few of these numbers: columns are kept
in blocks of rows, and what was learned as it was at the last refresh, with the keys since.

Shapes: D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import FloatArray

# Bytes of a key's scale.
SCALE_BYTES = 4
# Parts of one in which cosines are counted, as a power of two.
COSINE_STEPS = 11
# Lowest bits of a float32 that are not kept of an energy: what is left tells a thousandth.
_DROPPED_BITS = 12


Codes = NDArray[np.int8]


class Keys(NamedTuple):
    """Keys as the store has them: int8 [N, D] with scales, float32 [N]."""

    codes: Codes
    scales: FloatArray


class Lesson(NamedTuple):
    """What was learned from an event.

    Attributes:
        key: The event's, as it is stored.
        again: Whether it was met before.
        number: Which lesson since the refresh before it, from 1 on.
    """

    key: Keys
    again: bool
    number: int


def pack_keys(keys: Keys) -> bytes:
    """Pack keys one after the other: a scale, then the numbers."""
    packed = np.zeros(len(keys.scales), _key_dtype(keys.codes.shape[1]))
    packed["scale"], packed["numbers"] = keys.scales, keys.codes
    return packed.tobytes()


def unpack_keys(blob: bytes, dim: int) -> Keys:
    """Read keys of some dimension that `pack_keys` packed."""
    packed = np.frombuffer(blob, _key_dtype(dim))
    return Keys(packed["numbers"].astype(np.int8), packed["scale"].astype(np.float32))


def _key_dtype(dim: int) -> np.dtype:
    return np.dtype([("scale", "<f4"), ("numbers", "i1", (dim,))])


@dataclass(frozen=True, slots=True, kw_only=True)
class BankState:
    """What a bank goes on from.

    Attributes:
        numbers: Single numbers of the bank, in its own order.
        sketches: What was learned up to the last refresh, by name; and "few", which entries are ranked since.
        lessons: What was learned since, in order.
        blocks: Blocks of rows, by number, as packing.py packs them.
    """

    numbers: bytes | None = None
    sketches: Mapping[str, bytes] = field(default_factory=dict)
    lessons: Sequence[Lesson] = ()
    blocks: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BankChange:
    """What of a bank's state is to be written.

    Attributes:
        numbers: The single numbers, None where they are as they were.
        sketches: What was learned up to the last refresh, as in BankState; None where none came.
        lessons: What was learned since the last change, in order, also before that refresh.
        counted: How many lessons there were since the last refresh: older ones are no longer needed.
        blocks: Blocks of rows that changed; empty bytes for one in which no row is in use.
    """

    numbers: bytes | None
    sketches: Mapping[str, bytes] | None
    lessons: Sequence[Lesson]
    counted: int
    blocks: Mapping[int, bytes]


def short(values: FloatArray | float) -> FloatArray:
    """Numbers as a block keeps them, float32 [N]: rounded to a thousandth of their size."""
    bits = np.asarray(values, np.float32).view(np.uint32)
    half = np.uint32(1 << (_DROPPED_BITS - 1))
    kept: FloatArray = ((bits + half) >> np.uint32(_DROPPED_BITS) << np.uint32(_DROPPED_BITS)).view(np.float32)
    return kept


def in_steps(cosines: FloatArray) -> FloatArray:
    """Cosines as a block keeps them, float32: rounded to 1/2048."""
    kept: FloatArray = np.rint(np.asarray(cosines, np.float32) * np.float32(1 << COSINE_STEPS)) / np.float32(
        1 << COSINE_STEPS
    )
    return kept
