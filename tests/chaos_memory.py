"""The memory that faults happen to: written, killed while something is done with it, and looked at afterwards."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
from pathlib import Path

import kills
import numpy as np

from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory, MemoryWriter
from hippocam.memory.recall.query import Query
from hippocam.memory.records import Level
from hippocam.stream.records import Embedding, EncoderSpec

D = 16
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
BUDGET_BYTES = 1_000_000
# Frames of the stream that is written while processes are killed: more than the budget holds.
FRAMES = 160
# With what a JPEG begins; behind it stands which frame it is of, so that none can be decoded.
_JPEG = b"\xff\xd8"


def writer(folder: Path, config: MemoryConfig | None = None) -> MemoryWriter:
    """Open a memory for writing."""
    config = config or MemoryConfig(budget_bytes=BUDGET_BYTES)
    return Memory.open_writer(folder, encoder="test", spec=SPEC, config=config)


def name_of(time_s: float) -> bytes:
    """What the picture of a frame says."""
    return f"cam@{time_s:.3f}".encode()


def frames(count: int = FRAMES) -> list[Embedding]:
    """Frames of one stream that differ, each with a picture that says which it is."""
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(count, D)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        Embedding(
            stream="cam", seq=k, time_s=30.0 * k, vector=v, jpeg=(_JPEG + name_of(30.0 * k)).ljust(9000, b".")
        )
        for k, v in enumerate(vectors)
    ]


def work(folder: Path, count: int = FRAMES) -> None:
    """Watch the stream from where it stands to its end."""
    with writer(folder) as memory:
        after = memory.begin("cam", uri="/x/cam.mp4")
        for frame in frames(count)[after + 1 :]:
            memory.write([frame])
        memory.finish("cam")


def check(folder: Path, count: int = FRAMES) -> None:
    """Whether a memory is whole: its database, its bytes, and each picture of the frame that its row names."""
    database = sqlite3.connect(folder / "memory.db")
    with contextlib.closing(database):
        found = database.execute("PRAGMA integrity_check").fetchall()
        rows = database.execute("SELECT id, frame_s, level, jpeg_bytes FROM entry").fetchall()
    if found != [("ok",)]:
        raise AssertionError(f"integrity_check says {found[:3]}")
    taken = int(subprocess.run(["du", "-sb", folder], capture_output=True, check=True).stdout.split()[0])
    if taken > BUDGET_BYTES:
        raise AssertionError(f"the folder takes {taken} of {BUDGET_BYTES} bytes")
    with Memory.open_reader(folder) as memory:
        for entry_id, frame_s, level, size in rows:
            if level < Level.VECTORS:
                picture = memory.image(entry_id).read_bytes()
                if len(picture) != size or picture.rstrip(b".") != _JPEG + name_of(frame_s):
                    raise AssertionError(f"the picture of {entry_id} is not of its frame")
        (stream,) = memory.streams()
        if stream.frames_seen != count:
            raise AssertionError(f"{stream.frames_seen} of {count} frames were seen")
        if not memory.recall(Query(text="", vector=frames(1)[0].vector)):
            raise AssertionError("nothing is found")


def entries(folder: Path) -> list[tuple[object, ...]]:
    """What a memory holds of each entry, but for its pictures."""
    with contextlib.closing(sqlite3.connect(folder / "memory.db")) as database:
        rows = database.execute("SELECT id, t0_s, t1_s, spans, key, scene FROM entry ORDER BY id").fetchall()
        return rows + database.execute("SELECT id, packed FROM entry_block ORDER BY id").fetchall()


_ACTION = f"""
import shutil, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import chaos_memory as chaos
from pathlib import Path

def prepare(folder):
    folder.parent.mkdir(parents=True, exist_ok=True)
    PREPARE

def act(folder):
    ACT
"""


def killed(base: Path, prepare: str, act: str, count: int, seed: int) -> list[Path]:
    """Folders in which an action was killed at random instants."""
    base.mkdir()
    action = _ACTION.replace("PREPARE", prepare).replace("ACT", act)
    return kills.run(base, action, "random", count, seed)[0]
