"""How long a video file lasts: what its header says, or, of recordings that were joined, all of them together."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from hippocam.stream.sources.decode.joined import begins_again
from hippocam.stream.sources.decode.packet_index import build_index, header_length_s
from hippocam.stream.sources.decode.tracks import tracks_of
from hippocam.stream.sources.files import open_container


def length_s(path: Path, uri: str) -> float | None:
    """Return the length of a video in seconds, None where nothing tells it without decoding.

    The header of joined recordings is that of one of them, so their packets are counted, all of them.

    Raises:
        SourceError: The file cannot be opened, or has no moving picture.
    """
    with open_container(path, uri) as container:
        told_s, format_name = header_length_s(container), container.format.name
    if not begins_again(path, format_name):
        return told_s
    return _counted_s(path, uri, path.stat().st_size)


@functools.lru_cache(maxsize=64)
def _counted_s(path: Path, uri: str, size: int) -> float:
    """When the last frame of a file ends, by its packets; a file of another size is counted anew."""
    times_s = np.sort(build_index(path, uri, tracks_of(path, uri)[0].number).times_s)
    steps_s = np.diff(times_s)
    steps_s = steps_s[steps_s > 0]
    return float(times_s[-1]) + (float(steps_s[-1]) if len(steps_s) else 0.0)
