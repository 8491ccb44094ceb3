"""What a bank keeps of its rows as the bytes of a block and back, without loss.

    1 byte      the layout: 3
    used        a column (store/blocks/numbers.py has its layout): 1 for each row of the block that is in use
    ids         1 byte: 1 where each follows from stream and first_seq, else 0
                if so: how many streams, the length and the name of each; columns: which of them, and first_seq
                else a column
    WHOLES      a column each
    cosines     1 byte: in which parts of one they are counted, as a power of two, 0 for their bits; a column
    energies    a column of their bits each; first the own one, then the trained one where there is a prior
    padding     zeros up to 480 bytes; 1 more where a block of the oldest layout is as long

So a block never lies whole on a page of 512 bytes, also before it has its checksum: between others, of which the
beginning lies there and more on a page of their own, it would leave most of two pages empty.

Layout 2, which formats 7 and 8 have, is without those zeros. Blocks of formats 5 and 6 are rows of a fixed size,
told by their length.

Shapes: N rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.bank.columns import Columns
from hippocam.memory.bank.state import COSINE_STEPS, in_steps
from hippocam.memory.records import id_of
from hippocam.memory.store.blocks import numbers
from hippocam.memory.store.blocks.numbers import Part, Reader, Wholes

# Rows of the bank in a block, which mostly fill the smallest page, but for its beginning, which is on one with
# those of others; and in one of the older layout.
BLOCK_ROWS = 50
OLDER_BLOCK_ROWS = 32
_LAYOUT, _UNPADDED = 3, 2
# Bytes of a block at least.
_LEAST_BYTES = 480
_WHOLES = ("order", "twin", "informed", "version")
# What a row of the older layout holds; the trained energy follows where there is a prior.
_FIELDS = [
    ("entry_id", "<i8"), ("order", "<u4"), ("twin", "<i4"), ("twin_cosine", "<f4"), ("own", "<f4"),
    ("informed", "?"), ("version", "u1"),
]  # fmt: skip
_OLDER = {False: np.dtype(_FIELDS), True: np.dtype([*_FIELDS, ("trained", "<f4")])}
_OLDER_LENGTHS = {OLDER_BLOCK_ROWS * dtype.itemsize: trained for trained, dtype in _OLDER.items()}


class Rows(NamedTuple):
    """Rows of a bank that are in use, as they go into blocks; columns as in `Columns`.

    Attributes:
        row: Their positions.
        entry_id: Which entries they hold.
        stream: The names of their streams; empty where the ids alone are told.
        first_seq: From which the ids follow, with the streams; -1 where they do not.
        order: Their order.
        twin: Rows of their twins.
        twin_cosine: Their cosines with these.
        first_energy: Trained and own energy when they were new, float32 [N, 2].
        informed: Whether utility was known then.
        version: Another number once their vectors have changed.
    """

    row: NDArray[np.int64]
    entry_id: NDArray[np.int64]
    stream: Sequence[str]
    first_seq: NDArray[np.int64]
    order: NDArray[np.int64]
    twin: NDArray[np.int64]
    twin_cosine: NDArray[np.float32]
    first_energy: NDArray[np.float32]
    informed: NDArray[np.bool_]
    version: NDArray[np.uint8]


def pack_rows(rows: Rows, *, trained: bool) -> bytes:
    """Pack the rows of one block."""
    return _packed([rows], trained=trained)[0]


def _packed(blocks: Sequence[Rows], *, trained: bool) -> list[bytes]:
    """Pack the rows of each block."""
    packed = [
        block.ljust(_LEAST_BYTES, b"\x00") for block in numbers.joined(*(_parts(b, trained) for b in blocks))
    ]
    return [block + b"\x00" * (len(block) in _OLDER_LENGTHS) for block in packed]


def _parts(rows: Rows, trained: bool) -> list[Part]:
    used = np.zeros(BLOCK_ROWS, np.int64)
    used[rows.row % BLOCK_ROWS] = 1
    parts: list[Part] = [bytes([_LAYOUT]), used, *_ids(rows), *(getattr(rows, name) for name in _WHOLES)]
    parts += [*_cosines(rows.twin_cosine), _bits(rows.first_energy[:, 1])]
    return [*parts, _bits(rows.first_energy[:, 0])] if trained else parts


def unpack_rows(blocks: Mapping[int, bytes], *, trained: bool) -> Rows | None:
    """The rows that are in use, by position; None without a block, and where one is damaged or of another kind."""
    try:
        every = [_unpacked(number, blocks[number], trained=trained) for number in sorted(blocks)]
    except ValueError:
        return None
    if not every:
        return None
    named = zip(Rows._fields, zip(*every, strict=True), strict=True)
    return Rows._make(
        [one for part in parts for one in part] if name == "stream" else np.concatenate(parts)
        for name, parts in named
    )


def unpack_versions(blocks: Iterable[bytes]) -> dict[int, int]:
    """A number for each entry in some blocks, by id, that is another once it was added or its vectors changed."""
    versions = dict[int, int]()
    for block in blocks:
        try:
            rows = _unpacked(0, block, trained=None)
        except ValueError:
            continue
        each = rows.order * 256 + rows.version
        versions.update(zip(rows.entry_id.tolist(), each.tolist(), strict=True))
    return versions


def repacked(blocks: Mapping[int, bytes]) -> dict[int, bytes]:
    """Blocks of the oldest layout in the present one; none where one of them is damaged."""
    trained = any(_OLDER_LENGTHS.get(len(block)) for block in blocks.values())
    rows = unpack_rows(blocks, trained=trained)
    if rows is None:
        return {}
    where = rows.row // BLOCK_ROWS
    return {
        int(number): pack_rows(_some(rows, np.flatnonzero(where == number)), trained=trained)
        for number in np.unique(where)
    }


def _some(rows: Rows, these: NDArray[np.int64]) -> Rows:
    """Some of the rows, by their index; their ids alone are told."""
    return Rows._make([] if name == "stream" else getattr(rows, name)[these] for name in Rows._fields)


def _ids(rows: Rows) -> list[Part]:
    if not len(rows.stream) or (rows.first_seq < 0).any():
        return [b"\x00", rows.entry_id]
    names = sorted(set(rows.stream))
    parts: list[Part] = [b"\x01", numbers.count(len(names))]
    for name in names:
        text = name.encode("utf-8", "surrogatepass")
        parts += [numbers.count(len(text)), text]
    index = {name: k for k, name in enumerate(names)}
    return [*parts, np.array([index[name] for name in rows.stream]), rows.first_seq]


def _unpacked(number: int, block: bytes, *, trained: bool | None) -> Rows:
    """The rows of one block; with None for `trained` without energies.

    Raises:
        ValueError: It is damaged, or was packed otherwise.
    """
    if len(block) in _OLDER_LENGTHS:
        return _older(number, block, trained=trained)
    reader = Reader(block)
    (layout,) = reader.take(1)
    if layout not in (_LAYOUT, _UNPADDED):
        raise ValueError("rows of no known layout")
    used = np.flatnonzero(reader.wholes(BLOCK_ROWS))
    streams, first_seq = list[str](), np.full(len(used), -1)
    if reader.take(1)[0]:
        names = [reader.take(reader.count()).decode("utf-8", "surrogatepass") for _ in range(reader.count())]
        which = reader.wholes(len(used))
        if len(which) and not 0 <= which.min() <= which.max() < len(names):
            raise ValueError("a row of no stream")
        streams, first_seq = [names[k] for k in which], reader.wholes(len(used))
        pairs = zip(streams, first_seq.tolist(), strict=True)
        entry_id = np.array([id_of(*pair) for pair in pairs], np.int64)
    else:
        entry_id = reader.wholes(len(used))
    wholes = {name: reader.wholes(len(used)) for name in _WHOLES}
    cosine, own, prior = np.zeros((3, len(used)), np.float32)
    if trained is not None:
        cosine, own = _read_cosines(reader, len(used)), _real(reader, len(used))
        prior = _real(reader, len(used)) if trained else prior
        reader.end(padding=1 if layout == _UNPADDED else _LEAST_BYTES)
    return Rows(
        row=number * BLOCK_ROWS + used,
        entry_id=entry_id,
        stream=streams,
        first_seq=first_seq,
        order=wholes["order"],
        twin=wholes["twin"],
        twin_cosine=cosine,
        first_energy=np.stack([prior, own], axis=1),
        informed=wholes["informed"].astype(np.bool_),
        version=wholes["version"].astype(np.uint8),
    )


def _cosines(cosines: NDArray[np.float32]) -> list[Part]:
    """Cosines in steps, or their bits where they are not rounded, as those of older blocks are not."""
    if (in_steps(cosines) == cosines).all():
        return [bytes([COSINE_STEPS]), np.rint(cosines * (1 << COSINE_STEPS)).astype(np.int64)]
    return [b"\x00", _bits(cosines)]


def _read_cosines(reader: Reader, count: int) -> NDArray[np.float32]:
    (steps,) = reader.take(1)
    if steps > COSINE_STEPS:
        raise ValueError("cosines in unknown steps")
    return (reader.wholes(count) / (1 << steps)).astype(np.float32) if steps else _real(reader, count)


def _bits(values: NDArray[np.float32]) -> Wholes:
    return np.ascontiguousarray(values, np.float32).view(np.int32).astype(np.int64)


def _real(reader: Reader, count: int) -> NDArray[np.float32]:
    return reader.wholes(count).astype(np.int32).view(np.float32)


def _older(number: int, block: bytes, *, trained: bool | None) -> Rows:
    has_trained = _OLDER_LENGTHS[len(block)]
    if trained not in (None, has_trained):
        raise ValueError("rows of another layout")
    packed = np.frombuffer(block, _OLDER[has_trained])
    used = np.flatnonzero(packed["order"])
    packed = packed[used]
    prior = packed["trained"] if has_trained else np.zeros(len(used), np.float32)
    return Rows(
        row=number * OLDER_BLOCK_ROWS + used,
        entry_id=packed["entry_id"].astype(np.int64),
        stream=[],
        first_seq=np.full(len(used), -1),
        order=packed["order"].astype(np.int64),
        twin=packed["twin"].astype(np.int64),
        twin_cosine=packed["twin_cosine"].astype(np.float32),
        first_energy=np.stack([prior, packed["own"]], axis=1).astype(np.float32),
        informed=packed["informed"].astype(np.bool_),
        version=packed["version"].astype(np.uint8),
    )


def take_changed(columns: Columns, *, trained: bool) -> dict[int, bytes]:
    """Pack the blocks of rows that changed since the last call; empty bytes for one that holds nothing.

    Args:
        columns: The entries.
        trained: Whether there are trained energies to keep.
    """
    changed = sorted({row // BLOCK_ROWS for row in columns.changed})
    held = {}
    for block in changed:
        rows = np.arange(block * BLOCK_ROWS, min((block + 1) * BLOCK_ROWS, len(columns.used)))
        used = rows[columns.used[rows]]
        if len(used):
            held[block] = _rows(columns, used)
    columns.changed = set()
    packed = dict(zip(held, _packed(list(held.values()), trained=trained), strict=True))
    return {block: packed.get(block, b"") for block in changed}


def _rows(columns: Columns, rows: np.ndarray) -> Rows:
    return Rows(
        row=rows,
        entry_id=columns.entry_id[rows],
        stream=columns.streams.names(columns.stream[rows]),
        first_seq=columns.first_seq[rows],
        order=columns.order[rows],
        twin=columns.twin[rows],
        twin_cosine=columns.twin_cosine[rows],
        first_energy=columns.first_energy[rows],
        informed=columns.informed[rows],
        version=columns.version[rows],
    )


def lay_out(columns: Columns, blocks: Mapping[int, bytes], streams: Mapping[int, str], *, trained: bool) -> bool:
    """Give entries the rows that they had, with all that was kept of these; False where that is not told.

    Args:
        columns: Empty.
        blocks: What `take_changed` gave, the latest of each block.
        streams: The stream of each entry that is held.
        trained: As when they were packed.
    """
    found = unpack_rows(blocks, trained=trained)
    if found is None or len(found.row) != len(streams) or set(found.entry_id.tolist()) != streams.keys():
        return False
    named: Sequence[str] = [streams[entry_id] for entry_id in found.entry_id.tolist()]
    columns.add_all(found.row, found.entry_id, found.order, named)
    columns.first_seq[found.row] = found.first_seq
    columns.twin[found.row], columns.twin_cosine[found.row] = found.twin, found.twin_cosine
    columns.first_energy[found.row] = columns.energy[found.row] = found.first_energy
    columns.informed[found.row], columns.version[found.row] = found.informed, found.version
    columns.changed = set()
    return True
