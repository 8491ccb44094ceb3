"""Parts into one memory: it is copied before a unit of recordings is written, and made safe with the whole unit.

It runs in whichever process writes the memory. What becomes of recordings goes back to the process that keeps the
ledger (book.py), which notes it only when their unit is safe. So a run that is killed anywhere goes on as if
nothing had happened.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from hippocam.apps.archive import unit
from hippocam.apps.archive.ledger import Row, State
from hippocam.apps.archive.records import ArchivedMemory
from hippocam.apps.content import fingerprint_of, with_content
from hippocam.memory.memory import MemoryWriter
from hippocam.stream.archive.parts import PartEnd, read_part
from hippocam.stream.archive.plan import Footage
from hippocam.stream.archive.work_folder import WorkFolder
from hippocam.stream.records import Item, Note, later
from hippocam.stream.sources.dates import Recorded

# How many frames and notes a memory is given at a time.
_BATCH = 64
# Seconds within which another machine's file must be seen on a disk that they share.
_SEEN_S, _PAUSE_S = 60.0, 0.2
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


class Outcome(NamedTuple):
    """What became of a recording.

    Attributes:
        state: What the ledger is to say.
        fingerprint: Fingerprint of its content, with all of it where that is known.
        reason: Why it broke off; "" where it did not.
        seconds: Seconds of footage that are in the memory.
        cpu_s: Processor seconds that its parts took to make.
    """

    state: State
    fingerprint: str
    reason: str
    seconds: float
    cpu_s: float


class Taken(NamedTuple):
    """What became of a segment.

    Attributes:
        here_s: Seconds of its recording that are written so far.
        cpu_s: Processor seconds that its part took to make.
        written_cpu_s: Processor seconds that writing it took.
        by: The process that wrote it.
        outcome: What became of the recording; None where it goes on.
        safe: The memory, where a unit of it is safe now; None where it is not.
    """

    here_s: float
    cpu_s: float
    written_cpu_s: float
    by: str
    outcome: Outcome | None
    safe: ArchivedMemory | None


class ArchiveWriter:
    """Writes the segments of one memory in order; what is not safe when it is closed counts as not written.

    Args:
        folder: Of the memory.
        copy: Where the memory is copied before a unit; what is there already is the copy of the unit that goes on.
        work: Where the parts are.
        open_memory: Opens the memory in a folder for writing.
        unit_s: See ArchiveConfig.
    """

    def __init__(
        self,
        folder: Path,
        copy: Path,
        work: WorkFolder,
        open_memory: Callable[[Path], MemoryWriter],
        unit_s: float,
    ) -> None:
        self._folder, self._copy, self._work = folder, copy, work
        self._open_memory, self._unit_s = open_memory, unit_s
        self._memory: MemoryWriter | None = None
        self._unit: list[Outcome] = []
        self._over = False  # whether the recording is finished
        self._frames, self._last_s, self._cpu_s = 0, 0.0, 0.0

    def take(self, todo: Todo, number: int, is_last: bool) -> Taken:
        """Write the next segment.

        Args:
            todo: The recording.
            number: Which of its segments.
            is_last: Whether no recording follows in this memory.

        Raises:
            HippocamError: The memory or a part cannot be used.
        """
        began_s = time.process_time()
        if number == 0:
            self._begin(todo)
        outcome: Outcome | None = None
        safe: ArchivedMemory | None = None
        cpu_s = 0.0
        if not self._over:  # else an earlier segment broke off
            end = self._write(todo, number)
            cpu_s = end.cpu_s
            self._cpu_s += cpu_s
            self._last_s = max(self._last_s, end.last_s or 0.0)
            if end.error:
                outcome = self._broken_off(todo, end.error)
            elif number == todo.footage.segments - 1:
                outcome = self._finished(todo)
        if outcome is not None:
            safe = self._end(todo, outcome, is_last=is_last)
        written_cpu_s = time.process_time() - began_s
        return Taken(self._last_s, cpu_s, written_cpu_s, this_process(), outcome, safe)

    def close(self) -> None:
        """Close the memory, with an open unit as it is."""
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    def _begin(self, todo: Todo) -> None:
        self._over, self._frames, self._last_s, self._cpu_s = False, 0, 0.0, 0.0
        if self._memory is None:
            if not self._copy.is_dir():
                unit.save(self._folder, self._copy)
            self._memory = self._open_memory(self._folder)
        self._memory.begin(
            todo.name,
            uri=todo.footage.source.uri,
            fingerprint=todo.fingerprint,
            fps=todo.fps,
            senses=todo.senses,
            recorded_s=None if todo.recorded is None else todo.recorded.start_s,
        )

    def _write(self, todo: Todo, number: int) -> PartEnd:
        assert self._memory is not None
        batch: list[Item] = []
        for item in read_part(_seen(self._work.part(todo.footage.key, number)), todo.name):
            if isinstance(item, PartEnd):
                self._memory.write(batch)
                return item
            batch.append(item if todo.recorded is None else later(item, todo.recorded.start_s))
            self._frames += not isinstance(item, Note)
            if len(batch) == _BATCH:
                self._memory.write(batch)
                batch = []
        raise AssertionError("a part ends with its end")

    def _broken_off(self, todo: Todo, error: str) -> Outcome:
        self._work.call_off(todo.footage.key)
        if fingerprint_of(todo.footage.source.uri) == todo.fingerprint:
            return self._outcome(todo, State.QUARANTINED, error)
        return self._outcome(todo, State.WAITING, _CHANGED)

    def _finished(self, todo: Todo) -> Outcome:
        if self._frames or todo.footage.after_seq >= 0:
            return self._outcome(todo, State.DONE, "")
        return self._outcome(todo, State.QUARANTINED, _NOTHING)

    def _outcome(self, todo: Todo, state: State, reason: str) -> Outcome:
        seconds = max(self._last_s, todo.duration_s or 0.0) if state is State.DONE else self._last_s
        fingerprint = with_content(todo.footage.source.uri, todo.fingerprint)
        return Outcome(state, fingerprint, reason, seconds, self._cpu_s)

    def _end(self, todo: Todo, outcome: Outcome, *, is_last: bool) -> ArchivedMemory | None:
        """Finish a recording, and the unit if it has enough of them or is the last."""
        assert self._memory is not None
        whole = outcome.state is State.DONE
        end_s = todo.duration_s if whole else None
        if end_s is not None and todo.recorded is not None:
            end_s += todo.recorded.start_s
        self._memory.finish(todo.name, end_s=end_s, complete=whole)
        self._memory.relocate(todo.name, todo.footage.source.uri, outcome.fingerprint)
        self._unit.append(outcome)
        self._over = True
        if is_last:
            self._memory.idle()
        elif sum(each.seconds for each in self._unit) < self._unit_s:
            return None
        safe = ArchivedMemory(
            folder=str(self._folder),
            bytes=self._memory.bytes(),
            budget_bytes=self._memory.budget_bytes(),
            recordings=sum(each.state is State.DONE for each in self._unit),
            given_up=sum(stream.evicted for stream in self._memory.streams()),
        )
        self._unit = []
        self.close()
        return safe


def this_process() -> str:
    """Which process this is, among all machines."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _seen(part: Path) -> Path:
    """A part, once it is seen from here: other machines' files may take a while."""
    until_s = time.monotonic() + _SEEN_S
    while not part.exists() and time.monotonic() < until_s:
        time.sleep(_PAUSE_S)
    return part
