"""Deletes what a live process keeps beside a memory of what is deleted there: footage, pictures, logs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hippocam.apps.live.folder import LiveFolder
from hippocam.memory.filter import Filter
from hippocam.stream.live.lookback import segments, start_of
from hippocam.stream.private import write_bytes


def delete_footage(memory: Path, wanted: Filter) -> int:
    """Delete what is kept beside a memory of some streams or times; no live process may run meanwhile.

    A file of footage that overlaps the time is deleted whole.

    Args:
        memory: The memory's folder.
        wanted: Stream, camera, after_s, before_s.

    Returns:
        How many files and log lines were deleted.
    """
    live_folder = LiveFolder(memory)
    files = [path for path, stream, t0_s, t1_s in _files(live_folder) if _meets(wanted, stream, t0_s, t1_s)]
    for path in files:
        path.unlink(missing_ok=True)
    logs = [
        path for log in (live_folder.alerts, live_folder.log) for path in (log, log.with_name(log.name + ".1"))
    ]
    return len(files) + sum(_thin(path, wanted) for path in logs if path.exists())


def footage_bytes(memory: Path, wanted: Filter) -> int:
    """How many bytes of footage and pictures `delete_footage` deletes now."""
    files = _files(LiveFolder(memory))
    return sum(path.stat().st_size for path, stream, t0_s, t1_s in files if _meets(wanted, stream, t0_s, t1_s))


def _meets(wanted: Filter, stream: str, t0_s: float, t1_s: float) -> bool:
    return wanted.of_stream(stream) and wanted.overlaps(t0_s, t1_s, t1_s)


def _files(live_folder: LiveFolder) -> Iterator[tuple[Path, str, float, float]]:
    """Yield every file with its stream, and the start and end of the time that it shows."""
    for folder in (*(live_folder.path / "look-back").glob("*/"), *(live_folder.path / "kept").glob("*/")):
        paths = segments(folder)
        ends = [*map(start_of, paths[1:]), float("inf")] if paths else []
        for path, end_s in zip(paths, ends, strict=True):
            yield path, folder.name, start_of(path), min(end_s, max(path.stat().st_mtime, start_of(path)))
    for folder in (live_folder.alert_pictures, live_folder.shown):
        for path in folder.glob("*"):  # one that was being written at a kill has another suffix
            milliseconds, _, rest = path.stem.partition("-")
            if milliseconds.isdigit():
                yield path, rest.rpartition("-")[0], int(milliseconds) / 1000, int(milliseconds) / 1000


def _thin(path: Path, wanted: Filter) -> int:
    """Delete the lines of a log that mention what is deleted, or may, as they are half ones; return how many."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    kept = [line for line in lines if not _told(line, wanted)]
    if len(kept) < len(lines):
        begun = path.with_name(path.name + ".new")
        write_bytes(begun, "".join(kept).encode())
        os.replace(begun, path)
    return len(lines) - len(kept)


def _told(line: str, wanted: Filter) -> bool:
    try:
        row: dict[str, Any] = json.loads(line)
    except ValueError:  # written by a process that was killed, or on a full disk
        return True
    t0_s = row.get("from_s", row.get("time_s", 0.0))
    return "stream" in row and _meets(wanted, row["stream"], t0_s, row.get("to_s", t0_s))
