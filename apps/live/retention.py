"""What is older than so many days is deleted, by the live process itself: at its start, and then once a day."""

from __future__ import annotations

import math
from collections.abc import Callable

from hippocam.apps.forget import delete
from hippocam.memory.filter import Filter
from hippocam.memory.memory import MemoryWriter
from hippocam.stream.timecode import DATES_FROM_S

_DAY_S = 86_400.0


class Retention:
    """Says what is due to be deleted.

    Args:
        memory: Open for writing.
        days: How many days what was seen is kept, above 0.
        now_s: The clock on the wall, seconds since 1970.
    """

    def __init__(self, memory: MemoryWriter, days: float, now_s: Callable[[], float]) -> None:
        self._memory, self._days, self._now_s = memory, days, now_s
        self._looked_s = -math.inf

    def due(self) -> Filter | None:
        """What is too old; None where nothing is, or it was looked after less than a day ago."""
        now_s = self._now_s()
        if 0 <= now_s - self._looked_s < _DAY_S:
            return None
        self._looked_s, before_s = now_s, now_s - self._days * _DAY_S
        starts = [stream.t0_s for stream in self._memory.streams() if stream.t0_s is not None]
        old = [start_s for start_s in starts if DATES_FROM_S <= start_s < before_s]
        return Filter(before_s=before_s) if old else None

    def delete(self, wanted: Filter) -> None:
        """Delete it, with footage, alerts and their pictures; films in the same memory have no dates, and stay.

        A visit that goes on after that time stays, whole: a car that stands there for weeks is one visit.
        """
        for stream in self._memory.streams():
            if stream.t0_s is not None and stream.t0_s >= DATES_FROM_S:
                delete(self._memory, Filter(stream=stream.id, before_s=wanted.before_s), ended_only=True)
