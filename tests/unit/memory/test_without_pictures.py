"""A memory of frames without pictures is opened again as it was."""

import numpy as np

from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.memory.records import Level
from hippocam.stream.records import Embedding, EncoderSpec

SPEC = EncoderSpec(id="test:1", dim=16, normalised=True, midpoint=0.5, slope=20.0)


def writer(folder):
    return Memory.open_writer(folder, encoder="test", spec=SPEC, config=MemoryConfig(budget_bytes=4_000_000))


def test_entries_that_never_had_a_picture_do_not_miss_one(tmp_path):
    rng = np.random.default_rng(0)
    with writer(tmp_path / "m") as memory:
        memory.begin("cam", uri="x")
        for k in range(40):
            vector = rng.normal(size=16)
            unit = (vector / np.linalg.norm(vector)).astype(np.float32)
            memory.write([Embedding(stream="cam", seq=k, time_s=5.0 * k, vector=unit, jpeg=b"")])
        memory.finish("cam")
        ids = sorted(memory.store.entries.ids())
    assert len(ids) > 10
    with writer(tmp_path / "m") as memory:
        assert sorted(memory.store.entries.ids()) == ids
        assert {memory.entry(entry_id).level for entry_id in ids} == {Level.VECTORS}
        assert {row.action for row in memory.store.journal.rows()} <= {"kept", "seen again", "met again"}
