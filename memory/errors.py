"""Errors of a memory that a user can mend, and what turns those of a disk or a database into them."""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from hippocam.stream.errors import HippocamError


class _InFolder(Protocol):
    folder: Path


S = TypeVar("S", bound=_InFolder)
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(eq=False)
class MemoryFolderError(HippocamError):
    """A memory's folder cannot be used.

    Attributes:
        folder: The memory's.
        reason: What is wrong with it.
    """

    folder: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.folder}: {self.reason}"


@dataclass(eq=False)
class NoMemoryError(MemoryFolderError):
    """There is no memory in the folder."""

    reason: str = "no memory here"


@dataclass(eq=False)
class NotAMemoryError(MemoryFolderError):
    """Something other than a memory is where one should be."""


@dataclass(eq=False)
class LockedError(MemoryFolderError):
    """Another process writes to the memory."""

    reason: str = "another process is writing to this memory; wait for it"


@dataclass(eq=False)
class NoPermissionError(MemoryFolderError):
    """The folder, or a file in it, may not be read or written."""


@dataclass(eq=False)
class DamagedError(MemoryFolderError):
    """The memory's database is damaged."""


@dataclass(eq=False)
class PicturesMissingError(MemoryFolderError):
    """So many of the memory's pictures are missing or others that something happened to them; nothing was changed.

    Attributes:
        missing: How many are missing.
        of: How many there should be.
        changed: How many have another size than they were written with, or are links.
    """

    exit_code = 1
    reason: str = field(init=False)
    missing: int
    of: int
    changed: int = 0

    def __post_init__(self) -> None:
        counts = ((self.missing, "missing"), (self.changed, "not as they were written"))
        wrong = " and ".join(f"{count} {what}" for count, what in counts if count)
        self.reason = (
            f"of {self.of} pictures {wrong}, as in a copy that is not whole or where a disk is not there; nothing "
            "was changed, and all entries keep their vectors"
        )


@dataclass(eq=False)
class FormatError(MemoryFolderError):
    """The memory's format is not the one that is read here.

    Attributes:
        found: Its format.
        reads: The format that is read here.
    """

    reason: str = field(init=False)
    found: int
    reads: int

    def __post_init__(self) -> None:
        self.reason = f"memory format {self.found}, this hippocam reads {self.reads}"


@dataclass(eq=False)
class OlderFormatError(FormatError):
    """The memory is of an older format, which a writer brings to the present one."""


@dataclass(eq=False)
class NewerFormatError(FormatError):
    """The memory was written by a newer hippocam."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.reason += "; upgrade hippocam"


@dataclass(eq=False)
class BudgetTooSmallError(MemoryFolderError):
    """The byte budget does not hold one more picture, whatever is given up.

    Attributes:
        needed_bytes: What that picture takes.
        given_bytes: The whole budget.
    """

    reason: str = field(init=False)
    needed_bytes: int
    given_bytes: int

    def __post_init__(self) -> None:
        self.reason = (
            f"a budget of {self.given_bytes / 1e6:g} MB does not hold one more picture of "
            f"{self.needed_bytes / 1e6:.1f} MB"
        )


@dataclass(eq=False)
class DiskError(MemoryFolderError):
    """The memory's disk is full or gone; what was kept before is safe."""

    exit_code = 1


@dataclass(eq=False)
class EncoderMismatchError(HippocamError):
    """A memory was made with another encoder than the one that was asked for.

    Attributes:
        folder: The memory's.
        made_with: Name of the encoder that made it.
        made_with_id: Id of that encoder, with its version.
        asked_for: Name of the other; the same name if that encoder has changed since.
        asked_for_id: Its id.
    """

    folder: Path
    made_with: str
    made_with_id: str
    asked_for: str
    asked_for_id: str

    def __str__(self) -> str:
        return (
            f"{self.folder}: made with encoder {self.made_with} ({self.made_with_id}), not {self.asked_for} "
            f"({self.asked_for_id})"
        )


@dataclass(eq=False)
class MixedEncodersError(HippocamError):
    """Two memories of different encoders cannot be used together.

    Attributes:
        folders: Folders of the two memories.
        encoder_ids: Ids of the encoders that made them.
    """

    folders: tuple[Path, Path]
    encoder_ids: tuple[str, str]

    def __str__(self) -> str:
        (one, other), (its_id, other_id) = self.folders, self.encoder_ids
        return f"{one} was made with encoder {its_id} and {other} with {other_id}"


@dataclass(eq=False)
class UnknownEntityError(HippocamError):
    """A memory knows no such thing or person.

    Attributes:
        entity: The id that was given.
    """

    entity: int

    def __str__(self) -> str:
        return f"no entity {self.entity:016x}"


@dataclass(eq=False)
class UnknownVisitError(HippocamError):
    """A memory knows no such visit of a thing or person.

    Attributes:
        visit: The id that was given.
    """

    visit: int

    def __str__(self) -> str:
        return f"no visit {self.visit:016x}"


@dataclass(eq=False)
class ConsolidatorError(HippocamError):
    """A file of parameters is not of the network that proposes what sleep merges.

    Attributes:
        path: The file.
    """

    path: Path

    def __str__(self) -> str:
        return f"{self.path}: parameters of another network"


def one_line(error: BaseException) -> str:
    """What an error says, without line breaks: SQLite quotes what is in a damaged file."""
    return " ".join(str(error).split())


@contextmanager
def memory_errors(folder: Path) -> Iterator[None]:
    """Turn the errors of a disk or a damaged file into errors of the memory."""
    try:
        yield
    except PermissionError as error:
        raise NoPermissionError(
            folder, f"no permission ({error.strerror}: {error.filename}); change its owner or mode"
        ) from error
    except sqlite3.OperationalError as error:
        raise DiskError(
            folder,
            f"the database cannot be used ({one_line(error)}); see to the folder's permissions and to free some "
            "disk space, then watch again: what was kept is safe",
        ) from error
    except sqlite3.DatabaseError as error:
        raise DamagedError(folder, f"the database is damaged ({one_line(error)})") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:  # of text in a row, a name or SQLite's own message
        raise DamagedError(folder, f"the database is damaged: a text in it is none ({one_line(error)})") from error
    except OSError as error:
        raise DiskError(
            folder,
            f"cannot be written or read ({error.strerror or error}); see to its place and free some disk space, "
            "then watch again: what was kept is safe",
        ) from error


def guarded(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Wrap a method of an object with a `folder` in `memory_errors`."""

    @functools.wraps(method)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with memory_errors(self.folder):
            return method(self, *args, **kwargs)

    return call
