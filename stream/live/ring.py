"""A bounded queue that never blocks its producer: when it is full, the oldest item is dropped and counted."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class DropRing(Generic[T]):
    """The newest items of one producer, for one consumer.

    Args:
        size: Largest number of items, 1 or more.
        ready: Set whenever an item is added; several rings may share it.
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
        """Add an item; drop the oldest if there is no room."""
        with self._lock:
            if len(self._items) == self._size:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
        self._ready.set()

    def take(self) -> T | None:
        """Remove and return the oldest item; return None if there is none."""
        with self._lock:
            return self._items.popleft() if self._items else None
