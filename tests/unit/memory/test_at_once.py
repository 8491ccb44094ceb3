"""Frames that come many at a time make the memory that they make one by one, wherever a kill comes between."""

import contextlib
import shutil
import sqlite3

import numpy as np
import pytest

from hippocam.memory.config import MemoryConfig
from hippocam.memory.errors import MemoryFolderError
from hippocam.memory.folder import folder_bytes
from hippocam.memory.memory import Memory
from hippocam.memory.store.streams import StreamTable
from hippocam.stream.records import Embedding, EncoderSpec, Repeat

D = 24
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
BUDGET_BYTES = 64_000_000
FRAMES = 700


def writer(folder):
    return Memory.open_writer(folder, encoder="test", spec=SPEC, config=MemoryConfig(budget_bytes=BUDGET_BYTES))


def frames():
    """Things that come back or do not, a few frames each, with still times in between."""
    rng = np.random.default_rng(5)
    known = rng.normal(size=(8, D))
    items, thing = [], known[0]
    for seq in range(FRAMES):
        if seq % 5 == 0:
            thing = known[int(rng.integers(8))] if rng.random() < 0.4 else rng.normal(size=D)
        if seq % 11 == 10:
            items.append(Repeat(stream="cam", seq=seq, time_s=float(seq)))
            continue
        vector = thing + 0.2 * rng.normal(size=D)
        unit = (vector / np.linalg.norm(vector)).astype(np.float32)
        items.append(Embedding(stream="cam", seq=seq, time_s=float(seq), vector=unit, jpeg=b"%d" % seq))
    return items


def held(folder):
    """All rows but those that tell of the folder itself, and all pictures."""
    with contextlib.closing(sqlite3.connect(folder / "memory.db")) as database:
        tables = database.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'meta' AND sql NOT LIKE '%fts5%'"
        ).fetchall()
        rows = {name: database.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for (name,) in tables}
    rows["row_total"] = [row for row in rows["row_total"] if row[0] != "meta"]
    return rows | {"pictures": sorted((p.name, p.read_bytes()) for p in (folder / "exemplars").iterdir())}


def watch(folder, pieces):
    with writer(folder) as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        for piece in pieces:
            memory.write(piece)
        memory.finish("cam")


def differing(folder, wanted):
    found = held(folder)
    return [name for name in wanted if not name.startswith("words") and found[name] != wanted[name]]


@pytest.mark.parametrize("size", [7, 100, FRAMES])
def test_pieces_of_any_size_make_the_memory_of_single_frames(tmp_path, size):
    items = frames()
    watch(tmp_path / "single", [[item] for item in items])
    watch(tmp_path / "pieces", [items[k : k + size] for k in range(0, FRAMES, size)])
    wanted = held(tmp_path / "single")
    assert len(wanted["entry"]) > 80
    assert differing(tmp_path / "pieces", wanted) == []


class Copied(list):
    """Frames; before some of them are taken the folder is copied as a kill at that moment would leave it."""

    def __init__(self, items, folder, points):
        super().__init__(items)
        self.folder, self.points = folder, points

    def __iter__(self):
        for k in range(len(self)):
            if k in self.points:
                shutil.copytree(self.folder, self.folder.with_name(f"killed-{k}"))
            yield self[k]


def test_killed_anywhere_in_a_piece_and_gone_on_with_it_is_the_undisturbed_memory(tmp_path):
    items, undisturbed, points = frames(), tmp_path / "undisturbed", (3, 160, 333, 471, 699)
    watch(undisturbed, [Copied(items, undisturbed, points)])
    wanted = held(undisturbed)
    for k in points:
        watch(tmp_path / f"killed-{k}", [items])
        assert differing(tmp_path / f"killed-{k}", wanted) == [], f"killed before frame {k}"


def test_a_kill_in_a_piece_loses_no_piece_that_was_written_before(tmp_path):
    items, folder = frames(), tmp_path / "m"
    watch(folder, [items[:300], Copied(items[300:], folder, (390,))])
    with Memory.open_reader(tmp_path / "killed-390") as memory:
        (status,) = memory.streams()
        (row,) = memory.progress(recording="cam")
    assert row.last_seq >= 300 - 12  # all but the event that was open then
    assert status.entries > 30


def test_where_a_commit_fails_the_memory_goes_on_from_what_is_kept(tmp_path):
    """Events that shared the commit are taken back, in main memory too; the frames that come again are taken."""
    items, folder = frames(), tmp_path / "m"
    watch(tmp_path / "single", [items])
    with writer(folder) as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        memory.write(items[:200])
        memory.store.connection.execute(
            "CREATE TEMP TRIGGER full BEFORE INSERT ON journal WHEN new.time_s > 450 "
            "BEGIN SELECT raise(ABORT, 'no room'); END"
        )
        with pytest.raises(MemoryFolderError):
            memory.write(items[200:])
        memory.store.connection.execute("DROP TRIGGER full")
        memory.write(items)
        memory.finish("cam")
    assert differing(folder, held(tmp_path / "single")) == []


def test_a_long_still_time_takes_no_more_than_the_budget(tmp_path):
    """Repeats of a static camera prolong an entry, faster than the log is folded aside."""
    budget_bytes, most = 400_000, 0
    with Memory.open_writer(
        tmp_path / "m", encoder="test", spec=SPEC, config=MemoryConfig(budget_bytes=budget_bytes)
    ) as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        memory.write([item for item in frames() if isinstance(item, Embedding)])
        for start in range(FRAMES, FRAMES + 640, 64):
            still = range(start, start + 64)
            memory.write([Repeat(stream="cam", seq=seq, time_s=FRAMES + 10.0 * (seq - FRAMES)) for seq in still])
            most = max(most, folder_bytes(tmp_path / "m"))
    assert most <= budget_bytes


def many_places(streams, dim):
    """Frames of several cameras of one recording, each of which goes from place to place."""
    rng = np.random.default_rng(8)
    items = []
    for camera in range(streams):
        for seq in range(240):
            if seq % 24 == 0:
                place = 2 * rng.normal(size=dim)
            if seq % 3 == 0:
                vector = place + rng.normal(size=dim)
                unit = (vector / np.linalg.norm(vector)).astype(np.float32)
            name = f"rig/{camera}"
            items.append(Embedding(stream=name, seq=seq, time_s=float(seq), vector=unit))
    return sorted(items, key=lambda item: item.time_s)


def watch_rig(folder, items, budget_bytes):
    spec = EncoderSpec(id="test:1", dim=len(items[0].vector), normalised=True, midpoint=0.5, slope=20.0)
    with Memory.open_writer(
        folder, encoder="test", spec=spec, config=MemoryConfig(budget_bytes=budget_bytes)
    ) as memory:
        memory.begin("rig", uri="/x/rig.mp4")
        memory.write(items)
        memory.finish("rig")
        return folder_bytes(folder)  # with the log as large as it became


def test_many_cameras_that_end_together_take_no_more_than_the_budget(tmp_path):
    """What was kept to go on with each is deleted then, and what is deleted is overwritten."""
    assert watch_rig(tmp_path / "m", many_places(8, 384), 500_000) <= 500_000


@pytest.mark.parametrize("call", [1, 2, 5])
def test_killed_while_cameras_end_the_next_writer_leaves_what_the_undisturbed_memory_has(
    tmp_path, monkeypatch, call
):
    items, calls, leave = many_places(3, D), [], StreamTable.leave
    watch_rig(tmp_path / "undisturbed", items, BUDGET_BYTES)

    def killed(table):
        calls.append(table)
        if len(calls) == call:
            shutil.copytree(tmp_path / "m", tmp_path / "killed")
        return leave(table)

    monkeypatch.setattr(StreamTable, "leave", killed)
    watch_rig(tmp_path / "m", items, BUDGET_BYTES)
    monkeypatch.undo()
    wanted = held(tmp_path / "undisturbed")
    watch_rig(tmp_path / "killed", items, BUDGET_BYTES)
    assert len(calls) > 5
    assert differing(tmp_path / "killed", wanted) == []
