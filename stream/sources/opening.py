"""What a user types (files, folders, patterns) into sources, without opening any decoder."""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hippocam.stream.errors import SourceError
from hippocam.stream.protocols import Source
from hippocam.stream.sources.files import check_file
from hippocam.stream.sources.images import IMAGE_SUFFIXES, ImageFolderSource, is_depth_folder, is_numbered
from hippocam.stream.sources.lerobot import find_episodes, is_dataset
from hippocam.stream.sources.naming import natural_key, unique_ids
from hippocam.stream.sources.video import LONGEST_PX, Decoder, VideoSource

log = logging.getLogger(__name__)

# fmt: off
VIDEO_SUFFIXES = frozenset({
    ".3gp", ".asf", ".avi", ".divx", ".f4v", ".flv", ".gif", ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg",
    ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m",
})
# fmt: on
_NOTHING = "no videos, numbered images or LeRobot dataset in it; give a folder that has some, or a file"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """How video files are decoded; see VideoSource.

    Attributes:
        longest_px: Longer side of the decoded pictures, pixels, 16 or more; smaller ones are not enlarged.
        threads: Decoding threads, 0 for one a core.
        decoder: "auto", "pyav" or "decord".
        keyframes_only: Preview videos by their key frames alone; other sources have none and are watched whole.
    """

    longest_px: int = LONGEST_PX
    threads: int = 1
    decoder: Decoder = "auto"
    keyframes_only: bool = False

    def __post_init__(self) -> None:
        VideoSource("", longest_px=self.longest_px, threads=self.threads, decoder=self.decoder)  # checks all three


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSources:
    """What became of the arguments of one call.

    Attributes:
        sources: What can be watched, in the order given, folders in natural order; ids are unique.
        failed: One error for each argument or file that cannot be.
    """

    sources: tuple[Source, ...]
    failed: tuple[SourceError, ...]


@dataclass(slots=True)
class _Found:
    """Paths by kind, each once, in order of appearance; an image source may be part of a folder."""

    paths: dict[str, tuple[Path, str, tuple[str, ...]]]
    failed: list[SourceError]
    count: int = 0

    def add(self, path: Path, kind: str, names: tuple[str, ...] = ()) -> None:
        """Note a path unless it was found before, be it through a link."""
        readable = os.fsencode(path).decode("utf-8", "backslashreplace")
        if readable != str(path):
            self.fail(readable, "its name is not UTF-8; rename it")
            return
        self.count += 1
        self.paths.setdefault(os.path.realpath(path), (path, kind, names))

    def fail(self, path: Path | str, reason: str) -> None:
        """Note what cannot be read."""
        self.count += 1
        self.failed.append(SourceError(str(path), reason))


def open_sources(arguments: Sequence[str | Path], config: SourceConfig | None = None) -> OpenedSources:
    """Turn what a user types into sources. Looks at names and first bytes only; nothing is decoded.

    Args:
        arguments: Each a video file, an image file, a folder (searched with all below it; hidden files are
            skipped), a LeRobot dataset folder, or a glob pattern ("**" allowed). "~" is expanded. What is
            given twice is opened once.
        config: How video files are decoded; the defaults where left out.

    Returns:
        The sources, and an error for each argument or file that cannot be read; one never stops the others.
    """
    found = _Found({}, [])
    config = config or SourceConfig()
    for argument in arguments:
        text = os.path.expanduser(str(argument))
        path = Path(os.path.abspath(text))
        if not text.strip():
            found.fail("''", "an empty name; give a video file, a folder or a pattern")
        elif not _exists(path) and glob.has_magic(text):
            _add_pattern(text, found)
        else:
            _add_path(path, found)
    return _build(found, config)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # no permission on the way, or a name longer than the file system allows
        return False


def _add_pattern(pattern: str, found: _Found) -> None:
    matches = sorted(glob.glob(pattern, recursive=True), key=natural_key)
    before = found.count
    images: dict[Path, list[str]] = {}
    for match in matches:
        path = Path(os.path.abspath(match))
        suffix = path.suffix.casefold()
        if path.is_dir():
            # "**" matches every folder; the files in them are matches themselves.
            if "**" not in pattern or is_dataset(path):
                _add_path(path, found)
        elif suffix in VIDEO_SUFFIXES:
            _add_path(path, found)
        elif suffix in IMAGE_SUFFIXES:
            images.setdefault(path.parent, []).append(path.name)
    for folder, names in images.items():
        found.add(folder, "images", tuple(names))
    if found.count == before:
        what = f"matches {len(matches)} files, none of them a video or image" if matches else "matches no file"
        found.fail(pattern, f"{what}; check the pattern (and quote it in the shell)")


def _add_path(path: Path, found: _Found) -> None:
    try:
        if path.is_dir():
            before = found.count
            _add_folder(path, found, given=True)
            if found.count == before:
                found.fail(path, _NOTHING)
            return
        check_file(path, str(path))
    except SourceError as error:
        found.fail(error.uri, error.reason)
    except PermissionError:
        found.fail(path, "no permission to read it; change its mode or owner")
    except OSError as error:
        found.fail(path, f"cannot be read ({error.strerror}); check the name and the disk")
    else:
        if path.suffix.casefold() in IMAGE_SUFFIXES:
            found.add(path, "image")
        else:
            found.add(path, "video")


def _add_folder(folder: Path, found: _Found, *, given: bool) -> None:
    """Add what is in a folder and below it. Files of other kinds are passed over in silence."""
    if is_dataset(folder):
        found.add(folder, "dataset")
        return
    if (folder / "memory.db").is_file() and (folder / "writer.lock").is_file():
        return  # a memory of ours is not watched by itself
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: natural_key(entry.name))
        visible = [entry for entry in entries if not entry.name.startswith(".")]
        files = [entry.name for entry in visible if entry.is_file()]
        folders = [
            entry.name for entry in visible if entry.is_dir(follow_symlinks=False)
        ]  # links may go in circles
    except PermissionError:
        found.fail(folder, "no permission to list it; change its mode or owner")
        return
    videos = [name for name in files if Path(name).suffix.casefold() in VIDEO_SUFFIXES]
    images = [name for name in files if Path(name).suffix.casefold() in IMAGE_SUFFIXES]
    for name in videos:
        _add_path(folder / name, found)
    # Pictures beside videos are their thumbnails; unnumbered ones in a folder that was not named, an album.
    if images and not videos and (given or is_numbered(images)):
        if not is_depth_folder(folder):
            found.add(folder, "images")
        elif given:
            found.fail(folder, "depth maps, not pictures; give the folder of the colour images beside it")
        else:
            log.info("%s: passed over, depth maps are not pictures", folder)
    for name in folders:
        _add_folder(folder / name, found, given=False)


def _build(found: _Found, config: SourceConfig) -> OpenedSources:
    sources: list[Source] = []
    failed = list(found.failed)
    names = unique_ids([path for path, _, _ in found.paths.values()])
    for (path, kind, files), name in zip(found.paths.values(), names, strict=True):
        if kind == "dataset":
            try:
                sources += find_episodes(path, name=name)
            except SourceError as error:
                failed.append(error)
        elif kind == "video":
            sources.append(
                VideoSource(
                    path,
                    id=name,
                    longest_px=config.longest_px,
                    threads=config.threads,
                    decoder=config.decoder,
                    keyframes_only=config.keyframes_only,
                )
            )
        elif kind == "image":
            sources.append(ImageFolderSource(path.parent, id=name, names=(path.name,)))
        else:
            sources.append(ImageFolderSource(path, id=name, names=files or None))
    return OpenedSources(sources=tuple(sources), failed=tuple(failed))
