"""Packets of a live camera's sound into pieces of half a second, at the rate at which speech is heard."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.sources.sound import RATE

log = logging.getLogger(__name__)

_PIECE = RATE // 2
# Times that differ by less from where the samples before end are rounded, seconds.
_ROUNDED_S = 0.1


@dataclass(slots=True)
class ArrivedSound:
    """A piece of sound as it came.

    Attributes:
        pts_s: Presentation time of its first sample in seconds on the source's clock; None where it gives none.
        arrived_s: When the packet with that sample came, on the monotonic clock.
        samples_N: int16 [N] at 16 kHz, one channel.
    """

    pts_s: float | None
    arrived_s: float
    samples_N: NDArray[np.int16]


class Microphone:
    """Decodes the sound of one camera; what is damaged is left out, and never ends the camera.

    Args:
        track: The stream of the sound in an open container.
        timed: Whether its presentation times are the source's own.

    Attributes:
        track: As given.
    """

    def __init__(self, track: Any, *, timed: bool) -> None:
        self.track, self._timed = track, timed
        self._resampler: Any = None
        self._held: list[NDArray[np.int16]] = []
        self._count = 0
        self._pts_s: float | None = None
        self._arrived_s = 0.0

    def take(self, packet: Any, arrived_s: float) -> Iterator[ArrivedSound]:
        """Take a packet; yield what is complete with it.

        Args:
            packet: av.Packet of the track.
            arrived_s: When it came, on the monotonic clock.
        """
        import av

        try:
            for frame in packet.decode():
                yield from self._put(frame, arrived_s)
        except (av.FFmpegError, ValueError) as error:
            self._resampler = None  # it may be another kind of sound from here on
            log.debug("sound of a camera: a packet is left out: %s", error)

    def _put(self, frame: Any, arrived_s: float) -> Iterator[ArrivedSound]:
        import av

        pts_s = float(frame.pts * frame.time_base) if self._timed and frame.pts is not None else None
        if self._held and not self._follows(pts_s):
            yield self._piece()
        if not self._held:
            self._pts_s, self._arrived_s = pts_s, arrived_s
        self._resampler = self._resampler or av.AudioResampler(format="s16", layout="mono", rate=RATE)
        frame.pts = None
        for resampled in self._resampler.resample(frame):
            samples_N = resampled.to_ndarray()[0]
            self._held.append(samples_N)
            self._count += len(samples_N)
        if self._count >= _PIECE:
            yield self._piece()

    def _follows(self, pts_s: float | None) -> bool:
        """Whether what begins at a time goes on where the samples that are held end."""
        if pts_s is None or self._pts_s is None:
            return True
        return abs(pts_s - self._pts_s - self._count / RATE) <= _ROUNDED_S

    def _piece(self) -> ArrivedSound:
        piece = ArrivedSound(self._pts_s, self._arrived_s, np.concatenate(self._held))
        self._held, self._count = [], 0
        return piece


def microphone(container: Any, *, timed: bool) -> Microphone | None:
    """Listen to an open container; None where no sound comes with it that can be decoded."""
    track = container.streams.best("audio")
    if track is None or track.codec_context is None:
        return None
    return Microphone(track, timed=timed)
