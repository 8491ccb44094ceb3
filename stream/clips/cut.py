"""A stretch of a video file into a clip, with its sound."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hippocam.stream.clips.clip import Clip, check_name, clip_errors, unfinished, with_dts
from hippocam.stream.errors import ClipError
from hippocam.stream.sources.decode.joined import READ_ON, JoinedClock, begins_again
from hippocam.stream.sources.decode.length import length_s
from hippocam.stream.sources.decode.packet_index import container_zero_s, moving_pictures
from hippocam.stream.sources.files import add_copy, open_container, packets_of

# What browsers play in MP4; all else goes into Matroska.
_IN_MP4 = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4"})
# How far before the start a file is read for a key frame, seconds: in some containers one lands behind the mark.
_BACK_S = (0.0, 10.0, 60.0, math.inf)
_SOUND = frozenset({"aac", "mp3", "opus", "flac", "ac3", "eac3", "vorbis"})


def suffix_of(path: Path, number: int = 0) -> str:
    """How the name of a clip of a video file should end: ".mp4" where that takes its codec, else ".mkv".

    Raises:
        SourceError: The file cannot be opened.
    """
    with open_container(path, str(path)) as container:
        pictures = moving_pictures(container)
        context = pictures[number].codec_context if number < len(pictures) else None
        return ".mp4" if context is not None and context.codec.canonical_name in _IN_MP4 else ".mkv"


def cut(path: Path, out: Path, t0_s: float, t1_s: float, *, number: int = 0) -> Clip:
    """Write a stretch of a video file.

    Args:
        path: The video.
        out: Where to: .mp4 or .mkv.
        t0_s: Start, in the video's own time. The clip begins with the key frame before it.
        t1_s: End, after the start.
        number: Rank of the video track.

    Raises:
        SourceError: The video cannot be opened.
        ClipError: The stretch holds no frame, or it cannot be written so.
    """
    check_name(out)
    if not t0_s < t1_s:
        raise ClipError(f"a clip must end after it begins, found {t0_s:g} to {t1_s:g}")
    with open_container(path, str(path)) as container, clip_errors(out):
        zero_s = container_zero_s(container, str(path))
        pictures = moving_pictures(container)
        if number >= len(pictures):
            raise ClipError(f"{path}: has {len(pictures)} video tracks, not {number + 1}")
        sound = next((s for s in container.streams.audio if s.codec_context.name in _SOUND), None)
        with unfinished(out) as into:
            picture, wanted = pictures[number], [pictures[number], *([] if sound is None else [sound])]
            if container.format.name == READ_ON or begins_again(path, container.format.name):
                start = _key_from_start(path, number, zero_s + t0_s)
                packets = _from_start(container, wanted)
            else:
                start = _key_before(container, picture, zero_s + t0_s)
                packets = container.demux(wanted)
            span, frames = _mux(_stretch(packets, picture, start, zero_s + t1_s), picture, sound, into)
            if span is None or t0_s >= (length_s(path, str(path)) or math.inf):
                raise ClipError(f"{path}: no frame from {t0_s:g} to {t1_s:g}")
    return Clip(path=out, spans=((span[0] - zero_s, span[1] - zero_s),), frames=frames)


def _from_start(container: Any, tracks: Sequence[Any]) -> Iterator[Any]:
    """All packets of some tracks, the pictures' first, with times that go on also where recordings were joined.

    Among these a time may be of any part, and a program stream has others where reading begins in its midst.
    """
    pictures = JoinedClock(container)
    clocks = {track.index: JoinedClock(container, pictures.shifts_s) for track in tracks[1:]}
    clocks[tracks[0].index] = pictures
    for packet in packets_of(container, *tracks):
        clocks[packet.stream_index].set(packet)
        yield packet


def _key_from_start(path: Path, number: int, t0_s: float) -> int | None:
    """As `_key_before`, by the times of `_from_start`."""
    with open_container(path, str(path)) as container:
        return _last_key(_from_start(container, [moving_pictures(container)[number]]), t0_s)


def _last_key(packets: Iterable[Any], t0_s: float) -> int | None:
    """The timestamp of the last key frame at or before a time, else of the first one."""
    found: int | None = None
    for packet in packets:
        if packet.pts is None:
            continue
        time_s = float(packet.pts * packet.time_base)
        if packet.is_keyframe and (found is None or time_s <= t0_s):
            found = packet.pts
        if found is not None and time_s > t0_s:
            break
    return found


def _stretch(packets: Iterable[Any], picture: Any, start: int | None, t1_s: float) -> Iterator[Any]:
    """The packets from a key frame's timestamp up to t1_s, in container time; that key frame's first."""
    if start is None or float(start * picture.time_base) > t1_s:
        return
    begun = False
    for packet in packets:
        if packet.pts is None or not packet.size:
            continue
        shown = packet.stream is picture
        begun = begun or (shown and packet.pts == start)
        decoded = packet.pts if packet.dts is None else packet.dts
        if shown and float(decoded * packet.time_base) > t1_s:
            return
        early = packet.pts < start if shown else packet.pts * packet.time_base < start * picture.time_base
        if begun and not early and float(packet.pts * packet.time_base) <= t1_s:
            yield packet


def _key_before(container: Any, picture: Any, t0_s: float) -> int | None:
    """The timestamp of the last key frame at or before a time, else of the first; leaves the file before it."""
    found: int | None = None
    for back_s in _BACK_S:
        at_s = max(0.0, t0_s - back_s)
        container.seek(int(at_s / picture.time_base), stream=picture, backward=True)
        found = _last_key(container.demux(picture), t0_s)
        container.seek(int(at_s / picture.time_base), stream=picture, backward=True)
        if found is not None and float(found * picture.time_base) <= t0_s:
            break
    return found


def _mux(
    packets: Iterator[Any], picture: Any, sound: Any | None, into: Any
) -> tuple[tuple[float, float] | None, int]:
    """Write packets, the first at time 0; tell the stretch of container time that they show, and their number."""
    tracks = {id(one): add_copy(into, one) for one in (picture, sound) if one is not None}
    t0_s: float | None = None
    t1_s, frames, last = 0.0, 0, dict[int, int]()
    for packet in with_dts(packets):
        time_s = float(packet.pts * packet.time_base)
        t0_s = time_s if t0_s is None else t0_s
        shift, track = round(t0_s / packet.time_base), id(packet.stream)
        packet.pts -= shift
        last[track] = packet.dts = max(packet.dts - shift, last.get(track, -(2**62)) + 1)
        if packet.stream is picture:
            t1_s, frames = max(t1_s, time_s), frames + 1
        packet.stream = tracks[track]
        into.mux(packet)
    return None if t0_s is None else (t0_s, t1_s), frames
