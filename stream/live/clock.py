"""A camera's timestamps into true times: on this machine's monotonic clock first, then on the wall's.

A capture process maps presentation times to the monotonic clock, which all processes of a machine share and nobody
sets. One `Wall` then turns that into seconds since 1970 (UTC) for all cameras.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

# The least delay is taken over twice this time, seconds: cameras' clocks drift by seconds a day.
_WINDOW_S = 10.0
# A change of the delay by this many seconds means that the camera's clock jumped, not that the network is slow.
_JUMP_S = 20.0
# Least time between two frames of a camera, seconds.
LEAST_STEP_S = 0.001
# Difference in seconds from which the machine's clock is followed.
_STEP_S = 0.5
# Share of time by which times fall back to it.
_SLEW = 0.1


class LiveClock:
    """Times of one camera's frames on the monotonic clock, strictly rising.

    A frame that was delayed more was not taken later, so presentation times are shifted by the least delay of the
    last seconds, which follows a drifting clock. When presentation times jump, the shift starts from the arrival.
    """

    def __init__(self) -> None:
        self.jumps = 0
        self._least = [math.inf, math.inf]
        self._window_end_s = -math.inf
        self._last_pts_s: float | None = None
        self._last_s = -math.inf

    def time_s(self, pts_s: float | None, arrived_s: float) -> float:
        """Return when a frame was taken, in seconds of the monotonic clock.

        Args:
            pts_s: Its presentation time in seconds, in presentation order; None if the source gives none.
            arrived_s: When it arrived, on the monotonic clock.
        """
        taken_s = arrived_s if pts_s is None else self._mapped(pts_s, arrived_s)
        self._last_s = max(taken_s, self._last_s + LEAST_STEP_S)
        return self._last_s

    def place_s(self, pts_s: float | None, arrived_s: float) -> float:
        """When something beside the frames was taken, sound for instance; the clock stays as it is.

        Args:
            pts_s: Its presentation time in seconds on the frames' clock; None if the source gives none.
            arrived_s: When it arrived, on the monotonic clock.
        """
        least_s = min(self._least)
        if pts_s is None or not math.isfinite(least_s) or abs(pts_s + least_s - arrived_s) > _JUMP_S:
            return arrived_s
        return pts_s + least_s

    def _mapped(self, pts_s: float, arrived_s: float) -> float:
        delay_s, least_s = arrived_s - pts_s, min(self._least)
        back = self._last_pts_s is not None and pts_s <= self._last_pts_s
        self._last_pts_s = pts_s
        if back or (math.isfinite(least_s) and abs(delay_s - least_s) > _JUMP_S):
            self.jumps += 1
            self._least = [math.inf, math.inf]
        if arrived_s >= self._window_end_s:
            self._least = [self._least[1], math.inf]
            self._window_end_s = arrived_s + _WINDOW_S
        self._least[1] = min(self._least[1], delay_s)
        return pts_s + min(self._least)


class Wall:
    """Seconds since 1970 (UTC) for times of the monotonic clock.

    If the machine's clock is set forward (as after a boot without one), times follow at once, which makes a gap.
    If it is set back, times go on rising, a tenth slower than true, until both agree.

    Args:
        wall: Seconds since 1970.
        monotonic: Seconds of the monotonic clock.
    """

    def __init__(
        self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._looked_s = monotonic()
        self._offset_s = wall() - self._looked_s
        self.jumps = 0

    def at(self, monotonic_s: float) -> float:
        """Seconds since 1970 at a time of the monotonic clock."""
        return monotonic_s + self._offset_s

    def now_s(self) -> float:
        """Seconds since 1970."""
        return self.at(self._monotonic())

    def look(self) -> None:
        """Compare with the machine's clock; call it about once a second."""
        now_s = self._monotonic()
        ahead_s = self._offset_s - (self._wall() - now_s)
        if ahead_s < -_STEP_S:
            self.jumps += 1
            self._offset_s -= ahead_s
        elif ahead_s > _STEP_S:
            self._offset_s -= min(ahead_s, _SLEW * (now_s - self._looked_s))
        self._looked_s = now_s
