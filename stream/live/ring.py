"""A bounded queue that never makes its producer wait: where it is full, the oldest goes and is counted."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class DropRing(Generic[T]):
    """One producer's newest items for one consumer.

    Args:
        size: Items at most, 1 or more.
        ready: Set whenever an item is put in; may be shared by several rings.
    """

    def __init__(self, size: int, ready: threading.Event | None = None) -> None:
        if size < 1:
            raise ValueError(f"a ring must hold 1 item or more, found {size}")
        self._items: deque[T] = deque()
        self._size = size
        self._ready = ready or threading.Event()
        self._lock = threading.Lock()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Take an item in, the oldest out where there is no room."""
        with self._lock:
            if len(self._items) == self._size:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
        self._ready.set()

    def take(self) -> T | None:
        """The oldest item; None where there is none."""
        with self._lock:
            return self._items.popleft() if self._items else None
