"""The sound of a video file into samples at their true times, a stretch at a time."""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hippocam.stream.records import FloatArray
from hippocam.stream.sources.decode.joined import JoinedClock
from hippocam.stream.sources.decode.packet_index import container_zero_s, header_length_s
from hippocam.stream.sources.files import open_container

log = logging.getLogger(__name__)

# Samples a second.
RATE = 16_000
# Seconds that are decoded before a stretch, so that the decoder has settled when it begins.
_SETTLE_S = 1.0


def sound_length_s(path: Path, uri: str) -> float | None:
    """How long the sound of a file lasts, seconds from the time shown as 0; None where it has none.

    Raises:
        SourceError: The file cannot be opened, or has no picture.
    """
    with open_container(path, uri) as container:
        track = _track(container)
        if track is None:
            return None
        length_s = header_length_s(container)
        joined_s = _joined_end_s(path, uri, path.stat().st_size)
        if joined_s is not None:
            return joined_s
        if track.duration and track.time_base:
            start_s = float((track.start_time or 0) * track.time_base) - container_zero_s(container, uri)
            return max(0.0, start_s + float(track.duration * track.time_base))
        return length_s


def read_sound(path: Path, uri: str, from_s: float, to_s: float) -> tuple[FloatArray, float]:
    """Decode a stretch of a file's sound.

    Args:
        path: The file.
        uri: Its name in messages.
        from_s: Start, seconds on the clock of the file's pictures.
        to_s: End; infinite for the end of the sound.

    Returns:
        float32 [N] at 16 kHz, one channel, -1 to 1, with silence where the file has none; and the time of its
        first sample, which is from_s, 0 at least. What is damaged is left out.

    Raises:
        SourceError: The file cannot be opened, or has no picture.
    """
    import av

    from_s = max(0.0, from_s)
    with open_container(path, uri) as container:
        track = _track(container)
        if track is None or not track.time_base:
            return np.zeros(0, np.float32), from_s
        zero_s = container_zero_s(container, uri)
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        joined = (
            _joined_end_s(path, uri, path.stat().st_size) is not None
        )  # then times are known from its start on
        if from_s > _SETTLE_S and not joined:
            container.seek(int((from_s - _SETTLE_S + zero_s) / track.time_base), stream=track)
        pieces: list[tuple[int, FloatArray]] = []
        at: int | None = None
        try:
            for frame in _frames(container, track):
                if frame.pts is not None:
                    start_s = float(frame.pts * frame.time_base) - zero_s
                    if start_s >= to_s:
                        break
                    told = round((start_s - from_s) * RATE)
                    # rounding of timestamps is no gap
                    at = told if at is None or abs(told - at) > RATE // 20 else at
                frame.pts = None
                for piece in resampler.resample(frame):
                    samples = piece.to_ndarray()[0].astype(np.float32)
                    at = at or 0
                    pieces.append((at, samples))
                    at += len(samples)
        except av.FFmpegError as error:
            log.info("%s: decoding its sound stopped early: %s", uri, error)
    end = max((at + len(samples) for at, samples in pieces), default=0)
    count = max(0, end if math.isinf(to_s) else min(end, round((to_s - from_s) * RATE)))
    sound_N = np.zeros(count, np.float32)
    for at, samples in pieces:
        first, last = max(0, at), min(count, at + len(samples))
        if first < last:
            sound_N[first:last] = samples[first - at : last - at]
    return sound_N, from_s


def _frames(container: Any, track: Any) -> Iterator[Any]:
    """Decode the sound from where the container is; where time begins again, it is counted on."""
    clock = JoinedClock(container)
    for packet in container.demux(track):
        clock.set(packet)
        yield from packet.decode()


@functools.lru_cache(maxsize=8)
def _joined_end_s(path: Path, uri: str, size: int) -> float | None:
    """When the sound of a file that was joined of several ends, seconds; None where it was not.

    Args:
        path: The file.
        uri: Its name in messages.
        size: Its size in bytes: one that grew is looked at anew.
    """
    import av

    with open_container(path, uri) as container:
        track = _track(container)
        if track is None or container.format.name != "mpegts":
            return None
        clock, end_s = JoinedClock(container), 0.0
        try:
            for packet in container.demux(track):
                clock.set(packet)
                if packet.pts is not None and packet.time_base:
                    end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        except av.FFmpegError as error:
            log.info("%s: reading its sound stopped early: %s", uri, error)
        return end_s - container_zero_s(container, uri) if clock.jumps else None


def _track(container: Any) -> Any:
    """The sound of an open file that a player would play; None where it has none that can be decoded."""
    track = container.streams.best("audio")
    return track if track is not None and track.codec_context is not None else None
