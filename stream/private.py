"""Folders and files for their owner alone: they hold footage, or what was seen in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

from hippocam.stream.errors import HippocamError

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def own_folder(variable: str, *below: str) -> Path:
    """Folder of what a user keeps for all memories: what a variable says, else one below the home.

    Raises:
        HippocamError: Neither is there: a number without a name, as in some containers, has no home.
    """
    if named := os.environ.get(variable):
        return Path(named)
    try:
        return Path.home().joinpath(*below)
    except RuntimeError as error:
        raise HippocamError(f"this user has no home folder; set {variable} to a folder") from error


def make_folder(folder: Path) -> None:
    """Make a folder for its owner alone; one that is there keeps its mode, and parents get the usual one."""
    folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)


def open_file(path: Path, mode: str, *, encoding: str | None = None) -> IO[Any]:
    """Open a file as `open` does; a new one may be read and written by its owner alone."""
    return open(path, mode, encoding=encoding, opener=lambda name, flags: os.open(name, flags, FILE_MODE))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, replacing what is there."""
    with open_file(path, "wb") as file:
        file.write(content)


def replace_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, and onto the disk before this returns."""
    new = path.with_name(path.name + ".new")
    with open_file(new, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk before this returns."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
