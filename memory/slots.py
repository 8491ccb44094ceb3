"""What eviction needs to know of every entry: its utility, and how alike its neighbours in time are.

The entry that is given up is the one with the lowest  utility * (1 - redundancy). Utility is the event's
surprise over that of its stream's usual event; redundancy grows with the greatest similarity of its key to those
just before and after it in its stream, so of two alike neighbours one goes first, and then the other is no longer
redundant. The key is what is new against the background: two visitors of one room are not alike. The same thing
met again much later is not redundant: it is another time.

Shapes: D embedding dimension.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# How many entries on each side in time count as neighbours.
REACH = 4
# A similarity of 0.6 or less is no redundancy; of 1 it is 0.95 of one: something is always left to compare.
SIMILAR_FROM, MAX_REDUNDANCY = 0.6, 0.95
# Utility never falls to nothing, or redundancy would no longer matter.
MIN_UTILITY = 0.05


class SlotTable:
    """All entries as arrays; the weakest is found in one pass.

    Args:
        dim: Length D of a key.
    """

    def __init__(self, dim: int) -> None:
        self._row: dict[int, int] = {}
        self._stream: dict[int, str] = {}
        self._order: dict[str, list[int]] = {}
        self._ids = np.zeros(64, np.int64)
        self._utility = np.full(64, np.inf)
        self._similarity = np.zeros(64)
        self._keys: NDArray[np.float16] = np.zeros((64, dim), np.float16)
        self._bytes: dict[int, int] = {}
        self._free = list(range(63, -1, -1))
        self.jpeg_total = 0

    def __len__(self) -> int:
        return len(self._row)

    def __contains__(self, number: int) -> bool:
        return number in self._row

    def ids(self) -> list[int]:
        """Ids of all entries."""
        return list(self._row)

    def add(self, number: int, stream: str, utility: float, jpeg_bytes: int, key_D: NDArray[np.float16]) -> None:
        """Take up an entry, the newest of its stream."""
        if not self._free:
            self._grow()
        row = self._free.pop()
        self._row[number], self._stream[number], self._bytes[number] = row, stream, jpeg_bytes
        self.jpeg_total += jpeg_bytes
        self._ids[row] = number
        self._utility[row] = max(utility, MIN_UTILITY)
        self._keys[row] = key_D
        order = self._order.setdefault(stream, [])
        order.append(number)
        self._compare(order, len(order) - 1 - REACH, len(order))

    def remove(self, number: int) -> None:
        """Drop an entry; its neighbours are compared anew."""
        row = self._row.pop(number)
        self.jpeg_total -= self._bytes.pop(number)
        self._utility[row] = np.inf
        self._free.append(row)
        order = self._order[self._stream.pop(number)]
        place = order.index(number)
        del order[place]
        self._compare(order, place - REACH, place + REACH)

    def weakest(self) -> int:
        """Id of the entry to give up next; among equal ones the smallest id.

        Raises:
            ValueError: There is none.
        """
        if not self._row:
            raise ValueError("there is no entry to give up")
        redundancy = np.clip((self._similarity - SIMILAR_FROM) / (1 - SIMILAR_FROM), 0, MAX_REDUNDANCY)
        worth = self._utility * (1 - redundancy)
        return int(self._ids[worth == worth.min()].min())

    def _compare(self, order: list[int], first: int, last: int) -> None:
        """Set the similarity of the entries at places first to last of a stream's order."""
        first, last = max(first, 0), min(last, len(order))
        low, high = max(first - REACH, 0), min(last + REACH, len(order))
        rows = [self._row[number] for number in order[low:high]]
        keys = self._keys[rows].astype(np.float32)
        cosines = keys @ keys.T
        places = np.arange(low, high)
        apart = np.abs(places[:, None] - places[None, :])
        cosines[(apart == 0) | (apart > REACH)] = 0.0
        for place in range(first, last):
            self._similarity[rows[place - low]] = max(0.0, float(cosines[place - low].max()))

    def _grow(self) -> None:
        size = len(self._ids)
        self._ids = np.concatenate([self._ids, np.zeros(size, np.int64)])
        self._utility = np.concatenate([self._utility, np.full(size, np.inf)])
        self._similarity = np.concatenate([self._similarity, np.zeros(size)])
        self._keys = np.concatenate([self._keys, np.zeros_like(self._keys)])
        self._free = list(range(2 * size - 1, size - 1, -1))
