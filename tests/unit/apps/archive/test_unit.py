import numpy as np
import pytest

from hippocam.apps.archive import unit
from hippocam.memory.config import MemoryConfig
from hippocam.memory.errors import MemoryFolderError
from hippocam.memory.filter import Filter
from hippocam.memory.lock import WriterLock
from hippocam.memory.memory import Memory
from hippocam.stream.records import EncoderSpec

SPEC = EncoderSpec(id="test:1", dim=16, normalised=True, midpoint=0.2, slope=10)


@pytest.fixture
def watch(tmp_path, frames_of):
    def run(*names, budget_bytes=1_000_000):
        config = MemoryConfig(budget_bytes=budget_bytes)
        with Memory.open_writer(tmp_path / "m", encoder="test", spec=SPEC, config=config) as memory:
            for name in names:
                random = np.random.default_rng(len(name))
                seen = [(float(t), random.normal(size=16).astype(np.float32)) for t in range(60)]
                memory.begin(name, uri=name, fingerprint=name)
                memory.write(frames_of(name, seen, jpeg_bytes=30_000))
                memory.finish(name)

    return run


def state(folder):
    with Memory.open_reader(folder) as memory:
        rows = [
            list(memory.store.connection.execute(f"SELECT * FROM {t}")) for t in ("entry", "stream", "learned")
        ]
    return rows, {p.name: p.read_bytes() for p in (folder / "exemplars").iterdir()}


def test_a_memory_is_put_back_as_it_was(tmp_path, watch):
    watch("a")
    before = state(tmp_path / "m")
    unit.save(tmp_path / "m", tmp_path / "copy")
    watch("bb", "ccc")  # and pictures of a are given up for them
    assert state(tmp_path / "m")[1].items() - before[1].items()
    assert before[1].items() - state(tmp_path / "m")[1].items()
    with Memory.open_reader(tmp_path / "m") as reader:  # somebody asks meanwhile
        assert len(reader.streams()) == 3
        assert unit.put_back(tmp_path / "m", tmp_path / "copy", {"bb", "ccc"})
        assert len(reader.streams()) == 1
    watch()
    assert state(tmp_path / "m") == before


@pytest.mark.parametrize("what", ["watched", "forgotten", "pinned"])
def test_what_others_did_is_never_undone(tmp_path, watch, what):
    watch("a")
    unit.save(tmp_path / "m", tmp_path / "copy")
    watch("bb")
    if what == "watched":
        watch("ccc")
    else:
        with Memory.open_writer(tmp_path / "m", encoder="test", spec=SPEC) as memory:
            if what == "forgotten":
                memory.forget(Filter(stream="bb", after_s=1, before_s=30))
            else:
                memory.pin(memory.find(0, 2**63 - 1, limit=1)[0])
    now = state(tmp_path / "m")
    assert not unit.put_back(tmp_path / "m", tmp_path / "copy", {"bb"})
    assert state(tmp_path / "m") == now


def test_without_a_copy_or_a_memory_nothing_is_put_back(tmp_path, watch):
    watch("a")
    assert not unit.put_back(tmp_path / "m", tmp_path / "copy", {"a"})
    unit.save(tmp_path / "m", tmp_path / "copy")
    assert not unit.put_back(tmp_path / "none", tmp_path / "copy", {"a"})
    unit.delete_copy(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_memory_that_is_being_written_is_left_alone(tmp_path, watch):
    watch("a")
    lock = WriterLock(tmp_path / "m" / "writer.lock")
    with pytest.raises(MemoryFolderError, match="another process is writing"):
        unit.save(tmp_path / "m", tmp_path / "copy")
    lock.release()
    assert not (tmp_path / "copy").exists()


def test_without_hard_links_pictures_are_copied(tmp_path, watch, monkeypatch):
    def refuse(*_):
        raise OSError("no hard links here")

    watch("a")
    monkeypatch.setattr("os.link", refuse)
    unit.save(tmp_path / "m", tmp_path / "copy")
    watch("bb")
    assert unit.put_back(tmp_path / "m", tmp_path / "copy", {"bb"})
