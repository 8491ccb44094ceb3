"""A part that is built on first use, once, whichever thread comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lazy(Generic[T]):
    """Holds a factory and, from the first call on, what it made; pickles as the factory alone."""

    def __init__(self, factory: Callable[[], T]) -> None:
        self._factory = factory
        self._lock = threading.Lock()
        self._made: list[T] = []

    def __call__(self) -> T:
        """Give the part; other threads wait while it is built. After an error the next call tries again."""
        with self._lock:
            if not self._made:
                self._made.append(self._factory())
            return self._made[0]

    def __reduce__(self) -> tuple[type[Lazy[T]], tuple[Callable[[], T]]]:
        return type(self), (self._factory,)
