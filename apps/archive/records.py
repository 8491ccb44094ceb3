"""What an archive run is asked for, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hippocam.apps.archive.layout import Per, Split
from hippocam.stream.archive.nodes import WorkersConfig
from hippocam.stream.errors import Failure

Executor = Literal["auto", "ray", "local"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveRequest:
    """What is archived, and how; kept in the ledger, so that a run can be gone on with by its folder alone.

    Attributes:
        paths: Video files, folders, globs, folders of numbered images, LeRobot datasets.
        per: "all", "folder" or "camera": see `layout.home_of`; None as in the run before ("all" at first).
        split: A memory for each day, week, month or year of what `per` says, by when recordings begin; None as in
            the run before (one memory at first).
        fps: Frames a second that are looked at; None for the settings' rate.
        encoder: Its name; None as in the run before, or the default.
        budget_mb: What each memory may take, in millions of bytes; None keeps its own.
        config: Settings: a name that ships, or a YAML file.
        segment_s: Length of a segment, seconds, 1 to 3600.
        time_from: What in a path says when its recording begins, as `PathPattern` has it; "none" to let all times
            count from the start of their files; None to find it by names and by what the files say.
        camera_from: What in a path names the camera, as `PathPattern` has it; None to find it.
        work: Folder for parts that wait and for copies of memories; None as in the run before, or beside the
            memories.
        budget_mb_per_hour: What each memory may take for every hour of footage that goes into it, in millions of
            bytes; None for `budget_mb` alone. The larger of both counts.
        copy_to: Where memories are copied whole when they are finished, `s3://...`, `gs://...` or a folder, and
            whence an empty folder is filled; None as in the run before (nowhere at first).
        duplicates: Whether duplicates of other recordings are archived, too; None as in the run before (no at
            first).
        zones: What is marked in pictures, by the names of cameras or recordings, each with the fields of
            CameraZones; None as in the run before (nothing at first).
    """

    paths: tuple[str, ...] = ()
    per: Per | None = None
    split: Split | None = None
    fps: float | None = None
    encoder: str | None = None
    budget_mb: float | None = None
    config: str | None = None
    segment_s: float | None = None
    time_from: str | None = None
    camera_from: str | None = None
    work: str | None = None
    budget_mb_per_hour: float | None = None
    copy_to: str | None = None
    duplicates: bool | None = None
    zones: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.budget_mb_per_hour is not None and not self.budget_mb_per_hour > 0:
            raise ValueError(f"budget_mb_per_hour must be above 0, found {self.budget_mb_per_hour:g}")
        if self.segment_s is not None and not 1 <= self.segment_s <= 3600:
            raise ValueError(f"segment_s must be 1 to 3600 seconds, found {self.segment_s:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveConfig:
    """How a run is carried out; of all this, only `unit_s` makes a difference to the memories.

    Attributes:
        executor: "ray"; "local": one segment after the other in this process; "auto": that for a few minutes of
            footage, for which Ray would take longer to start.
        workers: Which workers there are on Ray.
        unit_s: Footage after which a memory is made safe, seconds above 0; after a kill, what came since is
            written again, but not encoded again.
        ahead: How many segments may wait for each memory, 1 or more.
        retry: Whether quarantined recordings are tried again.
    """

    executor: Executor = "ray"
    workers: WorkersConfig = field(default_factory=WorkersConfig)
    unit_s: float = 3600.0
    ahead: int = 64
    retry: bool = False

    def __post_init__(self) -> None:
        if not self.unit_s > 0:
            raise ValueError(f"unit_s must be above 0 seconds, found {self.unit_s}")
        if self.ahead < 1:
            raise ValueError(f"ahead must be 1 or more segments, found {self.ahead}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveProgress:
    """How far a run has come.

    Attributes:
        source: The source that was written last; "" at first.
        done: Recordings that are at their end.
        total: Recordings that were to be done.
        done_s: Seconds of footage that are in their memories.
        total_s: Seconds of footage that were to be done, as far as their headers say.
        failed: Recordings that broke off.
        workers: How many there are.
        left_s: About how much longer it takes, seconds; None where nothing tells.
    """

    source: str
    done: int
    total: int
    done_s: float
    total_s: float
    failed: int
    workers: int
    left_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedMemory:
    """A memory of an archive.

    Attributes:
        folder: Where it is.
        bytes: What it takes.
        budget_bytes: What it may take.
        recordings: Recordings that were archived to their end: in a run's report, by that run.
        given_up: Events that it has given up for its budget.
    """

    folder: str
    bytes: int
    budget_bytes: int
    recordings: int
    given_up: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveReport:
    """The outcome of a run.

    Attributes:
        memories: Those that were written.
        archived: Recordings that were archived to their end.
        known: Recordings that were archived before and passed over.
        moved: Files that had been archived under another path; the memory now names the new one.
        hours: Hours of footage that were archived.
        seconds: How long the run took.
        core_hours: Processor hours that all processes took.
        hours_per_core_hour: Hours of footage in a processor hour.
        workers: How many there were at most.
        failed: What failed in this run and why; what came before the fault is kept.
        quarantined: What failed in an earlier run and was not tried again.
        undated: What nothing tells the date of, so that its times count from its start.
        gone: Files that were archived and are no longer there; what was seen of them is held.
        left_out: Machines of the cluster that could not be used, and why.
        duplicates: What was given and not archived, since another recording is the same, and which.
    """

    memories: tuple[ArchivedMemory, ...]
    archived: int
    known: int
    moved: tuple[str, ...]
    hours: float
    seconds: float
    core_hours: float
    hours_per_core_hour: float
    workers: int
    failed: tuple[Failure, ...]
    quarantined: tuple[Failure, ...]
    undated: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    left_out: tuple[Failure, ...] = ()
    duplicates: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A run that goes on.

    Attributes:
        done: Recordings that are at their end.
        total: Recordings that were to be done.
        done_s: Seconds of footage that are in their memories.
        total_s: Seconds of footage that were to be done.
        seconds: How long it has run.
        left_s: About how much longer it takes; None where nothing is done and no earlier run tells.
        failed: Recordings that broke off.
        workers: How many there are.
        source: What was written last.
    """

    done: int
    total: int
    done_s: float
    total_s: float
    seconds: float
    left_s: float | None
    failed: int
    workers: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveStatus:
    """What an archive holds, and what goes on in it.

    Attributes:
        running: The run that goes on; None where none does.
        memories: All memories with what they hold.
        recordings: How many there are in each state: waiting, begun, done, quarantined, duplicate.
        hours: Hours of footage that are in the memories.
        quarantined: What failed, and why.
        gone: Files that were archived and are no longer there; what was seen of them is held.
        duplicates: What is not archived, since another recording is the same, and which.
    """

    running: Running | None
    memories: tuple[ArchivedMemory, ...]
    recordings: dict[str, int]
    hours: float
    quarantined: tuple[Failure, ...]
    gone: tuple[str, ...]
    duplicates: tuple[Failure, ...] = ()
