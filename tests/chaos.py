"""Faults on purpose: kills, full disks, damaged files and mutated sources, with a seed and a count, into a report.

    make chaos                        a few minutes
    make chaos COUNT=500 SEED=7       hours
    make chaos HOURS=8                the same few minutes again and again, each time with another seed
    make chaos TRIES="making=300 working=250"    only these kinds, so often
    python tests/chaos.py --count 20 --seed 1 --write docs/reliability.md

Each kind of fault is checked against something that does not rest on the code under test: SQLite's own check of
the file, the bytes of the folder as `du` counts them, pictures that say which frame they are of, bytes that must
be gone from all files. What goes wrong is told with what makes it again, and the exit status is then 1.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import media
from chaos_live import footage, live
from chaos_memory import check, entries, frames, killed, name_of, work, writer
from chaos_moves import full_disks_elsewhere, moving, sleeping
from chaos_report import HANGS_S, Outcome, table, within, write
from chaos_runs import archives, archives_on_ray, in_batches, recordings

from hippocam.apps.session import Session
from hippocam.apps.verify import problems_of
from hippocam.memory.errors import DiskError
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import Embedding

SUFFIXES = (".mp4", ".mkv", ".ts", ".avi", ".webm", ".mov")
# Pictures and animations; `.apng` is written as `.png`.
_PICTURES = (".jpg", ".png", ".bmp", ".webp", ".apng")


# kills ---------------------------------------------------------------------------------------------------------


def making(base: Path, count: int, seed: int) -> Outcome:
    """A memory is made, killed, and made again."""
    outcome = Outcome("killed while a memory is made")
    for run in killed(base / "making", "pass", "chaos.writer(folder).close()", count, seed):
        with outcome.trying(f"making, seed {seed}, run {run.name}"):
            work(run, 12)
            check(run, 12)
    return outcome


def working(base: Path, count: int, seed: int) -> Outcome:
    """A stream is watched into a full memory, killed, and watched again."""
    outcome = Outcome(
        "killed while watching, budget full", "{same} of {tries} end with the very entries of an undisturbed run"
    )
    undisturbed = base / "undisturbed"
    work(undisturbed)
    for run in killed(base / "working", "chaos.writer(folder).close()", "chaos.work(folder)", count, seed):
        with outcome.trying(f"working, seed {seed}, run {run.name}"):
            work(run)
            check(run)
            outcome.counted["same"] += entries(run) == entries(undisturbed)
    return outcome


def forgetting(base: Path, count: int, seed: int) -> Outcome:
    """A stretch of time is deleted, killed, and finished by whoever opens the memory next."""
    outcome = Outcome(
        "killed while forgetting", "{finished} of {tries} had begun and were finished by the next writer"
    )
    template, after_s, before_s = base / "template", 120.0, 420.0
    work(template, 24)
    gone = [name_of(30.0 * k) for k in range(24) if after_s < 30.0 * k < before_s]
    act = (
        "from hippocam.memory.filter import Filter\n"
        "    with chaos.writer(folder) as memory:\n"
        f"        memory.forget(Filter(stream='cam', after_s={after_s}, before_s={before_s}))"
    )
    for run in killed(base / "forgetting", f"shutil.copytree({str(template)!r}, folder)", act, count, seed):
        with outcome.trying(f"forgetting, seed {seed}, run {run.name}"):
            begun = len(entries(run)) < len(entries(template))
            writer(run).close()
            raw = b"".join(path.read_bytes() for path in run.rglob("*") if path.is_file())
            left = [name for name in gone if name in raw]
            if left and (begun or len(left) < len(gone)):
                raise AssertionError(f"still there: {left[0].decode()} and {len(left) - 1} more")
            outcome.counted["finished"] += not left
    return outcome


# disks ---------------------------------------------------------------------------------------------------------


def full_disks(base: Path, count: int, seed: int) -> Outcome:
    """A memory is made and written on disks that are too small, and again once they have room."""
    outcome = Outcome(
        "disk full while making or watching", "{full} disks were too small; with room again each run went on"
    )
    chance = random.Random(seed)
    for k in range(count):
        size = chance.randrange(8, 640)
        disk = base / f"disk-{k}"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(disk)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            outcome.also = "not tried: a small file system can be mounted by root alone"
            return outcome
        try:
            with outcome.trying(f"a disk of {size} kB"):
                try:
                    work(disk / "m", 24)
                except DiskError:
                    outcome.counted["full"] += 1
                    subprocess.run(["mount", "-o", "remount,size=16m", str(disk)], check=True)
                    work(disk / "m", 24)
                check(disk / "m", 24)
        finally:
            subprocess.run(["umount", str(disk)], check=True)
    return outcome


# damage --------------------------------------------------------------------------------------------------------


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Bytes as a bad disk, a bad cable or a stranger would leave them."""
    changed = bytearray(data)
    how = chance.choice(("flip", "flips", "noise", "zeros", "cut", "remove", "repeat", "head"))
    at = chance.randrange(max(1, len(changed)))
    size = min(len(changed) - at, chance.choice((4, 64, 512, 4096)))
    if how == "flip" and changed:
        changed[at] ^= 1 << chance.randrange(8)
    elif how == "flips":
        for _ in range(chance.randrange(2, 200)):
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    elif how == "noise":
        changed[at : at + size] = chance.randbytes(size)
    elif how == "zeros":
        changed[at : at + size] = bytes(size)
    elif how == "cut":
        del changed[at:]
    elif how == "remove":
        del changed[at : at + size]
    elif how == "repeat":
        changed[at:at] = changed[at : at + size] * chance.randrange(1, 4)
    else:
        changed[: min(len(changed), 256)] = chance.randbytes(min(len(changed), 256))
    return bytes(changed)


def damage(base: Path, count: int, seed: int) -> Outcome:
    """A file of a memory is damaged; reading and writing then work, or say in one line why not."""
    outcome = Outcome(
        "a damaged file in a memory",
        "`hippocam verify` found {found}; {refused} memories were refused to readers in one line",
    )
    template = base / "sound"
    work(template, 40)
    known = _problems(template)  # its pictures are names of frames: none can be decoded
    whole = _contents(template)
    for k in range(count):
        chance = random.Random(f"{seed}/{k}")
        folder = base / "damaged"
        shutil.copytree(template, folder)
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
        path = chance.choice([folder / "memory.db", chance.choice(files)])
        path.write_bytes(mutate(path.read_bytes(), chance))
        with outcome.trying(f"damage, seed {seed}, try {k}, {path.name}"), within(HANGS_S):
            if _problems(folder) - known:
                outcome.counted["found"] += 1
            elif _contents(folder) != whole:
                raise AssertionError("verify finds nothing, and what is held differs")
            for use in (_ask, _write_on):
                try:
                    use(folder)
                except HippocamError as error:
                    outcome.counted["refused"] += use is _ask
                    if "\n" in str(error):
                        raise AssertionError(f"more than one line: {error}") from error
        shutil.rmtree(folder)
    return outcome


def _problems(folder: Path) -> set[str]:
    """What `hippocam verify` says of a memory."""
    try:
        return {problem.what for problem in problems_of(folder)}
    except HippocamError as error:
        return {str(error)}


def _contents(folder: Path) -> dict[str, object]:
    """All rows and pictures, read without our code."""
    found: dict[str, object] = {path.name: path.read_bytes() for path in (folder / "exemplars").iterdir()}
    with contextlib.closing(sqlite3.connect(folder / "memory.db")) as database:
        database.text_factory = bytes
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        for (name,) in tables:
            found[name.decode()] = database.execute(f'SELECT * FROM "{name.decode()}"').fetchall()
    return found


def _ask(folder: Path) -> None:
    with Memory.open_reader(folder) as memory:
        for frame in frames(5):
            for found in memory.recall(Query(text="", vector=frame.vector)):
                memory.explain(found.entry.id)
        memory.streams()


def _write_on(folder: Path) -> None:
    with writer(folder) as memory:
        memory.begin("dog", uri="/x/dog.mp4")
        memory.write([Embedding(stream="dog", seq=0, time_s=0.0, vector=frames(1)[0].vector, jpeg=b"dog")])
        memory.finish("dog")


# sources -------------------------------------------------------------------------------------------------------


def fuzz(base: Path, count: int, seed: int) -> Outcome:
    """Mutated videos are watched in other processes: each is watched or refused by name, none ends a process."""
    outcome = Outcome(
        "a mutated video, picture or subtitle", "{refused} files were refused by name, all others watched"
    )
    for suffix in SUFFIXES:
        media.render_video(base / f"whole{suffix}", frames=40, sound_s=1.0 if suffix == ".mp4" else 0.0)
    _render_pictures(base)
    rows = in_batches(outcome, "fuzz", Path(__file__), base, count, seed)
    outcome.counted["refused"] += sum(row["refused"] for row in rows)
    return outcome


def _render_pictures(base: Path) -> None:
    animation = cv2.Animation()
    animation.frames = [media.numbered_image(k)[..., ::-1].copy() for k in range(6)]
    animation.durations = [300] * 6
    for suffix in _PICTURES:
        if suffix in (".webp", ".apng"):
            written = base / f"animation{suffix.replace('.apng', '.png')}"
            cv2.imwriteanimation(str(written), animation)
            written.rename(base / f"whole{suffix}")
        else:
            cv2.imwrite(str(base / f"whole{suffix}"), media.numbered_image(7))


def fuzz_batch(base: Path, first: int, last: int, seed: int) -> None:
    """Watch some mutated files, and print a line of JSON for each."""
    with (
        tempfile.TemporaryDirectory(dir=base) as folder,
        Session(Path(folder) / "m", encoder="palette") as session,
    ):
        for k in range(first, last):
            chance = random.Random(f"{seed}/{k}")
            suffix = chance.choice((*SUFFIXES, *_PICTURES))
            path = Path(folder) / f"{k}{suffix}"
            data = (base / f"whole{suffix}").read_bytes()
            words = "".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\nword {n}\n\n" for n in range(2)).encode()
            which = chance.random() < 0.8
            path.write_bytes(mutate(data, chance) if which else data)
            path.with_suffix(".srt").write_bytes(words if which else mutate(words, chance))
            row = {"try": k, "refused": False, "fault": ""}
            try:
                report = session.watch([path])
                row["refused"] = bool(report.failed)
                if any("\n" in failure.reason for failure in report.failed):
                    row["fault"] = f"more than one line: {report.failed[0].reason}"
            except Exception as error:
                row["fault"] = f"{path.name}: {type(error).__name__}: {error}"[:300]
            print(json.dumps(row), flush=True)


# all of it -----------------------------------------------------------------------------------------------------

# How many tries of each kind, for each that is counted.
KINDS: dict[Callable[[Path, int, int], Outcome], float] = {
    making: 1, working: 1, forgetting: 0.5, sleeping: 0.5, moving: 0.5, full_disks: 1, full_disks_elsewhere: 0.7,
    damage: 5, fuzz: 5,
    archives: 0.2, archives_on_ray: 0.1, live: 0.1, footage: 0.2, recordings: 2,
}  # fmt: skip


def one_round(tries: dict[Callable[[Path, int, int], Outcome], int], seed: int) -> list[Outcome]:
    """Make so many faults of each kind, and tell what came of them."""
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, count in tries.items():
            base = Path(folder) / kind.__name__
            base.mkdir()
            outcome = kind(base, count, seed)
            print(
                f"{outcome.what}: {outcome.tries} tries, {len(outcome.faults)} went wrong. {outcome.told}",
                flush=True,
            )
            for fault in outcome.faults:
                print(f"  {fault}", flush=True)
            outcomes.append(outcome)
            shutil.rmtree(base)
    return outcomes


def main() -> int:
    """Run what the arguments say; 1 where something went wrong."""
    names = [kind.__name__ for kind in KINDS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument(
        "--seed", type=int, default=1, help="the first round's; each further round has the next one"
    )
    parser.add_argument("--hours", type=float, default=0.0, help="further rounds begin until so much time is over")
    parser.add_argument("--only", nargs="*", choices=names, default=names)
    parser.add_argument("--tries", nargs="*", default=[], metavar="KIND=N", help="only these kinds, so often")
    parser.add_argument("--write", type=Path, help="a page whose results are written anew")
    parser.add_argument("--batch", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.batch:
        _, base, *numbers = given.batch
        fuzz_batch(Path(base), *map(int, numbers))
        return 0
    tries = {kind: max(1, round(KINDS[kind] * given.count)) for kind in KINDS if kind.__name__ in given.only}
    command = f"make chaos COUNT={given.count}"
    if given.tries:
        asked = {name: int(number) for name, _, number in (one.partition("=") for one in given.tries)}
        tries = {kind: asked[kind.__name__] for kind in KINDS if kind.__name__ in asked}
        command = f'make chaos TRIES="{" ".join(given.tries)}"'
    started, seed = time.monotonic(), given.seed
    outcomes = one_round(tries, seed)
    while time.monotonic() - started < 3600 * given.hours:
        seed += 1
        for outcome, more in zip(outcomes, one_round(tries, seed), strict=True):
            outcome.add(more)
    if given.write is not None:
        command += f" SEED={given.seed}" + f" HOURS={given.hours:g}" * (given.hours > 0)
        write(given.write, table(outcomes, command, time.monotonic() - started))
    return int(any(outcome.faults for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
