"""Footage, memories and kills for the tests of `hippocam archive`.

Run as a program it archives a folder and kills itself with SIGKILL on the way:
`python archive_footage.py FOOTAGE MEMORIES EXECUTOR WHERE COUNT`, WHERE being "segment" (the COUNT-th was
written), "event" (the COUNT-th is being kept), "end" (no kill) or "slow" (no kill, but 3 seconds for each segment,
of COUNT seconds); an EXECUTOR with a port is the address of a cluster. It prints a line when it begins.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np

from hippocam.apps.archive.records import ArchiveConfig, ArchiveProgress, ArchiveReport, ArchiveRequest
from hippocam.apps.archive.run import archive
from hippocam.memory.longterm.intake import Intake
from hippocam.stream.archive.nodes import WorkersConfig
from hippocam.stream.errors import HippocamError

# Scenes that change every few seconds, large enough that 1 MB does not hold all of them.
_RATE, _SIZE, _CELL = 5, (640, 360), 8


def render(path: Path, seed: int, seconds: int) -> Path:
    """Write a video of noisy scenes, 1 to 5 seconds each, with a key frame every 2 seconds at least."""
    random = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"preset": "ultrafast", "x264-params": f"keyint={2 * _RATE}:scenecut=40"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = *_SIZE, "yuv420p"
        count = 0
        while count < seconds * _RATE:
            tint = random.integers(0, 256, 3)
            cells = random.integers(0, 256, (_SIZE[1] // _CELL, _SIZE[0] // _CELL, 3)) // 2 + tint // 2
            picture = cells.astype(np.uint8).repeat(_CELL, 0).repeat(_CELL, 1)
            for _ in range(min(int(random.integers(_RATE, 5 * _RATE)), seconds * _RATE - count)):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
                count += 1
        container.mux(stream.encode(None))
    return path


def request(*paths: Path | str, **more: Any) -> ArchiveRequest:
    """What the tests ask for: short segments, and memories that must give things up."""
    values: dict[str, Any] = {"fps": 2.0, "encoder": "palette", "budget_mb": 1.0, "segment_s": 10.0}
    return ArchiveRequest(paths=tuple(map(str, paths)), **values | more)


def local(root: Path, *paths: Path | str, config: dict[str, Any] | None = None, **more: Any) -> ArchiveReport:
    """Archive in this process; units of half a minute, so that there are several."""
    how: dict[str, Any] = {"executor": "local", "unit_s": 30.0, "ahead": 2}
    return archive(root, request(*paths, **more), ArchiveConfig(**how | (config or {})))


def contents(root: Path) -> dict[str, tuple[dict[str, list[Any]], dict[str, bytes]]]:
    """Every table of every memory, and every picture."""
    found = {}
    for path in sorted(root.glob("*/memory.db")):
        database = sqlite3.connect(path)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        names = [
            n for (n,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        ]
        tables = {name: list(database.execute(f"SELECT * FROM {name}")) for name in names if name != "words"}
        columns = [name for _, name, *_ in database.execute("PRAGMA table_info(tombstone)")]
        timeless = ", ".join(name for name in columns if name not in ("made_s", "sum"))  # by the clock on the wall
        tables["tombstone"] = list(database.execute(f"SELECT {timeless} FROM tombstone"))
        database.close()
        tables["meta"] = [row for row in tables["meta"] if row[0] != "created_unix_s"]
        tables["row_total"] = [row for row in tables["row_total"] if row[0] not in ("meta", "tombstone")]
        tables = {name: rows for name, rows in tables.items() if not name.startswith("words_")}
        found[path.parent.name] = tables, {p.name: p.read_bytes() for p in (path.parent / "exemplars").iterdir()}
    return found


def recordings(root: Path) -> dict[str, tuple[str, str, str]]:
    """What the ledger says: state, memory and reason by file name."""
    database = sqlite3.connect(root / "archive.db")
    rows = list(database.execute("SELECT path, state, memory, reason FROM recording ORDER BY id"))
    database.close()
    return {Path(path).name: (state, memory, reason) for path, state, memory, reason in rows}


def workers_of(driver: int) -> list[int]:
    """Process ids of the Ray workers below a process that make segments."""
    parents: dict[int, int] = {}
    named = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                status, command = (folder / "status").read_text(), (folder / "cmdline").read_bytes()
            except OSError:
                continue
            parents[int(folder.name)] = int(status.split("PPid:")[1].split()[0])
            if command.startswith(b"ray::Host"):
                named.append(int(folder.name))

    def below(process: int) -> bool:
        while process > 1 and process != driver:
            process = parents.get(process, 0)
        return process == driver

    return [process for process in named if below(process)]


def _main(footage: str, memories: str, executor: str, where: str, count: str) -> None:
    left = int(float(count))

    def die() -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    def told(progress: ArchiveProgress) -> None:
        time.sleep(3 if where == "slow" else 0)
        if progress.source and where == "segment":
            die()

    add = Intake.add

    def dying_add(*arguments: Any) -> None:
        add(*arguments)
        if where == "event":
            die()

    Intake.add = dying_add  # type: ignore[method-assign]
    more: dict[str, Any]
    if ":" in executor:
        config = ArchiveConfig(workers=WorkersConfig(address=executor), unit_s=30.0, ahead=2)
        more = {"per": "camera", "segment_s": float(count)}
    else:
        config = ArchiveConfig(executor=executor, unit_s=30.0, ahead=2)  # type: ignore[arg-type]
        more = {}
    print("begun", flush=True)
    try:
        archive(memories, request(footage, **more), config, on_progress=told)
    except HippocamError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    _main(*sys.argv[1:])
