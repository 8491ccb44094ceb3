"""Longer runs with faults in them: archives, on Ray too, live cameras, and recorders that were killed."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import archive_footage
import live_process
import media
from chaos_report import HANGS_S, Outcome, within

from hippocam.apps.archive.records import ArchiveConfig, ArchiveProgress
from hippocam.apps.archive.run import archive
from hippocam.apps.session import Session
from hippocam.apps.verify import problems_of

# Files that one process watches: if it dies, another one goes on behind the file that killed it.
BATCH = 20
# Episodes of a recorded dataset: how many rows each has.
EPISODES = (30, 25, 20)
_VERSIONS = ("v2.1", "v3.0")


# archives ------------------------------------------------------------------------------------------------------


def _footage(base: Path) -> Path:
    for number in range(2):
        archive_footage.render(base / "footage" / f"cam{number}" / "a.mp4", number, 25)
    return base / "footage"


def archives(base: Path, count: int, seed: int) -> Outcome:
    """An archive's driver is killed up to three times, at segments or events, and run again."""
    outcome = Outcome(
        "driver killed while archiving, budget full", "{kills} kills; {same} of {tries} end in the same bytes"
    )
    footage = _footage(base)
    archive_footage.local(base / "undisturbed", footage)
    undisturbed = archive_footage.contents(base / "undisturbed")
    for k in range(count):
        chance, root = random.Random(f"{seed}/archive/{k}"), base / f"memories-{k}"
        with outcome.trying(f"archives, seed {seed}, try {k}"):
            for _ in range(chance.randrange(1, 4)):
                where, at = chance.choice(("segment", "event")), chance.randrange(1, 12)
                outcome.counted["kills"] += _archive_and_die(footage, root, "local", where, at)
            archive_footage.local(root, footage)
            if archive_footage.contents(root) != undisturbed:
                raise AssertionError("not what an undisturbed run makes")
            if list((root / ".archive").glob("*/*")):
                raise AssertionError("something is left over")
            outcome.counted["same"] += 1
        shutil.rmtree(root, ignore_errors=True)
    return outcome


def _archive_and_die(footage: Path, root: Path, executor: str, where: str, at: int) -> bool:
    """Archive in a process that kills itself; tell whether it got so far."""
    command = [sys.executable, archive_footage.__file__, str(footage), str(root), executor, where, str(at)]
    ended = subprocess.run(command, capture_output=True, timeout=HANGS_S, check=False).returncode
    if ended not in (0, -signal.SIGKILL):
        raise AssertionError(f"ended with {ended}")
    return ended != 0


def archives_on_ray(base: Path, count: int, seed: int) -> Outcome:
    """On Ray the workers are killed in the midst, or the driver; the memories are those of one process."""
    outcome = Outcome(
        "archive on Ray: workers or driver killed", "{workers} workers and {drivers} drivers were killed"
    )
    footage = _footage(base)
    archive_footage.local(base / "undisturbed", footage)
    undisturbed = archive_footage.contents(base / "undisturbed")
    for k in range(count):
        chance, root = random.Random(f"{seed}/ray/{k}"), base / f"memories-{k}"
        after, driver = chance.randrange(1, 4), (k + seed) % 2 == 0
        kill = _Killer(after)
        with outcome.trying(f"ray, seed {seed}, try {k}"), within(HANGS_S):
            if driver:
                outcome.counted["drivers"] += _archive_and_die(footage, root, "ray", "segment", after)
            config = ArchiveConfig(executor="ray", unit_s=30.0, ahead=2)
            archive(root, archive_footage.request(footage), config, on_progress=None if driver else kill)
            outcome.counted["workers"] += len(kill.dead)
            if archive_footage.contents(root) != undisturbed:
                raise AssertionError("not what an undisturbed run makes")
        shutil.rmtree(root, ignore_errors=True)
    return outcome


class _Killer:
    """Kills all workers of this process once so many segments were written."""

    def __init__(self, after: int) -> None:
        self._left, self.dead = after, list[int]()

    def __call__(self, progress: ArchiveProgress) -> None:
        self._left -= bool(progress.source)
        if self._left <= 0 and not self.dead:
            self.dead = archive_footage.workers_of(os.getpid())
            for process in self.dead:
                os.kill(process, signal.SIGKILL)


# live cameras --------------------------------------------------------------------------------------------------


def live(base: Path, count: int, seed: int) -> Outcome:
    """A camera is cut off or goes away, the process is killed; it comes back, and no closed event is lost."""
    outcome = Outcome("camera cut, live process killed", "{cuts} cuts and {kills} kills; {kept} events kept")
    if live_process.rtsp_python() is None:
        outcome.also = "not tried: no RTSP server is installed"
        return outcome
    for k in range(count):
        chance, folder = random.Random(f"{seed}/live/{k}"), base / f"live-{k}"
        with outcome.trying(f"live, seed {seed}, try {k}"), within(2 * HANGS_S):
            _live_run(folder, chance, outcome)
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _live_run(folder: Path, chance: random.Random, outcome: Outcome) -> None:
    held: set[int] = set()
    with live_process.RtspServer() as server:
        for _ in range(3):
            with live_process.Live(folder / "m", server.url, "--budget-mb", "5") as running:
                running.wait_for(lambda row: row["state"] == "live" and row["last_s"])
                for colour in chance.sample(("red", "blue", "yellow", "white"), 3):  # each change closes an event
                    server.say(colour)
                    time.sleep(chance.uniform(0.5, 2.5))
                if chance.random() < 0.5:
                    outcome.counted["cuts"] += 1
                    server.kill()
                    running.wait_for(lambda row: row["state"] != "live")
                    server.start(chance.choice(("red", "green", "blue")))
                    running.wait_for(lambda row: row["state"] == "live")
                os.killpg(running.process.pid, signal.SIGKILL)
                running.process.wait(HANGS_S)
                outcome.counted["kills"] += 1
            now = _entries(folder / "m")
            if held - now:
                raise AssertionError(f"{len(held - now)} closed events are gone")
            held = now
    wrong = [problem.what for problem in problems_of(folder / "m")]
    if wrong:
        raise AssertionError(f"verify finds {wrong[:2]}")
    outcome.counted["kept"] += len(held)


def _entries(folder: Path) -> set[int]:
    with closing(sqlite3.connect(folder / "memory.db")) as database:
        if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            raise AssertionError("SQLite's own check finds damage")
        return {entry for (entry,) in database.execute("SELECT id FROM entry")}


# recordings ----------------------------------------------------------------------------------------------------


def recordings(base: Path, count: int, seed: int) -> Outcome:
    """A LeRobot dataset whose recorder was killed: what is whole is watched, and what is missing is told."""
    outcome = Outcome(
        "LeRobot dataset of a killed recorder", "{told} were told as incomplete; all other episodes were watched"
    )
    for version in _VERSIONS:
        media.render_lerobot(base / version / "arm", version=version, lengths=EPISODES)
    rows = in_batches(outcome, "recordings", Path(__file__), base, count, seed)
    outcome.counted["told"] += sum(row["told"] for row in rows)
    return outcome


def recordings_batch(base: Path, first: int, last: int, seed: int) -> None:
    """Watch some datasets that are not whole, and print a line of JSON for each."""
    whole = {
        version: _frames_of(base / version / "arm", base / f"whole-{first}-{version}")[0]
        for version in ("v2.1", "v3.0")
    }
    for k in range(first, last):
        chance = random.Random(f"{seed}/recordings/{k}")
        version, folder = chance.choice(_VERSIONS), base / f"try-{k}"
        shutil.copytree(base / version / "arm", folder / "arm")
        damaged = _break_off(folder / "arm", version, chance)
        row = {"try": k, "told": False, "fault": ""}
        try:
            frames, told = _frames_of(folder / "arm", folder / "m")
            row["told"] = bool(told)
            less = {name for name, seen in whole[version].items() if frames.get(name, 0) < seen}
            if any("\n" in line for line in told):
                row["fault"] = f"{damaged}: more than one line"
            elif less and not told:
                row["fault"] = f"{damaged}: {sorted(less)} miss frames, and nothing is told"
            elif version == "v2.1" and any("episode_000002" not in name for name in less):
                row["fault"] = f"{damaged}: {sorted(less)} miss frames, and only the last episode was broken off"
        except Exception as error:
            row["fault"] = f"{damaged}: {type(error).__name__}: {error}"[:300]
        print(json.dumps(row), flush=True)
        shutil.rmtree(folder)


def _frames_of(dataset: Path, memory: Path) -> tuple[dict[str, int], list[str]]:
    """Frames seen of each stream of a dataset, and what was told of it."""
    logged = _Logged(logging.WARNING)
    logging.getLogger("hippocam").addHandler(logged)
    try:
        with Session(memory, encoder="palette") as session:
            report = session.watch([dataset], fps=10)
    finally:
        logging.getLogger("hippocam").removeHandler(logged)
    frames = {stream.id: stream.frames_seen for stream in report.streams}
    return frames, [*(one.reason for one in report.failed), *logged.lines]


class _Logged(logging.Handler):
    """Keeps what is logged."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def _break_off(dataset: Path, version: str, chance: random.Random) -> str:
    """Leave a file as a recorder does that is killed: cut, empty or missing. Tell which, and how."""
    files = sorted(path for path in dataset.rglob("*") if path.is_file() and "meta" not in path.parts)
    if version == "v2.1":
        files = [path for path in files if path.stem == "episode_000002"]
    path, how = chance.choice(files), chance.choice(("cut", "cut", "empty", "missing"))
    data = path.read_bytes()
    path.write_bytes(data[: chance.randrange(1, len(data))] if how == "cut" else b"")
    if how == "missing":
        path.unlink()
    return f"{path.relative_to(dataset)} {how}"


# in processes of their own -------------------------------------------------------------------------------------


def in_batches(
    outcome: Outcome, kind: str, script: Path, base: Path, count: int, seed: int
) -> list[dict[str, object]]:
    """Run tries in other processes, which print a line of JSON each; one that ends a process is a fault."""
    found: list[dict[str, object]] = []
    first = 0
    while first < count:
        last = min(count, first + BATCH)
        command = [sys.executable, str(script), "--batch", kind, str(base), str(first), str(last), str(seed)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS_S, check=False)
            out, how = done.stdout, f"the process ended with {done.returncode}: {done.stderr[-200:]}"
        except subprocess.TimeoutExpired as error:
            out, how = (error.stdout or b"").decode(), f"not done after {HANGS_S} s"
        rows = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        found += rows
        outcome.tries += len(rows)
        outcome.faults += [
            f"{kind}, seed {seed}, try {row['try']}: {row['fault']}" for row in rows if row["fault"]
        ]
        first += len(rows)
        if first < last:
            outcome.tries += 1
            outcome.faults.append(f"{kind}, seed {seed}, try {first}: {how}")
            first += 1
    return found


if __name__ == "__main__":
    _, _, kind, folder, *numbers = sys.argv
    with suppress(BrokenPipeError):
        {"recordings": recordings_batch}[kind](Path(folder), *map(int, numbers))
