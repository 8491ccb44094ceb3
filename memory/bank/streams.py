"""The streams of a bank's entries by number, and until when each was seen."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


class Streams:
    """Numbers streams as they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._ends_s: dict[int, float] = {}

    def add(self, stream: str) -> int:
        """Number of a stream, a new one where nothing of it was ever added."""
        return self._numbers.setdefault(stream, len(self._numbers))

    def number(self, stream: str) -> int:
        """Number of a stream; -1 where nothing of it was ever added."""
        return self._numbers.get(stream, -1)

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
