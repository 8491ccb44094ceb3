"""The timestamps of recordings that were joined byte by byte into a time that only goes on."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

# Decoding timestamps that go back by more than this begin again; less is careless muxing.
_JITTER_S = 0.1
# A pause within a recording is shorter than this.
_LEAP_S = 3600.0


class JoinedClock:
    """Moves the timestamps of one stream's packets so that they never begin again.

    Where recordings were joined byte by byte (`cat a.ts b.ts`), each part counts from its own start. A player goes
    on with the next part where the last one ended, and so does this: at a jump back, and in a transport stream at
    a leap of hours, which is a jump back that the demuxer took for the clock's overflow.

    Args:
        container: The open file.

    Attributes:
        jumps: How often time began again so far.
    """

    def __init__(self, container: Any) -> None:
        self._leap_s = _LEAP_S if container.format.name == "mpegts" else math.inf
        self._shift = 0  # ticks, added to all timestamps from now on
        self._last: int | None = None  # decoding timestamp of the last packet, moved
        self._step = 0  # ticks between the last two packets
        self.jumps = 0

    def set(self, packet: Any) -> None:
        """Move the timestamps of the stream's next packet."""
        if packet.is_discard:
            return
        if packet.dts is not None and packet.time_base:
            self._go_on(packet.dts, packet.duration or self._step, packet.time_base)
        if self._shift:
            packet.pts = None if packet.pts is None else packet.pts + self._shift
            packet.dts = None if packet.dts is None else packet.dts + self._shift

    def _go_on(self, dts: int, duration: int, time_base: Fraction) -> None:
        moved = dts + self._shift
        if self._last is not None:
            gap_s = float((moved - self._last) * time_base)
            if not -_JITTER_S <= gap_s < self._leap_s:
                self._shift = self._last + duration - dts
                self.jumps += 1
                moved = dts + self._shift
            self._step = max(moved - self._last, 0) or self._step
        self._last = moved
