"""Sensory memory: the newest frames of a stream as they came, bounded in number and bytes, never on disk."""

from __future__ import annotations

from collections import deque

from hippocam.stream.records import Embedding


class SensoryRing:
    """The newest frames of one stream; each new one replaces the oldest.

    Args:
        frames: How many frames at most, 1 or more.
        max_bytes: How many bytes of JPEG at most; the newest frame is kept whatever its size.
    """

    def __init__(self, frames: int = 8, max_bytes: int = 1 << 20) -> None:
        self._ring: deque[Embedding] = deque(maxlen=frames)
        self.max_bytes = max_bytes
        self.bytes = 0

    def push(self, frame: Embedding) -> None:
        """Take in a new frame."""
        if len(self._ring) == self._ring.maxlen:
            self.bytes -= len(self._ring.popleft().jpeg)
        self._ring.append(frame)
        self.bytes += len(frame.jpeg)
        while self.bytes > self.max_bytes and len(self._ring) > 1:
            self.bytes -= len(self._ring.popleft().jpeg)

    def frames(self) -> list[Embedding]:
        """The frames held, the oldest first."""
        return list(self._ring)
