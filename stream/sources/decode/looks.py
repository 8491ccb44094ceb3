"""A video file into what it looks like: small grey pictures of a few moments, by which copies of it are known.

They stay nearly the same when a file is encoded again, scaled, or put into another container.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.errors import SourceError
from hippocam.stream.sources.decode.packet_index import video_stream
from hippocam.stream.sources.decode.pyav import display_matrix, settle_colours, turned
from hippocam.stream.sources.decode.tracks import tracks_of
from hippocam.stream.sources.files import open_container

# Sides of the pictures, pixels: fine enough for a person who walks through, coarse enough for another encoding.
SIDE_PX = 16
# Seconds before a moment at which reading begins, one try after the other: some containers land on any packet.
_BEFORE_S = (0.0, 5.0, 30.0)
# Seconds up to which reading on is no slower than moving.
_NEAR_S = 4.0

Looks = NDArray[np.uint8]


def looks_at(path: Path, uri: str, moments_s: Sequence[float]) -> Looks | None:
    """What a video file shows at some moments, by its first camera.

    Each picture is the last frame that is shown at or before the moment; only the frames from the key frame
    before it on are decoded.

    Args:
        path: The file.
        uri: What the source is called in an error.
        moments_s: Seconds since the first frame, rising.

    Returns:
        uint8 [moments, SIDE_PX, SIDE_PX], grey; None where it cannot be told.
    """
    import av

    try:
        with open_container(path, uri) as container:
            stream = video_stream(container, uri, tracks_of(path, uri)[0].number)
            stream.thread_count = 1
            start_s = float((stream.start_time or 0) * stream.time_base)
            finder = _Finder(container, stream)
            pictures = [_picture(finder.at(start_s + moment_s)) for moment_s in moments_s]
    except (SourceError, av.FFmpegError, OSError, ValueError):
        return None  # reading it tells why
    return np.stack(pictures)


class _Finder:
    """Finds the frames that are shown at moments, which rise.

    Args:
        container: An open file.
        stream: Its track of pictures.
    """

    def __init__(self, container: Any, stream: Any) -> None:
        self._container, self._stream = container, stream
        self._frames: Iterator[Any] = iter(())
        self._shown: Any = None  # the last frame that was read
        self._next: Any = None  # the one after it, where that was read

    def at(self, time_s: float) -> Any:
        """The last frame at or before a time of the container's; the first one where nothing is shown as early.

        Raises:
            ValueError: There is none.
        """
        if self._shown is None or not self._shown.time <= time_s <= self._shown.time + _NEAR_S:
            for before_s in _BEFORE_S:
                self._go_to(time_s - before_s)
                if self._shown is not None and self._shown.time <= time_s:
                    break
        while self._next is not None and self._next.time <= time_s:
            self._step()
        if self._shown is None:
            raise ValueError("no frame is shown")
        return self._shown

    def _go_to(self, time_s: float) -> None:
        self._container.seek(max(0, int(time_s / self._stream.time_base)), stream=self._stream)
        decoded = self._container.decode(self._stream)
        self._frames = (frame for frame in decoded if frame.time is not None)
        self._next = next(self._frames, None)
        self._step()

    def _step(self) -> None:
        self._shown, self._next = self._next, next(self._frames, None)


def _picture(frame: Any) -> Looks:
    """A frame as it is shown, as a small grey picture; every pixel is the mean of what it covers."""
    settle_colours(frame)
    small = frame.reformat(width=SIDE_PX, height=SIDE_PX, format="gray", interpolation="AREA").to_ndarray()
    upright: Looks = turned(small[..., np.newaxis], display_matrix(frame))[..., 0]
    return upright
