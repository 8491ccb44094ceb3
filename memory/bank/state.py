"""What a bank goes on from: all that it holds beyond its entries' rows, as bytes.

What the entries' rows do not tell (who is whose twin, what was known of a key when it was new) is kept here, so
that a bank that is opened again goes on to the last bit. An event changes few of these numbers: columns are kept
in blocks of rows, and what was learned as it was at the last refresh, with the keys since.

Shapes: D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import FloatArray

# Bytes of a key's scale.
SCALE_BYTES = 4
# Rows of the bank in a block.
BLOCK_ROWS = 32
# What a row of a block holds; the trained energy follows where there is a prior.
_FIELDS = [
    ("entry_id", "<i8"), ("order", "<u4"), ("twin", "<i4"), ("twin_cosine", "<f4"), ("own", "<f4"),
    ("informed", "?"), ("version", "u1"),
]  # fmt: skip
_ROW = np.dtype(_FIELDS)
_ROW_TRAINED = np.dtype([*_FIELDS, ("trained", "<f4")])


Codes = NDArray[np.int8]


class Keys(NamedTuple):
    """Keys as the store has them: int8 [N, D] with scales, float32 [N]."""

    codes: Codes
    scales: FloatArray


class Lesson(NamedTuple):
    """The key of an event as it is stored, and whether the event was met before."""

    key: Keys
    again: bool


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
        blocks: Blocks of rows, by number, as `pack_rows` packs them.
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
        sketches: What was learned up to now, as in BankState; None where no refresh came. Lessons before it are no
            longer needed.
        lessons: What was learned since the last change, or since that refresh.
        blocks: Blocks of rows that changed; empty bytes for one in which no row is in use.
    """

    numbers: bytes | None
    sketches: Mapping[str, bytes] | None
    lessons: Sequence[Lesson]
    blocks: Mapping[int, bytes]


class Rows(NamedTuple):
    """Rows of a bank as they come out of blocks; columns as in `Columns`.

    Attributes:
        row: Their positions.
        entry_id: Which entries they hold.
        order: Their order.
        twin: Rows of their twins.
        twin_cosine: Their cosines with these.
        first_energy: Trained and own energy when they were new, float32 [N, 2].
        informed: Whether utility was known then.
        version: Another number once their vectors have changed.
    """

    row: NDArray[np.int64]
    entry_id: NDArray[np.int64]
    order: NDArray[np.int64]
    twin: NDArray[np.int64]
    twin_cosine: NDArray[np.float32]
    first_energy: NDArray[np.float32]
    informed: NDArray[np.bool_]
    version: NDArray[np.uint8]


def pack_rows(rows: Rows, *, trained: bool) -> bytes:
    """Pack the rows of a block, all of them, in order; those not in use have the order 0."""
    packed = np.zeros(len(rows.row), _ROW_TRAINED if trained else _ROW)
    for name in ("entry_id", "order", "twin", "twin_cosine", "informed", "version"):
        packed[name] = getattr(rows, name)
    packed["own"] = rows.first_energy[:, 1]
    if trained:
        packed["trained"] = rows.first_energy[:, 0]
    return packed.tobytes()


def unpack_rows(blocks: Mapping[int, bytes], *, trained: bool) -> Rows | None:
    """The rows that are in use, by position; None where a block is of another layout."""
    dtype = _ROW_TRAINED if trained else _ROW
    if any(len(block) != BLOCK_ROWS * dtype.itemsize for block in blocks.values()):
        return None
    numbers = sorted(blocks)
    packed = np.frombuffer(b"".join(blocks[number] for number in numbers), dtype)
    row = (np.asarray(numbers, np.int64)[:, None] * BLOCK_ROWS + np.arange(BLOCK_ROWS)).reshape(-1)
    own = packed["own"]
    energy = np.stack([packed["trained"] if trained else np.zeros_like(own), own], axis=1)
    used = packed["order"] != 0
    return Rows(
        row=row[used],
        entry_id=packed["entry_id"][used].astype(np.int64),
        order=packed["order"][used].astype(np.int64),
        twin=packed["twin"][used].astype(np.int64),
        twin_cosine=packed["twin_cosine"][used].astype(np.float32),
        first_energy=energy[used].astype(np.float32),
        informed=packed["informed"][used].astype(np.bool_),
        version=packed["version"][used].astype(np.uint8),
    )


def unpack_versions(blocks: Iterable[bytes]) -> dict[int, int]:
    """A number for each entry in some blocks, by id, that is another once it was added or its vectors changed."""
    versions = dict[int, int]()
    for block in blocks:
        packed = np.frombuffer(block, _ROW if len(block) == BLOCK_ROWS * _ROW.itemsize else _ROW_TRAINED)
        used = packed["order"] != 0
        each = packed["order"][used].astype(np.int64) * 256 + packed["version"][used]
        versions.update(zip(packed["entry_id"][used].tolist(), each.tolist(), strict=True))
    return versions
