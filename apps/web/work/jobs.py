"""What the page works on: one job after the other in a thread, with progress that any tab can ask for.

A job says how far it has come after every step, and learns there that somebody wants it to stop. So a job that is
cancelled, or that the end of the server breaks off, stops at the next step and not in the middle of one.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal, Protocol

from hippocam.apps.errors import BrokenOffError, advised
from hippocam.apps.web.advice import ADVICE
from hippocam.stream.errors import HippocamError

# Jobs that ended and are still listed.
_LISTED = 40
# How long the end of the server waits for a step to be over. What a kill loses is not yet kept in either case.
_STOP_S = 1.0
State = Literal["waiting", "running", "stopping", "done", "failed", "cancelled"]
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """How far one job has come.

    Attributes:
        id: Its number since the server started.
        kind: "watch", "sleep" or "convert".
        name: What it works on: a file's name.
        visitor: Who asked for it: a name that the browser made up; others are not told how it failed.
        state: Waiting for its turn, running, about to stop, or how it ended.
        share: Part that is done, 0 to 1; None where that is not known.
        time_s: Time in the video of the newest frame.
        speed: Seconds of video in a second.
        left_s: About how long it will go on, seconds; None where that is not known.
        note: What went wrong or what is worth knowing, in a line.
        stream: Key of the stream that came of it, "" before the end.
        resumable: Whether it can be gone on with.
        ended_s: When it ended, seconds since 1970; None before.
    """

    id: int
    kind: str
    name: str
    visitor: str = ""
    state: State = "waiting"
    share: float | None = None
    time_s: float = 0.0
    speed: float = 0.0
    left_s: float | None = None
    note: str = ""
    stream: str = ""
    resumable: bool = False
    ended_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far a job has come; fields as in Job."""

    share: float | None = None
    time_s: float = 0.0
    speed: float = 0.0
    left_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a job ended; fields as in Job. `failed` says that nothing came of it."""

    note: str = ""
    stream: str = ""
    failed: bool = False


class Work(Protocol):
    """What a job does."""

    @property
    def kind(self) -> str:
        """As in Job."""

    @property
    def name(self) -> str:
        """As in Job."""

    def run(self, tell: Callable[[Step], None]) -> Outcome:
        """Do it; `tell` raises BrokenOffError when it has to stop."""

    def failed(self) -> bool:
        """Clean up after a failure; whether it can be tried again."""


class Jobs:
    """Does one job at a time; asking goes on meanwhile. Safe to use from several threads."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._jobs: dict[int, Job] = {}
        self._works: dict[int, Work] = {}
        self._queue: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._mutex = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hippocam-jobs", daemon=True)
        self._thread.start()

    def add(self, work: Work, *, visitor: str = "") -> int:
        """Put something in the queue.

        Returns:
            Its number, as in Job.id.
        """
        with self._mutex:
            job_id = next(self._ids)
            self._jobs[job_id] = Job(id=job_id, kind=work.kind, name=work.name, visitor=visitor)
            self._works[job_id] = work
            ended = [n for n, job in self._jobs.items() if job.state in ENDED]
            for old in ended[: max(0, len(ended) - _LISTED)]:
                del self._jobs[old], self._works[old]
        self._queue.put(job_id)
        return job_id

    def cancel(self, job_id: int) -> bool:
        """Stop a job at its next step, or take it out of the queue; whether there was anything to stop."""
        with self._mutex:
            job = self._jobs.get(job_id)
            if job is None or job.state in ENDED:
                return False
            waiting = job.state == "waiting"
            changes = {"state": "cancelled", "resumable": True, "ended_s": time.time()} if waiting else {}
            self._jobs[job_id] = replace(job, **(changes or {"state": "stopping"}))  # type: ignore[arg-type]
            return True

    def resume(self, job_id: int, *, visitor: str = "") -> int | None:
        """Put a job that was cancelled or failed in the queue again; its new number, None where it cannot be."""
        with self._mutex:
            job, work = self._jobs.get(job_id), self._works.get(job_id)
            if job is None or work is None or not job.resumable:
                return None
            self._jobs[job_id] = replace(job, resumable=False)
        return self.add(work, visitor=visitor)

    def waiting(self) -> int:
        """How many jobs wait for their turn, or are at work."""
        with self._mutex:
            return sum(job.state not in ENDED for job in self._jobs.values())

    def listed(self, visitor: str) -> list[Mapping[str, object]]:
        """The jobs as JSON values, the oldest first, with whether they are the visitor's own.

        Of others' jobs only those that are at work or done are told: their failures are theirs.
        """
        with self._mutex:
            jobs = list(self._jobs.values())
        return [
            {name: value for name, value in asdict(job).items() if name != "visitor"}
            | {"own": job.visitor == visitor}
            for job in jobs
            if job.visitor == visitor or job.state not in ("failed", "cancelled")
        ]

    def close(self) -> bool:
        """Break off what is at work; whether it stopped before the wait was over."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join(_STOP_S)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job_id := self._queue.get()) is not None and not self._closing.is_set():
            if self._jobs[job_id].state != "waiting":  # cancelled
                continue
            # A thread each: a fault of ours ends that one, with its trace on stderr, and the next has its turn.
            worker = threading.Thread(target=self._attempt, args=(job_id,), name="hippocam-job", daemon=True)
            worker.start()
            worker.join()
            if self._jobs[job_id].state not in ENDED and not self._closing.is_set():
                self._fail(job_id, "an internal error; the terminal of the server shows it")

    def _attempt(self, job_id: int) -> None:
        work = self._works[job_id]

        def tell(step: Step) -> None:
            if self._closing.is_set() or self._jobs[job_id].state == "stopping":
                raise BrokenOffError
            self._set(job_id, **asdict(step))

        self._set(job_id, state="running")
        try:
            outcome = work.run(tell)
        except BrokenOffError as error:
            self._end(job_id, state="cancelled", note=str(error), resumable=True)
        except (HippocamError, ValueError) as error:
            self._fail(job_id, advised(error, ADVICE))
        else:
            if outcome.failed:
                self._fail(job_id, outcome.note)
            else:
                self._end(job_id, state="done", share=1.0, note=outcome.note, stream=outcome.stream)

    def _fail(self, job_id: int, reason: str) -> None:
        """Clean up, then note the reason: who sees the note sees the outcome."""
        resumable = False
        try:
            resumable = self._works[job_id].failed()
        finally:
            self._end(job_id, state="failed", note=" ".join(reason.split()), resumable=resumable)

    def _end(self, job_id: int, **changes: object) -> None:
        self._set(job_id, **changes, left_s=None, ended_s=time.time())

    def _set(self, job_id: int, **changes: object) -> None:
        with self._mutex:
            self._jobs[job_id] = replace(self._jobs[job_id], **changes)  # type: ignore[arg-type]
