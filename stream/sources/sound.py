"""The sound of a video file into samples at their true times, a stretch at a time."""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hippocam.stream.records import FloatArray
from hippocam.stream.sources.decode.joined import JoinedClock, begins_again
from hippocam.stream.sources.decode.packet_index import container_zero_s, header_length_s, video_stream
from hippocam.stream.sources.files import open_container, packets_of

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
        joined = _joined(path, uri, path.stat().st_size)
        if joined is not None:
            return joined.end_s
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
    with ExitStack() as opened:
        container = opened.enter_context(open_container(path, uri))
        track = _track(container)
        if track is None or not track.time_base:
            return np.zeros(0, np.float32), from_s
        zero_s = container_zero_s(container, uri)
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        joined = _joined(path, uri, path.stat().st_size)
        if from_s > _SETTLE_S and joined is None:  # else times are known from its start on
            try:
                container.seek(int((from_s - _SETTLE_S + zero_s) / track.time_base), stream=track)
            except av.FFmpegError:  # as towards the end of some program streams: it is read from its start
                container = opened.enter_context(open_container(path, uri))
                track = _track(container)
        pieces: list[tuple[int, FloatArray]] = []
        at: int | None = None
        try:
            for frame in _frames(container, track, joined.shifts_s if joined else ()):
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


def _frames(container: Any, track: Any, shifts_s: Sequence[float]) -> Iterator[Any]:
    """Decode the sound from where the container is; where time begins again, it is moved as the pictures are.

    A packet that cannot be decoded, as one that was cut in two where reading began, is left out.
    """
    import av

    clock = JoinedClock(container, shifts_s)
    for packet in packets_of(container, track):
        clock.set(packet)
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        yield from frames


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joined:
    """What is to be known of the sound of recordings that were joined.

    Attributes:
        end_s: When it ends, seconds.
        shifts_s: By how much the pictures were moved at each join; empty where sound and pictures differ in these.
    """

    end_s: float
    shifts_s: tuple[float, ...]


@functools.lru_cache(maxsize=8)
def _joined(path: Path, uri: str, size: int) -> _Joined | None:
    """Look through a file that was joined of several; None where it was not.

    Args:
        path: The file.
        uri: Its name in messages.
        size: Its size in bytes: one that grew is looked at anew.
    """
    with open_container(path, uri) as container:
        format_name = container.format.name
    if format_name != "mpegts" or not begins_again(path, format_name):
        return None
    shifts_s, _ = _clocked(path, uri, sound=False, shifts_s=())
    own_s, end_s = _clocked(path, uri, sound=True, shifts_s=())
    if not own_s:
        return None
    if len(own_s) != len(shifts_s):
        return _Joined(end_s=end_s, shifts_s=())
    return _Joined(end_s=_clocked(path, uri, sound=True, shifts_s=shifts_s)[1], shifts_s=tuple(shifts_s))


def _clocked(path: Path, uri: str, *, sound: bool, shifts_s: Sequence[float]) -> tuple[list[float], float]:
    """By how much a file's sound or pictures are moved at each join, and when they end, seconds."""
    import av

    with open_container(path, uri) as container:
        track = _track(container) if sound else video_stream(container, uri)
        clock, end_s = JoinedClock(container, shifts_s), 0.0
        if track is None:
            return [], 0.0
        try:
            for packet in packets_of(container, track):
                clock.set(packet)
                if packet.pts is not None and packet.time_base:
                    end_s = max(end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
        except av.FFmpegError as error:
            log.info("%s: reading its packets stopped early: %s", uri, error)
        return clock.shifts_s, end_s - container_zero_s(container, uri)


def _track(container: Any) -> Any:
    """The sound of an open file that a player would play; None where it has none that can be decoded."""
    track = container.streams.best("audio")
    return track if track is not None and track.codec_context is not None else None
