"""The cameras of a LeRobot episode, walked through beside its rows: pictures, or distances that were measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.errors import SourceError
from hippocam.stream.records import FloatArray, Image
from hippocam.stream.sources.decode.frames import read_seqs
from hippocam.stream.sources.decode.packet_index import PacketIndex, build_index
from hippocam.stream.sources.decode.pyav import read_raw
from hippocam.stream.sources.lerobot.depth import DepthScale, UnknownScaleError, of_frame, of_value
from hippocam.stream.sources.lerobot.meta import CameraFile, Episode
from hippocam.stream.sources.lerobot.rows import EpisodeRows
from hippocam.stream.sources.pictures.decoding import decode_image
from hippocam.stream.sources.video import told_end

# So many steps of the dataset's rate may lie between a row and the frame that is shown for it.
_NEAR_FRAMES = 0.75
# A camera whose frames are so many of these steps apart is a slow one: a row may be a whole step of its own away.
# An episode's first frame may come so many before the time that is listed for it.
_SLOW, _EDGE_FRAMES = 1.5, 0.25

T = TypeVar("T")
Numbers = NDArray[np.int64]


@dataclass(slots=True)
class _Plan:
    """Which frame each picked row wants of a camera, and which rows it shows nothing of; filled in when read."""

    wanted: dict[int, int] = field(default_factory=dict)
    missing: list[int] = field(default_factory=list)


class Cursor(Generic[T]):
    """What one camera shows, row by row.

    Args:
        name: Of the camera.
        plan: Which frame each row wants; the first frame that is read fills it in.
        frames: The wanted frames in order, by number.
    """

    def __init__(self, name: str, plan: _Plan, frames: Iterator[tuple[int, T]]) -> None:
        self.name = name
        self._plan, self._frames = plan, frames
        self._number = -1
        self._shown: T | None = None

    @property
    def missing(self) -> list[int]:
        """Rows of which this camera shows nothing, ascending."""
        return sorted(self._plan.missing)

    def at(self, row: int) -> T | None:
        """What it shows of a row, None where that is nothing; rows are asked for in order.

        Raises:
            SourceError: The camera cannot be read (further).
        """
        if self._number < 0:
            self._step()  # fills in what is wanted
        wanted = self._plan.wanted.get(row)
        while wanted is not None and self._number < wanted:
            self._step()
        if wanted is None:
            return None
        if self._number != wanted:
            self._plan.missing.append(row)
            return None
        return self._shown

    def _step(self) -> None:
        self._number, self._shown = next(self._frames, (2**62, None))


class Cameras:
    """The cameras of an episode.

    Args:
        episode: Where its files are.
        rows: Its rows.
        picks: int64 [R], those that will be asked for, ascending.
        longest_px: Pictures are scaled down until their longer side has at most this many pixels.
        threads: Decoding threads for each camera, 0 for one per core.
    """

    def __init__(
        self, episode: Episode, rows: EpisodeRows, picks: Numbers, *, longest_px: int, threads: int
    ) -> None:
        self._episode, self._rows, self._picks = episode, rows, picks
        self._longest_px, self._threads = longest_px, threads

    def pictures(self, camera: CameraFile) -> Cursor[Image]:
        """The pictures of a camera."""

        def in_rows(value: Any) -> Image | None:
            return decode_image(value, self._longest_px) if isinstance(value, bytes) else None

        def in_video(path: Path, index: PacketIndex, frames: Sequence[int]) -> Iterator[tuple[int, Image]]:
            yield from read_seqs(path, str(path), index, frames, longest=self._longest_px, threads=self._threads)

        return self._cursor(camera, in_rows, in_video)

    def distances(self, camera: CameraFile) -> Cursor[FloatArray]:
        """What a depth camera measured, float32 [9]: see depth.py."""
        scale = camera.depth or DepthScale()

        def in_rows(value: Any) -> FloatArray | None:
            return of_value(value, scale)

        def in_video(path: Path, index: PacketIndex, frames: Sequence[int]) -> Iterator[tuple[int, FloatArray]]:
            if index.linear:
                raise SourceError(str(path), "the times of its frames cannot be sorted")
            for number, frame in read_raw(path, str(path), index, frames, self._threads):
                yield number, of_frame(frame, scale)

        return self._cursor(camera, in_rows, in_video)

    def _cursor(
        self,
        camera: CameraFile,
        in_rows: Callable[[Any], T | None],
        in_video: Callable[[Path, PacketIndex, Sequence[int]], Iterator[tuple[int, T]]],
    ) -> Cursor[T]:
        plan = _Plan()
        if camera.path is not None:
            frames = self._video(camera, camera.path, plan, in_video)
        else:
            plan.wanted.update((row, row) for row in self._picks.tolist())
            frames = self._column(camera, in_rows)
        return Cursor(camera.name, plan, _scaled(camera, frames))

    def _column(self, camera: CameraFile, read: Callable[[Any], T | None]) -> Iterator[tuple[int, T]]:
        """Yield (row, what it shows) of a camera that stands in the parquet file; not what is broken."""
        picked = set(self._picks.tolist())
        for row, value in self._rows.values(camera.key):
            shown = read(value) if row in picked else None
            if shown is not None:
                yield row, shown

    def _video(
        self,
        camera: CameraFile,
        path: Path,
        plan: _Plan,
        read: Callable[[Path, PacketIndex, Sequence[int]], Iterator[tuple[int, T]]],
    ) -> Iterator[tuple[int, T]]:
        """Yield the video frames nearest to the picked rows; fill in the plan."""
        rows, index = self._rows, build_index(path, str(path))
        nearest, near = _nearest(np.sort(index.times_s), rows.times_N[rows.timed_R], camera, self._episode.fps)
        plan.missing += rows.timed_R[~near].tolist()
        picked = near & np.isin(rows.timed_R, self._picks)
        plan.wanted.update(zip(rows.timed_R[picked].tolist(), nearest[picked].tolist(), strict=True))
        yield from read(path, index, sorted(set(plan.wanted.values())))
        if index.cut and plan.wanted.keys() < set(self._picks.tolist()):
            raise SourceError(str(path), f"its video is truncated, read up to {told_end(index)}")


def _scaled(camera: CameraFile, frames: Iterator[tuple[int, T]]) -> Iterator[tuple[int, T]]:
    try:
        yield from frames
    except UnknownScaleError as error:
        raise SourceError(camera.key, str(error)) from error


def _nearest(
    times_s: NDArray[np.float64], rows_R: NDArray[np.float64], camera: CameraFile, fps: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The frame of a video nearest to each row, and whether it is near: what is not shows nothing of the row.

    A camera may be slower than the rows: then several of them show one frame, and never one of the next episode,
    which is as near as its own at the end.

    Args:
        times_s: Of the video's frames, rising.
        rows_R: Times of the rows in the episode, rising.
        camera: Where the episode lies in the video.
        fps: Rows a second.
    """
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    begin, end, near_s = 0, len(times_s), _NEAR_FRAMES / fps
    if step_s > _SLOW / fps:
        ends_s = min(camera.to_s, camera.from_s + float(rows_R[-1]) + 1 / fps)
        begin, end = np.searchsorted(times_s, np.array([camera.from_s, ends_s]) - _EDGE_FRAMES / fps).tolist()
        begin, end, near_s = min(begin, len(times_s) - 1), max(end, begin + 1), step_s
    targets = rows_R + camera.from_s
    right = np.clip(np.searchsorted(times_s, targets), begin + 1, max(end - 1, begin + 1))
    left = right - 1
    right = np.minimum(right, end - 1)
    nearest = np.where(targets - times_s[left] <= times_s[right] - targets, left, right)
    near = np.abs(times_s[nearest] - targets) <= near_s
    return nearest, near & (
        times_s[nearest] < camera.to_s + _NEAR_FRAMES / fps
    )  # nor one behind the episode's end
