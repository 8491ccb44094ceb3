"""Longer runs with faults in them: archives, on Ray too, and recorders that were killed."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import archive_footage
import media
from chaos_report import HANGS_S, Outcome, within

from hippocam.apps.archive.records import ArchiveConfig, ArchiveProgress
from hippocam.apps.archive.run import archive
from hippocam.apps.session import Session

# Files that one process watches: if it dies, another one goes on behind the file that killed it.
BATCH = 20
# Episodes of a recorded dataset: how many rows each has.
EPISODES = (30, 25, 20)
# Ray takes about so long to start, seconds, and these archives not much longer.
_RAY_STARTS_S = 12.0
_VERSIONS = ("v2.1", "v3.0")


# archives ------------------------------------------------------------------------------------------------------


def _footage(base: Path) -> Path:
    for number in range(2):
        archive_footage.render(base / "footage" / f"cam{number}" / "a.mp4", number, 25)
    return base / "footage"


def archives(base: Path, count: int, seed: int) -> Outcome:
    """An archive's driver is killed up to three times, at segments, events or any instant, and run again."""
    outcome = Outcome(
        "driver killed while archiving, budget full", "{kills} kills; {same} of {tries} end in the same bytes"
    )
    footage = _footage(base)
    takes_s = _archived_in_s(footage, base / "undisturbed", "local")
    undisturbed = archive_footage.contents(base / "undisturbed")
    for k in range(count):
        chance, root = random.Random(f"{seed}/archive/{k}"), base / f"memories-{k}"
        with outcome.trying(f"archives, seed {seed}, try {k}"):
            for _ in range(chance.randrange(1, 4)):
                where, at = chance.choice(("segment", "event", "instant")), chance.randrange(1, 12)
                if where == "instant":
                    outcome.counted["kills"] += _killed_within(footage, root, "local", chance.uniform(0, takes_s))
                else:
                    outcome.counted["kills"] += _archive_and_die(footage, root, "local", where, at)
            archive_footage.local(root, footage)
            _same(root, undisturbed)
            outcome.counted["same"] += 1
        shutil.rmtree(root, ignore_errors=True)
    return outcome


def _same(root: Path, undisturbed: object) -> None:
    """Raise unless an archive is that of an undisturbed run, row for row and picture for picture."""
    if archive_footage.contents(root) != undisturbed:
        raise AssertionError("not what an undisturbed run makes")
    if list((root / ".archive").glob("*/*")):
        raise AssertionError("something is left over")


def _archive_and_die(footage: Path, root: Path, executor: str, where: str, at: int) -> bool:
    """Archive in a process that kills itself; tell whether it got so far."""
    ended = subprocess.run(
        _command(footage, root, executor, where, at), capture_output=True, timeout=HANGS_S, check=False
    ).returncode
    if ended not in (0, -signal.SIGKILL):
        raise AssertionError(f"ended with {ended}")
    return ended != 0


def _command(footage: Path, root: Path, executor: str, where: str, at: int) -> list[str]:
    return [sys.executable, archive_footage.__file__, str(footage), str(root), executor, where, str(at)]


@contextmanager
def _archiving(footage: Path, root: Path, executor: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that archives, from when it begins to."""
    command = _command(footage, root, executor, "end", 1)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.readline()  # its imports take longer than the archive
        yield process
        process.wait(HANGS_S)


def _archived_in_s(footage: Path, root: Path, executor: str) -> float:
    """Archive undisturbed; how long it took, in seconds."""
    with _archiving(footage, root, executor):
        started = time.monotonic()
    return time.monotonic() - started


def _killed_within(footage: Path, root: Path, executor: str, seconds: float) -> bool:
    """Archive in a process that is killed after so long; tell whether it still ran."""
    with _archiving(footage, root, executor) as process:
        time.sleep(seconds)
        process.kill()
    return process.returncode == -signal.SIGKILL


def archives_on_ray(base: Path, count: int, seed: int) -> Outcome:
    """On Ray workers are killed at any instant, or the driver; the memories are those of one process."""
    outcome = Outcome(
        "archive on Ray: workers or driver killed", "{workers} workers and {drivers} drivers were killed"
    )
    footage = _footage(base)
    archive_footage.local(base / "undisturbed", footage)
    undisturbed = archive_footage.contents(base / "undisturbed")
    for k in range(count):
        chance, root = random.Random(f"{seed}/ray/{k}"), base / f"memories-{k}"
        driver = (k + seed) % 2 == 0
        kill = _Killer(chance)
        with outcome.trying(f"ray, seed {seed}, try {k}"), within(HANGS_S):
            if driver:
                after, soon = chance.randrange(1, 4), chance.random() < 0.5
                outcome.counted["drivers"] += (
                    _killed_within(footage, root, "ray", chance.uniform(0, _RAY_STARTS_S))
                    if soon
                    else _archive_and_die(footage, root, "ray", "segment", after)
                )
            config = ArchiveConfig(executor="ray", unit_s=30.0, ahead=2)
            archive(root, archive_footage.request(footage), config, on_progress=None if driver else kill)
            kill.join()
            outcome.counted["workers"] += len(kill.dead)
            _same(root, undisturbed)
        shutil.rmtree(root, ignore_errors=True)
    return outcome


class _Killer(threading.Thread):
    """Kills one or all workers of this process, at an instant soon after some segment was written."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self._left, self._after_s = chance.randrange(1, 4), chance.uniform(0, 0.5)
        self._all = chance.random() < 0.5
        self._chance, self.dead = chance, list[int]()

    def __call__(self, progress: ArchiveProgress) -> None:
        self._left -= bool(progress.source)
        if self._left <= 0 and self.ident is None:
            self.start()

    def run(self) -> None:
        time.sleep(self._after_s)
        workers = archive_footage.workers_of(os.getpid())
        for process in workers if self._all else self._chance.sample(workers, min(1, len(workers))):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
                self.dead.append(process)

    def join(self, timeout: float | None = None) -> None:
        """Wait until it is done; it may not have begun."""
        if self.ident is not None:
            super().join(timeout)


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
