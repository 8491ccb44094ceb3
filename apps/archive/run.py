"""A whole archive of footage into memories, on all cores; a run that was cut short can be resumed.

DIR/archive.db     the ledger: what was given and what became of it
DIR/<name>/        the memories
DIR/summary.json   the report of the last run
DIR/.archive/      parts that wait, and copies of the memories that are being written; gone at the end
"""

from __future__ import annotations

import functools
import hashlib
import os
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from hippocam.apps.archive import unit
from hippocam.apps.archive.layout import home_of
from hippocam.apps.archive.ledger import LEDGER, Ledger, Row, State
from hippocam.apps.archive.records import ArchiveConfig, ArchiveProgress, ArchiveReport, ArchiveRequest
from hippocam.apps.archive.resuming import settled
from hippocam.apps.archive.status import ProgressFile, is_gone, write_summary
from hippocam.apps.archive.work import HIDDEN, work_folder
from hippocam.apps.archive.writer import ArchiveWriter, Todo
from hippocam.apps.claims import Claim, claim_all
from hippocam.apps.content import cheap_part, fingerprint_of
from hippocam.apps.records import Failure
from hippocam.apps.settings import Settings, budget_bytes, load_settings
from hippocam.memory.config import MemoryConfig
from hippocam.memory.errors import LockedError
from hippocam.memory.folder import has_memory
from hippocam.memory.lock import WriterLock
from hippocam.memory.memory import Memory, MemoryWriter
from hippocam.memory.store.migrations import upgrade
from hippocam.models.registry import make_encoder
from hippocam.models.senses.build import make_senses
from hippocam.stream import opencv, private
from hippocam.stream.archive.plan import Footage, Segment
from hippocam.stream.archive.runner import run_here, run_ray_data
from hippocam.stream.archive.work_folder import WorkFolder
from hippocam.stream.archive.worker import Work
from hippocam.stream.errors import HippocamError, SourceError
from hippocam.stream.guard import length_s, segment_count
from hippocam.stream.pipeline import PipelineConfig
from hippocam.stream.protocols import Encoder, Source
from hippocam.stream.sources import OpenedSources, open_sources
from hippocam.stream.sources.dates import PathPattern, Recorded, recorded_at
from hippocam.stream.sources.naming import natural_key

SEGMENT_S = 300.0
# Threads that read headers and both ends of files: remote disks are slow.
_READERS = 8
# The smallest budget, in millions of bytes.
_LEAST_MB = 1.0
# Footage for which Ray takes longer to start than it saves.
_FEW_S = 180.0
_UNFINISHED = "it changed before it was archived whole; what came before was kept"


def archive(
    root: str | Path,
    request: ArchiveRequest,
    config: ArchiveConfig | None = None,
    *,
    resume: bool = False,
    on_progress: Callable[[ArchiveProgress], None] | None = None,
) -> ArchiveReport:
    """Archive footage into the memories of a folder; skip what is done, and go on with the rest.

    Args:
        root: Folder of the memories and their ledger; made if it is missing.
        request: What is archived, and how.
        config: How the run is carried out.
        resume: Take what the request leaves open, its paths included, from the previous run.
        on_progress: Called before the first segment and after each.

    Raises:
        HippocamError: There is nothing to resume, somebody else archives into this folder, a memory cannot be
            written, or the workers cannot start. A file that cannot be read is listed in the report instead.
        ValueError: A value is out of its range.
    """
    root, config = Path(os.path.abspath(root)), config or ArchiveConfig()
    if resume and not (root / LEDGER).is_file():
        raise HippocamError(f"{root}: no archive to go on with; begin one with: hippocam archive PATH")
    hidden = root / HIDDEN
    private.make_folder(hidden)  # parts of footage wait there
    try:
        lock = WriterLock(hidden / "lock")
    except LockedError as error:
        raise HippocamError(f"{root}: another process archives into it; wait for it to end") from error
    try:
        with Ledger(root / LEDGER) as ledger:
            request = settled(ledger, request, resume=resume)
            report = _Run(root, hidden, ledger, request, config, on_progress).run()
            write_summary(root, report)
            return report
    finally:
        lock.release()


def _in_file_s(time_s: float | None, recorded: Recorded | None) -> float | None:
    """A time of a stream as its file has it."""
    return time_s if time_s is None or recorded is None else time_s - recorded.start_s


@dataclass(frozen=True, slots=True)
class _Given:
    """A source, or a path that could not be opened, with its row in the ledger."""

    source: Source | None
    uri: str
    fingerprint: str
    row: Row | None
    reason: str = ""


class _Run:
    """One run: matches what was given against the ledger, makes the parts, writes them, reports."""

    def __init__(
        self,
        root: Path,
        hidden: Path,
        ledger: Ledger,
        request: ArchiveRequest,
        config: ArchiveConfig,
        on_progress: Callable[[ArchiveProgress], None] | None,
    ) -> None:
        self._root, self._hidden, self._ledger, self._config = root, hidden, ledger, config
        self._request, self._on_progress = request, on_progress
        self._temporary = work_folder(root, request.work)
        self._progress = ProgressFile(hidden)
        self._hours: dict[str, float] = {}  # of footage, of each memory
        self._seconds = 0.0  # of footage that is to be done
        self._settings: Settings = load_settings(request.config)
        self._pipeline: PipelineConfig = self._settings.pipeline
        self._memory_config: MemoryConfig = self._settings.memory
        if request.fps is not None:
            self._pipeline = replace(self._pipeline, fps=request.fps)
        if request.budget_mb is not None:
            self._memory_config = replace(self._memory_config, budget_bytes=budget_bytes(request.budget_mb))
        assert request.encoder is not None  # `_settled` has set it
        self._encoder_name = request.encoder
        self._encoder: Encoder = make_encoder(self._encoder_name)
        opencv.load()
        self._senses = make_senses(self._settings.senses)
        self._segment_s = request.segment_s or SEGMENT_S
        self._dated = request.time_from != "none"
        self._time_from = PathPattern(request.time_from) if request.time_from and self._dated else None
        self._camera_from = PathPattern(request.camera_from) if request.camera_from else None
        self._failed: list[Failure] = []
        self._quarantined: list[Failure] = []
        self._moved: list[str] = []
        self._known = 0
        self._workers = 1

    def run(self) -> ArchiveReport:
        """Carry the run out."""
        started, cpu_s = time.monotonic(), time.process_time()
        self._put_back()
        opened = open_sources(self._request.paths, self._settings.sources)
        homes = self._sort_out(self._match(opened))
        todos = self._claim(homes)
        work = WorkFolder.begin(self._temporary / "work", {todo.footage.key for todo in todos})
        writer = ArchiveWriter(
            todos,
            ledger=self._ledger,
            work=work,
            root=self._root,
            copies=self._temporary / "copies",
            open_memory=self._open_memory,
            unit_s=self._config.unit_s,
        )
        with writer, closing(self._segments([todo.footage for todo in todos], work)) as segments:
            self._tell(writer, todos, None)
            for segment in segments:
                writer.take(segment)
                self._tell(writer, todos, segment)
        work.end()
        self._progress.end()
        seconds = time.monotonic() - started
        hours, core_hours = writer.done_s / 3600, (writer.cpu_s + time.process_time() - cpu_s) / 3600
        return ArchiveReport(
            memories=writer.memories,
            archived=writer.archived,
            known=self._known,
            moved=tuple(self._moved),
            hours=hours,
            seconds=seconds,
            core_hours=core_hours,
            hours_per_core_hour=hours / core_hours if core_hours else 0.0,
            workers=self._workers,
            failed=(*self._failed, *writer.failed),
            quarantined=tuple(self._quarantined),
            undated=tuple(todo.footage.source.uri for todo in todos if self._dated and todo.recorded is None),
            gone=tuple(row.path for row in self._ledger.rows(state=State.DONE) if is_gone(row.path)),
        )

    def _put_back(self) -> None:
        """Restore memories to their state before the units that the last run did not finish."""
        for name in self._ledger.open_units():
            begun = {row.name for row in self._ledger.rows(memory=name, state=State.BEGUN)}
            copy = self._temporary / "copies" / name
            if not unit.put_back(self._root / name, copy, begun):
                unit.delete_copy(copy)  # somebody else wrote to it: go on from where it is
                with self._ledger.transaction():
                    self._ledger.set_unit(name, is_open=False)

    # what is to be done -----------------------------------------------------------------------------------

    def _match(self, opened: OpenedSources) -> list[_Given]:
        """Look everything up in the ledger, in an order that does not depend on that of the arguments."""
        sources = sorted(opened.sources, key=lambda source: natural_key(source.uri))
        uris = [*(source.uri for source in sources), *(error.uri for error in opened.failed)]
        with ThreadPoolExecutor(_READERS) as readers:
            prints = list(readers.map(fingerprint_of, uris))
        rows = self._ledger.match(list(zip(uris, prints, strict=True)))
        reasons = [*("" for _ in sources), *(error.reason for error in opened.failed)]
        every = [*sources, *(None for _ in opened.failed)]
        return [_Given(*given) for given in zip(every, uris, prints, rows, reasons, strict=True)]

    def _sort_out(self, given: Sequence[_Given]) -> dict[str, list[_Given]]:
        """Group what was given by memory, leaving out memories in which nothing is to be done."""
        homes: dict[str, list[_Given]] = {}
        with self._ledger.transaction():
            for one in given:
                if one.source is None:
                    self._refuse(one)
                    continue
                row = self._placed(one, one.source)
                if row.state is State.DONE:
                    self._known += 1
                elif row.state is State.QUARANTINED and not self._config.retry:
                    self._quarantined.append(Failure(source=one.uri, reason=row.reason))
                homes.setdefault(row.memory, []).append(replace(one, row=row))
        return {name: ones for name, ones in sorted(homes.items()) if any(map(self._is_open, ones))}

    def _placed(self, one: _Given, source: Source) -> Row:
        """Return the ledger's row of a source, with its present path and memory."""
        row, ledger = one.row, self._ledger
        name = row.memory if row else ""
        name = name or ledger.memory_for(home_of(source, self._request.per or "all", self._camera_from))
        if row is None:
            self._leave_behind(one)
            return ledger.add(memory=name, path=one.uri, fingerprint=one.fingerprint)
        if row.path != one.uri:
            self._relink(row, one.uri)
        if (row.path, row.memory) != (one.uri, name):
            ledger.move(row, path=one.uri, memory=name)
        if row.state is State.DONE and not has_memory(self._root / name):  # somebody deleted the memory
            ledger.set_state(row.id, State.WAITING)
            row = row._replace(state=State.WAITING)
        return row._replace(path=one.uri, memory=name)

    def _is_open(self, one: _Given) -> bool:
        """Whether it is still to be archived."""
        assert one.row is not None
        return one.row.state is not State.DONE and (one.row.state is not State.QUARANTINED or self._config.retry)

    def _relink(self, row: Row, uri: str) -> None:
        """Tell a memory that one of its files has moved, unless it was copied."""
        folder = self._root / row.memory
        if row.state is State.DONE and has_memory(folder):
            if fingerprint_of(row.path) == cheap_part(row.fingerprint):
                return  # this is a copy, and the memory names the original
            with self._open_memory(folder) as memory:
                memory.relocate(row.name, uri)
            if row.memory in self._ledger.open_units():
                unit.save(folder, self._temporary / "copies" / row.memory)
            self._moved.append(uri)

    def _refuse(self, one: _Given) -> None:
        """Report what cannot be opened: as failed if it is new, else as quarantined."""
        failure = Failure(source=one.uri, reason=one.reason)
        if one.row is not None and one.row.state is State.QUARANTINED:
            self._quarantined.append(failure)
            return
        self._failed.append(failure)
        if one.fingerprint:
            row = one.row or self._ledger.add(memory="", path=one.uri, fingerprint=one.fingerprint)
            self._ledger.set_state(row.id, State.QUARANTINED, reason=one.reason)

    def _leave_behind(self, one: _Given) -> None:
        """Close the rows of unfinished content that other content has replaced at the same path."""
        for row in self._ledger.left_behind(one.uri, one.fingerprint):
            if row.state is State.WAITING:
                self._ledger.delete([row])
            else:
                self._ledger.set_state(row.id, State.QUARANTINED, reason=_UNFINISHED)

    def _claim(self, homes: dict[str, list[_Given]]) -> list[Todo]:
        """Name what is to be archived in its memory, making memories that are new."""
        found: list[tuple[_Given, Row, Claim, float | None]] = []
        for name, ones in homes.items():
            self._hours[name] = sum(row.seconds for row in self._ledger.rows(memory=name)) / 3600
            with self._open_memory(self._root / name) as memory:
                sources = [one.source for one in ones if one.source]
                claims = claim_all(memory, sources, self._pipeline.fps, self._senses.named)
                kept = [memory.store.streams.recorded_s(claim.job.name) for claim in claims]
            for one, claim, kept_s in zip(ones, claims, kept, strict=True):
                assert one.row is not None
                if not self._is_open(one):
                    continue
                if claim.complete:  # the ledger was lost, the memory was not
                    self._known += 1
                    with self._ledger.transaction():
                        self._ledger.set_state(one.row.id, State.DONE, name=claim.job.name)
                else:
                    found.append((one, one.row, claim, kept_s))
        sources = [claim.job.source for _, _, claim, _ in found]
        with ThreadPoolExecutor(_READERS) as readers:
            durations = list(readers.map(length_s, sources))
            counts = list(readers.map(self._count, sources))
            dates = list(readers.map(self._recorded, [(claim, kept_s) for _, _, claim, kept_s in found]))
        for (_, row, _, _), duration_s in zip(found, durations, strict=True):
            self._hours[row.memory] += (duration_s or 0.0) / 3600
            self._seconds += self._segment_s if duration_s is None else duration_s
        for (one, row, _, _), count in zip(found, counts, strict=True):
            if isinstance(count, SourceError):
                self._failed.append(Failure(source=one.uri, reason=count.reason))
                with self._ledger.transaction():
                    self._ledger.set_state(row.id, State.QUARANTINED, reason=count.reason)
        return [
            Todo(
                row=row,
                footage=Footage(
                    source=claim.job.source,
                    key=self._key(one),
                    segments=count,
                    after_seq=claim.job.after_seq,
                    after_s=_in_file_s(claim.job.after_s, recorded),
                ),
                name=claim.job.name,
                fingerprint=one.fingerprint,
                fps=self._pipeline.fps,
                senses=self._senses.named,
                duration_s=duration_s,
                recorded=recorded,
            )
            for (one, row, claim, _), duration_s, count, recorded in zip(
                found, durations, counts, dates, strict=True
            )
            if not isinstance(count, SourceError)
        ]

    def _recorded(self, claimed: tuple[Claim, float | None]) -> Recorded | None:
        """When a recording begins: as the memory has it where some of it is there, else as its path or it says."""
        claim, kept_s = claimed
        if claim.resumed:
            return None if kept_s is None else Recorded(kept_s, "memory")
        if not self._dated or "#" in claim.job.source.uri:
            return None
        return recorded_at(Path(claim.job.source.uri), self._time_from)

    def _count(self, source: Source) -> int | SourceError:
        """Return how many segments a source is cut into, or why that cannot be told."""
        try:
            return segment_count(source, self._segment_s)
        except SourceError as error:
            return error

    def _key(self, one: _Given) -> str:
        """Hash everything that a part depends on into a file name."""
        try:
            changed = os.stat(one.uri).st_mtime_ns
        except OSError:
            changed = 0
        made_by = (self._encoder.spec, self._pipeline, self._senses.ids, self._settings.senses)
        parts = (one.uri, one.fingerprint, changed, self._segment_s, *made_by)
        told = repr((parts, self._settings.sources.longest_px))
        return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()

    # doing it ---------------------------------------------------------------------------------------------

    def _open_memory(self, folder: Path) -> MemoryWriter:
        if has_memory(folder):
            upgrade(folder)
        return Memory.open_writer(
            folder, encoder=self._encoder_name, spec=self._encoder.spec, config=self._config_of(folder.name)
        )

    def _config_of(self, memory: str) -> MemoryConfig:
        """The settings of a memory; its budget grows with its hours where that is asked for."""
        rate_mb, hours = self._request.budget_mb_per_hour, self._hours.get(memory)
        if rate_mb is None or hours is None:
            return self._memory_config
        grown_bytes = budget_bytes(max(rate_mb * hours, self._request.budget_mb or _LEAST_MB))
        return replace(self._memory_config, budget_bytes=grown_bytes)

    def _segments(self, footage: Sequence[Footage], folder: WorkFolder) -> Generator[Segment, None, None]:
        """Make the parts; yield each segment when its part is ready."""
        work = Work(
            footage=footage,
            folder=folder,
            pipeline=self._pipeline,
            segment_s=self._segment_s,
            ahead=self._config.ahead,
            senses=self._senses,
        )
        make = functools.partial(make_encoder, self._encoder_name)
        if (
            self._config.executor == "local"
            or not footage
            or (self._config.executor == "auto" and self._seconds <= _FEW_S)
        ):
            return run_here(work, make)

        def started(workers: int) -> None:
            self._workers = workers

        return run_ray_data(work, make, self._config.workers, on_start=started)

    def _tell(self, writer: ArchiveWriter, todos: Sequence[Todo], segment: Segment | None) -> None:
        if not todos:
            return
        progress = ArchiveProgress(
            source="" if segment is None else todos[segment.index].footage.source.uri,
            done=writer.done,
            total=len(todos),
            done_s=writer.here_s,
            total_s=sum(todo.duration_s or 0.0 for todo in todos),
            failed=len(writer.failed),
            workers=self._workers,
        )
        self._progress.tell(progress)
        if self._on_progress is not None:
            self._on_progress(progress)
