"""What becomes of recordings into the ledger, and a run's figures, in the process that runs it all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from hippocam.apps.archive import unit
from hippocam.apps.archive.ledger import Ledger, State
from hippocam.apps.archive.records import ArchivedMemory, ArchiveProgress
from hippocam.apps.archive.writer import ArchiveWriter, Outcome, Taken, Todo, this_process
from hippocam.memory.errors import LockedError
from hippocam.memory.memory import MemoryWriter
from hippocam.stream.archive.plan import Segment
from hippocam.stream.archive.work_folder import WorkFolder
from hippocam.stream.errors import Failure

# Seconds for which the lock of a writer that died on another machine is waited for.
_LOCK_S, _PAUSE_S = 60.0, 1.0


@dataclass(slots=True)
class _Unit:
    """A memory's unit that is not safe yet.

    Attributes:
        first: Index of its first recording.
        ended: Its recordings that are at their end, by index.
        here_s: Seconds of the one that is being written.
    """

    first: int
    ended: dict[int, Outcome] = field(default_factory=dict)
    here_s: float = 0.0


class ArchiveBook:
    """Tells the ledger what becomes of recordings, a unit at a time, and counts.

    Args:
        todos: The recordings, grouped by memory.
        ledger: Of the archive.
        work: Where the parts are.
        root: Folder of the memories.
        copies: Folder for copies of memories.
        openings: What opens each memory for writing; picklable.
        unit_s: See ArchiveConfig.
        on_progress: Is told how far the run is.
        on_note: Is told what whoever runs it should know.
        on_whole: Is told of each memory that has taken all that it takes in this run.
    """

    def __init__(
        self,
        todos: Sequence[Todo],
        *,
        ledger: Ledger,
        work: WorkFolder,
        root: Path,
        copies: Path,
        openings: Mapping[str, Callable[[Path], MemoryWriter]],
        unit_s: float,
        on_progress: Callable[[ArchiveProgress], None],
        on_note: Callable[[str], None],
        on_whole: Callable[[str], None],
    ) -> None:
        self._todos, self._ledger, self._work = todos, ledger, work
        self._root, self._copies, self._openings, self._unit_s = root, copies, openings, unit_s
        self._on_progress, self._on_note, self._on_whole = on_progress, on_note, on_whole
        self._total_s = sum(todo.duration_s or 0.0 for todo in todos)
        self._copied = set(ledger.open_units())
        self._units: dict[str, _Unit] = {}
        self._written: dict[str, ArchivedMemory] = {}
        self._workers = 1
        self._done = 0
        self.most_workers = 1
        self.machines_left_out: list[Failure] = []
        self.failed: list[Failure] = []
        self.archived = 0
        self.done_s = 0.0
        self.cpu_s = 0.0

    @property
    def memories(self) -> tuple[ArchivedMemory, ...]:
        """The memories that were written."""
        return tuple(self._written[name] for name in sorted(self._written))

    # what the runner asks ---------------------------------------------------------------------------------

    def writer_of(self, memory: str) -> Callable[[], ArchiveWriter]:
        """What makes the writer of a memory; picklable."""
        return partial(
            ArchiveWriter,
            self._root / memory,
            self._copies / memory,
            self._work,
            self._openings[memory],
            self._unit_s,
        )

    def begin(self, segment: Segment) -> tuple[Todo, int, bool]:
        """Note in the ledger that a memory changes from now on; return what its writer must know."""
        todo, memory = self._todos[segment.index], self._memory_at(segment.index)
        is_last = self._memory_at(segment.index + 1) != memory
        if segment.number == 0:
            opens = memory not in self._units
            self._units.setdefault(memory, _Unit(segment.index))
            if opens and memory not in self._copied:
                unit.delete_copy(self._copies / memory)  # the writer makes another, before it writes
            with self._ledger.transaction():
                if opens:
                    self._ledger.set_unit(memory, is_open=True)
                self._ledger.set_state(todo.row.id, State.BEGUN, name=todo.name)
        return todo, segment.number, is_last

    def end(self, segment: Segment, taken: Taken) -> None:
        """Count what was written; where a unit is safe, note so and delete what was kept for it."""
        memory = self._memory_at(segment.index)
        its = self._units[memory]
        self.cpu_s += taken.cpu_s + (taken.written_cpu_s if taken.by != this_process() else 0.0)
        its.here_s = taken.here_s
        if taken.outcome is not None:
            its.ended[segment.index], its.here_s = taken.outcome, 0.0
        if taken.safe is not None:
            self._make_safe(memory, its, taken.safe)
            if self._memory_at(segment.index + 1) != memory:
                self._on_whole(memory)
        self._tell(self._todos[segment.index].footage.source.uri)

    def lost(self, memory: str) -> Segment:
        """The process that wrote a memory died: put the memory back.

        Returns:
            The segment with which it begins again.

        Raises:
            LockedError: Somebody else writes to it.
        """
        its = self._units.pop(memory)
        self._copied.add(memory)
        self._on_note(f"{memory}: the process that wrote it died; its last hour is written again")
        names = {row.name for row in self._ledger.rows(memory=memory, state=State.BEGUN)}
        until_s = time.monotonic() + _LOCK_S
        while time.monotonic() < until_s:
            with suppress(LockedError):
                if not put_back(self._ledger, memory, self._root, self._copies, names):
                    self._copied.discard(memory)
                return Segment(index=its.first, number=0)
            time.sleep(_PAUSE_S)
        raise LockedError(self._root / memory)

    def workers(self, count: int) -> None:
        """So many workers are there now."""
        self._workers, self.most_workers = count, max(count, self.most_workers)

    def note(self, text: str) -> None:
        """Pass something on to whoever runs it."""
        self._on_note(text)

    def left_out(self, machine: str, reason: str) -> None:
        """A machine cannot be used."""
        self.machines_left_out.append(Failure(source=machine, reason=reason))
        self._on_note(f"{machine} is left out: {reason}")

    # ------------------------------------------------------------------------------------------------------

    def tell_start(self) -> None:
        """Tell that nothing is done yet."""
        if self._todos:
            self._tell("")

    def _memory_at(self, index: int) -> str:
        return self._todos[index].row.memory if index < len(self._todos) else ""

    def _make_safe(self, memory: str, its: _Unit, safe: ArchivedMemory) -> None:
        before = self._written.get(memory)
        self._written[memory] = replace(safe, recordings=safe.recordings + (before.recordings if before else 0))
        with self._ledger.transaction():
            for index, outcome in its.ended.items():
                self._ledger.set_state(
                    self._todos[index].row.id,
                    outcome.state,
                    fingerprint=outcome.fingerprint,
                    reason=outcome.reason,
                    seconds=outcome.seconds,
                    cpu_s=outcome.cpu_s,
                )
            self._ledger.set_unit(memory, is_open=False)
        del self._units[memory]
        self._copied.discard(memory)
        unit.delete_copy(self._copies / memory)
        for index, outcome in its.ended.items():
            self._work.delete(self._todos[index].footage.key)
            self._done += 1
            self.archived += outcome.state is State.DONE
            self.done_s += outcome.seconds
            if outcome.reason:
                uri = self._todos[index].footage.source.uri
                self.failed.append(Failure(source=uri, reason=outcome.reason))

    def _tell(self, source: str) -> None:
        ended = [outcome for its in self._units.values() for outcome in its.ended.values()]
        here_s = sum(its.here_s for its in self._units.values()) + sum(outcome.seconds for outcome in ended)
        self._on_progress(
            ArchiveProgress(
                source=source,
                done=self._done + len(ended),
                total=len(self._todos),
                done_s=self.done_s + here_s,
                total_s=self._total_s,
                failed=len(self.failed) + sum(bool(outcome.reason) for outcome in ended),
                workers=self._workers,
            )
        )


def put_back(ledger: Ledger, memory: str, root: Path, copies: Path, recordings: set[str]) -> bool:
    """Restore a memory to its state before an unfinished unit; where others changed it, leave it as it is.

    Args:
        ledger: Of the archive.
        memory: Its name.
        root: Folder of the memories.
        copies: Folder of their copies.
        recordings: Those of the unit.

    Returns:
        Whether it was restored; its copy is then there for the next try.
    """
    restored = unit.put_back(root / memory, copies / memory, recordings)
    if not restored:  # go on from where it is
        unit.delete_copy(copies / memory)
        with ledger.transaction():
            ledger.set_unit(memory, is_open=False)
    return restored
