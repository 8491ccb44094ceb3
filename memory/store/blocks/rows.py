"""Rows of entries into the bytes of a block and back, without loss.

A row of a table takes 40 bytes before it says anything, and columns side by side repeat themselves. A block holds
some rows column by column, in the order of their streams and of their first frames:

    1 byte      the layout: 1
    rows        how many (numbers.py has the layout of a count and of a column)
    streams     how many names, each with its length before it; then a column: which of them
    first_seq   that of the first row; a column: by how much each later one is greater than the one before
    ids         1 byte: 0 where each follows from stream and first_seq; else 1 and a column
    times       1 byte: the unit of all five; t0_s as first_seq is; columns: t1_s less t0_s, known_s less t1_s,
                frame_s less t0_s, last_s less t1_s
    REALS       for each 1 byte, its unit, and a column
    WHOLES      a column each
    VECTORS     a column: lengths, plus 1, 0 for none; a column: the first four bytes, the scale; the others, one
                vector after the other. A vector after the first may be 1 byte for all: equal to the one before
    OTHERS      a column: lengths, plus 1, 0 for none; 1 byte: whether what follows is deflated; its length; all
                values, one after the other

What is not in it: pictures, which no such entry has.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.records import id_of
from hippocam.memory.store.blocks import numbers
from hippocam.memory.store.blocks.numbers import Reader, Wholes

_LAYOUT = 1
_TIMES = ("t0_s", "t1_s", "known_s", "frame_s", "last_s")
_REALS = ("surprise", "utility", "strength")
_WHOLES = ("met", "uses", "pinned", "level", "place", "frames", "repeats", "slept")
_VECTORS = ("key", "scene")
_TEXTS = ("labels", "text")
_BLOBS = ("spans", "state", "action", "pose", "motion")
# What a row holds, in this order.
COLUMNS = ("id", "stream", "first_seq", *_TIMES, *_REALS, *_WHOLES, *_VECTORS, *_TEXTS, *_BLOBS)
_SCALE_BYTES = 4

Row = Sequence[Any]


def pack_rows(rows: Sequence[Row]) -> bytes:
    """Pack rows of COLUMNS, in any order."""
    ordered = sorted(rows, key=lambda row: (row[1], row[2], row[0]))
    held = dict(zip(COLUMNS, zip(*ordered, strict=True), strict=True)) if ordered else {}
    if not held:
        return bytes([_LAYOUT]) + numbers.count(0)
    packed = [bytes([_LAYOUT]), numbers.count(len(ordered)), *_streams(held["stream"])]
    packed += _rising(np.asarray(held["first_seq"], np.int64))
    derived = all(map(_follows, held["id"], held["stream"], held["first_seq"]))
    packed.append(b"\x00" if derived else b"\x01" + numbers.wholes(held["id"]))
    packed += _times([np.asarray(held[name], np.float64) for name in _TIMES])
    for name in _REALS:
        values = np.asarray(held[name], np.float64)
        unit = numbers.unit_of(values)
        packed += [bytes([unit]), numbers.wholes(numbers.in_unit(values, unit))]
    packed += [numbers.wholes(held[name]) for name in _WHOLES]
    before: tuple[bytes | None, ...] | None = None
    for name in _VECTORS:
        packed += _vectors(held[name], before)
        before = held[name]
    for name in _TEXTS:
        packed += _others([text.encode("utf-8", "surrogatepass") for text in held[name]])
    for name in _BLOBS:
        packed += _others(held[name])
    return b"".join(packed)


def unpack_rows(block: bytes) -> list[Row]:
    """The rows that `pack_rows` was given, by stream and first frame.

    Raises:
        ValueError: It is no block.
    """
    reader = Reader(block)
    if reader.take(1)[0] != _LAYOUT:
        raise ValueError("a block of no known layout")
    size = reader.count()
    if not size:
        reader.end()
        return []
    held: dict[str, Sequence[Any]] = {"stream": _read_streams(reader, size)}
    held["first_seq"] = _read_rising(reader, size).tolist()
    if reader.take(1)[0]:
        held["id"] = reader.wholes(size).tolist()
    else:
        held["id"] = [id_of(*pair) for pair in zip(held["stream"], held["first_seq"], strict=True)]
    held |= dict(zip(_TIMES, _read_times(reader, size), strict=True))
    for name in _REALS:
        (unit,) = reader.take(1)
        held[name] = numbers.from_unit(reader.wholes(size), unit).tolist()
    held |= {name: reader.wholes(size).tolist() for name in _WHOLES}
    before: list[bytes | None] = []
    for name in _VECTORS:
        held[name] = before = _read_vectors(reader, size, before)
    for name in _TEXTS:
        held[name] = [(value or b"").decode("utf-8", "surrogatepass") for value in _read_others(reader, size)]
    held |= {name: _read_others(reader, size) for name in _BLOBS}
    reader.end()
    return list(zip(*(held[name] for name in COLUMNS), strict=True))


def _follows(entry_id: int, stream: str, first_seq: int) -> bool:
    return entry_id == id_of(stream, first_seq)


def _streams(named: Sequence[str]) -> list[bytes]:
    names = sorted(set(named))
    packed = [numbers.count(len(names))]
    for name in names:
        written = name.encode("utf-8", "surrogatepass")
        packed += [numbers.count(len(written)), written]
    return [*packed, numbers.wholes([names.index(name) for name in named])]


def _read_streams(reader: Reader, size: int) -> list[str]:
    names = [reader.take(reader.count()).decode("utf-8", "surrogatepass") for _ in range(reader.count())]
    which = reader.wholes(size).tolist()
    if not 0 <= min(which) <= max(which) < len(names):
        raise ValueError("a stream without a name")
    return [names[index] for index in which]


def _rising(values: Wholes) -> list[bytes]:
    return [numbers.wholes(values[:1]), numbers.wholes(_less(values[1:], values[:-1]))]


def _read_rising(reader: Reader, size: int) -> Wholes:
    first, steps = reader.wholes(1), reader.wholes(size - 1)
    return np.cumsum(np.concatenate([first, steps]).view(np.uint64), dtype=np.uint64).view(np.int64)


def _times(times: Sequence[NDArray[np.float64]]) -> list[bytes]:
    unit = numbers.unit_of(np.concatenate(times))
    t0, t1, known, frame, last = (numbers.in_unit(each, unit) for each in times)
    steps = (_less(t1, t0), _less(known, t1), _less(frame, t0), _less(last, t1))
    return [bytes([unit]), *_rising(t0), *map(numbers.wholes, steps)]


def _read_times(reader: Reader, size: int) -> list[list[float]]:
    (unit,) = reader.take(1)
    t0 = _read_rising(reader, size)
    t1 = _more(t0, reader.wholes(size))
    known, frame, last = (_more(base, reader.wholes(size)) for base in (t1, t0, t1))
    return [numbers.from_unit(each, unit).tolist() for each in (t0, t1, known, frame, last)]


def _less(values: Wholes, base: Wholes) -> Wholes:
    """Differences in 64 bits; those beyond go around, and come back in `_more`."""
    return (values.view(np.uint64) - base.view(np.uint64)).view(np.int64)


def _more(base: Wholes, steps: Wholes) -> Wholes:
    return (base.view(np.uint64) + steps.view(np.uint64)).view(np.int64)


def _vectors(vectors: Sequence[bytes | None], before: Sequence[bytes | None] | None) -> list[bytes]:
    if before is not None:
        if vectors == before:
            return [b"\x01"]
        return [b"\x00", *_vectors(vectors, None)]
    there = [vector for vector in vectors if vector is not None]
    scales = [int.from_bytes(vector[:_SCALE_BYTES], "little") for vector in there]
    bodies = [vector[_SCALE_BYTES:] for vector in there]
    return [_lengths(vectors), numbers.wholes(scales), *bodies]


def _read_vectors(reader: Reader, size: int, before: list[bytes | None]) -> list[bytes | None]:
    if before and reader.take(1)[0]:
        return before
    lengths = _read_lengths(reader, size)
    scales = reader.wholes(sum(length is not None for length in lengths)).tolist()
    heads = iter(scale.to_bytes(_SCALE_BYTES, "little") for scale in scales)
    return [None if n is None else next(heads) + reader.take(n - _SCALE_BYTES) for n in lengths]


def _others(values: Sequence[bytes | None]) -> list[bytes]:
    body = b"".join(value for value in values if value is not None)
    deflated = zlib.compress(body, 9) if body else body
    smaller = len(deflated) < len(body)
    body = deflated if smaller else body
    return [_lengths(values), bytes([smaller]), numbers.count(len(body)), body]


def _read_others(reader: Reader, size: int) -> list[bytes | None]:
    lengths = _read_lengths(reader, size)
    (deflated,) = reader.take(1)
    body = reader.take(reader.count())
    try:
        values = Reader(zlib.decompress(body) if deflated else body)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    found = [None if length is None else values.take(length) for length in lengths]
    values.end()
    return found


def _lengths(values: Sequence[bytes | None]) -> bytes:
    return numbers.wholes([0 if value is None else 1 + len(value) for value in values])


def _read_lengths(reader: Reader, size: int) -> list[int | None]:
    return [None if not length else length - 1 for length in reader.wholes(size).tolist()]
