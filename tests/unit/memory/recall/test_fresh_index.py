import numpy as np
import pytest

from hippocam.memory.memory import Memory
from hippocam.memory.recall.fresh_index import FreshIndex
from hippocam.memory.store.database import Store
from hippocam.stream.records import EncoderSpec

D = 8
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)


@pytest.mark.parametrize("where", ["in the writer", "beside it"])
def test_the_index_follows_the_writer_and_reads_no_row_twice(tmp_path, frames_of, where):
    rng = np.random.default_rng(0)
    frames = frames_of("cam", [(20.0 * k, rng.normal(size=D)) for k in range(12)])
    read = []

    def rows(entry_ids):
        read.extend(entry_ids)
        return np.ones((len(entry_ids), D), np.float32)

    with Memory.open_writer(tmp_path / "m", encoder="test", spec=SPEC) as memory:
        reader = Store(tmp_path / "m" / "memory.db", writable=False)
        store = memory.store if where == "in the writer" else reader
        index = FreshIndex(store, rows)
        memory.begin("cam", uri="/x/cam.mp4")
        assert index.now(D).ids() == set()
        memory.write(frames[:6])
        first = set(store.entries.ids())
        assert index.now(D).ids() == first
        assert len(first) == 5  # the sixth is open
        index.now(D)
        assert sorted(read) == sorted(first)
        memory.write(frames[6:])
        memory.forget([min(first)])
        assert index.now(D).ids() == set(store.entries.ids())
        assert min(first) not in index.now(D)
        assert sorted(read) == sorted(first | set(store.entries.ids()))
        reader.close()
