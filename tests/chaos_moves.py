"""Faults while a memory sleeps by itself or its content is on the way: kills, and disks that are too small."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from unittest import mock

import archive_footage
from chaos_memory import check, entries, killed, work
from chaos_report import Outcome

from hippocam.apps.archive.records import ArchiveReport
from hippocam.apps.transfer.exporting import export, write_file
from hippocam.apps.transfer.importing import import_file
from hippocam.apps.verify import problems_of
from hippocam.apps.web.work import uploads
from hippocam.stream.errors import HippocamError

# Frames of the memory that sleeps or is moved.
_FRAMES = 80


def sleeping(base: Path, count: int, seed: int) -> Outcome:
    """A memory that sleeps because it is idle is killed, and opened again."""
    outcome = Outcome("killed while a memory sleeps by itself", "{lighter} of {tries} had become lighter")
    template = base / "template"
    work(template, _FRAMES)
    act = (
        "from hippocam.memory.config import MemoryConfig\n"
        "    from hippocam.memory.sleep.config import SleepConfig\n"
        "    asleep = SleepConfig(above=0.0, auto_target=0.1, max_loss=1.0)\n"
        "    config = MemoryConfig(budget_bytes=chaos.BUDGET_BYTES, sleep=asleep)\n"
        "    with chaos.writer(folder, config) as memory:\n"
        "        memory.idle()"
    )
    for run in killed(base / "sleeping", f"shutil.copytree({str(template)!r}, folder)", act, count, seed):
        with outcome.trying(f"sleeping, seed {seed}, run {run.name}"):
            outcome.counted["lighter"] += entries(run) != entries(template)
            work(run, _FRAMES)
            check(run, _FRAMES)
    return outcome


def moving(base: Path, count: int, seed: int) -> Outcome:
    """An export or an import is killed, and done again."""
    outcome = Outcome("killed while exporting or importing", "each done again, with all that there was")
    template, file = base / "template", base / "whole.jsonl"
    work(template, _FRAMES)
    write_file(file, export(template, "jsonl"), memory=template)
    transfer = (
        "from hippocam.apps.transfer.exporting import export, write_file\n    "
        "from hippocam.apps.transfer.importing import import_file\n    "
    )
    taking = f"{transfer}import_file(Path({str(file)!r}), folder, encoder='test')"
    for run in killed(base / "importing", "pass", taking, count, seed):
        with outcome.trying(f"importing, seed {seed}, run {run.name}"):
            import_file(file, run, encoder="test")
            _same(run, template)
    giving = (
        f"{transfer}write_file(folder / 'e.jsonl', export(Path({str(template)!r}), 'jsonl'), memory=folder / 'm')"
    )
    for run in killed(base / "exporting", "folder.mkdir()", giving, count, seed):
        with outcome.trying(f"exporting, seed {seed}, run {run.name}"):
            out = run / "e.jsonl"
            if out.exists() and out.read_bytes() != file.read_bytes():
                raise AssertionError("half an export lies under its name")
            write_file(out, export(template, "jsonl"), memory=template)
            if out.read_bytes() != file.read_bytes():
                raise AssertionError("not what an undisturbed export writes")
    return outcome


def _same(run: Path, template: Path) -> None:
    check(run, _FRAMES)
    if entries(run) != entries(template):
        raise AssertionError("not the entries of the memory that was exported")


def full_disks_elsewhere(base: Path, count: int, seed: int) -> Outcome:
    """Exports, imports, uploads and archives on disks that are too small, and again once they have room."""
    outcome = Outcome(
        "disk full while exporting, importing, uploading or archiving",
        "{full} disks were too small; with room again each was done",
    )
    template, file = base / "template", base / "whole.jsonl"
    work(template, _FRAMES)
    write_file(file, export(template, "jsonl"), memory=template)
    film = archive_footage.render(base / "footage" / "cam0" / "a.mp4", 0, 12)
    footage = film.parent.parent

    def exported(disk: Path) -> None:
        out = disk / "e.jsonl"
        write_file(out, export(template, "jsonl"), memory=template)
        if out.read_bytes() != file.read_bytes():
            raise AssertionError("not what was exported")

    def imported(disk: Path) -> None:
        import_file(file, disk / "m", encoder="test")
        _same(disk / "m", template)

    def uploaded(disk: Path) -> None:
        kept = asyncio.run(uploads.receive(_parts(film), disk / "uploads", film.name))
        if kept.read_bytes() != film.read_bytes():
            raise AssertionError("not what was uploaded")

    def archived(disk: Path) -> None:
        _told(archive_footage.local(disk / "archive", footage))
        if any(problems_of(memory.parent) for memory in (disk / "archive").glob("*/memory.db")):
            raise AssertionError("verify finds something")

    # What each needs, in kB.
    kinds: dict[Callable[[Path], None], int] = {
        exported: file.stat().st_size // 1024,
        imported: 1000,
        uploaded: film.stat().st_size // 1024,
        archived: 1000,
    }
    chance = random.Random(seed)
    with mock.patch.object(uploads, "FREE_BYTES", 0):  # else such a disk has no room from the start
        for k in range(count):
            act = list(kinds)[k % len(kinds)]
            size = chance.randrange(8, kinds[act])
            with (
                outcome.trying(f"{act.__name__} on a disk of {size} kB"),
                _small_disk(base / f"{k}", size) as disk,
            ):
                if disk is None:
                    outcome.also = "not tried: a small file system can be mounted by root alone"
                    return outcome
                try:
                    act(disk)
                except HippocamError as error:
                    outcome.counted["full"] += 1
                    if "\n" in str(error):
                        raise AssertionError(f"more than one line: {error}") from error
                    if act in (exported, uploaded) and any(path.is_file() for path in disk.rglob("*")):
                        raise AssertionError("something half is left") from error
                    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
                    act(disk)
    return outcome


def _told(report: ArchiveReport) -> None:
    """Raise what an archive run says that failed."""
    for failure in report.failed:
        raise HippocamError(str(failure))


async def _parts(path: Path) -> AsyncIterator[bytes]:
    data = path.read_bytes()
    for at in range(0, len(data), 65536):
        yield data[at : at + 65536]


@contextlib.contextmanager
def _small_disk(disk: Path, size_kb: int) -> Iterator[Path | None]:
    """A file system of so many kB; None where none can be mounted."""
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)
        shutil.rmtree(disk)
