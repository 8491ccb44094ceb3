"""Errors of a memory that a user can mend."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hippocam.stream.errors import HippocamError


class MemoryFolderError(HippocamError):
    """The memory's folder cannot be used: foreign, locked, of another format, or its disk is full."""


class DiskError(MemoryFolderError):
    """The memory's disk is full or gone; what was kept before is safe."""

    exit_code = 1


class EncoderMismatchError(HippocamError):
    """A memory was made with another encoder than the one that was asked for."""


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn the failures of a full or vanished disk into one line that names the fix."""
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        raise DiskError(
            f"{folder}: cannot write ({error}); free some disk space and watch again: what was kept is safe"
        ) from error
