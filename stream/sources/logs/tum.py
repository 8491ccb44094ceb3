"""A TUM RGB-D sequence (Sturm et al. 2012): rgb.txt names the pictures, groundtruth.txt has the trajectory.

Lines are "timestamp filename" and "timestamp tx ty tz qx qy qz qw", times in seconds since 1970, metres and unit
quaternions; lines that begin with # say what the columns are.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.errors import SourceError
from hippocam.stream.records import NO_SENSORS, Image, Sensors
from hippocam.stream.sources.logs.source import Instant, LogSource
from hippocam.stream.sources.pictures.decoding import read_image
from hippocam.stream.sources.video import LONGEST_PX

_PICTURES, _POSES = "rgb.txt", ("groundtruth.txt", "pose.txt", "poses.txt")
# A pose counts for a picture that is no further from it; seconds.
_NEAR_S = 0.1


def is_tum(folder: Path) -> bool:
    """Tell whether a folder is such a sequence."""
    try:
        return (folder / _PICTURES).is_file()
    except OSError:
        return False


def tum_source(folder: Path, *, id: str) -> LogSource:
    """A sequence as a source with one unnamed camera; its depth maps are no pictures."""
    return LogSource(_Sequence(folder), id=id)


class _Sequence:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def uri(self) -> str:
        return str(self._folder)

    def duration_s(self) -> float | None:
        rows = self._rows()
        return rows[-1][0] - rows[0][0] if rows else None

    def instants(self) -> Iterator[Instant]:
        rows = self._rows()
        if not rows:
            raise SourceError(self.uri, f"{_PICTURES} names no picture")
        pose_of, absent = self._poses(), 0
        for stamp_s, name in rows:
            path = self._folder / name
            if not path.resolve().is_relative_to(self._folder.resolve()):
                raise SourceError(self.uri, f"{_PICTURES} leads out of its folder, to {name!r:.80}")
            if not path.is_file():
                absent += 1
                continue
            decode: Callable[[], Image | None] = functools.partial(read_image, path, LONGEST_PX)
            yield Instant(time_s=round(stamp_s - rows[0][0], 6), images={"": decode}, sensors=pose_of(stamp_s))
        if absent:
            told = f"{absent} of the {len(rows)} pictures that {_PICTURES} names are not there"
            raise SourceError(self.uri, f"{told}; all others were kept")

    def _rows(self) -> list[tuple[float, str]]:
        """Time and file of each picture, by time."""
        rows = []
        for parts in _lines(self._folder / _PICTURES, self.uri):
            if len(parts) >= 2 and (stamp_s := _number(parts[0])) is not None:
                rows.append((stamp_s, parts[1]))
        return sorted(rows)

    def _poses(self) -> Callable[[float], Sensors]:
        """What gives the pose nearest to a time, where one is near."""
        path = next((path for name in _POSES if (path := self._folder / name).is_file()), None)
        rows: list[list[float]] = []
        for parts in _lines(path, self.uri) if path is not None else ():
            numbers = [number for part in parts[:8] if (number := _number(part)) is not None]
            if len(numbers) == 8:
                rows.append(numbers)
        if not rows:
            return lambda stamp_s: NO_SENSORS
        poses: NDArray[np.float64] = np.array(sorted(rows))

        def nearest(stamp_s: float) -> Sensors:
            row = poses[int(np.argmin(np.abs(poses[:, 0] - stamp_s)))]
            if abs(row[0] - stamp_s) > _NEAR_S:
                return NO_SENSORS
            return Sensors(pose=row[1:])

        return nearest


def _lines(path: Path, uri: str) -> Iterator[list[str]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SourceError(uri, f"{path.name} cannot be read ({error.strerror})") from error
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.split()


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None
