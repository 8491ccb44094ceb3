"""Live cameras that are cut off, live processes that are killed: no closed event is lost, and footage is whole."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import av
import cv2
import live_process
import numpy as np
from chaos_report import HANGS_S, Outcome, within
from numpy.typing import NDArray

from hippocam.apps.live.folder import LiveFolder
from hippocam.apps.verify import problems_of
from hippocam.memory.memory import Memory
from hippocam.stream.clips.look_back import write_stretch
from hippocam.stream.errors import NoFootageError
from hippocam.stream.sources.naming import slug

_COLOURS = ("red", "blue", "yellow", "white")
# Mean colours closer than this are the same, of 0 to 255; the colours above are farther apart.
_SAME = 60.0


def live(base: Path, count: int, seed: int) -> Outcome:
    """A camera is cut off or goes away, the process is killed; it comes back, and no closed event is lost."""
    outcome = Outcome("camera cut, live process killed", "{cuts} cuts and {kills} kills; {kept} events kept")
    _try_often(_cut_and_killed, "live", base, count, seed, outcome)
    return outcome


def _try_often(
    one: Callable[[Path, random.Random, Outcome], None],
    kind: str,
    base: Path,
    count: int,
    seed: int,
    outcome: Outcome,
) -> None:
    """Try one of these faults so many times, each in a folder of its own, where there is a server to watch."""
    if live_process.rtsp_python() is None:
        outcome.also = "not tried: no RTSP server is installed"
        return
    for k in range(count):
        chance, folder = random.Random(f"{seed}/{kind}/{k}"), base / f"{kind}-{k}"
        with outcome.trying(f"{kind}, seed {seed}, try {k}"), within(2 * HANGS_S):
            one(folder, chance, outcome)
        shutil.rmtree(folder, ignore_errors=True)


def _cut_and_killed(folder: Path, chance: random.Random, outcome: Outcome) -> None:
    held: set[int] = set()
    with live_process.RtspServer() as server:
        for _ in range(3):
            with live_process.Live(folder / "m", server.url, "--budget-mb", "5") as running:
                running.wait_for(lambda row: row["state"] == "live" and row["last_s"])
                for colour in chance.sample(_COLOURS, 3):  # each change closes an event
                    server.say(colour)
                    time.sleep(chance.uniform(0.5, 2.5))
                if chance.random() < 0.5:
                    outcome.counted["cuts"] += 1
                    server.kill()
                    running.wait_for(lambda row: row["state"] != "live")
                    server.start(chance.choice(("red", "green", "blue")))
                    running.wait_for(lambda row: row["state"] == "live")
                _kill(running, outcome)
            now = set(_entries(folder / "m"))
            if held - now:
                raise AssertionError(f"{len(held - now)} closed events are gone")
            held = now
    _verify(folder / "m")
    outcome.counted["kept"] += len(held)


def footage(base: Path, count: int, seed: int) -> Outcome:
    """A live process is killed at any instant while it writes footage and memory, and comes back: both agree."""
    outcome = Outcome(
        "live process killed while it writes footage",
        "{kills} kills; {files} files of footage show {shown} of {entries} events; of the others none is kept, "
        "and that is told",
    )
    _try_often(_killed_while_recording, "footage", base, count, seed, outcome)
    return outcome


def _killed_while_recording(folder: Path, chance: random.Random, outcome: Outcome) -> None:
    memory, look_back = folder / "m", chance.choice(("8s", "60s"))  # some events are younger than it, some older
    kept = ("--keep", "motion", "--keep-before", "1s", "--keep-after", "1s") if chance.random() < 0.5 else ()
    with live_process.RtspServer() as server:
        for _ in range(2):
            arguments = (server.url, "--budget-mb", "5", "--look-back", look_back, *kept)
            with live_process.Live(memory, *arguments) as running:
                running.wait_for(lambda row: row["state"] == "live" and row["last_s"])
                until_s = time.monotonic() + chance.uniform(0.0, 10.0)
                while (left_s := until_s - time.monotonic()) > 0:
                    server.say(chance.choice(_COLOURS))
                    time.sleep(min(left_s, chance.uniform(0.3, 3.0)))
                _kill(running, outcome)
            _agree(memory, folder, Outcome(""))
        with live_process.Live(memory, server.url, "--budget-mb", "5", "--look-back", look_back) as running:
            running.wait_for(lambda row: row["state"] == "live" and row["last_s"])
            running.end()
    _agree(memory, folder, outcome)
    _verify(memory)


def _agree(memory: Path, scratch: Path, outcome: Outcome) -> None:
    """Raise unless all footage is of known streams and shows of each event its picture, or that none is told."""
    live_folder = LiveFolder(memory)
    with Memory.open_reader(memory) as reader:
        known = {slug(stream.id) for stream in reader.streams()}
        for path in live_folder.path.glob("*/*/*"):
            if path.parts[-3] in ("look-back", "kept"):
                outcome.counted["files"] += 1
                if path.parent.name not in known or path.suffix != ".mkv":
                    raise AssertionError(f"nothing knows {path.relative_to(live_folder.path)}")
        for entry_id, (stream, frame_s) in _entries(memory).items():
            outcome.counted["entries"] += 1
            out = scratch / "clip.mkv"
            try:
                write_stretch(
                    live_folder.look_back(stream), out, frame_s - 0.2, frame_s + 0.2, kept=live_folder.kept(stream)
                )
            except NoFootageError:
                continue
            seen = cv2.imread(str(reader.image(entry_id)))
            if seen is None:
                continue  # it was given up
            wanted = _mean(seen[..., ::-1])
            if min(float(np.abs(_mean(frame) - wanted).max()) for frame in _frames(out)) > _SAME:
                raise AssertionError(f"the footage of {frame_s:.1f} does not show its event's picture")
            outcome.counted["shown"] += 1


def _frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def _mean(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = picture.reshape(-1, 3).mean(axis=0)
    return mean


def _kill(running: live_process.Live, outcome: Outcome) -> None:
    os.killpg(running.process.pid, signal.SIGKILL)
    running.process.wait(HANGS_S)
    outcome.counted["kills"] += 1


def _verify(memory: Path) -> None:
    wrong = [problem.what for problem in problems_of(memory)]
    if wrong:
        raise AssertionError(f"verify finds {wrong[:2]}")


def _entries(folder: Path) -> dict[int, tuple[str, float]]:
    """Stream and time of the picture of each entry that a memory has, by its id."""
    with closing(sqlite3.connect(folder / "memory.db")) as database:
        if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            raise AssertionError("SQLite's own check finds damage")
        rows = database.execute("SELECT id, stream, frame_s FROM entry")
        return {entry_id: (stream, frame_s) for entry_id, stream, frame_s in rows}
