"""Names of videos, as question files write them, into files and folders below one directory."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from hippocam.stream.errors import HippocamError
from hippocam.stream.sources.folders import VIDEO_SUFFIXES


class Videos:
    """The videos below a directory: files, and folders of pictures.

    Args:
        folder: The directory, as `--videos` names it.

    Raises:
        HippocamError: There is no such directory.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise HippocamError(f"--videos {folder}: no such folder; name the one that holds the videos")
        self._folder = folder
        self._by_name: dict[str, list[Path]] = {}
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in VIDEO_SUFFIXES or path.is_dir():
                self._by_name.setdefault(_bare(path.name), []).append(path)

    def find(self, name: str) -> Path | None:
        """The video of a name: by its path below the directory, else by its last part; None where there is none.

        Raises:
            HippocamError: Several videos have the name, and their folders do not tell which is meant.
        """
        if (self._folder / name).exists():
            return self._folder / name
        wanted = [part for part in PurePosixPath(name).parts if part not in (".", "..", "/")]
        if not wanted:
            return None
        found = self._by_name.get(_bare(wanted[-1]), [])
        most = max((_shared(path, wanted) for path in found), default=0)
        best = [path for path in found if _shared(path, wanted) == most]
        if len(best) > 1:
            raise HippocamError(
                f"{name}: several videos have this name: {', '.join(map(str, best[:3]))}; keep one"
            )
        return best[0] if best else None


def _bare(name: str) -> str:
    """A name without a video's suffix; other dots belong to it ("RoripwjYFp8_60.0_210.0")."""
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in VIDEO_SUFFIXES else path.name


def _shared(path: Path, wanted: list[str]) -> int:
    """How many folders above the name agree, from the name upwards."""
    count = 0
    for here, there in zip(reversed(path.parts[:-1]), reversed(wanted[:-1]), strict=False):
        if here != there:
            break
        count += 1
    return count
