"""How far a command has come, on stderr: a bar on a terminal, a plain line now and then in a file or a pipe."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from hippocam.apps.archive.records import ArchiveProgress
from hippocam.apps.records import WatchProgress
from hippocam.apps.terminal import printable, warn
from hippocam.stream.timecode import format_time

# Without a terminal, seconds between two lines; the last state is always printed.
_LINE_S = 30.0


class Progress:
    """Shows a bar, or prints lines. A context manager.

    Args:
        with_time: Whether the bar shows how long it has taken.
    """

    def __init__(self, *, with_time: bool = False) -> None:
        self._format = "|{bar:24}| {desc}" + ("  {elapsed} gone" if with_time else "")
        self._bar: tqdm[Any] | None = None
        self._line, self._line_s = "", time.monotonic()
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        self._write_line()

    def show(self, share: float, text: str) -> None:
        """Show the newest state.

        Args:
            share: How much is done, 0 to 1.
            text: Text beside the bar.
        """
        if self._terminal:
            if self._bar is None:
                self._bar = tqdm(total=1.0, file=sys.stderr, bar_format=self._format)
            self._bar.n = share
            self._bar.set_description_str(printable(text))
            return
        self._line = f"{share:4.0%}  {text}"
        if time.monotonic() - self._line_s >= _LINE_S:
            self._line_s = time.monotonic()
            self._write_line()

    def note(self, text: str) -> None:
        """Print a line at once, above the bar."""
        if self._bar is not None:
            self._bar.clear()
        warn(text)

    def _write_line(self) -> None:
        if self._line:
            warn(self._line)
        self._line = ""


class WatchBar(Progress):
    """How far each source of a watch has come, and the speed in multiples of real time."""

    def update(self, progress: WatchProgress) -> None:
        """Show the newest state."""
        share = min(1.0, progress.time_s / progress.duration_s) if progress.duration_s else 0.0
        done = progress.done + (0.0 if progress.done == progress.total else share)
        speed = progress.watched_s / progress.seconds if progress.seconds else 0.0
        self.show(
            min(1.0, done / max(1, progress.total)),
            f"{progress.done}/{progress.total}  {format_time(progress.time_s)}  {speed:.1f}x real time  "
            f"{Path(progress.source).name[-40:]}",
        )


class ArchiveBar(Progress):
    """How many hours of an archive are done, at which speed, and when it will be over."""

    def __init__(self) -> None:
        super().__init__(with_time=True)
        self._began_s = time.monotonic()

    def update(self, progress: ArchiveProgress) -> None:
        """Show the newest state."""
        total_s = max(progress.total_s, 1e-3)
        elapsed_s = time.monotonic() - self._began_s
        speed = progress.done_s / elapsed_s if elapsed_s else 0.0
        failed = f"  {progress.failed} failed" if progress.failed else ""
        left = (
            ""
            if progress.left_s is None or progress.done_s >= total_s
            else f"  about {format_time(round(progress.left_s))} left"
        )
        self.show(
            min(1.0, progress.done_s / total_s),
            f"{progress.done}/{progress.total}  {format_time(progress.done_s)} of {format_time(total_s)}  "
            f"{speed:.1f}x real time{left}{failed}  {Path(progress.source).name[-40:]}",
        )
