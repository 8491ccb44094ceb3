"""Watching from the page: one video after the other in a thread, with progress that any tab can ask for."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from hippocam.apps.errors import advised
from hippocam.apps.records import WatchProgress, WatchReport
from hippocam.apps.web.advice import ADVICE
from hippocam.apps.web.media import Library, stream_key
from hippocam.stream.errors import HippocamError

# Finished videos that are still listed.
_LISTED = 6
_STOP_S = 10.0
State = Literal["waiting", "watching", "done", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoJob:
    """How far one video has come.

    Attributes:
        id: Its number since the server started.
        name: Its file's name.
        state: Waiting for its turn, being watched, done, or failed.
        share: Part that is watched, 0 to 1; None where its length is unknown or the encoder still loads.
        time_s: Time in the video of the newest frame.
        speed: Seconds of video watched in a second.
        note: What went wrong, in one line, or what is worth knowing.
        stream: Key of its stream once it is done, see stream_key.
    """

    id: int
    name: str
    state: State = "waiting"
    share: float | None = None
    time_s: float = 0.0
    speed: float = 0.0
    note: str = ""
    stream: str = ""


class _ClosingError(Exception):
    """The server stops, so the watch is broken off."""


class Watches(Protocol):
    """Who watches a video: a `Session`, as far as it is needed here."""

    def watch(
        self, sources: Sequence[str | Path], *, on_progress: Callable[[WatchProgress], None] | None = None
    ) -> WatchReport:
        """Watch sources into the memory."""


class Watcher:
    """Watches videos into a session's memory, one at a time; asking goes on meanwhile.

    Args:
        session: Watches into its memory.
        library: Library of the same session.
    """

    def __init__(self, session: Watches, library: Library) -> None:
        self._session = session
        self._library = library
        self._ids = itertools.count(1)
        self._jobs: dict[int, VideoJob] = {}
        self._queue: queue.SimpleQueue[tuple[int, Path] | None] = queue.SimpleQueue()
        self._mutex = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hippocam-watcher", daemon=True)
        self._thread.start()

    def add(self, path: Path) -> int:
        """Put a video in the queue.

        Returns:
            Its number, as in VideoJob.id.
        """
        with self._mutex:
            job_id = next(self._ids)
            self._jobs[job_id] = VideoJob(id=job_id, name=path.name)
            ended = [n for n, job in self._jobs.items() if job.state in ("done", "failed")]
            for old in ended[: max(0, len(ended) - _LISTED)]:
                del self._jobs[old]
        self._queue.put((job_id, path))
        return job_id

    def waiting(self) -> int:
        """How many videos wait for their turn, or are watched."""
        with self._mutex:
            return sum(job.state in ("waiting", "watching") for job in self._jobs.values())

    def jobs(self) -> list[Mapping[str, object]]:
        """The videos in the queue and those that ended last, as JSON values, the oldest first."""
        with self._mutex:
            return [asdict(job) for job in self._jobs.values()]

    def close(self) -> None:
        """Break off what is being watched and wait for the thread; watching again goes on from there."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        while (task := self._queue.get()) is not None and not self._closing.is_set():
            # A thread each: a fault of ours ends that one, with its trace on stderr, and the next is watched.
            worker = threading.Thread(target=self._attempt, args=task, name="hippocam-watch", daemon=True)
            worker.start()
            worker.join()
            if self._jobs[task[0]].state == "watching" and not self._closing.is_set():
                self._fail(*task, "an internal error; the terminal of the server shows it")

    def _attempt(self, job_id: int, path: Path) -> None:
        try:
            self._watch(job_id, path)
        except _ClosingError:
            return
        except (HippocamError, ValueError) as error:
            self._fail(job_id, path, advised(error, ADVICE))

    def _watch(self, job_id: int, path: Path) -> None:
        def progress(now: WatchProgress) -> None:
            if self._closing.is_set():
                raise _ClosingError
            share = min(1.0, now.time_s / now.duration_s) if now.duration_s else None
            speed = now.watched_s / now.seconds if now.seconds else 0.0
            self._set(job_id, share=share, time_s=now.time_s, speed=speed)

        self._set(job_id, state="watching")
        report = self._session.watch([path], on_progress=progress)
        reasons = "; ".join(failure.reason for failure in report.failed)
        if not report.streams:
            self._fail(job_id, path, reasons or "nothing in it could be watched")
            return
        stream = report.streams[0]
        again = "it was in the memory already" if stream.resumed and not reasons else ""
        self._library.status()
        self._set(job_id, state="done", share=1.0, note=reasons or again, stream=stream_key(stream.id))

    def _fail(self, job_id: int, path: Path, reason: str) -> None:
        """Delete the file unless the memory shows it, then note the reason; who sees the note sees the outcome."""
        try:
            if not any(stream.source == str(path) for stream in self._library.streams().values()):
                path.unlink(missing_ok=True)
        finally:
            self._set(job_id, state="failed", note=" ".join(reason.split()))

    def _set(self, job_id: int, **changes: object) -> None:
        with self._mutex:
            self._jobs[job_id] = replace(self._jobs[job_id], **changes)  # type: ignore[arg-type]
