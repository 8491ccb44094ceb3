"""Short files of a look-back folder into one clip, joined without encoding anything again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from hippocam.stream.errors import ClipError, NoFootageError
from hippocam.stream.live.lookback import segments, start_of
from hippocam.stream.sources.files import open_alone

_FORMATS = {".mp4": "mp4", ".mkv": "matroska"}
# A pause between two files up to this long is shown as it was; a longer one is cut out and reported.
_PAUSE_S = 1.0
_NOMINAL_S = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A written clip.

    Attributes:
        path: The file.
        spans: What it shows, [t0_s, t1_s] each, seconds since 1970; more than one where the camera was away.
        frames: How many.
    """

    path: Path
    spans: tuple[tuple[float, float], ...]
    frames: int


@dataclass(frozen=True, slots=True)
class _File:
    """A file as far as it is written.

    Attributes:
        path: Where it is.
        look: What one clip cannot mix: codec and picture size.
        packets: Time since 1970 in seconds of each packet, and whether it is a key frame.
        skip: Packets at its start that are not wanted.
    """

    path: Path
    look: tuple[object, ...]
    packets: list[tuple[float, bool]]
    skip: int = 0


def write_clips(folder: Path, out: Path, last_s: float) -> list[Clip]:
    """Write the newest footage of a look-back folder.

    Args:
        folder: The camera's folder; its writer may be at work.
        out: Where to: .mp4 or .mkv. Where the picture changed its size on the way, the later parts go into
            FILE-2.mp4 and so on.
        last_s: Seconds before the newest frame, above 0. The clip begins with the key frame before that.

    Raises:
        NoFootageError: There is none.
        ClipError: It cannot be written so.
    """
    import av

    if not last_s > 0:
        raise ClipError(f"a clip's length must be above 0 seconds, found {last_s:g}")
    if out.suffix.casefold() not in _FORMATS:
        raise ClipError(f"{out}: a clip's name must end in {' or '.join(_FORMATS)}")
    clips: list[Clip] = []
    try:
        for number, (_, files) in enumerate(groupby(_wanted(folder, last_s), key=lambda file: file.look)):
            path = out.with_name(f"{out.stem}-{number + 1}{out.suffix}") if number else out
            clips.append(_write(list(files), path))
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ClipError(f"{out}: cannot be written ({reason}); try a name that ends in .mkv") from error
    if not clips:
        raise NoFootageError(folder)
    return clips


def _wanted(folder: Path, last_s: float) -> list[_File]:
    """The files to write, in order; the first without what precedes the last key frame that is early enough."""
    files: list[_File] = []
    newest_s = 0.0
    for path in reversed(segments(folder)):
        file = _scan(path)
        if file is None:
            continue
        newest_s = newest_s or max(time_s for time_s, _ in file.packets)
        files.append(file)
        early = [i for i, (time_s, key) in enumerate(file.packets) if key and time_s <= newest_s - last_s]
        if early:
            files[-1] = replace(file, skip=early[-1])
            break
    return files[::-1]


def _scan(path: Path) -> _File | None:
    """What is in a file; None if it is gone or only just begun."""
    packets: list[tuple[float, bool]] = []
    look: tuple[object, ...] = ()
    for time_s, packet, stream in _packets(path):
        context = stream.codec_context
        look = (context.name, context.width, context.height)
        packets.append((time_s, packet.is_keyframe))
    return _File(path, look, packets) if packets else None


def _packets(path: Path) -> Iterator[tuple[float, Any, Any]]:
    """The packets of a file with their times since 1970, and their stream; both must not outlive the walk."""
    import av

    with suppress(av.FFmpegError, FileNotFoundError), open_alone(path) as container:
        stream, first_s = container.streams.video[0], None
        for packet in _with_dts(container.demux(stream)):
            at_s = float(packet.pts * packet.time_base)
            first_s = at_s if first_s is None else first_s
            yield start_of(path) + at_s - first_s, packet, stream


def _with_dts(packets: Iterator[Any]) -> Iterator[Any]:
    """Matroska holds no decoding times, and the first packets of a file come without: a tick each is enough."""
    waiting: list[Any] = []
    for packet in packets:
        if packet.pts is None or not packet.size:
            continue
        waiting.append(packet)
        if packet.dts is not None:
            yield from _ticks_before(waiting, packet.dts)
            waiting = []
    if waiting:
        yield from _ticks_before(waiting, waiting[0].pts)


def _ticks_before(packets: list[Any], last_dts: int) -> list[Any]:
    for back, packet in enumerate(reversed(packets)):
        packet.dts = last_dts - back
    return packets


def _write(files: list[_File], path: Path) -> Clip:
    import av

    unfinished = path.with_name(f".{path.name}.part")
    try:
        with av.open(str(unfinished), "w", format=_FORMATS[path.suffix.casefold()]) as container:
            clip = _mux(files, container, path)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return clip


def _mux(files: list[_File], container: Any, path: Path) -> Clip:
    spans: list[tuple[float, float]] = []
    origin_s, frames = files[0].packets[files[0].skip][0], 0  # the time since 1970 that the clip shows as 0
    last_dts, into = -(2**62), None
    for file in files:
        walk = islice(_packets(file.path), file.skip, len(file.packets))
        for index, (time_s, packet, stream) in enumerate(walk):
            into = into or container.add_stream_from_template(stream)
            if not spans:
                spans.append((time_s, time_s))
            elif not index and not 0 <= time_s - spans[-1][1] <= _PAUSE_S:
                origin_s += time_s - spans[-1][1] - _NOMINAL_S
                spans.append((time_s, time_s))
            spans[-1] = spans[-1][0], max(spans[-1][1], time_s)
            pts = round((time_s - origin_s) / packet.time_base)
            dts = max(pts - (packet.pts - packet.dts), last_dts + 1)
            packet.dts, packet.pts, last_dts = dts, max(pts, dts), dts
            packet.stream = into
            container.mux(packet)
            frames += 1
    return Clip(path=path, spans=tuple(spans), frames=frames)
