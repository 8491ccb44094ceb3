"""All errors that a user can cause and mend.

    HippocamError                   exit_code: 2 for wrong use, 1 where work was cut short
    ├─ SourceError                  a source cannot be read, or not to its end
    │  └─ MissingFramesError        ... for wanted frames never came out of it
    ├─ MissingLibraryError          a library cannot be loaded
    ├─ LibraryFilesError            the files that another program's database names are not here
    ├─ PartError                    a part of an archive is not whole
    ├─ ClipError                    a camera's footage cannot be written as a clip
    │  └─ NoFootageError            ... for there is none
    ├─ RayError                     Ray cannot do the work
    │  ├─ RayStartError             it does not start
    │  ├─ ClusterError              a cluster cannot be joined
    │  ├─ NoFreeCoreError           all cores are taken
    │  ├─ TooManyWorkersError       fewer cores are free than were asked for
    │  ├─ WorkersLateError          workers did not start in time
    │  ├─ NoFreeGpuError            all GPUs are taken
    │  ├─ NoUsableMachineError      every machine of the cluster lacks something
    │  └─ HeadLostError             the cluster's head is gone
    ├─ MemoryFolderError            a memory's folder cannot be used
    │  ├─ NoMemoryError             there is none in it
    │  ├─ NotAMemoryError           something else is in it
    │  ├─ LockedError               another process writes to it
    │  ├─ NoPermissionError         it may not be read or written
    │  ├─ DamagedError              its database is damaged
    │  ├─ PicturesMissingError      many of its pictures are missing
    │  ├─ FormatError               its format is not the one that is read here
    │  │  ├─ OlderFormatError       ... but an older one
    │  │  └─ NewerFormatError       ... but a newer one
    │  ├─ BudgetTooSmallError       its byte budget does not hold one more picture
    │  └─ DiskError                 its disk is full or gone
    ├─ EncoderMismatchError         a memory was made with another encoder
    ├─ MixedEncodersError           two memories were made with different ones
    ├─ UnknownEntityError           no such thing or person is in a memory
    ├─ UnknownVisitError            no such visit of one
    ├─ ConsolidatorError            a file of parameters is of another network
    ├─ UnknownModelError            no encoder or reader has this name
    ├─ PluginError                  an encoder of another package cannot be used
    ├─ WeightsError                 weights cannot be had, or are other ones
    │  ├─ CardError                 a folder of exported networks is not whole
    │  └─ ExportError               a model cannot be exported
    ├─ ReaderError                  a reader cannot answer now
    ├─ UnknownEntryError            no such entry is in a memory or its journal
    ├─ EntryGivenUpError            an entry was there, and was given up
    ├─ SettingsError                a settings file cannot be read, or has an unknown key or a wrong value
    ├─ LiveError                    the live process does not answer, or refuses
    ├─ LineError                    a line of an exported memory is wrong
    ├─ BrokenOffError               whoever follows a watch broke it off
    ├─ AddressError                 the page cannot be served at this address
    ├─ UploadError                  an upload to the page cannot be taken
    │  └─ TooLargeError             ... for it is too large
    ├─ RefusedError                 a request over HTTP is not met
    ├─ PolicyError                  a file holds no policy, or one for something else
    └─ QuestionFileError            a file of questions cannot be read

`str` of an error says in plain words what is wrong; what was found stands in its attributes. Only the command line
and the page know what to type or click about it (`cli/advice.py`, `web/advice.py`). Wrong values of arguments and
settings are `ValueError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hippocam.memory.errors import (
    BudgetTooSmallError,
    ConsolidatorError,
    DamagedError,
    DiskError,
    EncoderMismatchError,
    FormatError,
    LockedError,
    MemoryFolderError,
    MixedEncodersError,
    NewerFormatError,
    NoMemoryError,
    NoPermissionError,
    NotAMemoryError,
    OlderFormatError,
    PicturesMissingError,
    UnknownEntityError,
    UnknownVisitError,
)
from hippocam.models.errors import (
    CardError,
    ExportError,
    PluginError,
    PolicyError,
    ReaderError,
    UnknownModelError,
    WeightsError,
)
from hippocam.stream.errors import (
    ClipError,
    ClusterError,
    HeadLostError,
    HippocamError,
    LibraryFilesError,
    MissingFramesError,
    MissingLibraryError,
    NoFootageError,
    NoFreeCoreError,
    NoFreeGpuError,
    NoUsableMachineError,
    PartError,
    RayError,
    RayStartError,
    SourceError,
    TooManyWorkersError,
    WorkersLateError,
)

Advice = Mapping[type[HippocamError], str | Callable[[Any], str]]  # a text, or what makes one of the error


@dataclass(eq=False)
class UnknownEntryError(HippocamError):
    """Neither a memory nor its journal knows an entry.

    Attributes:
        entry: Its id, or the beginning of it, as it was given.
    """

    entry: str

    def __str__(self) -> str:
        return f"entry {self.entry}: neither the memory nor its journal knows it"


@dataclass(eq=False)
class EntryGivenUpError(HippocamError):
    """An entry is no longer held.

    Attributes:
        entry: Its id, as it was given.
    """

    entry: str

    def __str__(self) -> str:
        return f"entry {self.entry} was given up"


class SettingsError(HippocamError):
    """A settings file cannot be read, or has a key or value that nothing takes."""


class LiveError(HippocamError):
    """The live process cannot be asked, or refused."""


class LineError(HippocamError):
    """A line of an export is not as it must be."""


class BrokenOffError(HippocamError):
    """Raised by whoever is told how a watch goes, to end it: what was seen is kept, a later watch goes on."""

    exit_code = 1

    def __init__(self) -> None:
        super().__init__("broken off; watching it again goes on from there")


class AddressError(HippocamError):
    """The server cannot listen on this address."""


class UploadError(HippocamError):
    """An upload cannot be taken."""


@dataclass(eq=False)
class TooLargeError(UploadError):
    """An upload is larger than the limit.

    Attributes:
        limit_bytes: The most that an upload may have.
    """

    limit_bytes: int

    def __str__(self) -> str:
        return f"larger than the {self.limit_bytes / 1e9:g} GB that an upload may have"


class RefusedError(HippocamError):
    """A request over HTTP that is not met; `str` of it is the reason.

    Attributes:
        status: The HTTP status that says so.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class QuestionFileError(HippocamError):
    """A question file cannot be read; the message names the file, what was found, and what is known."""


def advised(error: Exception, advice: Advice) -> str:
    """Give an error in one line: what is wrong, then the advice for the nearest of its classes that has one."""
    found = next((advice[kind] for kind in type(error).__mro__ if kind in advice), "")
    said = found if isinstance(found, str) else found(error)
    return " ".join("; ".join(filter(None, (str(error), said))).split())


__all__ = [
    "AddressError",
    "BrokenOffError",
    "BudgetTooSmallError",
    "CardError",
    "ClipError",
    "ClusterError",
    "ConsolidatorError",
    "DamagedError",
    "DiskError",
    "EncoderMismatchError",
    "EntryGivenUpError",
    "ExportError",
    "FormatError",
    "HeadLostError",
    "HippocamError",
    "LibraryFilesError",
    "LineError",
    "LiveError",
    "LockedError",
    "MemoryFolderError",
    "MissingFramesError",
    "MissingLibraryError",
    "MixedEncodersError",
    "NewerFormatError",
    "NoFootageError",
    "NoFreeCoreError",
    "NoFreeGpuError",
    "NoMemoryError",
    "NoPermissionError",
    "NoUsableMachineError",
    "NotAMemoryError",
    "OlderFormatError",
    "PartError",
    "PicturesMissingError",
    "PluginError",
    "PolicyError",
    "QuestionFileError",
    "RayError",
    "RayStartError",
    "ReaderError",
    "RefusedError",
    "SettingsError",
    "SourceError",
    "TooLargeError",
    "TooManyWorkersError",
    "UnknownEntityError",
    "UnknownEntryError",
    "UnknownModelError",
    "UnknownVisitError",
    "UploadError",
    "WeightsError",
    "WorkersLateError",
]
