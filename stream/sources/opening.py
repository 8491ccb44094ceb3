"""What a user types (files, folders, patterns) into sources, without opening any decoder."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from hippocam.stream.errors import MissingLibraryError, SourceError
from hippocam.stream.guard import blamed_on
from hippocam.stream.protocols import Source
from hippocam.stream.sources.decode.frames import Decoder
from hippocam.stream.sources.folders import VIDEO_SUFFIXES, Found, add_path
from hippocam.stream.sources.lerobot.episodes import find_episodes
from hippocam.stream.sources.logs.opening import log_sources
from hippocam.stream.sources.naming import unique_ids
from hippocam.stream.sources.patterns import add_pattern
from hippocam.stream.sources.pictures.animation import AnimationSource
from hippocam.stream.sources.pictures.folder import ImageFolderSource
from hippocam.stream.sources.remote import RemotePath, check_address, is_remote
from hippocam.stream.sources.video import LONGEST_PX, VideoSource

# A file that names others, one a line; what is read from a web server, where all else is taken for a camera.
_LIST_SUFFIX = ".txt"
_READ_FROM_AFAR = {*VIDEO_SUFFIXES, _LIST_SUFFIX} - {".mjpg", ".mjpeg"}
_ADDRESS = re.compile("[a-zA-Z][a-zA-Z0-9+.-]*://")


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


def open_sources(arguments: Sequence[str | Path], config: SourceConfig | None = None) -> OpenedSources:
    """Turn what a user types into sources. Looks at names and first bytes only; nothing is decoded.

    Args:
        arguments: Each a video file, an image file, a folder (searched with all below it; hidden files are
            skipped), a LeRobot dataset folder, another robot's log, or a glob pattern ("**" allowed). "~" is
            expanded. What is given twice is opened once.
        config: How video files are decoded; the defaults where left out.

    Returns:
        The sources, and an error for each argument or file that cannot be read; one never stops the others.
    """
    found = Found()
    config = config or SourceConfig()
    for argument in arguments:
        text = os.path.expanduser(str(argument))
        try:
            with blamed_on(text, "opening it"):
                _add(text, found)
        except SourceError as error:
            found.failed.append(error)
        except MissingLibraryError as error:  # this address needs it, and others may not
            found.failed.append(SourceError(text, str(error)))
    return _build(found, config)


def _add(text: str, found: Found) -> None:
    if is_remote(text) and (not text.startswith("http") or Path(text).suffix.casefold() in _READ_FROM_AFAR):
        _add_remote(text, found)
        return
    path = Path(os.path.abspath(text))
    if _ADDRESS.match(text) and not _exists(path):
        with suppress(ValueError):  # no password is told
            parts = urlsplit(text)
            text = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
        raise SourceError(text, "an address, not a file or folder; a camera is watched live")
    if not text.strip():
        found.fail("''", "an empty name; give a video file, a folder or a pattern")
    elif not _exists(path) and glob.has_magic(text):
        add_pattern(text, found)
    else:
        add_path(path, found)


def _add_remote(text: str, found: Found) -> None:
    """Add a video at an address, all below a folder there, what a pattern matches, or what a list names."""
    check_address(text)
    path, before = RemotePath(text), found.count
    if path.suffix.casefold() == _LIST_SUFFIX:
        for line in path.open().read().decode("utf-8").splitlines():
            if line.strip():
                _add(line.strip(), found)
        return
    for file in path.files():
        if file.suffix.casefold() in VIDEO_SUFFIXES or file == path:
            add_path(file, found)
    if found.count == before:
        found.fail(path, "no videos are there; give a file, a folder or a pattern")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # no permission on the way, or a name longer than the file system allows
        return False


def _build(found: Found, config: SourceConfig) -> OpenedSources:
    sources: list[Source] = []
    failed = list(found.failed)
    names = unique_ids([path for path, _, _ in found.paths.values()])
    for (path, kind, files), name in zip(found.paths.values(), names, strict=True):
        if kind == "log":
            logs, errors = log_sources(path, name=name)
            sources += logs
            failed += errors
        elif kind == "dataset":
            try:
                with blamed_on(str(path), "understanding it"):
                    episodes, errors = find_episodes(path, name=name)
                    sources += episodes
                    failed += errors
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
        elif kind == "animation":
            sources.append(AnimationSource(path, id=name, longest_px=config.longest_px))
        elif kind == "image":
            sources.append(ImageFolderSource(path.parent, id=name, names=(path.name,)))
        else:
            sources.append(ImageFolderSource(path, id=name, names=files or None))
    return OpenedSources(sources=tuple(sources), failed=tuple(failed))
