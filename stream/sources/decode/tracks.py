"""The video tracks of one file: which there are, what each is called, and their frames in one row of instants.

A dashcam with two lenses, or a camera that sees all around, writes a track for each lens into one file. Each is a
camera. Its name is the title of its track; where the titles do not tell them apart, its number, from 1 on. A track
of one frame beside others is a cover and no camera.
"""

from __future__ import annotations

import functools
import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.errors import SourceError
from hippocam.stream.records import Image
from hippocam.stream.sources.decode.packet_index import PacketIndex, moving_pictures
from hippocam.stream.sources.files import open_container, packets_of
from hippocam.stream.sources.naming import slug

# Most characters of a track's title that name a camera.
_LONGEST_NAME = 40
# Frames of two tracks that are at most this far apart are of one instant.
_INSTANT_S = 1e-6

Frames = Iterator[tuple[int, float, Image]]
"""Frames of one track: seq within the track, true time in seconds, picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One video track of a file.

    Attributes:
        number: Its rank among the video tracks of the file.
        camera: What it is called; "" for the only one.
    """

    number: int
    camera: str = ""


ONLY = Track(number=0)


def tracks_of(path: Path, uri: str) -> tuple[Track, ...]:
    """Return the cameras among the video tracks of a file: of one without any track that which reading looks for.

    The header tells; where it counts no frames, the file is read until each track has had two.

    Raises:
        SourceError: The file cannot be opened.
    """
    with open_container(path, uri) as container:
        pictures = moving_pictures(container)
        if len(pictures) < 2:
            return (ONLY,)
        numbers = tuple(range(len(pictures)))
        if not all(track.frames for track in pictures):  # the header does not count them
            numbers = _moving(path, uri, path.stat().st_size) or numbers
        if len(numbers) < 2:
            return (Track(number=numbers[0]),)
        names = _names([pictures[number] for number in numbers])
        return tuple(Track(number=number, camera=name) for number, name in zip(numbers, names, strict=True))


@functools.lru_cache(maxsize=64)
def _moving(path: Path, uri: str, size: int) -> tuple[int, ...]:
    """Numbers of the tracks that have a second frame; a file that has another size is read anew."""
    import av

    with open_container(path, uri) as container:
        pictures = moving_pictures(container)
        begun, waiting = set[int](), {track.index for track in pictures}
        try:
            for packet in packets_of(container, *pictures):
                if packet.size and packet.stream_index in begun:
                    waiting.discard(packet.stream_index)
                begun.add(packet.stream_index)
                if not waiting:
                    break
        except av.FFmpegError:
            pass  # reading it tells
        return tuple(number for number, track in enumerate(pictures) if track.index not in waiting)


def _names(pictures: Sequence[Any]) -> list[str]:
    titles = [str(track.metadata.get("title") or track.metadata.get("handler_name") or "") for track in pictures]
    names = [slug(title[:_LONGEST_NAME]).casefold() if title.strip() else "" for title in titles]
    if "" in names or len(set(names)) < len(names):
        return [str(number + 1) for number in range(len(pictures))]
    return names


def instants(indexes: Sequence[PacketIndex]) -> list[NDArray[np.int64]]:
    """Return the rank of each frame among the instants at which any of some tracks shows a frame.

    Args:
        indexes: The tracks' packet indexes.

    Returns:
        For each track int64 [N], strictly increasing. Frames of different tracks at one time have one rank.
    """
    keys = [_instant_keys(index) for index in indexes]
    _, ranks = np.unique(np.concatenate(keys), axis=0, return_inverse=True)
    ends = np.cumsum([len(key) for key in keys])
    return np.split(ranks.reshape(-1).astype(np.int64), ends[:-1])


def _instant_keys(index: PacketIndex) -> NDArray[np.int64]:
    """Int64 [N, 2]: the time of each frame in microseconds, and its rank among the track's frames at that time."""
    times_N = np.sort(np.round(index.times_s / _INSTANT_S).astype(np.int64))
    return np.stack([times_N, np.arange(len(times_N)) - np.searchsorted(times_N, times_N)], axis=1)


def merged(
    tracks: Sequence[Track], ranks: Sequence[NDArray[np.int64]], frames: Sequence[Frames]
) -> Iterator[tuple[int, float, dict[str, Image]]]:
    """Yield the frames of several tracks by instant: its rank, its time in seconds, pictures by camera."""
    rows = [
        _ranked(track.camera, rank_N, of_track)
        for track, rank_N, of_track in zip(tracks, ranks, frames, strict=True)
    ]
    for rank, together in groupby(heapq.merge(*rows, key=itemgetter(0)), key=itemgetter(0)):
        shown = list(together)
        yield rank, min(time_s for _, time_s, _, _ in shown), {camera: image for _, _, camera, image in shown}


def _ranked(camera: str, rank_N: NDArray[np.int64], frames: Frames) -> Iterator[tuple[int, float, str, Image]]:
    for seq, time_s, image in frames:
        # A decoder may make more frames of a damaged track than it has packets; those have no instant.
        if seq < len(rank_N):
            yield int(rank_N[seq]), time_s, camera, image


def or_failure(frames: Callable[[], Frames], failed: Callable[[str], None]) -> Frames:
    """Yield frames, and end quietly where they break off: one track's error does not end the others."""
    try:
        yield from frames()
    except SourceError as error:
        failed(error.reason)


def told_cameras(failures: Mapping[str, str]) -> str:
    """Tell which cameras of a source could not be read, and why."""
    return f"not every camera could be read ({by_reason(failures)})"


def by_reason(failures: Mapping[str, str]) -> str:
    """Why cameras could not be read; those with one reason together."""
    cameras: dict[str, list[str]] = {}
    for camera, reason in failures.items():
        cameras.setdefault(reason, []).append(camera)
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in cameras.items())
