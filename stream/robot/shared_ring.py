"""A ring in shared memory between one process that must never wait and one that may stop at any instant.

No lock is shared: a process that is stopped or killed while it holds one would stop the other too. Each slot
carries the number of the item in it, written before and after the item; a reader that finds another number after
it has copied was overtaken, and goes on with the oldest item that is left.

    header    next number to put, next number to take
    slot      number before, number after, bytes of the head, bytes of each buffer ...
"""

from __future__ import annotations

import pickle
from multiprocessing.sharedctypes import RawArray
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Arrays of an item that are copied once on each side; one with more is pickled with them, which copies them twice.
_MOST_BUFFERS = 29
_WORDS = 3 + _MOST_BUFFERS  # int64 at the start of a slot
_PUT, _TAKEN = 0, 1


class ItemTooLargeError(ValueError):
    """An item has more bytes than a slot holds.

    Attributes:
        found: Bytes of the item.
        most: Bytes of a slot.
    """

    def __init__(self, found: int, most: int) -> None:
        super().__init__(f"an item of {found} bytes is larger than a slot of {most} bytes")
        self.found, self.most = found, most


class SharedRing:
    """The newest items of one process for one other. Pass it to that one as an argument when it is started.

    Items are pickled with their arrays out of band, so that a picture is copied once on each side. Both processes
    must be our own: nothing from outside is ever unpickled.

    Args:
        slots: How many items it holds, 1 or more.
        slot_bytes: Largest size of an item. All slots take their memory from the start.
    """

    def __init__(self, slots: int, slot_bytes: int) -> None:
        if slots < 1 or slot_bytes < 1:
            raise ValueError(f"a ring must have 1 slot of 1 byte or more, found {slots} of {slot_bytes}")
        self._slots = slots
        self._slot_bytes = -(-slot_bytes // 8) * 8
        self._block = RawArray("b", 16 + slots * (8 * _WORDS + self._slot_bytes))
        self._view()

    def _view(self) -> None:
        every = np.frombuffer(self._block, np.uint8)
        self._counts: NDArray[np.int64] = every[:16].view(np.int64)
        size = 8 * _WORDS + self._slot_bytes
        rows = every[16:].reshape(self._slots, size)
        self._heads: list[NDArray[np.int64]] = [row[: 8 * _WORDS].view(np.int64) for row in rows]
        self._bodies: list[NDArray[np.uint8]] = [row[8 * _WORDS :] for row in rows]

    def __getstate__(self) -> dict[str, Any]:
        return {"_slots": self._slots, "_slot_bytes": self._slot_bytes, "_block": self._block}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._view()

    def __len__(self) -> int:
        return min(self._slots, int(self._counts[_PUT] - self._counts[_TAKEN]))

    # the process that puts -----------------------------------------------------------------------------------

    @property
    def next_number(self) -> int:
        """The number that the next item will have, from 0."""
        return int(self._counts[_PUT])

    def overwrites(self) -> int | None:
        """The number of the item that `put` would overwrite before it was taken; None where there is room."""
        oldest = self.next_number - self._slots
        return oldest if oldest >= int(self._counts[_TAKEN]) else None

    def put(self, item: object) -> None:
        """Add an item in place of the oldest, taken or not.

        Raises:
            ItemTooLargeError: It has no room in a slot; nothing was added.
        """
        buffers: list[pickle.PickleBuffer] = []
        head = pickle.dumps(item, protocol=5, buffer_callback=buffers.append)
        if len(buffers) > _MOST_BUFFERS:
            head, buffers = pickle.dumps(item, protocol=5), []
        parts = [np.frombuffer(head, np.uint8), *(np.frombuffer(part.raw(), np.uint8) for part in buffers)]
        total = sum(part.size for part in parts)
        if total > self._slot_bytes:
            raise ItemTooLargeError(total, self._slot_bytes)
        number = self.next_number
        words, body = self._heads[number % self._slots], self._bodies[number % self._slots]
        words[0] = number + 1  # 0 is an empty slot
        words[2:] = -1
        start = 0
        for index, part in enumerate(parts):
            body[start : start + part.size] = part
            words[2 + index] = part.size
            start += part.size
        words[1] = number + 1
        self._counts[_PUT] = number + 1

    # the process that takes ----------------------------------------------------------------------------------

    def take(self) -> Any | None:
        """Remove and return the oldest item that is left; None where there is none."""
        while (taken := int(self._counts[_TAKEN])) < (put := self.next_number):
            number = max(taken, put - self._slots)
            words, body = self._heads[number % self._slots], self._bodies[number % self._slots]
            sizes = [int(size) for size in words[2:] if size >= 0]
            whole = words[1] == number + 1 and sum(sizes) <= self._slot_bytes
            parts: list[bytearray] = []
            start = 0
            for size in sizes if whole else ():
                parts.append(bytearray(body[start : start + size]))
                start += size
            whole = whole and words[0] == number + 1
            self._counts[_TAKEN] = number + 1
            if whole:
                return pickle.loads(parts[0], buffers=parts[1:])
        return None
