"""Footage of a look-back folder as one video that a browser plays while its camera goes on.

The files are joined into fragmented MP4, a few tenths of a second a fragment, so that a browser shows what has
come before the rest is there. What browsers can play is not encoded again; anything else becomes H.264 on the way.
Times in the video count from its first picture and keep the pace of the clock on the wall.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from hippocam.stream.clips.look_back import packets_of
from hippocam.stream.live.lookback import segments, start_of

# Codecs that every browser plays, as FFmpeg calls them.
PLAYED = ("h264",)
# A pause between two files up to this long belongs to the same stretch; where a file's end is not known, it is
# taken to last until the next one begins, up to so long.
PAUSE_S, _LONGEST_FILE_S = 3.0, 15.0
# How long nothing may come before a video ends, and how often it is looked for.
_AWAY_S, _LOOK_S = 15.0, 0.3
# Times go through names of files and addresses, in milliseconds.
_EXACT_S = 0.002
_FORMAT = {"movflags": "empty_moov+default_base_moof", "frag_duration": "400000"}
_ENCODER, _OPTIONS = "libx264", {"preset": "ultrafast", "tune": "zerolatency", "crf": "28", "threads": "1"}
_SIDE_PX = 1280


class Stretch(NamedTuple):
    """A stretch of time of which there is footage, seconds since 1970."""

    t0_s: float
    t1_s: float


def stretches(folder: Path) -> list[Stretch]:
    """The stretches of time of which a look-back folder has footage, by time; its writer may be at work."""
    found: list[Stretch] = []
    files = segments(folder)
    for index, path in enumerate(files):
        t0_s = start_of(path)
        next_s = start_of(files[index + 1]) if index + 1 < len(files) else None
        t1_s = next_s if next_s is not None and next_s - t0_s <= _LONGEST_FILE_S else _end_s(path)
        if found and t0_s - found[-1].t1_s <= PAUSE_S:
            found[-1] = Stretch(found[-1].t0_s, max(found[-1].t1_s, t1_s))
        elif t1_s > t0_s:
            found.append(Stretch(t0_s, t1_s))
    return found


def start_before(folder: Path, time_s: float) -> float | None:
    """Where a video that shows a time begins: the key frame before it; None where there is no footage of it."""
    path = _file_of(folder, time_s)
    if path is None or not any(part.t0_s <= time_s <= part.t1_s + PAUSE_S for part in stretches(folder)):
        return None
    keys = [at_s for at_s, packet, _ in packets_of(path) if packet.is_keyframe and at_s <= time_s]
    return max(keys, default=None)


def follow(
    folder: Path, start_s: float, *, sleep: Callable[[float], None] = time.sleep, away_s: float = _AWAY_S
) -> Iterator[bytes]:
    """Give the footage from a key frame on, and what is added to it, as fragmented MP4.

    It ends where nothing was filmed for a while, where the picture changes its size, and where nothing more comes.

    Args:
        folder: The camera's folder.
        start_s: When the key frame was taken, as `start_before` gives it.
        sleep: Waits.
        away_s: How long nothing may come.
    """
    import av

    sink, writer = _Sink(), None
    with av.open(sink, "w", format="mp4", options=_FORMAT) as container:
        for time_s, packet, stream in _without_pause(_files(folder, start_s, sleep, away_s)):
            if time_s < start_s - _EXACT_S:
                continue
            if writer is None:
                kind = _Copied if stream.codec_context.name in PLAYED else _Encoded
                writer = kind(container, stream, time_s)
            writer.write(time_s, packet)
            if sink.waiting:
                yield sink.take()
        if writer is not None:
            writer.end()
    if writer is not None:
        yield sink.take()


def _without_pause(files: Iterator[Path]) -> Iterator[tuple[float, Any, Any]]:
    """The packets of files with their times and streams, as far as one stretch of one picture size goes."""
    last_s, look = None, None
    for path in files:
        for time_s, packet, stream in packets_of(path):
            context = stream.codec_context
            now = (context.name, context.width, context.height)
            if (last_s is not None and time_s - last_s > PAUSE_S) or look not in (None, now):
                return
            last_s, look = time_s, now
            yield time_s, packet, stream


class _Sink:
    """Takes what a container writes, until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, content: bytes) -> int:
        self._parts.append(bytes(content))
        return len(content)

    @property
    def waiting(self) -> bool:
        """Whether there is anything to take."""
        return bool(self._parts)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken, self._parts = b"".join(self._parts), []
        return taken


class _Copied:
    """Puts packets into a container as they are, with times from its first one on."""

    def __init__(self, container: Any, stream: Any, origin_s: float) -> None:
        self._container, self._origin_s, self._last_dts = container, origin_s, -(2**62)
        self._into = container.add_stream_from_template(stream)

    def write(self, time_s: float, packet: Any) -> None:
        pts = round((time_s - self._origin_s) / packet.time_base)
        dts = max(pts - (packet.pts - packet.dts), self._last_dts + 1)
        packet.pts, packet.dts, self._last_dts = max(pts, dts), dts, dts
        packet.stream = self._into
        self._container.mux(packet)

    def end(self) -> None:
        """There is nothing left to write."""


class _Encoded:
    """Decodes packets, and encodes their pictures for browsers."""

    def __init__(self, container: Any, stream: Any, origin_s: float) -> None:
        self._container, self._origin_s, self._last_ms = container, origin_s, -1
        context = stream.codec_context
        scale = min(1.0, _SIDE_PX / max(context.width, context.height, 1))
        self._into = container.add_stream(_ENCODER, rate=30, options=_OPTIONS)
        self._into.width = max(2, 2 * round(context.width * scale / 2))
        self._into.height = max(2, 2 * round(context.height * scale / 2))
        self._into.pix_fmt = "yuv420p"
        self._into.codec_context.time_base = Fraction(1, 1000)

    def write(self, time_s: float, packet: Any) -> None:
        for frame in packet.decode():
            shown = frame.reformat(self._into.width, self._into.height, "yuv420p")
            self._last_ms = max(round(1000 * (time_s - self._origin_s)), self._last_ms + 1)
            shown.pts, shown.time_base, shown.pict_type = self._last_ms, Fraction(1, 1000), 0
            self._container.mux(self._into.encode(shown))

    def end(self) -> None:
        """Write what the encoder holds back."""
        self._container.mux(self._into.encode(None))


def _files(folder: Path, start_s: float, sleep: Callable[[float], None], away_s: float) -> Iterator[Path]:
    """The files from that of a time on, as they are closed: the newest is written to until another is there."""
    first = _file_of(folder, start_s)
    last_s, waited_s = (start_s if first is None else start_of(first)) - _EXACT_S, 0.0
    while True:
        later = [path for path in segments(folder) if start_of(path) > last_s]
        for path in later[:-1]:
            yield path
            last_s, waited_s = start_of(path), 0.0
        if waited_s >= away_s:
            yield from later[-1:]  # nobody goes on with it
            return
        sleep(_LOOK_S)
        waited_s += _LOOK_S


def _file_of(folder: Path, time_s: float) -> Path | None:
    """The last file that begins before a time."""
    return max(
        (path for path in segments(folder) if start_of(path) <= time_s + _EXACT_S), key=start_of, default=None
    )


def _end_s(path: Path) -> float:
    """When the last picture of a file was taken; its start where it cannot be read."""
    return max((time_s for time_s, _, _ in packets_of(path)), default=start_of(path))
