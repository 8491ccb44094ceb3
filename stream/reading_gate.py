"""Reading gate: a changed frame of a stream in, whether its text is read out, before anything reads.

Coarser than the change gate, since reading costs more than looking: a slide is read once, as soon as it stands,
whatever moves a little beside it; a film that moves all the time is read now and then. It decides in the order of
the stream, from pictures and times alone, so every executor reads the same frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.gate import Glance

_SIDE_PX = 64
_LEVEL = 14
# Frames that may be read in a row after a pause, while the picture moves.
_BURST = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingConfig:
    """Which frames are read, where a sense reads; only frames that passed the change gate.

    Attributes:
        area: Share of the picture that must differ from the one that was read last, 0 to 1. A line of a caption
            takes about 0.01, one of two short words 0.005.
        every_s: Mean time between two readings while the picture moves, seconds, 0 to 3600.
        least_s: Time after which changes of less than `area` are read all the same, seconds, 1 or more.
    """

    area: float = 0.004
    every_s: float = 5.0
    least_s: float = 30.0

    def __post_init__(self) -> None:
        for name, low, high in (("area", 0.0, 1.0), ("every_s", 0.0, 3600.0), ("least_s", 1.0, 1e9)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"reading.{name} must be {low:g} to {high:g}, found {value}")


class ReadingGate:
    """Compares each changed frame of one stream with the last one that was read, and with the one before it."""

    def __init__(self, config: ReadingConfig) -> None:
        self._config = config
        self._read: NDArray[np.int16] | None = None
        self._before: NDArray[np.int16] | None = None
        self._read_s = self._last_s = 0.0
        self._may = _BURST  # how many frames may be read while the picture moves
        self._waits = False

    def due(self, seen: Glance, time_s: float) -> bool:
        """Tell whether a changed frame is to be read; if so it becomes the one that was read last.

        Args:
            seen: The frame. Its size may change from frame to frame.
            time_s: Its time. Where that goes backwards, it is read.
        """
        since_s, every_s = time_s - self._last_s, self._config.every_s
        more = since_s / every_s if every_s > 0 and since_s >= 0 else _BURST
        self._may, self._last_s, self._waits = min(_BURST, self._may + more), time_s, False
        small = seen.square(_SIDE_PX).astype(np.int16)
        stands = self._before is not None and not self._differ(small, self._before)
        self._before = small
        known = self._read is not None and 0 <= time_s - self._read_s < self._config.least_s
        if known and self._read is not None and not self._differ(small, self._read):
            return False
        if not stands:
            if self._may < 1:
                self._waits = True
                return False
            self._may -= 1
        self._read, self._read_s = small, time_s
        return True

    def overdue(self, seen: Glance, time_s: float) -> bool:
        """Tell whether an unchanged frame is to be read: if the change before it was not, since it moved."""
        return self._waits and self.due(seen, time_s)

    def _differ(self, a: NDArray[np.int16], b: NDArray[np.int16]) -> bool:
        return float((np.abs(a - b).max(axis=2) > _LEVEL).mean()) > self._config.area
