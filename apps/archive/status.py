"""How far an archive is, for whoever asks meanwhile or afterwards, from any process.

DIR/.archive/progress.json    while a run goes on, at most once a second
DIR/summary.json              the last run's report
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hippocam.apps.archive.ledger import LEDGER, Ledger, Row, State
from hippocam.apps.archive.records import ArchivedMemory, ArchiveProgress, ArchiveReport, ArchiveStatus, Running
from hippocam.apps.archive.work import HIDDEN
from hippocam.memory.errors import LockedError
from hippocam.memory.folder import has_memory
from hippocam.memory.lock import WriterLock
from hippocam.memory.memory import Memory
from hippocam.stream.errors import Failure, HippocamError
from hippocam.stream.private import replace_bytes
from hippocam.stream.sources.remote import is_there

SUMMARY = "summary.json"
_PROGRESS = "progress.json"
# Seconds between two records of a run's progress.
_EVERY_S = 1.0
# Threads that look whether files are there: object storage is slow.
_LOOKERS = 16


class ProgressFile:
    """Records a run's progress for `archive_status`.

    Args:
        hidden: The archive's hidden folder.
        clock: Seconds that only rise.
    """

    def __init__(self, hidden: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = hidden / _PROGRESS, clock
        self._began_s = clock()
        self._written_s: float | None = None

    def tell(self, progress: ArchiveProgress) -> None:
        """Record it, unless that was done less than a second ago."""
        now_s = self._clock()
        if self._written_s is not None and now_s - self._written_s < _EVERY_S:
            return
        self._written_s = now_s
        replace_bytes(self._path, json.dumps({**asdict(progress), "seconds": now_s - self._began_s}).encode())

    def end(self) -> None:
        """Record that nothing goes on any more."""
        self._path.unlink(missing_ok=True)


def write_summary(root: Path, report: ArchiveReport) -> None:
    """Leave a run's report beside its memories."""
    replace_bytes(root / SUMMARY, json.dumps(asdict(report), indent=1).encode() + b"\n")


def archive_status(root: Path) -> ArchiveStatus:
    """How far an archive is; nothing is changed.

    Raises:
        HippocamError: There is no archive, or its ledger cannot be read.
    """
    if not (root / LEDGER).is_file():
        raise HippocamError(f"{root}: no archive is here; make one with: hippocam archive PATH --memories {root}")
    with Ledger(root / LEDGER) as ledger:
        rows, names = ledger.rows(), ledger.memories()
    counts = Counter(row.memory for row in rows if row.state is State.DONE)
    return ArchiveStatus(
        running=_running(root / HIDDEN),
        memories=tuple(memory_status(root / name, counts[name]) for name in names if has_memory(root / name)),
        recordings={state.value: sum(row.state is state for row in rows) for state in State},
        hours=sum(row.seconds for row in rows) / 3600,
        quarantined=_told(rows, State.QUARANTINED),
        gone=gone_of(rows),
        duplicates=_told(rows, State.DUPLICATE),
    )


def _told(rows: Iterable[Row], state: State) -> tuple[Failure, ...]:
    """The recordings in a state that has a reason, with it."""
    return tuple(Failure(source=row.path, reason=row.reason) for row in rows if row.state is state)


def memory_status(folder: Path, recordings: int) -> ArchivedMemory:
    """What a memory takes, may take and has given up."""
    with Memory.open_reader(folder) as memory:
        return ArchivedMemory(
            folder=str(folder),
            bytes=memory.bytes(),
            budget_bytes=memory.budget_bytes(),
            recordings=recordings,
            given_up=sum(stream.evicted for stream in memory.streams()),
        )


def gone_of(rows: Iterable[Row]) -> tuple[str, ...]:
    """The files and folders of recordings that were archived and are no longer there."""
    paths = [row.path for row in rows if row.state is State.DONE]
    with ThreadPoolExecutor(_LOOKERS) as lookers:
        return tuple(path for path, gone in zip(paths, lookers.map(_is_gone, paths), strict=True) if gone)


def _is_gone(uri: str) -> bool:
    try:
        return not is_there(uri)
    except OSError:  # nobody can tell
        return False


def _running(hidden: Path) -> Running | None:
    """The run that holds the archive's lock, as it recorded itself last."""
    try:
        WriterLock(hidden / "lock").release()
        return None
    except LockedError:
        pass
    except OSError:  # there is none, or it is another user's
        return None
    told: dict[str, Any] = {}
    since_s = 0.0  # that was recorded
    with suppress(OSError, ValueError):
        told = json.loads((hidden / _PROGRESS).read_bytes())
        since_s = max(0.0, time.time() - (hidden / _PROGRESS).stat().st_mtime)
    left_s = told.get("left_s")
    return Running(
        done=told.get("done", 0),
        total=told.get("total", 0),
        done_s=told.get("done_s", 0.0),
        total_s=told.get("total_s", 0.0),
        seconds=told.get("seconds", 0.0) + since_s,
        left_s=None if left_s is None else max(0.0, left_s - since_s),
        failed=told.get("failed", 0),
        workers=told.get("workers", 1),
        source=told.get("source", ""),
    )
