"""True frame times into the frames to keep: one for each point of the time grid k / fps.

Legend: N number of frames of a source, P number of picked frames.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Containers round times to a tick (WebM: 1 ms), so a frame may lie a little before its grid point.
TOLERANCE_S = 0.001


class TimeGrid:
    """Decides frame by frame, in presentation order, which frames a sampling rate keeps.

    A frame is kept when it is the first one at or after a grid point k / fps. The first frame is always kept.
    Where time jumps (forwards or back), the first frame after the jump is kept.
    """

    def __init__(self, fps: float | None, native_fps: float | None = None) -> None:
        """Set up a grid.

        Args:
            fps: Sampling rate in frames a second, above 0; None keeps every frame.
            native_fps: The source's own rate where it is known; from there on every frame is kept.

        Raises:
            ValueError: fps is not a positive number.
        """
        if fps is not None and not (np.isfinite(fps) and fps > 0):
            raise ValueError(f"fps must be above 0 frames a second, or None for every frame, found {fps}")
        # One per cent of slack: 30 asked of a 29.97 or a millisecond-rounded 30.3 source means "all of it".
        self._fps = None if fps is None or (native_fps is not None and fps >= 0.99 * native_fps) else fps
        self._cell: int | None = None

    def keeps(self, time_s: float) -> bool:
        """Tell whether the next frame, at time_s, is kept."""
        if self._fps is None:
            return True
        cell = int(np.floor((time_s + TOLERANCE_S) * self._fps))
        kept = cell != self._cell
        self._cell = cell
        return kept


def native_rate(times_N: NDArray[np.float64]) -> float | None:
    """Return the usual rate of a source in frames a second, None for fewer than two distinct times."""
    gaps = np.diff(times_N)
    gaps = gaps[gaps > 0]
    return float(1.0 / np.median(gaps)) if len(gaps) else None


def pick_indices(times_N: NDArray[np.float64], fps: float | None) -> NDArray[np.int64]:
    """Return the indices of the frames that fps keeps.

    Args:
        times_N: float64 [N], seconds, in presentation order.
        fps: Frames a second, above 0; None, or a rate above the native one, keeps every frame.

    Returns:
        int64 [P], strictly increasing.

    Raises:
        ValueError: fps is not a positive number.
    """
    grid = TimeGrid(fps, native_rate(times_N))
    return np.array([i for i, time_s in enumerate(times_N) if grid.keeps(float(time_s))], dtype=np.int64)
