"""The jobs that change a memory: a video that is watched into it, and a sleep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hippocam.apps.records import WatchProgress, WatchReport
from hippocam.apps.web.beside import stream_key
from hippocam.apps.web.media import Library
from hippocam.apps.web.work.jobs import Outcome, Step
from hippocam.apps.wording import megabytes
from hippocam.memory.sleep.sleep import SleepReport


class Watches(Protocol):
    """Who watches a video: a `Session`, as far as it is needed here."""

    def watch(
        self, sources: Sequence[str | Path], *, on_progress: Callable[[WatchProgress], None] | None = None
    ) -> WatchReport:
        """Watch sources into the memory."""

    def sleep(self, target: float | None = None) -> SleepReport:
        """Make the memory smaller."""


@dataclass(frozen=True, slots=True)
class WatchVideo:
    """Watches a video, a folder or a glob into a session's memory.

    Attributes:
        session: Watches into its memory.
        library: Library of the same session.
        source: What is watched.
        uploaded: Whether it is ours: an upload that cannot be watched is deleted.
    """

    session: Watches
    library: Library
    source: Path
    uploaded: bool = False
    kind: str = "watch"

    @property
    def name(self) -> str:
        """The file's name."""
        return self.source.name

    def run(self, tell: Callable[[Step], None]) -> Outcome:
        """Watch it."""

        def progress(now: WatchProgress) -> None:
            share = min(1.0, now.time_s / now.duration_s) if now.duration_s else None
            speed = now.watched_s / now.seconds if now.seconds else 0.0
            left_s = max(0.0, now.duration_s - now.time_s) / speed if now.duration_s and speed else None
            tell(Step(share=share, time_s=now.time_s, speed=speed, left_s=left_s))

        tell(Step())
        report = self.session.watch([self.source], on_progress=progress)
        self.library.status()
        reasons = "; ".join(failure.reason for failure in report.failed)
        if not report.streams:
            return Outcome(failed=True, note=reasons or "nothing in it could be watched")
        stream = report.streams[0]
        again = "it was in the memory already" if stream.resumed and not reasons else ""
        return Outcome(note=reasons or again, stream=stream_key(stream.id))

    def failed(self) -> bool:
        """Delete an upload unless the memory shows it; whether watching can be tried again."""
        shown = any(stream.source == str(self.source) for stream in self.library.streams().values())
        if self.uploaded and not shown:
            self.source.unlink(missing_ok=True)
        return self.source.exists()


@dataclass(frozen=True, slots=True)
class SleepNow:
    """Makes a session's memory smaller, as far as what it can recall holds."""

    session: Watches
    target: float | None = None
    kind: str = "sleep"
    name: str = "sleep"

    def run(self, tell: Callable[[Step], None]) -> Outcome:
        """Sleep."""
        tell(Step())
        report = self.session.sleep(self.target)
        first = min(report.recall_before, default=0)
        recall = (
            f"; recall of {report.probes} probes "
            f"{report.recall_before[first]:.0%} before, {report.recall_after[first]:.0%} after"
            if first and report.probes
            else ""
        )
        return Outcome(
            note=f"{report.before} entries before, {report.after} after, "
            f"{megabytes(report.bytes_before)} before, {megabytes(report.bytes_after)} after{recall}"
        )

    def failed(self) -> bool:
        """There is nothing to clean up; it can be tried again."""
        return True
