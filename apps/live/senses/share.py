"""A share of the time: what a sense of a live process may take, and what it took."""

from __future__ import annotations

import time
from collections.abc import Callable

# How much time that was not used can be saved up, seconds of the clock on the wall.
_SAVED_S = 30.0


class Share:
    """Counts the time that some work takes against what it may take.

    Args:
        share: What it may take of the time, above 0 up to 1.
        clock_s: Seconds of the monotonic clock.
    """

    def __init__(self, share: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.share, self._clock_s = share, clock_s
        self._begun_s = self._then_s = clock_s()
        self._saved_s, self._busy_s = share * _SAVED_S, 0.0

    def has_time(self) -> bool:
        """Whether some of it is left now; the work may then take longer, and the next one waits for that."""
        now_s = self._clock_s()
        self._saved_s = min(self._saved_s + self.share * (now_s - self._then_s), self.share * _SAVED_S)
        self._then_s = now_s
        return self._saved_s > 0

    def take(self, took_s: float) -> None:
        """Count what the work took, seconds."""
        self._saved_s, self._busy_s = self._saved_s - took_s, self._busy_s + took_s

    def used(self) -> float:
        """The share of the time since the start that it took."""
        return round(self._busy_s / max(self._clock_s() - self._begun_s, 1e-9), 4)
