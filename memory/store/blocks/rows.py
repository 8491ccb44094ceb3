"""Rows of entries into the bytes of a block and back, without loss.

A row of a table takes 40 bytes before it says anything, and columns side by side repeat themselves. A block holds
some rows column by column, in the order of their streams and of their first frames:

    1 byte      the layout: 2
    rows        how many (numbers.py has the layout of a count and of a column)
    streams     how many names, each with its length before it; then a column: which of them
    first_seq   that of the first row; a column: by how much each later one is greater than the one before
    ids         1 byte: 0 where each follows from stream and first_seq; else 1 and a column
    times       1 byte: the unit of all; t0_s as first_seq is; a column: t1_s less t0_s; for known_s, frame_s and
                last_s 1 byte: 0 where they are told less t0_s, 1 less t1_s, 2 less the end of the last of spans;
                and a column
    REALS       for each 1 byte, its unit, and a column
    WHOLES      1 byte: a bit for each of which not all are 0; a column for each of those
    VECTORS     a column: lengths, plus 1, 0 for none; a column: the first four bytes, the scale; the others, one
                vector after the other. Before scenes comes a column: 1 where one is equal to its key; only those
                that are not follow
    OTHERS      1 byte: a bit for each of which not all are empty. For each of those a column: lengths, plus 1, 0
                for none; 1 byte: whether what follows is deflated; its length; all values, one after the other.
                spans has 1 byte before that: 1 where a column of how many there are follows instead, and three of
                their times, in the unit of the others: t0_s less the end before, t1_s and known_s less t0_s

Layout 1, which format 6 had: known_s less t1_s, frame_s less t0_s, last_s less t1_s without the byte before; all
WHOLES and OTHERS, and no spans in columns.

What is not in it: pictures, which no such entry has.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.records import id_of
from hippocam.memory.store.blocks import numbers
from hippocam.memory.store.blocks.numbers import Part, Reader, Wholes

_LAYOUT = 2
_OLDER_LAYOUT = 1
TIMES = ("t0_s", "t1_s", "known_s", "frame_s", "last_s")
REALS = ("surprise", "utility", "strength")
_WHOLES = ("met", "uses", "pinned", "level", "place", "frames", "repeats", "slept")
_VECTORS = ("key", "scene")
_TEXTS = ("labels", "text")
_BLOBS = ("spans", "state", "action", "pose", "motion")
_OTHERS = (*_TEXTS, *_BLOBS)
# Which time the later ones are told less of in layout 1: 0 for t0_s, 1 for t1_s.
_OLDER_BASES = (1, 0, 1)
# What stands for the end of the last span among what later times are told less of.
_OF_SPANS = 2
# Bytes of a span: three real numbers.
_SPAN = np.dtype("<f8").itemsize * 3
# Spans after the first that a row has at most; more is damage.
_MOST_SPANS = 1 << 16
# Parts of a second, those of MPEG's clock, to which times in no unit are rounded; and what is no difference in s.
_TICKS = 90_000
_SAME_S = 1e-6
# What a row holds, in this order.
COLUMNS = ("id", "stream", "first_seq", *TIMES, *REALS, *_WHOLES, *_VECTORS, *_TEXTS, *_BLOBS)
_SCALE_BYTES = 4

Row = Sequence[Any]


def pack_rows(rows: Sequence[Row]) -> bytes:
    """Pack rows of COLUMNS, in any order."""
    ordered = sorted(rows, key=lambda row: (row[1], row[2], row[0]))
    held = dict(zip(COLUMNS, zip(*ordered, strict=True), strict=True)) if ordered else {}
    if not held:
        return bytes([_LAYOUT]) + numbers.count(0)
    parts: list[Part] = [bytes([_LAYOUT]), numbers.count(len(ordered)), *_streams(held["stream"])]
    parts += _rising(np.asarray(held["first_seq"], np.int64))
    derived = all(map(_follows, held["id"], held["stream"], held["first_seq"]))
    parts += [b"\x00"] if derived else [b"\x01", np.asarray(held["id"], np.int64)]
    times = [np.asarray(held[name], np.float64) for name in TIMES]
    spans = _as_spans(held["spans"])
    unit = numbers.unit_of(np.concatenate([*times, spans.reshape(-1)]))
    spans_too = unit > 0 and _come_back(held["spans"], spans, unit)
    unit = unit or numbers.unit_of(np.concatenate(times))
    ends = _last_ends(held["spans"], spans, times[1]) if spans_too else None
    parts += _times(times, unit, ends)
    for name in REALS:
        parts += _real(np.asarray(held[name], np.float64))
    parts += _marked([any(held[name]) for name in _WHOLES])
    parts += [np.asarray(held[name], np.int64) for name in _WHOLES if any(held[name])]
    parts += [*_vectors(held["key"]), *_scenes(held["scene"], held["key"])]
    others: dict[str, Sequence[bytes | None]] = {
        name: [text.encode("utf-8", "surrogatepass") for text in held[name]] for name in _TEXTS
    }
    others |= {name: held[name] for name in _BLOBS}
    there = [any(others[name]) or (name in _BLOBS and b"" in others[name]) for name in _OTHERS]
    parts += _marked(there)
    for name in (name for name, some in zip(_OTHERS, there, strict=True) if some):
        if name == "spans":
            parts.append(bytes([spans_too]))
        if name == "spans" and spans_too:
            parts += _spans(held["spans"], spans, times[1], unit)
        else:
            parts += _others(others[name])
    return numbers.joined(parts)[0]


def unpack_rows(block: bytes) -> list[Row]:
    """The rows that `pack_rows` was given, by stream and first frame.

    Raises:
        ValueError: It is no block.
    """
    reader = Reader(block)
    (layout,) = reader.take(1)
    if layout not in (_LAYOUT, _OLDER_LAYOUT):
        raise ValueError("a block of no known layout")
    older = layout == _OLDER_LAYOUT
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
    unit, times = _read_times(reader, size, older=older)
    for name in REALS:
        held[name] = _read_real(reader, size)
    there = _read_marked(reader, len(_WHOLES), older=older)
    for name, some in zip(_WHOLES, there, strict=True):
        held[name] = reader.wholes(size).tolist() if some else [0] * size
    held["key"] = _read_vectors(reader, size)
    held["scene"] = _read_scenes(reader, held["key"], older=older)
    for name, some in zip(_OTHERS, _read_marked(reader, len(_OTHERS), older=older), strict=True):
        if some and name == "spans" and not older and reader.take(1)[0]:
            held[name] = _read_spans(reader, size, times.t1, unit)
        else:
            held[name] = _read_others(reader, size) if some else [None] * size
    for name in _TEXTS:
        held[name] = [(value or b"").decode("utf-8", "surrogatepass") for value in held[name]]
    reader.end()
    held |= dict(zip(TIMES, times.seconds(held["spans"]), strict=True))
    return list(zip(*(held[name] for name in COLUMNS), strict=True))


def _follows(entry_id: int, stream: str, first_seq: int) -> bool:
    return entry_id == id_of(stream, first_seq)


def _streams(named: Sequence[str]) -> list[Part]:
    names = sorted(set(named))
    parts: list[Part] = [numbers.count(len(names))]
    for name in names:
        written = name.encode("utf-8", "surrogatepass")
        parts += [numbers.count(len(written)), written]
    return [*parts, np.array([names.index(name) for name in named])]


def _read_streams(reader: Reader, size: int) -> list[str]:
    names = [reader.take(reader.count()).decode("utf-8", "surrogatepass") for _ in range(reader.count())]
    which = reader.wholes(size).tolist()
    if not 0 <= min(which) <= max(which) < len(names):
        raise ValueError("a stream without a name")
    return [names[index] for index in which]


def _rising(values: Wholes) -> list[Part]:
    return [values[:1], _less(values[1:], values[:-1])]


def _read_rising(reader: Reader, size: int) -> Wholes:
    first, steps = reader.wholes(1), reader.wholes(size - 1)
    return np.cumsum(np.concatenate([first, steps]).view(np.uint64), dtype=np.uint64).view(np.int64)


class _Times(NamedTuple):
    """Times as they are told, in some unit: the first two, and the others less one of these.

    Attributes:
        unit: Its index.
        t0: Starts.
        t1: Ends.
        later: For each of the others what it is told less of, as in the layout, and by how much it is greater.
    """

    unit: int
    t0: Wholes
    t1: Wholes
    later: Sequence[tuple[int, Wholes]]

    def seconds(self, spans: Sequence[bytes | None]) -> list[list[float]]:
        """All times in s.

        Args:
            spans: The spans after the first, as rows have them.
        """
        bases = [self.t0, self.t1]
        if any(base == _OF_SPANS for base, _ in self.later):
            if any(blob is not None and len(blob) % _SPAN for blob in spans):
                raise ValueError("spans that are cut short")
            t1_s = numbers.from_unit(self.t1, self.unit)
            bases.append(numbers.in_unit(_last_ends(spans, _as_spans(spans), t1_s), self.unit))
        every = [self.t0, self.t1, *(_more(bases[base], steps) for base, steps in self.later)]
        return [numbers.from_unit(each, self.unit).tolist() for each in every]


def _real(values: NDArray[np.float64]) -> list[Part]:
    unit = numbers.unit_of(values)
    return [bytes([unit]), numbers.in_unit(values, unit)]


def _read_real(reader: Reader, size: int) -> list[float]:
    (unit,) = reader.take(1)
    values: list[float] = numbers.from_unit(reader.wholes(size), unit).tolist()
    return values


def _times(times: Sequence[NDArray[np.float64]], unit: int, ends: NDArray[np.float64] | None) -> list[Part]:
    t0, t1, *later = (numbers.in_unit(each, unit) for each in times)
    bases = [t0, t1] if ends is None else [t0, t1, numbers.in_unit(ends, unit)]
    parts: list[Part] = [bytes([unit]), *_rising(t0), _less(t1, t0)]
    every = numbers.joined(*([_less(column, base)] for column in later for base in bases))
    for k in range(0, len(every), len(bases)):
        steps = every[k : k + len(bases)]
        shortest = min(range(len(steps)), key=lambda base: len(steps[base]))
        parts += [bytes([shortest]), steps[shortest]]
    return parts


def _read_times(reader: Reader, size: int, *, older: bool) -> tuple[int, _Times]:
    """The unit, and the times in it."""
    (unit,) = reader.take(1)
    t0 = _read_rising(reader, size)
    t1 = _more(t0, reader.wholes(size))
    later = []
    for of_older in _OLDER_BASES:
        base = of_older if older else reader.take(1)[0]
        if base > _OF_SPANS:
            raise ValueError("a time of no known layout")
        later.append((base, reader.wholes(size)))
    numbers.from_unit(t0, unit)  # or there is no such unit
    return unit, _Times(unit, t0, t1, later)


def _last_ends(
    blobs: Sequence[bytes | None], spans: NDArray[np.float64], t1_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """When the last span of each row ends: that of the row itself where it has no others."""
    counts = np.array([0 if blob is None else len(blob) // _SPAN for blob in blobs])
    ends_s = t1_s.copy()
    ends_s[counts > 0] = spans[np.cumsum(counts)[counts > 0] - 1, 1]
    return ends_s


def in_ticks(row: Row) -> Row:
    """A row with its times as a block takes few bytes for them.

    Times that are whole in no unit are rounded to MPEG's clock, 90,000 ticks a second: sums of real numbers are
    hardly exact to more, and take 8 bytes each. A row is known no earlier than it was.
    """
    values = dict(zip(COLUMNS, row, strict=True))
    spans = _as_spans([values["spans"]])
    times = np.array([values[name] for name in TIMES])
    if numbers.unit_of(np.concatenate([times, spans.reshape(-1)])):
        return row
    values |= dict(zip(TIMES, _ticked(times).tolist(), strict=True))
    values["known_s"] = float(_ticked_up(times[[TIMES.index("known_s")]])[0])
    if len(spans):
        rounded = np.concatenate([_ticked(spans[:, :2]), _ticked_up(spans[:, 2:])], axis=1)
        values["spans"] = rounded.astype("<f8").tobytes()
    return tuple(values[name] for name in COLUMNS)


def _ticked(times: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.rint(times * _TICKS) / _TICKS


def _ticked_up(times: NDArray[np.float64]) -> NDArray[np.float64]:
    ticks = np.rint(times * _TICKS)
    later: NDArray[np.float64] = (ticks + (ticks / _TICKS < times - _SAME_S)) / _TICKS
    return later


def _as_spans(blobs: Sequence[bytes | None]) -> NDArray[np.float64]:
    """The spans after the first of some rows, one after the other: start, end and when they are known, [n, 3]."""
    whole = b"".join(blob for blob in blobs if blob is not None)
    return np.frombuffer(whole if not len(whole) % _SPAN else b"", "<f8").reshape(-1, 3)


def _come_back(blobs: Sequence[bytes | None], spans: NDArray[np.float64], unit: int) -> bool:
    """Whether columns of spans in a unit give the same bytes."""
    counted = [numbers.from_unit(numbers.in_unit(np.ascontiguousarray(spans[:, k]), unit), unit) for k in range(3)]
    whole = all(blob is None or (blob and not len(blob) % _SPAN) for blob in blobs)
    return whole and np.stack(counted, axis=1).tobytes() == spans.tobytes()


def _spans(
    blobs: Sequence[bytes | None], spans: NDArray[np.float64], t1_s: NDArray[np.float64], unit: int
) -> list[Part]:
    counts = [0 if blob is None else len(blob) // _SPAN for blob in blobs]
    t0, t1, known = (numbers.in_unit(np.ascontiguousarray(spans[:, k]), unit) for k in range(3))
    before = np.roll(t1, 1)
    firsts = np.cumsum([0, *counts[:-1]])[np.array(counts) > 0]
    before[firsts] = numbers.in_unit(t1_s, unit)[np.array(counts) > 0]
    return [np.array(counts), _less(t0, before), _less(t1, t0), _less(known, t0)]


def _read_spans(reader: Reader, size: int, t1: Wholes, unit: int) -> list[bytes | None]:
    counts = reader.wholes(size)
    if len(counts) and not 0 <= int(counts.min()) <= int(counts.max()) <= _MOST_SPANS:
        raise ValueError("an entry with too many spans")
    total = int(counts.sum())
    steps, lengths, known = (reader.wholes(total) for _ in range(3))
    t0, span_t1 = np.zeros((2, total), np.int64)
    ends, at = t1.copy(), np.cumsum(counts) - counts
    for k in range(int(counts.max(initial=0))):  # the k-th of each row begins behind the one before
        rows = np.flatnonzero(counts > k)
        index = at[rows] + k
        t0[index] = _more(ends[rows], steps[index])
        span_t1[index] = ends[rows] = _more(t0[index], lengths[index])
    whole = np.stack([numbers.from_unit(each, unit) for each in (t0, span_t1, _more(t0, known))], axis=1)
    return [
        whole[first : first + n].astype("<f8").tobytes() if n else None
        for first, n in zip(at, counts, strict=True)
    ]


def _marked(there: Sequence[bool]) -> list[Part]:
    return [bytes([sum(1 << k for k, some in enumerate(there) if some)])]


def _read_marked(reader: Reader, count: int, *, older: bool) -> list[bool]:
    (marks,) = b"\xff" if older else reader.take(1)
    return [bool(marks >> k & 1) for k in range(count)]


def _less(values: Wholes, base: Wholes) -> Wholes:
    """Differences in 64 bits; those beyond go around, and come back in `_more`."""
    return (values.view(np.uint64) - base.view(np.uint64)).view(np.int64)


def _more(base: Wholes, steps: Wholes) -> Wholes:
    return (base.view(np.uint64) + steps.view(np.uint64)).view(np.int64)


def _vectors(vectors: Sequence[bytes | None]) -> list[Part]:
    there = [vector for vector in vectors if vector is not None]
    scales = [int.from_bytes(vector[:_SCALE_BYTES], "little") for vector in there]
    bodies = b"".join(vector[_SCALE_BYTES:] for vector in there)
    return [_lengths(vectors), np.array(scales, np.int64), bodies]


def _read_vectors(reader: Reader, size: int) -> list[bytes | None]:
    lengths = _read_lengths(reader, size)
    scales = reader.wholes(sum(length is not None for length in lengths)).tolist()
    heads = iter(scale.to_bytes(_SCALE_BYTES, "little") for scale in scales)
    return [None if n is None else next(heads) + reader.take(n - _SCALE_BYTES) for n in lengths]


def _scenes(scenes: Sequence[bytes | None], keys: Sequence[bytes | None]) -> list[Part]:
    equal = [scene == key for scene, key in zip(scenes, keys, strict=True)]
    return [
        np.array(equal, np.int64),
        *_vectors([scene for scene, same in zip(scenes, equal, strict=True) if not same]),
    ]


def _read_scenes(reader: Reader, keys: Sequence[bytes | None], *, older: bool) -> list[bytes | None]:
    if older:
        return list(keys) if reader.take(1)[0] else _read_vectors(reader, len(keys))
    equal = reader.wholes(len(keys)).tolist()
    others = iter(_read_vectors(reader, sum(not same for same in equal)))
    return [key if same else next(others) for key, same in zip(keys, equal, strict=True)]


def _others(values: Sequence[bytes | None]) -> list[Part]:
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


def _lengths(values: Sequence[bytes | None]) -> Wholes:
    return np.array([0 if value is None else 1 + len(value) for value in values])


def _read_lengths(reader: Reader, size: int) -> list[int | None]:
    return [None if not length else length - 1 for length in reader.wholes(size).tolist()]
