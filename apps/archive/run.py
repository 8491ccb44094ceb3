"""A whole archive of footage into memories, on all cores; a run that was cut short can be resumed.

DIR/archive.db     the ledger: what was given and what became of it
DIR/<name>/        the memories
DIR/summary.json   the report of the last run
DIR/.archive/      parts that wait, and copies of the memories that are being written; gone at the end
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from hippocam.apps.archive.book import ArchiveBook, put_back
from hippocam.apps.archive.depot import Depot, fetch_into
from hippocam.apps.archive.estimate import Estimate, Speeds
from hippocam.apps.archive.ledger import LEDGER, Ledger, State
from hippocam.apps.archive.planning import Planner
from hippocam.apps.archive.records import ArchiveConfig, ArchiveProgress, ArchiveReport, ArchiveRequest
from hippocam.apps.archive.resuming import settled
from hippocam.apps.archive.setup import Setup
from hippocam.apps.archive.status import ProgressFile, gone_of, write_summary
from hippocam.apps.archive.work import HIDDEN, work_folder
from hippocam.apps.archive.writer import Todo
from hippocam.apps.zones.sources import masked_sources, unmet
from hippocam.memory.errors import LockedError
from hippocam.memory.lock import WriterLock
from hippocam.models.registry import make_encoder
from hippocam.models.weights import cache_root
from hippocam.stream import private
from hippocam.stream.archive.runner import Order, run_here, run_on_ray
from hippocam.stream.archive.work_folder import WorkFolder
from hippocam.stream.archive.worker import Work
from hippocam.stream.errors import HippocamError
from hippocam.stream.sources import OpenedSources, open_sources

_SPEEDS = "archive-speeds.json"
# Footage for which Ray takes longer to start than it saves.
_FEW_S = 180.0


def archive(
    root: str | Path,
    request: ArchiveRequest,
    config: ArchiveConfig | None = None,
    *,
    resume: bool = False,
    on_progress: Callable[[ArchiveProgress], None] | None = None,
    on_note: Callable[[str], None] | None = None,
) -> ArchiveReport:
    """Archive footage into the memories of a folder; skip what is done, and go on with the rest.

    Args:
        root: Folder of the memories and their ledger; made if it is missing.
        request: What is archived, and how.
        config: How the run is carried out.
        resume: Take what the request leaves open, its paths included, from the previous run.
        on_progress: Called before the first segment and after each.
        on_note: Called with one line on what whoever runs it should know: machines that come, leave or lack
            something.

    Raises:
        HippocamError: There is nothing to resume, somebody else archives into this folder, a memory cannot be
            written, or the workers cannot start. A file that cannot be read is listed in the report instead.
        ValueError: A value is out of its range.
    """
    root, config = Path(os.path.abspath(root)), config or ArchiveConfig()
    if resume and not (root / LEDGER).is_file() and request.copy_to is None:
        raise HippocamError(f"{root}: no archive to go on with; begin one with: hippocam archive PATH")
    hidden = root / HIDDEN
    private.make_folder(hidden)  # parts of footage wait there
    try:
        lock = WriterLock(hidden / "lock")
    except LockedError as error:
        raise HippocamError(f"{root}: another process archives into it; wait for it to end") from error
    try:
        if request.copy_to is not None:
            fetch_into(root, request.copy_to)
        with Ledger(root / LEDGER) as ledger, ExitStack() as ending:
            setup = Setup(settled(ledger, request, resume=resume))
            depot = ending.enter_context(Depot(setup.request.copy_to)) if setup.request.copy_to else None
            if depot is not None:
                depot.check(ledger)
            report = _Run(root, hidden, ledger, setup, config, on_progress, on_note, depot).run()
            if depot is not None:
                depot.end(root, ledger)
            write_summary(root, report)
            return report
    finally:
        lock.release()


class _Run:
    """One run: finds out what is to be done, has it done, and reports."""

    def __init__(
        self,
        root: Path,
        hidden: Path,
        ledger: Ledger,
        setup: Setup,
        config: ArchiveConfig,
        on_progress: Callable[[ArchiveProgress], None] | None,
        on_note: Callable[[str], None] | None,
        depot: Depot | None,
    ) -> None:
        self._depot = depot
        self._root, self._ledger, self._setup, self._config = root, ledger, setup, config
        self._on_progress, self._on_note = on_progress, on_note
        self._temporary = work_folder(root, setup.request.work)
        self._copies = self._temporary / "copies"
        self._progress = ProgressFile(hidden)
        self._estimate: Estimate | None = None

    def run(self) -> ArchiveReport:
        """Carry the run out."""
        started, cpu_s = time.monotonic(), time.process_time()
        self._put_back()
        opened = self._opened()
        planner = Planner(self._root, self._copies, self._ledger, self._setup, retry=self._config.retry)
        todos = planner.plan(opened)
        work = WorkFolder.begin(self._temporary / "work", {todo.footage.key for todo in todos})
        book = ArchiveBook(
            todos,
            ledger=self._ledger,
            work=work,
            root=self._root,
            copies=self._copies,
            openings={name: self._setup.opening(hours) for name, hours in planner.hours.items()},
            unit_s=self._config.unit_s,
            on_progress=self._tell,
            on_note=self._on_note or (lambda _: None),
            on_whole=self._copy_out,
        )
        here = self._is_done_here(planner.seconds)
        self._estimate = Estimate(Speeds(cache_root() / _SPEEDS), self._setup.kind, self._expected_workers(here))
        book.tell_start()
        self._carry_out(todos, work, book, here=here)
        work.end()
        self._progress.end()
        self._estimate.end(book.done_s, book.most_workers)
        seconds = time.monotonic() - started
        hours, core_hours = book.done_s / 3600, (book.cpu_s + time.process_time() - cpu_s) / 3600
        dated = self._setup.dated
        return ArchiveReport(
            memories=book.memories,
            archived=book.archived,
            known=planner.known,
            moved=tuple(planner.moved),
            hours=hours,
            seconds=seconds,
            core_hours=core_hours,
            hours_per_core_hour=hours / core_hours if core_hours else 0.0,
            workers=book.most_workers,
            failed=(*planner.failed, *book.failed),
            quarantined=tuple(planner.quarantined),
            undated=tuple(todo.footage.source.uri for todo in todos if dated and todo.recorded is None),
            gone=gone_of(self._ledger.rows(state=State.DONE)),
            left_out=tuple(book.machines_left_out),
            duplicates=tuple(planner.duplicates),
        )

    def _opened(self) -> OpenedSources:
        """Open what is to be archived, with its masks."""
        setup = self._setup
        opened = open_sources(setup.request.paths, setup.settings.sources)
        missing = unmet(setup.zones, opened.sources, setup.camera_from)
        if missing and self._on_note is not None:
            self._on_note(f"zones: nothing that is archived is called {', '.join(missing)}")
        return replace(opened, sources=masked_sources(opened.sources, setup.zones, setup.camera_from))

    def _put_back(self) -> None:
        """Restore memories to their state before the units that the last run did not finish."""
        for name in self._ledger.open_units():
            begun = {row.name for row in self._ledger.rows(memory=name, state=State.BEGUN)}
            put_back(self._ledger, name, self._root, self._copies, begun)

    def _is_done_here(self, seconds: float) -> bool:
        """Whether so much footage is made in this process, without Ray."""
        executor = self._config.executor
        return executor == "local" or (executor == "auto" and seconds <= _FEW_S)

    def _expected_workers(self, here: bool) -> int | None:
        """How many workers there will be; None on a cluster, which machines may join."""
        workers = self._config.workers
        return 1 if here else workers.workers or (None if workers.joins else os.cpu_count())

    def _carry_out(self, todos: Sequence[Todo], work_folder: WorkFolder, book: ArchiveBook, *, here: bool) -> None:
        """Have everything made and written."""
        setup = self._setup
        footage = [todo.footage for todo in todos]
        work = Work(folder=work_folder, pipeline=setup.pipeline, segment_s=setup.segment_s, senses=setup.senses)
        make = functools.partial(make_encoder, setup.encoder_name)
        order = Order(footage=footage, work=work, make_encoder=make, book=book)
        if here:
            run_here(order)
        else:
            run_on_ray(order, self._config.workers, ahead=self._config.ahead)

    def _copy_out(self, memory: str) -> None:
        """Have a memory copied that this run has finished."""
        if self._depot is not None:
            self._depot.copy(self._root / memory, self._ledger)

    def _tell(self, progress: ArchiveProgress) -> None:
        if self._estimate is not None:
            progress = replace(progress, left_s=self._estimate.left_s(progress))
        self._progress.tell(progress)
        if self._on_progress is not None:
            self._on_progress(progress)
