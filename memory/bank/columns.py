"""The entries of a memory as columns: one array a field, one row an entry.

Keys are int8 with a scale, as they are stored. Rows of deleted entries are used again, the first ones first: where
each entry stands is kept (state.py), so a bank that is opened again is laid out alike and computes alike.

Shapes: N rows, D embedding dimension.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import FloatArray

Rows = NDArray[np.int64]

# Rows at first; when all are used, their number is doubled.
_FIRST_SIZE = 64
# Newest entries whose rows are known by their order; fewer rows than so many are looked through instead.
_RECENT = 16384
# Entries that may have come since the last question for the newest ones; beyond, all are looked through again.
_MOST_NEW = 8
# Largest number of a key.
LARGEST = 127
_DTYPES = {
    "entry_id": np.int64,
    "first_seq": np.int64,
    "stream": np.int32,
    "place": np.int32,
    "order": np.int64,
    "scale": np.float32,
    "surprise": np.float64,
    "last_s": np.float64,
    "strength": np.float64,
    "met": np.int64,
    "uses": np.int64,
    "level": np.int8,
    "short": np.bool_,
    "picture_bytes": np.int32,
    "words_bytes": np.int32,
    "pinned": np.bool_,
    "twin": np.int32,
    "twin_cosine": np.float32,
    "used": np.bool_,
    "informed": np.bool_,
    "version": np.uint8,
}


class Streams:
    """The streams of a bank's entries by number, as they come, and until when each was seen."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._ends_s: dict[int, float] = {}

    def add(self, stream: str) -> int:
        """Number of a stream, a new one where nothing of it was ever added."""
        return self._numbers.setdefault(stream, len(self._numbers))

    def number(self, stream: str) -> int:
        """Number of a stream; -1 where nothing of it was ever added."""
        return self._numbers.get(stream, -1)

    def names(self, numbers: Rows) -> list[str]:
        """Names of streams by their numbers."""
        names = list(self._numbers)
        return [names[number] for number in numbers]

    def see(self, number: int, time_s: float) -> None:
        """Note that a stream has reached a time."""
        self._ends_s[number] = max(self._ends_s.get(number, -math.inf), time_s)

    def reach(self, stream: str, time_s: float) -> None:
        """The same by its name."""
        self.see(self.add(stream), time_s)

    def ends_s(self) -> NDArray[np.float64]:
        """When each stream was last seen, by its number, with one 0 at the end."""
        ends_s = np.zeros(len(self._numbers) + 1)
        for number, time_s in self._ends_s.items():
            ends_s[number] = time_s
        return ends_s


class Columns:
    """The entries of a memory: an array for each field, a row for each entry.

    Args:
        dim: Length D of a key.

    Attributes:
        entry_id: The entry in a row.
        first_seq: From which that follows, with its stream (`id_of`); -1 where it does not.
        stream: Number of its stream.
        place: As in Entry.
        order: Rises with each entry that is added.
        key: int8 [N, D]; 0 where an entry has none.
        scale: Factor of a key; 0 where an entry has none.
        surprise: Surprise over that of its stream's usual event.
        energy: float32 [N, 2]: see utility.py.
        first_energy: The energy when the entry was new.
        last_s: When it was last seen.
        strength: As in Entry.
        met: As in Entry.
        uses: As in Entry.
        level: As in Entry.
        short: As in Slot.
        picture_bytes: Size of its picture's file.
        words_bytes: Size of its words, full text included.
        pinned: As in Entry.
        twin: Row of its nearest neighbour, -1 where there is none.
        twin_cosine: Cosine with its twin, -1 where there is none.
        used: Whether a row holds an entry.
        informed: Whether utility was known when the entry was new.
        version: Another number once its vectors have changed, counted from 0 on to 255 and again.
        added: How many entries were ever added.
        window: The newest entries that have a key.
        changed: Rows of which something is to be kept that the entries' own rows do not tell (blocks.py).
    """

    entry_id: NDArray[np.int64]
    first_seq: NDArray[np.int64]
    stream: NDArray[np.int32]
    place: NDArray[np.int32]
    order: NDArray[np.int64]
    scale: NDArray[np.float32]
    surprise: NDArray[np.float64]
    last_s: NDArray[np.float64]
    strength: NDArray[np.float64]
    met: NDArray[np.int64]
    uses: NDArray[np.int64]
    level: NDArray[np.int8]
    short: NDArray[np.bool_]
    picture_bytes: NDArray[np.int32]
    words_bytes: NDArray[np.int32]
    pinned: NDArray[np.bool_]
    twin: NDArray[np.int32]
    twin_cosine: NDArray[np.float32]
    used: NDArray[np.bool_]
    informed: NDArray[np.bool_]
    version: NDArray[np.uint8]

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self.clear()

    def clear(self) -> None:
        """Hold nothing, as at first."""
        for name, dtype in _DTYPES.items():
            setattr(self, name, np.zeros(_FIRST_SIZE, dtype))
        self.key = np.zeros((_FIRST_SIZE, self.dim), np.int8)
        self.energy = np.zeros((_FIRST_SIZE, 2), np.float32)
        self.first_energy = np.zeros((_FIRST_SIZE, 2), np.float32)
        self._row: dict[int, int] = {}
        self._free = list[int]()  # rows that were freed: a heap
        self._unused = 0  # from this row on none was ever used
        self._recent = np.zeros(_RECENT, np.int64)  # rows by order, in a ring
        self.window = Window(self)
        self._numbers = np.zeros((0, self.dim), np.float32)  # see cosines
        self.streams = Streams()
        self.added = 0
        self.changed = set[int]()

    def __len__(self) -> int:
        return len(self._row)

    def __contains__(self, entry_id: int) -> bool:
        return entry_id in self._row

    def __iter__(self) -> Iterator[int]:
        return iter(self._row)

    # rows ------------------------------------------------------------------------------------------------

    def row(self, entry_id: int) -> int:
        """Row of an entry.

        Raises:
            KeyError: It is not held.
        """
        return self._row[entry_id]

    def add(self, entry_id: int, stream: str) -> int:
        """Give an entry, the newest of all, a row without a key and without a twin; return the row."""
        if not self._free and self._unused == len(self.used):
            self._grow()
        self.added += 1
        row = heapq.heappop(self._free) if self._free else self._unused
        self._unused = max(self._unused, row + 1)
        self._take(row, entry_id, self.added, stream)
        return row

    def add_all(self, rows: Rows, entry_ids: Rows, orders: Rows, streams: Sequence[str]) -> None:
        """Give the entries of an empty memory rows of one's choice, and their order."""
        while len(rows) and int(rows.max()) >= len(self.used):
            self._grow()
        self._row = dict(zip(entry_ids.tolist(), rows.tolist(), strict=True))
        for stream in dict.fromkeys(streams[k] for k in np.argsort(orders, kind="stable").tolist()):
            self.streams.add(stream)  # numbered as they came
        self.entry_id[rows], self.order[rows], self.used[rows] = entry_ids, orders, True
        self._recent[orders % _RECENT] = rows
        numbers = {stream: self.streams.number(stream) for stream in set(streams)}
        self.stream[rows] = [numbers[stream] for stream in streams]
        self.first_seq[rows] = -1
        self.twin[rows], self.twin_cosine[rows] = -1, -1.0
        self.changed.update(rows.tolist())
        self._unused = int(rows.max()) + 1 if len(rows) else 0
        self._free = np.flatnonzero(~self.used[: self._unused]).tolist()  # rising, so it is a heap

    def _take(self, row: int, entry_id: int, order: int, stream: str) -> None:
        self._row[entry_id] = row
        self.entry_id[row], self.order[row], self.used[row] = entry_id, order, True
        self._recent[order % _RECENT] = row
        self.stream[row] = self.streams.add(stream)
        self.first_seq[row] = -1
        self.twin[row], self.twin_cosine[row] = -1, -1.0
        self.first_energy[row] = 0.0
        self.version[row] = 0
        self.clear_key(row)
        self.changed.add(row)

    def _grow(self) -> None:
        """Make room for as many rows again."""
        for name in (*_DTYPES, "key", "energy", "first_energy"):
            column = getattr(self, name)
            larger = np.zeros((2 * len(column), *column.shape[1:]), column.dtype)
            larger[: len(column)] = column  # the rest takes main memory only once it is used
            setattr(self, name, larger)

    def delete(self, entry_id: int) -> int:
        """Free the row of an entry; return it."""
        row = self._row.pop(entry_id)
        self.window.remove(row)
        self.used[row] = False
        self.key[row], self.scale[row] = 0, 0.0
        heapq.heappush(self._free, row)
        self.changed.add(row)
        return row

    def set_twins(self, rows: Rows, twins: Rows | int, cosines: FloatArray | float) -> None:
        """Set the nearest neighbours of some rows, by their rows, and the cosines with them."""
        self.twin[rows], self.twin_cosine[rows] = twins, cosines
        self.changed.update(rows.tolist())

    def all_rows(self) -> Rows:
        """Rows of all entries."""
        return np.flatnonzero(self.used[: self._unused])

    def rows_with_key(self) -> Rows:
        """Rows of the entries that have a key."""
        return np.flatnonzero(self.used[: self._unused] & (self.scale[: self._unused] > 0))

    def spread(self, most: int) -> Rows:
        """Rows of entries evenly spread over all, rising: `most`, or up to twice as many, less those that left."""
        rows = np.arange(0, self._unused, max(1, self._unused // most))
        return rows[self.used[rows]]

    def row_of(self, order: int) -> int:
        """Row of the entry that was added as this one; -1 where it is held no more, or came too long ago."""
        row = int(self._recent[order % _RECENT])
        return row if order > 0 and self.used[row] and self.order[row] == order else -1

    def newest(self, most: int) -> Rows:
        """Rows of those among the newest `most` entries ever added that are held, rising."""
        if most > _RECENT or self._unused <= _RECENT:
            return np.flatnonzero(self.used[: self._unused] & (self.order[: self._unused] > self.added - most))
        orders = np.arange(max(1, self.added - most + 1), self.added + 1)
        rows = self._recent[orders % _RECENT]
        rows = rows[self.used[rows] & (self.order[rows] == orders)]
        return np.sort(rows, kind="stable")  # mostly in order already

    def oldest_first(self, rows: Rows) -> Rows:
        """Rows in the order in which their entries were added."""
        return rows[np.argsort(self.order[rows], kind="stable")]

    # keys ------------------------------------------------------------------------------------------------

    def set_keys(self, rows: Rows, keys_ND: FloatArray) -> None:
        """Give some entries keys, float32 [N, D]."""
        if len(rows) == 1 and self.order[rows[0]] == self.added and not self.scale[rows[0]]:
            self.window.add(int(rows[0]))
        elif not self.scale[rows].all():
            self.window.forget()
        scales = np.abs(keys_ND).max(axis=1, initial=0.0).astype(np.float64) / LARGEST
        self.scale[rows] = np.where(scales == 0, 1.0, scales)
        self.key[rows] = np.rint(keys_ND / self.scale[rows, None])

    def tell_apart(self, rows: Rows) -> None:
        """Give entries whose vectors changed another version."""
        self.version[rows] += np.uint8(1)  # and after 255 again 0
        self.changed.update(rows.tolist())

    def clear_key(self, row: int) -> None:
        """Clear an entry's key and its energy."""
        if self.scale[row]:
            self.window.remove(row)
        self.key[row], self.scale[row], self.energy[row] = 0, 0.0, 0.0

    def keys(self, rows: Rows) -> FloatArray:
        """Keys of some rows, float32 [n, D]."""
        return self.key[rows].astype(np.float32) * self.scale[rows, None]

    def cosines(self, rows: Rows, key_D: FloatArray) -> FloatArray:
        """Inner products of a key with those of some rows, rising, float32 [n]."""
        count = len(rows)
        if count > len(self._numbers):  # kept: to ask for such an array anew takes longer than to fill it
            self._numbers = np.empty((count + count // 4, self.dim), np.float32)
        numbers = self._numbers[:count]
        if count and rows[-1] - rows[0] == count - 1:
            numbers[:] = self.key[rows[0] : rows[-1] + 1]
        else:
            numbers[:] = self.key[rows]
        return (numbers @ key_D) * self.scale[rows]

    # streams ---------------------------------------------------------------------------------------------

    def see(self, row: int, time_s: float) -> None:
        """Note that the stream of an entry has reached a time."""
        self.streams.see(int(self.stream[row]), time_s)

    def see_all(self, rows: Rows) -> None:
        """Note that streams have reached the times at which some of their entries were last seen."""
        for stream in set(self.stream[rows].tolist()):
            self.streams.see(stream, float(self.last_s[rows][self.stream[rows] == stream].max()))


class _Held(NamedTuple):
    """Rows, rising, of those among the `most` entries up to the order `added` that have a key."""

    most: int
    added: int
    rows: Rows


class Window:
    """Rows of the newest entries that have a key, followed as entries come and go.

    Args:
        columns: The entries.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._held: _Held | None = None
        self._new = list[int]()

    def rows(self, most: int) -> Rows:
        """Rows of those among the newest `most` entries ever added that are held and have a key, rising."""
        columns, held = self._columns, self._held
        if (
            held is None
            or held.most != most
            or most > _RECENT - _MOST_NEW
            or not 0 <= columns.added - held.added <= _MOST_NEW
        ):
            rows = columns.newest(most)
            rows = rows[columns.scale[rows] > 0]
        else:
            rows = held.rows
            for order in range(held.added - most + 1, columns.added - most + 1):  # too old by now
                rows = _without(rows, columns.row_of(order))
            for row in self._new:
                last = not len(rows) or row > rows[-1]
                rows = np.append(rows, row) if last else np.insert(rows, np.searchsorted(rows, row), row)
        self._held, self._new = _Held(most, columns.added, rows), []
        return rows

    def add(self, row: int) -> None:
        """Take in the newest entry, which has its key now."""
        self._new.append(row)

    def remove(self, row: int) -> None:
        """Take out an entry that is deleted or loses its key."""
        if row in self._new:
            self._new.remove(row)
        elif self._held is not None:
            self._held = self._held._replace(rows=_without(self._held.rows, row))

    def forget(self) -> None:
        """Look through all entries the next time: others than the newest got a key."""
        self._held, self._new = None, []


def _without(rows: Rows, row: int) -> Rows:
    """Rows, rising, without one that may be among them."""
    at = int(np.searchsorted(rows, row))
    if at == len(rows) or rows[at] != row:
        return rows
    return rows[1:] if at == 0 else np.delete(rows, at)
