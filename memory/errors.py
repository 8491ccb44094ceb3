"""Errors of a memory that a user can mend."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from hippocam.stream.errors import HippocamError


class _InFolder(Protocol):
    folder: Path


S = TypeVar("S", bound=_InFolder)
P = ParamSpec("P")
R = TypeVar("R")


class MemoryFolderError(HippocamError):
    """The memory's folder cannot be used: foreign, locked, of another format, or its disk is full."""


class OlderFormatError(MemoryFolderError):
    """The memory is of an older format, which a writer brings to the present one."""


class DiskError(MemoryFolderError):
    """The memory's disk is full or gone; what was kept before is safe."""

    exit_code = 1


class EncoderMismatchError(HippocamError):
    """A memory was made with another encoder than the one that was asked for."""


@contextmanager
def memory_errors(folder: Path) -> Iterator[None]:
    """Turn what a disk or a damaged file can do into one line that names the fix."""
    try:
        yield
    except PermissionError as error:
        raise MemoryFolderError(
            f"{folder}: no permission ({error.strerror}: {error.filename}); change its owner or mode, "
            "or give another --memory folder"
        ) from error
    except sqlite3.OperationalError as error:
        raise DiskError(
            f"{folder}: the database cannot be used ({error}); see to the folder's permissions and to free some "
            "disk space, then watch again: what was kept is safe"
        ) from error
    except sqlite3.DatabaseError as error:
        raise MemoryFolderError(
            f"{folder}: the database is damaged ({error}); give another --memory folder and watch again"
        ) from error
    except OSError as error:
        raise DiskError(
            f"{folder}: cannot be written or read ({error.strerror or error}); see to its place and free some "
            "disk space, then watch again: what was kept is safe"
        ) from error


def guarded(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Make a method of something with a `folder` raise `memory_errors`."""

    @functools.wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with memory_errors(self.folder):
            return method(self, *args, **kwargs)

    return call
