"""Parts into memories: the one writer of an archive run.

Parts come in order. A memory is copied before it is written, and the ledger calls its recordings done only when a
whole unit of them is written (unit.py). So a run that is killed anywhere goes on as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from hippocam.apps.archive import unit
from hippocam.apps.archive.ledger import Ledger, Row, State
from hippocam.apps.archive.records import ArchivedMemory
from hippocam.apps.content import fingerprint_of, with_content
from hippocam.apps.records import Failure
from hippocam.memory.memory import MemoryWriter
from hippocam.stream.archive.parts import PartEnd, read_part
from hippocam.stream.archive.plan import Footage, Segment
from hippocam.stream.archive.work_folder import WorkFolder
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import Item, Note, later
from hippocam.stream.sources.dates import Recorded

# How many frames and notes a memory is given at a time.
_BATCH = 64
_NOTHING = "no frame could be decoded: the data are damaged; copy or record it again"
_CHANGED = "it changed while it was read; archive again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """A recording that is to be archived.

    Attributes:
        row: Its row in the ledger.
        footage: Its source, cut into segments.
        name: Its name in the memory.
        fingerprint: Fingerprint of its content.
        fps: Frames looked at a second; None for every frame.
        senses: What perceives beside the encoder, as `Senses.named`.
        duration_s: Its length, None if it is not known.
        recorded: When it begins, so that its times count from 1970; None where they count from its start.
    """

    row: Row
    footage: Footage
    name: str
    fingerprint: str
    fps: float | None
    senses: tuple[str, ...]
    duration_s: float | None
    recorded: Recorded | None


@dataclass(slots=True)
class _Outcome:
    """What became of a recording; the ledger is told with the whole unit."""

    todo: Todo
    state: State
    fingerprint: str
    reason: str
    seconds: float
    cpu_s: float


class ArchiveWriter:
    """Writes the segments of a run in order. A context manager; after an error the open unit counts as not done.

    Args:
        todos: The recordings, grouped by memory.
        ledger: Records what becomes of them.
        work: Where the parts are.
        root: Folder of the memories.
        copies: Folder for copies of memories.
        open_memory: Opens the memory in a folder for writing.
        unit_s: See ArchiveConfig.
    """

    def __init__(
        self,
        todos: Sequence[Todo],
        *,
        ledger: Ledger,
        work: WorkFolder,
        root: Path,
        copies: Path,
        open_memory: Callable[[Path], MemoryWriter],
        unit_s: float,
    ) -> None:
        self._todos, self._ledger, self._work = todos, ledger, work
        self._root, self._copies, self._open_memory, self._unit_s = root, copies, open_memory, unit_s
        self._memory: MemoryWriter | None = None
        self._name = ""
        self._outcomes: list[_Outcome] = []
        self._at = -1  # index of the recording that is being written
        self._over = False  # whether that recording is finished
        self._frames, self._last_s, self._cpu_s = 0, 0.0, 0.0
        self._written: dict[str, ArchivedMemory] = {}
        self.failed: list[Failure] = []
        self.done = 0
        self.archived = 0
        self.done_s = 0.0
        self.cpu_s = 0.0

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._memory is not None:
            self._memory.close()

    @property
    def memories(self) -> tuple[ArchivedMemory, ...]:
        """The memories that were written."""
        return tuple(self._written.values())

    @property
    def here_s(self) -> float:
        """Seconds of footage written so far, the open recording included."""
        return self.done_s + (0.0 if self._over else self._last_s)

    def take(self, segment: Segment) -> None:
        """Write the next segment into its memory.

        Raises:
            HippocamError: A memory or the ledger cannot be written, or the workers do not see the footage.
        """
        todo = self._todos[segment.index]
        if segment.number == 0:
            self._begin(segment.index, todo)
        if self._over:  # an earlier segment broke off
            return
        end = self._write(todo, self._work.part(todo.footage.key, segment.number))
        self._cpu_s += end.cpu_s
        self.cpu_s += end.cpu_s
        self._last_s = max(self._last_s, end.last_s or 0.0)
        if end.error:
            self._break_off(todo, end)
        elif segment.number == todo.footage.segments - 1:
            self._finish(todo)

    def _begin(self, index: int, todo: Todo) -> None:
        if self._memory is None:
            self._open(todo.row.memory)
        assert self._memory is not None
        self._at, self._over, self._frames, self._last_s, self._cpu_s = index, False, 0, 0.0, 0.0
        with self._ledger.transaction():
            self._ledger.set_state(todo.row.id, State.BEGUN, name=todo.name)
        self._memory.begin(
            todo.name,
            uri=todo.footage.source.uri,
            fingerprint=todo.fingerprint,
            fps=todo.fps,
            senses=todo.senses,
            recorded_s=None if todo.recorded is None else todo.recorded.start_s,
        )

    def _write(self, todo: Todo, part: Path) -> PartEnd:
        assert self._memory is not None
        batch: list[Item] = []
        for item in read_part(part, todo.name):
            if isinstance(item, PartEnd):
                self._memory.write(batch)
                return item
            batch.append(item if todo.recorded is None else later(item, todo.recorded.start_s))
            self._frames += not isinstance(item, Note)
            if len(batch) == _BATCH:
                self._memory.write(batch)
                batch = []
        raise AssertionError("a part ends with its end")

    def _break_off(self, todo: Todo, end: PartEnd) -> None:
        uri = todo.footage.source.uri
        if not end.seen and Path(uri).exists():
            self._work.delete(todo.footage.key)
            raise HippocamError(f"{uri}: a worker does not see it: {end.error}; mount it on all machines alike")
        self._work.call_off(todo.footage.key)
        same = fingerprint_of(uri) == todo.fingerprint
        self._end(todo, State.QUARANTINED if same else State.WAITING, end.error if same else _CHANGED)

    def _finish(self, todo: Todo) -> None:
        if self._frames or todo.footage.after_seq >= 0:
            self._end(todo, State.DONE, "")
        else:
            self._end(todo, State.QUARANTINED, _NOTHING)

    def _end(self, todo: Todo, state: State, reason: str) -> None:
        """Finish a recording, and the unit if it has enough of them."""
        assert self._memory is not None
        whole = state is State.DONE
        end_s = todo.duration_s if whole else None
        if end_s is not None and todo.recorded is not None:
            end_s += todo.recorded.start_s
        self._memory.finish(todo.name, end_s=end_s, complete=whole)
        uri = todo.footage.source.uri
        fingerprint = with_content(uri, todo.fingerprint)
        self._memory.relocate(todo.name, uri, fingerprint)
        seconds = max(self._last_s, todo.duration_s or 0.0) if whole else self._last_s
        self._outcomes.append(_Outcome(todo, state, fingerprint, reason, seconds, self._cpu_s))
        self._over = True
        self.done += 1
        self.archived += whole
        self.done_s += seconds
        if reason:
            self.failed.append(Failure(source=todo.footage.source.uri, reason=reason))
        more = self._todos[self._at + 1 : self._at + 2]
        if not more or more[0].row.memory != self._name:  # this memory is complete
            self._memory.idle()
            self._end_unit()
        elif sum(outcome.seconds for outcome in self._outcomes) >= self._unit_s:
            self._end_unit()

    def _open(self, name: str) -> None:
        """Open a memory, and begin a unit unless the memory was restored to the beginning of one."""
        if name not in self._ledger.open_units():
            unit.save(self._root / name, self._copies / name)
            with self._ledger.transaction():
                self._ledger.set_unit(name, is_open=True)
        self._memory, self._name = self._open_memory(self._root / name), name

    def _end_unit(self) -> None:
        """Record the unit as done, and delete its copy and its parts."""
        assert self._memory is not None
        before = self._written.get(self._name)
        self._written[self._name] = ArchivedMemory(
            folder=str(self._root / self._name),
            bytes=self._memory.bytes(),
            budget_bytes=self._memory.budget_bytes(),
            recordings=sum(outcome.state is State.DONE for outcome in self._outcomes)
            + (before.recordings if before else 0),
            given_up=sum(stream.evicted for stream in self._memory.streams()),
        )
        self._memory.close()
        self._memory = None
        with self._ledger.transaction():
            for outcome in self._outcomes:
                self._ledger.set_state(
                    outcome.todo.row.id,
                    outcome.state,
                    fingerprint=outcome.fingerprint,
                    reason=outcome.reason,
                    seconds=outcome.seconds,
                    cpu_s=outcome.cpu_s,
                )
            self._ledger.set_unit(self._name, is_open=False)
        unit.delete_copy(self._copies / self._name)
        for outcome in self._outcomes:
            self._work.delete(outcome.todo.footage.key)
        self._outcomes = []
