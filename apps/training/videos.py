"""Watches videos for a training only, into a memory that gives up nothing and is deleted afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hippocam.apps.records import WatchReport
from hippocam.stream.errors import HippocamError

# Millions of bytes, more than any such memory takes.
BUDGET_MB = 1e6
# Watches the videos of a training into the memory of a folder.
Watch = Callable[[Path], WatchReport]


@contextmanager
def memory_of_videos(watch: Watch) -> Iterator[tuple[Path, int]]:
    """Watch videos; yield the memory's folder and its number of streams.

    Args:
        watch: Watches the videos, with a budget of `BUDGET_MB`.

    Raises:
        HippocamError: None of them can be watched.
    """
    with TemporaryDirectory(prefix="hippocam-train-") as folder:
        report = watch(Path(folder))
        if not report.streams:
            reasons = "; ".join(f"{failure.source}: {failure.reason}" for failure in report.failed)
            raise HippocamError(f"nothing could be watched: {reasons}")
        yield Path(folder), len(report.streams)
