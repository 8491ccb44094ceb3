"""Glob patterns into what can be watched among their matches; what they could not look into is named."""

from __future__ import annotations

import functools
import glob
import os
from collections.abc import Iterator
from pathlib import Path

from hippocam.stream.sources.folders import (
    VIDEO_SUFFIXES,
    Found,
    add_path,
    is_beside_memory,
    is_memory,
    why_not_listed,
    without_depth,
)
from hippocam.stream.sources.lerobot.meta import is_dataset
from hippocam.stream.sources.logs.opening import is_log
from hippocam.stream.sources.naming import natural_key
from hippocam.stream.sources.pictures.kinds import IMAGE_SUFFIXES


def add_pattern(pattern: str, found: Found) -> None:
    """Add what a glob pattern matches: videos, folders, datasets, and the images of each folder together.

    A folder on the way that cannot be looked into is a failure of its own. Memories of ours, and what live cameras
    keep beside them, are passed over, unless the pattern names one in plain letters.
    """
    matches = sorted(glob.glob(pattern, recursive=True), key=natural_key)
    before = found.count
    images: dict[Path, list[str]] = {}
    plain = _plain_part(pattern)
    ours = functools.cache(lambda folder: folder != plain and (is_memory(folder) or is_beside_memory(folder)))
    for match in matches:
        path = Path(os.path.abspath(match))
        if any(ours(folder) for folder in (path, *path.parents) if folder.is_relative_to(plain)):
            continue
        suffix = path.suffix.casefold()
        if os.path.isdir(path):
            # "**" matches every folder; the files in them are matches themselves.
            if "**" not in pattern or is_dataset(path):
                add_path(path, found)
        elif suffix in VIDEO_SUFFIXES or is_log(path):
            add_path(path, found)
        elif suffix in IMAGE_SUFFIXES:
            images.setdefault(path.parent, []).append(path.name)
    for folder, names in images.items():
        found.add(folder, "images", tuple(without_depth(folder, names)))
    for folder, error in _closed(pattern):
        found.fail(folder, why_not_listed(error))
    if found.count == before:
        what = f"matches {len(matches)} files, none of them a video or image" if matches else "matches no file"
        found.fail(pattern, f"{what}; check the pattern (and quote it in the shell)")


def _plain_part(pattern: str) -> Path:
    """The folder that a pattern names before its first wildcard."""
    plain = pattern
    while glob.has_magic(plain):
        plain = os.path.dirname(plain)
    return Path(os.path.abspath(plain))


def _closed(pattern: str) -> Iterator[tuple[Path, OSError]]:
    """Yield each folder that a pattern had to look into and could not, and why."""
    last = pattern
    if os.path.basename(pattern) == "**":
        pattern = os.path.join(pattern, "*")
    told: set[str] = set()
    while glob.has_magic(pattern):
        pattern, last = os.path.split(pattern)
        folders = sorted(glob.glob(os.path.join(pattern, ""), recursive=True)) if pattern else [os.curdir]
        for folder in map(os.path.abspath, folders):
            error = _why_closed(folder, last)
            if error is not None and folder not in told:
                told.add(folder)
                yield Path(folder), error


def _why_closed(folder: str, wanted: str) -> OSError | None:
    """Why a part of a pattern could not be looked for in a folder; None where it could."""
    try:
        if glob.has_magic(wanted):
            with os.scandir(folder):
                return None
        os.lstat(os.path.join(folder, wanted))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return error
    return None
