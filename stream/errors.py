"""Errors that a user can cause and mend: the base of all of them, and those of sources, archives, cameras and Ray.

An error carries its data as attributes and says in plain words what is wrong; the command line and the page add
what to type or click. `hippocam.apps.errors` draws the whole tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


class HippocamError(Exception):
    """Base of the errors that a user can mend: says what is wrong and what was found.

    Attributes:
        exit_code: What a command that ends with it returns: 2 for wrong use, 1 where work was cut short.
    """

    exit_code = 2

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive pickling between processes, also where the constructor takes keywords."""
        return _remake, (type(self), self.args, self.__dict__)


def _remake(kind: type[HippocamError], args: tuple[Any, ...], data: dict[str, Any]) -> HippocamError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(data)
    return error


@dataclass(eq=False)
class SourceError(HippocamError):
    """A source cannot be read, or not further than it was.

    Attributes:
        uri: The source at fault.
        reason: What is wrong and what to do about it.
    """

    uri: str
    reason: str

    def __str__(self) -> str:
        return f"{self.uri}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a `SourceError` said, as a record: a source that could not be watched, or not to its end, and why."""

    source: str
    reason: str


class MissingFramesError(SourceError):
    """Wanted frames never came out of the decoder, although nothing is damaged."""


@dataclass(eq=False)
class MissingLibraryError(HippocamError):
    """A library that is needed cannot be loaded.

    Attributes:
        library: Its name.
        reason: What the system says.
        fix: The command of pip that mends it.
    """

    library: str
    reason: str
    fix: str

    def __str__(self) -> str:
        return f"{self.library} cannot be loaded ({self.reason}): {self.fix}"


@dataclass(eq=False)
class LibraryFilesError(HippocamError):
    """None of the files that another program's database names is here.

    Attributes:
        database: The database.
        program: The program.
        missing: How many files it names.
    """

    database: Path
    program: str
    missing: int

    def __str__(self) -> str:
        return f"{self.database}: of the {self.missing} files that {self.program} names here, none was found"


class PartError(HippocamError):
    """A file is not a part of an archive, or not a whole one."""

    exit_code = 1


class ClipError(HippocamError):
    """A camera's footage cannot be written as a clip."""


@dataclass(eq=False)
class NoFootageError(ClipError):
    """A camera's folder holds no footage of a time, or none.

    Attributes:
        folder: Where its footage would be.
        oldest_s: When the oldest footage that there is begins, seconds since 1970; None where there is none.
    """

    folder: Path
    oldest_s: float | None = None

    def __str__(self) -> str:
        return f"{self.folder}: no footage{'' if self.oldest_s is None else ' of that time'}"


class RayError(HippocamError):
    """Ray cannot do the work."""


@dataclass(eq=False)
class RayStartError(RayError):
    """Ray does not start on this machine.

    Attributes:
        reason: What Ray says.
    """

    reason: str

    def __str__(self) -> str:
        return f"Ray did not start ({self.reason})"


@dataclass(eq=False)
class ClusterError(RayError):
    """A Ray cluster cannot be joined.

    Attributes:
        address: Where it should be.
        reason: Why trying failed.
    """

    address: str
    reason: str

    def __str__(self) -> str:
        return f"Ray at {self.address}: nobody answers there ({self.reason})"


@dataclass(eq=False)
class NoFreeCoreError(RayError):
    """Every core that Ray has is taken.

    Attributes:
        cores: How many it has.
    """

    cores: int

    def __str__(self) -> str:
        return f"Ray has 0 of its {self.cores} cores free"


@dataclass(eq=False)
class TooManyWorkersError(RayError):
    """More workers were asked for than Ray has room for.

    Attributes:
        workers: How many were asked for, each with one core.
        free: Free cores.
        cores: All cores.
    """

    workers: int
    free: int
    cores: int

    def __str__(self) -> str:
        return f"{self.workers} workers: Ray has {self.free} of its {self.cores} cores free"


@dataclass(eq=False)
class WorkersLateError(RayError):
    """Workers did not start in time.

    Attributes:
        workers: How many were to start.
        waited_s: How long they were waited for, in seconds.
    """

    workers: int
    waited_s: float

    def __str__(self) -> str:
        return (
            f"Ray did not start {self.workers} workers within {self.waited_s:g} s: something else holds its cores "
            "or memory"
        )


@dataclass(eq=False)
class NoFreeGpuError(RayError):
    """A share of a GPU was asked for, and Ray has none free.

    Attributes:
        gpu_share: What was asked for, 0 to 1.
    """

    gpu_share: float

    def __str__(self) -> str:
        return f"a share of {self.gpu_share:g} of a GPU was asked for, and Ray has no free GPU"


@dataclass(eq=False)
class NoUsableMachineError(RayError):
    """Every machine of a cluster lacks something.

    Attributes:
        machines: Why, by machine.
    """

    machines: dict[str, str]

    def __str__(self) -> str:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in self.machines.items())
        return f"no machine of the cluster can be used ({reasons})"


@dataclass(eq=False)
class HeadLostError(RayError):
    """The head of a cluster is gone, and everything on the cluster with it; what was made is kept.

    Attributes:
        address: Where it was.
    """

    exit_code = 1
    address: str

    def __str__(self) -> str:
        return f"the head of the Ray cluster at {self.address} is gone; what was made is kept"
