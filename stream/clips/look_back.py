"""Short files of a look-back folder into one clip."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from hippocam.stream.clips.clip import Clip, check_name, clip_errors, unfinished, with_dts
from hippocam.stream.errors import ClipError, NoFootageError
from hippocam.stream.live.lookback import segments, start_of
from hippocam.stream.sources.files import add_copy, open_alone

# A pause between two files up to this long is shown as it was; a longer one is cut out and reported.
_PAUSE_S = 1.0
_NOMINAL_S = 0.04


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


def write_clips(folder: Path, out: Path, last_s: float, *, kept: Path | None = None) -> list[Clip]:
    """Write the newest footage of a look-back folder.

    Args:
        folder: The camera's folder; its writer may be at work.
        out: Where to: .mp4 or .mkv. Where the picture changed its size on the way, the later parts go into
            FILE-2.mp4 and so on.
        last_s: Seconds before the newest frame, above 0. The clip begins with the key frame before that.
        kept: Another folder of the same camera, of footage that was kept longer; None for none.

    Raises:
        NoFootageError: There is none.
        ClipError: It cannot be written so.
    """
    if not last_s > 0:
        raise ClipError(f"a clip's length must be above 0 seconds, found {last_s:g}")
    newest_s = next((max(time_s for time_s, _ in file.packets) for file in _scanned(folder, kept)), 0.0)
    return write_stretch(folder, out, newest_s - last_s, math.inf, kept=kept)


def write_stretch(folder: Path, out: Path, t0_s: float, t1_s: float, *, kept: Path | None = None) -> list[Clip]:
    """Write a stretch of the footage in a look-back folder.

    Args:
        folder: As for `write_clips`.
        out: As for `write_clips`.
        t0_s: Start, seconds since 1970. The clip begins with the key frame before it.
        t1_s: End, seconds since 1970.
        kept: As for `write_clips`.

    Raises:
        NoFootageError: There is none of that time.
        ClipError: It cannot be written so.
    """
    check_name(out)
    clips: list[Clip] = []
    with clip_errors(out):
        for number, (_, files) in enumerate(
            groupby(_wanted(folder, kept, t0_s, t1_s), key=lambda file: file.look)
        ):
            path = out.with_name(f"{out.stem}-{number + 1}{out.suffix}") if number else out
            with unfinished(path) as container:
                clips.append(_mux(list(files), container, path))
    if not clips:
        starts = [start_of(path) for place in (folder, kept) if place is not None for path in segments(place)]
        raise NoFootageError(folder, min(starts, default=None))
    return clips


def _wanted(folder: Path, kept: Path | None, t0_s: float, t1_s: float) -> list[_File]:
    """The files to write, in order; the first without what precedes the last key frame that is early enough."""
    files: list[_File] = []
    for file in _scanned(folder, kept):
        end = max((index + 1 for index, (time_s, _) in enumerate(file.packets) if time_s <= t1_s), default=0)
        if not end:
            continue
        files.append(replace(file, packets=file.packets[:end]))
        early = [index for index, (time_s, key) in enumerate(file.packets[:end]) if key and time_s <= t0_s]
        if early:
            files[-1] = replace(files[-1], skip=early[-1])
            break
    if files and max(time_s for file in files for time_s, _ in file.packets) < t0_s:
        return []
    return files[::-1]


def _scanned(folder: Path, kept: Path | None) -> Iterator[_File]:
    """What is in each file of both folders, the newest first; without those that are gone or only just begun."""
    own = {path.name: path for path in (*(segments(kept) if kept is not None else ()), *segments(folder))}
    for path in sorted(own.values(), key=start_of, reverse=True):
        packets: list[tuple[float, bool]] = []
        look: tuple[object, ...] = ()
        for time_s, packet, stream in packets_of(path):
            context = stream.codec_context
            look = (context.name, context.width, context.height)
            packets.append((time_s, packet.is_keyframe))
        if packets:
            yield _File(path, look, packets)


def packets_of(path: Path, *, sound: bool = False) -> Iterator[tuple[float, Any, Any]]:
    """The packets of a file with their times since 1970, and their stream; both must not outlive the walk.

    Args:
        path: The file.
        sound: Whether those of its sound come, too, from the first picture on.
    """
    import av

    with suppress(av.FFmpegError, FileNotFoundError), open_alone(path) as container:
        pictures, first_s = container.streams.video[0], None
        wanted = [pictures, *(container.streams.audio[:1] if sound else ())]
        for packet in with_dts(container.demux(*wanted)):
            at_s = float(packet.pts * packet.time_base)
            if first_s is None and packet.stream is pictures:
                first_s = at_s
            if first_s is not None:
                yield start_of(path) + at_s - first_s, packet, packet.stream


def _mux(files: list[_File], container: Any, path: Path) -> Clip:
    spans: list[tuple[float, float]] = []
    origin_s, frames = files[0].packets[files[0].skip][0], 0  # the time since 1970 that the clip shows as 0
    last_dts, into = -(2**62), None
    for file in files:
        walk = islice(packets_of(file.path), file.skip, len(file.packets))
        for index, (time_s, packet, stream) in enumerate(walk):
            into = into or add_copy(container, stream)
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
