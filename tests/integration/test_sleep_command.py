"""`hippocam sleep` makes a memory smaller, and `--undo` gives back what it merged."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing

import numpy as np

from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.stream.records import Embedding, EncoderSpec

D = 32
SPEC = EncoderSpec(id="palette:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)


def hippocam(*arguments):
    command = [sys.executable, "-m", "hippocam.apps.cli.main", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=900, check=True)


def entries(folder):
    """Ids with their times and vectors, read without a line of ours."""
    with closing(sqlite3.connect(f"{(folder / 'memory.db').as_uri()}?mode=ro", uri=True)) as db:
        return db.execute("SELECT id, t0_s, t1_s, spans, met, key, scene FROM entry ORDER BY id").fetchall()


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def test_a_sleep_is_undone_by_command(tmp_path):
    rng = np.random.default_rng(0)
    kinds = unit(rng.normal(size=(30, D)))
    with Memory.open_writer(tmp_path, encoder="palette", spec=SPEC, config=MemoryConfig()) as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        for seq in range(480):
            vector = unit(kinds[seq // 4 % 30] + 0.08 * rng.normal(size=D))
            memory.write([Embedding(stream="cam", seq=seq, time_s=float(seq), vector=vector, jpeg=b"picture")])
        memory.finish("cam")
    before = entries(tmp_path)
    report = json.loads(hippocam("sleep", "--target", 0.5, "--memory", tmp_path, "--json").stdout.splitlines()[-1])
    merged = report["before"] - report["after"]
    assert merged > 5
    assert len(entries(tmp_path)) == len(before) - merged
    told = hippocam("sleep", "--undo", "--memory", tmp_path).stdout
    assert told == f"the last sleep is undone: {merged} entries are what they were, but for their pictures\n"
    assert entries(tmp_path) == before
    assert json.loads(hippocam("sleep", "--undo", "--memory", tmp_path, "--json").stdout) == {"back": 0}
