"""Uploaded videos: bytes from the browser into a folder beside the memory, under a harmless name."""

from __future__ import annotations

import filecmp
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.to_thread

from hippocam.apps.errors import TooLargeError, UploadError
from hippocam.stream import private
from hippocam.stream.errors import SourceError
from hippocam.stream.sources.decode.length import length_s
from hippocam.stream.sources.files import open_container
from hippocam.stream.sources.folders import VIDEO_SUFFIXES
from hippocam.stream.sources.naming import slug

UPLOAD_LIMIT_BYTES = 4_000_000_000
# Files that are kept at most, bytes that the disk keeps free, and what a video may have.
UPLOAD_FILES, FREE_BYTES, LONGEST_S, MOST_PIXELS = 1000, 1_000_000_000, 24 * 3600.0, 8192 * 4320
CHECK_EVERY_BYTES = 1 << 26
# Longest name that is kept, in bytes of UTF-8: file systems take 255, and a number may follow.
_NAME_BYTES = 180


def safe_name(name: str) -> str:
    """Make a harmless file name of one that a browser sent.

    Raises:
        UploadError: Its suffix is not that of a video.
    """
    base = Path(name.replace("\\", "/")).name
    stem, suffix = os.path.splitext(base)
    if suffix.casefold() not in VIDEO_SUFFIXES:
        known = "MP4, WebM, MOV, MKV or AVI"
        raise UploadError(f"not a video by its name ({suffix or 'no suffix'}); choose a file such as {known}")
    short = slug(stem).encode()[:_NAME_BYTES].decode(errors="ignore")
    return short + suffix.casefold()


async def receive(
    parts: AsyncIterator[bytes], folder: Path, name: str, *, limit: int = UPLOAD_LIMIT_BYTES, announced: int = 0
) -> Path:
    """Write an upload that comes in one request, whole or not at all; incoming.py takes those in parts.

    Args:
        parts: Its bytes.
        folder: Where to keep it; made where missing.
        name: As the browser sent it.
        limit: Most bytes that it may have.
        announced: How many bytes the browser says it has.

    Returns:
        The file; one that was there already where it has the same content.

    Raises:
        UploadError: It is too large, too long, empty, no video by its name, or cannot be written; or there are
            too many.
    """
    wanted = safe_name(name)
    try:
        make_room(folder, announced)
        number, part = tempfile.mkstemp(prefix=".incoming-", dir=folder)
        os.close(number)
        try:
            size = 0
            async with await anyio.open_file(part, "wb") as file:
                async for data in parts:
                    size += len(data)
                    if size > limit:
                        raise TooLargeError(limit)
                    if size // CHECK_EVERY_BYTES != (size - len(data)) // CHECK_EVERY_BYTES:
                        check_room(folder, 0)
                    await file.write(data)
            if size == 0:
                raise UploadError("the file is empty")
            await anyio.to_thread.run_sync(check_video, Path(part))
            return await anyio.to_thread.run_sync(place, Path(part), folder, wanted)
        finally:
            Path(part).unlink(missing_ok=True)
    except OSError as error:
        raise UploadError(f"cannot be kept in {folder} ({error.strerror}); free some disk space") from error


def make_room(folder: Path, announced: int) -> None:
    """Make the folder for uploads, and refuse one that it or its disk has no room for."""
    private.make_folder(folder)
    if sum(1 for _ in folder.iterdir()) >= UPLOAD_FILES:
        raise UploadError(f"{UPLOAD_FILES} videos were added already; that is all that are kept")
    check_room(folder, announced)


def check_room(folder: Path, coming: int) -> None:
    """Refuse what would fill the disk, whose last bytes the memory needs."""
    if shutil.disk_usage(folder).free - coming < FREE_BYTES:
        raise UploadError(f"the disk would have less than {FREE_BYTES / 1e9:g} GB free; free some space")


def check_video(path: Path) -> None:
    """Refuse a video by its length and the size of its pictures; what is none is told when it is watched."""
    try:
        lasts_s = length_s(path, path.name) or 0.0
        with open_container(path, path.name) as container:
            pixels = max((stream.width * stream.height for stream in container.streams.video), default=0)
    except (SourceError, ValueError):
        return
    if lasts_s > LONGEST_S:
        raise UploadError(f"longer than {LONGEST_S / 3600:g} hours; cut it")
    if pixels > MOST_PIXELS:
        raise UploadError(f"its pictures have more than {MOST_PIXELS / 1e6:.0f} million pixels; make them smaller")


def place(part: Path, folder: Path, name: str) -> Path:
    """Give a finished upload its name, with a number after it if other content has that name."""
    stem, suffix = os.path.splitext(name)
    number = 1
    while True:
        path = folder / (name if number == 1 else f"{stem}-{number}{suffix}")
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            if filecmp.cmp(part, path, shallow=False):
                return path
            number += 1
        else:
            part.replace(path)
            return path
