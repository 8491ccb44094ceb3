"""What an archive run prints: a bar while it goes, and what became of it, for people and programs."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from tqdm import tqdm

from hippocam.apps.archive.records import ArchiveProgress, ArchiveReport
from hippocam.apps.cli.report import megabytes
from hippocam.stream.timecode import format_time


class ArchiveBar:
    """A bar on stderr: hours of footage, speed in multiples of real time, and when it will be done."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> ArchiveBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def update(self, progress: ArchiveProgress) -> None:
        """Show the newest state."""
        total_s = max(progress.total_s, 1e-3)
        if self._bar is None:
            self._bar = tqdm(
                total=total_s,
                file=sys.stderr,
                bar_format="|{bar:24}| {desc}  {elapsed} gone, {remaining} left",
                smoothing=0.05,
            )
        self._bar.n = min(progress.done_s, total_s)
        elapsed = float(self._bar.format_dict["elapsed"])
        speed = progress.done_s / elapsed if elapsed else 0.0
        failed = f"  {progress.failed} failed" if progress.failed else ""
        self._bar.set_description_str(
            f"{progress.done}/{progress.total}  {format_time(progress.done_s)} of {format_time(total_s)}  "
            f"{speed:.1f}x real time{failed}  {Path(progress.source).name[-40:]}"
        )


def archive_json(report: ArchiveReport) -> dict[str, Any]:
    """A run's outcome as JSON values."""
    return asdict(report)


def archive_lines(report: ArchiveReport) -> list[str]:
    """A run's outcome for people; failures are told elsewhere."""
    lines = [
        f"{memory.folder}: {memory.recordings} recordings, {megabytes(memory.bytes)} of "
        f"{megabytes(memory.budget_bytes)}"
        for memory in report.memories
    ]
    lines += [f"{path}: moved here, archived before" for path in report.moved]
    lines += [f"{old.source}: in quarantine (--retry tries it again): {old.reason}" for old in report.quarantined]
    known = f", {report.known} known already" if report.known else ""
    failed = f", {len(report.failed)} failed" if report.failed else ""
    lines.append(
        f"{report.archived} archived{known}{failed}; {report.hours:.2f} hours of footage in "
        f"{format_time(report.seconds)} with {report.workers} worker{'' if report.workers == 1 else 's'}; "
        f"{report.hours_per_core_hour:.1f} hours per core-hour"
    )
    return lines
