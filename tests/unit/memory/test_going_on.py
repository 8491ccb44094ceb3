"""A memory that was killed and gone on with is the memory of an undisturbed run, also where its budget is full."""

import contextlib
import json
import random
import shutil
import sqlite3
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.memory.store import sums
from hippocam.memory.store.schema import SUMMED
from hippocam.stream.records import Embedding, EncoderSpec, Note, Repeat

D = 24
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
BUDGET_BYTES = 1_000_000
# All that a memory holds of what it saw; `sum` tells of each row too.
TABLES = (
    "entry",
    "entry_block",
    "stream",
    "place",
    "summary",
    "note",
    "journal",
    "probe",
    "learned",
    "lesson",
    "bank",
    "tracked",
)


def writer(folder):
    return Memory.open_writer(folder, encoder="test", spec=SPEC, config=MemoryConfig(budget_bytes=BUDGET_BYTES))


def pictures():
    """Pictures that can be made smaller."""
    rng = np.random.default_rng(0)
    coarse = (rng.integers(0, 255, (12, 16, 3), dtype=np.uint8) for _ in range(4))
    large = (cv2.resize(one, (640, 480), interpolation=cv2.INTER_CUBIC) for one in coarse)
    noisy = (np.clip(one + rng.normal(0, 6, one.shape), 0, 255).astype(np.uint8) for one in large)
    return [cv2.imencode(".jpg", one, [cv2.IMWRITE_JPEG_QUALITY, 50])[1].tobytes() for one in noisy]


def stream(seed, visits):
    """Things that come back or never do, in places, with labels, words, still times and a gap now and then."""
    rng, every = np.random.default_rng(seed), pictures()
    things, places = rng.normal(size=(30, D)), rng.normal(size=(3, D))
    items, t = [], 0.0
    for visit in range(visits):
        thing = things[int(rng.integers(30))] if rng.random() < 0.5 else rng.normal(size=D)
        for _ in range(int(rng.integers(1, 5))):
            vector = 1.2 * places[visit // 17 % 3] + thing + 0.25 * rng.normal(size=D)
            seq = sum(not isinstance(item, Note) for item in items)
            labels = (f"thing{visit % 40}", "person") if visit % 3 == 0 else ()
            items.append(
                Embedding(
                    stream="cam",
                    seq=seq,
                    time_s=t,
                    vector=(vector / np.linalg.norm(vector)).astype(np.float32),
                    jpeg=every[seq % 4] + b"%d" % seq,
                    labels=labels,
                    text="blue door opens" if visit % 50 == 7 else "",
                )
            )
            t += 1.0
        for _ in range(int(rng.integers(14)) if visit % 5 == 0 else 1):
            items.append(Repeat(stream="cam", seq=sum(not isinstance(i, Note) for i in items), time_s=t))
            t += 1.0
        if visit % 9 == 0:
            items.append(Note(stream="cam", kind="speech", t0_s=t - 2, t1_s=t - 1, text=f"of visit {visit}"))
        t += 200.0 if visit % 40 == 39 else 0.0
    return items


def watch(folder, items, copies=(), *, whole=True):
    """Watch a stream to its end, copying the folder, as a kill would leave it, behind some of the items."""
    with writer(folder) as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        for k, item in enumerate(items):
            memory.write([item])
            if k in copies:
                shutil.copytree(folder, folder.with_name(f"{folder.name}-{k}"))
        if whole:
            memory.finish("cam")


def held(folder):
    """All rows, and the names and sizes of all pictures."""
    with contextlib.closing(sqlite3.connect(folder / "memory.db")) as database:
        assert sums.totals(database) == {table: sums.counted(database, table) for table in SUMMED}
        rows = {table: database.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in TABLES}
    return rows | {"pictures": sorted((p.name, p.stat().st_size) for p in (folder / "exemplars").iterdir())}


@pytest.mark.parametrize("seed", [0, 1])
def test_killed_between_two_frames_anywhere_and_gone_on_with_it_is_the_undisturbed_memory(tmp_path, seed):
    items = stream(seed, 240)
    points = random.Random(seed).sample(range(len(items)), 8)
    undisturbed = tmp_path / "undisturbed"
    watch(undisturbed, items, points)
    wanted = held(undisturbed)
    levels = [row[15] for row in wanted["entry"]]
    assert len(set(levels)) > 2  # the budget is full: some have given up their picture, others are to come
    for k in points:
        folder = tmp_path / f"undisturbed-{k}"
        watch(folder, items)
        found = held(folder)
        assert [table for table in wanted if found[table] != wanted[table]] == [], f"killed behind item {k}"


ACTION = """
import shutil, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_going_on as going

def prepare(folder):
    shutil.copytree({template!r}, folder)

def act(folder):
    going.watch(folder, going.stream(3, 150)[:{end}], whole=False)
"""


def test_killed_at_any_step_of_a_full_memory_and_gone_on_with_it_is_the_undisturbed_memory(tmp_path, load_helpers):
    """A step is a statement, or a change of a file: as room is made, pictures become smaller, rows are written."""
    items, template, undisturbed = stream(3, 150), tmp_path / "template", tmp_path / "undisturbed"
    begin, end = len(items) - 40, len(items) - 10
    watch(template, items[:begin], whole=False)
    shutil.copytree(template, undisturbed)
    watch(undisturbed, items)
    wanted = held(undisturbed)
    action = ACTION.format(tests=str(Path(__file__).parent), template=str(template), end=end)
    runs, killed = load_helpers("kills.py").run(tmp_path, action, "steps", 61)
    assert killed > 10
    for folder in runs:
        watch(folder, items)
        found = held(folder)
        assert [table for table in wanted if found[table] != wanted[table]] == [], folder.name


def test_a_stream_of_vectors_keeps_how_far_it_was_followed_with_each_event(tmp_path):
    items = [replace(item, jpeg=b"") if isinstance(item, Embedding) else item for item in stream(2, 30)]
    points = range(9, len(items), 20)
    watch(tmp_path / "whole", items, points)
    for point in points:
        folder = tmp_path / f"whole-{point}"
        with contextlib.closing(sqlite3.connect(folder / "memory.db")) as database:
            (state,) = database.execute("SELECT state FROM tracked").fetchone()
            (last_seq,) = database.execute("SELECT last_seq FROM stream").fetchone()
        assert json.loads(zlib.decompress(state))["seq"] >= last_seq
        watch(folder, items)
        assert held(folder) == held(tmp_path / "whole")
