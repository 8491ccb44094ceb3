"""The newest footage of one camera in short files, bounded in bytes and seconds: the oldest is deleted first.

A file is named by its start in milliseconds since 1970 (UTC): `1795258525123.mkv`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SUFFIX = ".mkv"
MIN_LOOK_BACK_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LookBackConfig:
    """How much footage of one camera is kept, and where.

    Attributes:
        folder: The camera's own folder.
        max_bytes: Bytes of all its files together, 1,000,000 or more.
        max_s: Age at which footage is deleted, seconds above 0.
        segment_s: A file ends with the first key frame after this time, seconds above 0.
        sound: Whether what the camera hears is kept, too.
    """

    folder: Path
    max_bytes: int
    max_s: float = 600.0
    segment_s: float = 2.0
    sound: bool = True

    def __post_init__(self) -> None:
        if self.max_bytes < MIN_LOOK_BACK_BYTES:
            raise ValueError(
                f"look-back must be {MIN_LOOK_BACK_BYTES / 1e6:g} MB or more a camera, "
                f"found {self.max_bytes / 1e6:g} MB"
            )
        if not self.max_s > 0 or not self.segment_s > 0:
            raise ValueError(f"look-back must be above 0 seconds, found {self.max_s}, {self.segment_s}")


class SegmentRing:
    """The files in one camera's folder, for its only writer.

    Args:
        config: Bounds, and the folder, which is made for its owner alone if it is missing.
    """

    def __init__(self, config: LookBackConfig) -> None:
        self._config = config
        config.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._closed = {path: path.stat().st_size for path in segments(config.folder)}  # the oldest first
        self._bytes = sum(self._closed.values())

    def path(self, start_s: float) -> Path:
        """Return the path of a new file that starts at start_s (since 1970), after all others."""
        last = max(map(start_of, self._closed), default=0.0)
        start_s = max(start_s, last + 0.001)
        return self._config.folder / f"{round(start_s * 1000)}{SUFFIX}"

    def room(self, open_bytes: int, now_s: float) -> bool:
        """Delete the oldest files until the open one fits beside the others.

        Args:
            open_bytes: Size of the open file, with what is about to be written.
            now_s: Seconds since 1970; files that ended before the age bound are deleted too.

        Returns:
            Whether it fits; it does not if it exceeds the bound alone.
        """
        starts = [*map(start_of, self._closed), now_s]
        for path, end_s in zip(list(self._closed), starts[1:], strict=True):
            if self._bytes + open_bytes <= self._config.max_bytes and end_s >= now_s - self._config.max_s:
                break
            with suppress(FileNotFoundError):
                path.unlink()
            self._bytes -= self._closed.pop(path)
        return self._bytes + open_bytes <= self._config.max_bytes

    def close(self, path: Path) -> None:
        """Count a file that has been closed."""
        with suppress(FileNotFoundError):
            self._closed[path] = path.stat().st_size
            self._bytes += self._closed[path]


def prune(folder: Path, max_bytes: int) -> int:
    """Delete the oldest files of all cameras until the rest fits; return how many went.

    Each camera keeps to its own share; this holds the sum where cameras were added since.

    Args:
        folder: The folder that holds the cameras' folders.
        max_bytes: Bytes of all files together.
    """
    sizes = {path: path.stat().st_size for camera in folder.glob("*/") for path in segments(camera)}
    total, gone = sum(sizes.values()), 0
    for path in sorted(sizes, key=start_of):
        if total <= max_bytes:
            break
        path.unlink(missing_ok=True)
        total, gone = total - sizes[path], gone + 1
    return gone


def segments(folder: Path) -> list[Path]:
    """Return the files in a camera's folder, the oldest first; none if there is no folder."""
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if path.suffix == SUFFIX and path.stem.isdigit()]
    return sorted(found, key=start_of)


def start_of(path: Path) -> float:
    """Return when a file starts, seconds since 1970."""
    return int(path.stem) / 1000
