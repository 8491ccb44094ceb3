"""Kills itself: runs an action in a process of its own that is ended by SIGKILL, at a step or at any instant.

A step is whatever may change a file: a statement of SQLite, and what Python opens, renames, links, removes or
changes the mode of, before it is done, and each synchronisation of a file. It is run as a program, since a process
with threads must not fork:

    python kills.py steps BASE ACTION [STRIDE]    BASE/0, BASE/1, ...: killed at each step, or every so many
    python kills.py random BASE ACTION COUNT SEED BASE/0 ... : until COUNT were killed at random instants

ACTION is a Python file with two functions: `prepare(folder)`, run before, and `act(folder)`, which is killed. The
last line of stdout says how many folders there are, and how many of the runs were killed.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_FILE_EVENTS = {"os.mkdir", "os.rename", "os.remove", "os.link", "os.chmod", "os.truncate", "os.rmdir"}


def run(folder: Path, action: str, how: str, *numbers: int) -> tuple[list[Path], int]:
    """Run the program as a test does.

    Args:
        folder: Where the action is written to; BASE is its subfolder "runs".
        action: Text of the Python file.
        how: "steps" or "random".
        numbers: The rest of the arguments.

    Returns:
        The folders of the runs, in order, and how many of them were killed.
    """
    script = folder / "action.py"
    script.write_text(action, encoding="utf-8")
    command = [sys.executable, str(Path(__file__)), how, str(folder / "runs"), str(script), *map(str, numbers)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode:
        raise AssertionError(done.stderr)
    counts = json.loads(done.stdout.splitlines()[-1])
    return [folder / "runs" / str(k) for k in range(counts["runs"])], counts["killed"]


def die_at(step: int) -> None:
    """End this process at a step, counted from 0 from now on."""
    left = [step]

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _FILE_EVENTS or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
            count()

    connect, fsync = sqlite3.connect, os.fsync

    def counted_connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        count()
        db: sqlite3.Connection = connect(*arguments, **options)
        db.set_trace_callback(count)
        return db

    def counted_fsync(file: int) -> None:
        count()
        fsync(file)

    sqlite3.connect, os.fsync = counted_connect, counted_fsync
    sys.addaudithook(audit)


def forked(work: Callable[[], None], *, after_s: float | None = None) -> bool:
    """Run work in a process of its own, killed after a time where one is given; whether it was killed.

    Raises:
        RuntimeError: It failed otherwise.
    """
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    if after_s is not None:
        time.sleep(after_s)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    if os.WEXITSTATUS(status):
        raise RuntimeError(f"a process failed with {os.WEXITSTATUS(status)}")
    return False


def main(how: str, base: str, action: str, *numbers: str) -> None:
    """Run the program; see the module."""
    names: dict[str, Any] = {}
    exec(compile(Path(action).read_text(encoding="utf-8"), action, "exec"), names)
    prepare, act = names["prepare"], names["act"]
    runs = killed = 0
    if how == "steps":
        stride = int(numbers[0]) if numbers else 1
        while True:
            folder = Path(base) / str(runs)
            prepare(folder)

            def work(folder: Path = folder, step: int = runs * stride) -> None:
                die_at(step)
                act(folder)

            runs += 1
            if not forked(work):
                break
            killed += 1
    else:
        chance, whole, took_s = random.Random(int(numbers[1])), Path(base) / "whole", 0.0
        while killed < int(numbers[0]):
            if runs % 10 == 0:  # how long it takes now: others use this machine too
                prepare(whole)
                started = time.monotonic()
                forked(lambda: act(whole))
                took_s = time.monotonic() - started
                shutil.rmtree(whole)
            folder = Path(base) / str(runs)
            prepare(folder)
            killed += forked(lambda folder=folder: act(folder), after_s=chance.uniform(0, took_s))
            runs += 1
    print(json.dumps({"runs": runs, "killed": killed}))


if __name__ == "__main__":
    main(*sys.argv[1:])
