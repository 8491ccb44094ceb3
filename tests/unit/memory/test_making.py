"""A memory is made whole or not at all: killed at every step, on disks of every size, by strangers' leftovers."""

import os
import sqlite3
import stat
import subprocess
from contextlib import closing

import numpy as np
import pytest

from hippocam.memory.config import MemoryConfig
from hippocam.memory.errors import DiskError, NotAMemoryError
from hippocam.memory.memory import Memory
from hippocam.memory.store.schema import FORMAT, PAGE_BYTES, create
from hippocam.stream.records import EncoderSpec

D = 32
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
AXES = np.eye(D, dtype=np.float32)
# Random kills, as in HIPPOCAM_KILLS=300 pytest tests/unit/memory/test_making.py
KILLS = int(os.environ.get("HIPPOCAM_KILLS", "40"))
MAKE = """
from hippocam.memory.memory import Memory
from hippocam.stream.records import EncoderSpec
from hippocam.memory.config import MemoryConfig

SPEC = EncoderSpec(id="test:1", dim=32, normalised=True, midpoint=0.5, slope=20.0)

def prepare(folder):
    folder.parent.mkdir(exist_ok=True)

def act(folder):
    Memory.open_writer(folder, encoder="test", spec=SPEC, config=MemoryConfig(budget_bytes=2_000_000)).close()
"""


def writer(folder):
    return Memory.open_writer(folder, encoder="test", spec=SPEC, config=MemoryConfig(budget_bytes=2_000_000))


def watch(memory, items):
    memory.begin("cam", uri="/x/cam.mp4")
    memory.write(items)
    memory.finish("cam")


def check_made_again(folder, items):
    """As if nothing had been: watched into, found, and nothing left over."""
    with writer(folder) as memory:
        watch(memory, items)
    with Memory.open_reader(folder) as memory:
        assert [stream.entries for stream in memory.streams()] == [3]
        assert memory.store.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert sorted(path.name for path in folder.iterdir()) == ["exemplars", "memory.db", "writer.lock"]


@pytest.fixture
def items(frames_of):
    return frames_of("cam", [(5 * k + t, AXES[k]) for k in range(3) for t in range(5)])


def test_killed_at_every_step_of_making_it_is_made_again(tmp_path, items, load_helpers):
    folders, kills = load_helpers("kills.py").run(tmp_path, MAKE, "steps")
    assert kills == len(folders) - 1 > 60  # the last run came to its end
    for folder in folders:
        check_made_again(folder, items)


def test_killed_at_any_instant_of_making_it_is_made_again(tmp_path, items, load_helpers):
    folders, kills = load_helpers("kills.py").run(tmp_path, MAKE, "random", KILLS, 14)
    assert kills == KILLS
    for folder in folders:
        check_made_again(folder, items)


@pytest.mark.parametrize("end", ["", "-journal", "-wal", "-shm"])
def test_what_an_older_hippocam_left_is_no_hindrance(tmp_path, items, end):
    folder = tmp_path / "m"
    (folder / "exemplars").mkdir(parents=True)
    (folder / f"memory.db.new{end}").write_bytes(b"half a header")
    (folder / "memory.db").touch()
    check_made_again(folder, items)


def test_an_empty_database_is_what_sqlite_itself_would_make(tmp_path):
    create(tmp_path / "memory.db")
    assert [path.name for path in tmp_path.iterdir()] == ["memory.db"]
    with closing(sqlite3.connect(tmp_path / "memory.db")) as db:
        pragmas = ("journal_mode", "page_size", "auto_vacuum", "user_version", "integrity_check")
        found = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
    assert found == ["wal", PAGE_BYTES, 2, FORMAT, "ok"]


def test_pictures_whose_database_is_gone_are_left_alone(tmp_path, items):
    with writer(tmp_path / "m") as memory:
        watch(memory, items)
    (tmp_path / "m" / "memory.db").unlink()
    before = sorted((tmp_path / "m" / "exemplars").iterdir())
    with pytest.raises(NotAMemoryError, match="holds pictures and no"):
        writer(tmp_path / "m")
    assert sorted((tmp_path / "m" / "exemplars").iterdir()) == before


def test_only_its_owner_may_enter_and_read(tmp_path, items):
    before = os.umask(0o022)
    try:
        (tmp_path / "there").mkdir(mode=0o755)
        for folder in (tmp_path / "new" / "m", tmp_path / "there"):
            with writer(folder) as memory:
                watch(memory, items)
                memory.used([memory.store.lookup.between(0, 2**63 - 1, 1)[0]])
                found = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (folder, *folder.rglob("*"))}
            folders = {folder.name, "exemplars"}
            assert {found[name] for name in folders} == {0o700}
            assert {mode for name, mode in found.items() if name not in folders} == {0o600}
            assert {"memory.db", "memory.db-wal", "writer.lock"} < set(found)
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o755  # what is not ours stays as it is usual
    finally:
        os.umask(before)


@pytest.fixture
def disk(tmp_path):
    """Mount a file system of so many bytes; only root can."""
    mounted = []

    def mount(size):
        folder = tmp_path / f"disk-{size}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a small file system cannot be mounted here (it takes root)")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)


def test_on_a_full_disk_of_any_size_one_line_and_with_room_it_goes_on(disk, items):
    full = [size for size in range(8, 8 + 20 * 8, 8) if not fits(disk(size * 1024), items)]
    assert 5 < len(full) < 20  # both kinds were tried


def fits(folder, items):
    """Whether a memory fits on a disk; what is not made there is made once the disk has room."""
    try:
        with writer(folder / "m") as memory:
            watch(memory, items)
    except DiskError:
        subprocess.run(["mount", "-o", "remount,size=16m", folder], check=True)
        with writer(folder / "m") as memory:
            watch(memory, items)
        return False
    finally:
        check_whole(folder / "m")
    return True


def check_whole(folder):
    with Memory.open_reader(folder) as memory:
        assert [stream.entries for stream in memory.streams()] == [3]
        assert memory.store.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
