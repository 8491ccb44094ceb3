"""Uploaded videos: bytes from the browser into a folder beside the memory, under a harmless name."""

from __future__ import annotations

import filecmp
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.to_thread

from hippocam.apps.errors import TooLargeError, UploadError
from hippocam.stream import private
from hippocam.stream.sources.folders import VIDEO_SUFFIXES
from hippocam.stream.sources.naming import slug

UPLOAD_LIMIT_BYTES = 4_000_000_000
# Longest name that is kept, in bytes of UTF-8: file systems take 255, and a number may follow.
_NAME_BYTES = 180


def uploads_folder(memory: Path) -> Path:
    """Where uploads to a memory are kept: beside it, since what is in it counts towards its budget."""
    folder = memory.resolve()
    return folder.with_name(folder.name + "-uploads")


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
    parts: AsyncIterator[bytes], folder: Path, name: str, *, limit: int = UPLOAD_LIMIT_BYTES
) -> Path:
    """Write an upload, whole or not at all.

    Args:
        parts: Its bytes.
        folder: Where to keep it; made where missing.
        name: As the browser sent it.
        limit: Most bytes that it may have.

    Returns:
        The file; one that was there already where it has the same content.

    Raises:
        UploadError: It is too large, empty, no video by its name, or cannot be written.
    """
    wanted = safe_name(name)
    try:
        private.make_folder(folder)
        number, part = tempfile.mkstemp(prefix=".incoming-", dir=folder)
        os.close(number)
        try:
            size = 0
            async with await anyio.open_file(part, "wb") as file:
                async for data in parts:
                    size += len(data)
                    if size > limit:
                        raise TooLargeError(limit)
                    await file.write(data)
            if size == 0:
                raise UploadError("the file is empty")
            return await anyio.to_thread.run_sync(_place, Path(part), folder, wanted)
        finally:
            Path(part).unlink(missing_ok=True)
    except OSError as error:
        raise UploadError(f"cannot be kept in {folder} ({error.strerror}); free some disk space") from error


def _place(part: Path, folder: Path, name: str) -> Path:
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
