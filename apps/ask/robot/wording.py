"""A robot's pose in words.

x and y are metres in the robot's own frame; a heading is told in degrees from the x axis towards the y axis.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.recall.rows import headings


def place_in_words(pose: NDArray[np.float64]) -> str:
    """Where a robot was: "at x 1.20 m, y -0.35 m, heading 90°"; pose: float64 [7]."""
    heading = round(float(np.degrees(headings(pose[None])[0]))) % 360
    return f"at x {pose[0]:.2f} m, y {pose[1]:.2f} m, heading {heading}°"
