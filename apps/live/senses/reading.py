"""Reading what is written in live pictures, for no more than a share of the time.

To read a picture takes several times as long as to encode it, and the other cameras wait meanwhile. So reading has
a share of the thread that looks: what that does not suffice for is left out, and counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypedDict

from hippocam.apps.live.senses.share import Share
from hippocam.stream.protocols import Sense
from hippocam.stream.records import NOTHING_SENSED, Image, Sensed


class ReadingJson(TypedDict):
    """How much was read: the share that reading may take and took, pictures read and left out."""

    share: float
    used: float
    read: int
    left_out: int


class SharedReading:
    """A sense that looks at no more pictures than fit into its share of the time.

    Args:
        sense: Reads.
        share: What it may take of the time, above 0 up to 1.
        clock_s: Seconds of the monotonic clock.
    """

    def __init__(self, sense: Sense, share: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._sense, self._share, self._clock_s = sense, Share(share, clock_s), clock_s
        self._read, self._left_out = 0, 0

    @property
    def id(self) -> str:
        """That of the sense."""
        return self._sense.id

    def look(self, image: Image) -> Sensed:
        """Look at a picture, or find nothing where the share is used up: then nobody has read it."""
        if not self._share.has_time():
            self._left_out += 1
            return NOTHING_SENSED
        start_s = self._clock_s()
        found = self._sense.look(image)
        self._share.take(self._clock_s() - start_s)
        self._read += 1
        return found

    def status(self) -> ReadingJson:
        """How much was read so far."""
        return {
            "share": self._share.share,
            "used": self._share.used(),
            "read": self._read,
            "left_out": self._left_out,
        }
