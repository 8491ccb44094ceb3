"""What a capture process tells the process that started it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The source could be opened.

    Attributes:
        codec: Its codec, "h264" for instance; "raw" for a webcam.
    """

    codec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """A sampled frame.

    Attributes:
        taken_s: When it was taken, seconds of the monotonic clock; strictly rising within one run.
        image: uint8 [H, W, 3] RGB, at most as large as the settings say.
        size: Width and height in pixels as the camera sent it.
    """

    taken_s: float
    image: Image
    size: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A piece of what the camera hears.

    Attributes:
        taken_s: When its first sample was taken, seconds of the monotonic clock.
        samples_N: int16 [N] at 16 kHz, one channel.
    """

    taken_s: float
    samples_N: NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """Frames still arrive; sent about once a second, and never while a read blocks.

    Attributes:
        frames: Frames decoded in this run.
        damaged: Packets of this run that could not be decoded.
        jumps: Jumps of the camera's clock in this run.
        lag_s: How late the newest frame came, seconds.
    """

    frames: int
    damaged: int
    jumps: int
    lag_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The source cannot be opened, or not be read any further; the last message."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A file was played to its end; the last message."""


Message = Opened | Captured | Sound | Beat | Failed | Ended
