"""A camera's timestamps into true times: on this machine's monotonic clock first, then on the wall's.

A capture process maps presentation times to the monotonic clock, which all processes of a machine share and nobody
sets. One `Wall` then turns that into seconds since 1970 (UTC) for all cameras.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

# Over twice this time the least delay of a frame is looked for: cameras' clocks drift by seconds a day.
_WINDOW_S = 10.0
# A frame that comes so much later or sooner than the others has another clock behind it, not a slow network.
_JUMP_S = 20.0
# Frames of one camera are this far apart at least.
LEAST_STEP_S = 0.001
# The wall's clock is followed from such a difference on; one that was set back is neared by this share of time.
_STEP_S, _SLEW = 0.5, 0.1


class LiveClock:
    """Times of one camera's frames on the monotonic clock, strictly rising.

    A frame that waited longer on its way was not taken later. So a presentation time is moved by the least delay
    of the last seconds, which follows a drifting clock. Where presentation times jump, the arrival counts anew.
    """

    def __init__(self) -> None:
        self.jumps = 0
        self._least = [math.inf, math.inf]
        self._window_end_s = -math.inf
        self._last_pts_s: float | None = None
        self._last_s = -math.inf

    def time_s(self, pts_s: float | None, arrived_s: float) -> float:
        """When a frame was taken, in seconds of the monotonic clock.

        Args:
            pts_s: Its presentation time in seconds, in presentation order; None where the source gives none.
            arrived_s: When it came, on the monotonic clock.
        """
        taken_s = arrived_s if pts_s is None else self._mapped(pts_s, arrived_s)
        self._last_s = max(taken_s, self._last_s + LEAST_STEP_S)
        return self._last_s

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

    Where the machine's clock is set forward (it had none at boot), times follow at once: a gap. Where it is set
    back, times go on rising, a tenth slower than true, until both agree.

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
        """Compare with the machine's clock; to be called every second or so."""
        now_s = self._monotonic()
        ahead_s = self._offset_s - (self._wall() - now_s)
        if ahead_s < -_STEP_S:
            self.jumps += 1
            self._offset_s -= ahead_s
        elif ahead_s > _STEP_S:
            self._offset_s -= min(ahead_s, _SLEW * (now_s - self._looked_s))
        self._looked_s = now_s
