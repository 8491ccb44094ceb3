"""The index that follows the store, against one built from scratch after anything that can happen to entries."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hippocam.memory.config import MemoryConfig
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.recall.fresh_index import FreshIndex
from hippocam.memory.recall.query import Query
from hippocam.memory.sleep.config import SleepConfig
from hippocam.memory.sleep.dream import paired
from hippocam.memory.sleep.sleep import Sleep
from hippocam.memory.store.database import Store
from hippocam.stream.records import Embedding, EncoderSpec

D = 8
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
KINDS = np.random.default_rng(7).normal(size=(5, D)).astype(np.float32)
STREAMS = ("cam", "dog")


class Follower:
    """A reader beside the writer whose index tells which rows it has read."""

    def __init__(self, path):
        self.store = Store(path, writable=False)
        self.latest, self.read = {}, []
        self.index = FreshIndex(self.store, self._rows)

    def _rows(self, entry_ids):
        self.read.extend(entry_ids)
        rows = vectors(self.store, entry_ids)
        self.latest.update(zip(entry_ids, rows, strict=True))
        return rows

    def ask(self):
        """Ask; the index must hold what is stored now, and have read no row that it had read as it is."""
        before, self.read = dict(self.latest), []
        with self.store.snapshot():
            index = self.index.now(2 * D)
            held = sorted(self.store.entries.ids())
            assert index.ids() == set(held)
            for entry_id, row in zip(held, vectors(self.store, held), strict=True):
                assert np.array_equal(self.latest[entry_id], row)
            self.latest = {entry_id: self.latest[entry_id] for entry_id in held}
        assert len(set(self.read)) == len(self.read)
        for entry_id in self.read:
            assert entry_id not in before or not np.array_equal(before[entry_id], self.latest[entry_id])


def vectors(store, entry_ids):
    return np.hstack(store.entries.vectors(entry_ids))  # key and scene side by side: neither may be missed


class World:
    """A memory that things happen to."""

    def __init__(self, folder):
        self.memory = Memory.open_writer(
            folder, encoder="test", spec=SPEC, config=MemoryConfig(budget_bytes=1_000_000)
        )
        self.next_seq = dict.fromkeys(STREAMS, 0)

    def watch(self, stream, kind):
        """Three events; streams begin anew once they were deleted whole."""
        memory = self.memory
        memory.begin(stream, uri=f"/x/{stream}.mp4")
        rng = np.random.default_rng([kind, *map(ord, stream), self.next_seq[stream]])
        for _ in range(3):
            seq = self.next_seq[stream]
            vector = KINDS[kind] + 0.6 * rng.normal(size=D)
            vector = (vector / np.linalg.norm(vector)).astype(np.float32)
            item = Embedding(stream=stream, seq=seq, time_s=30.0 * seq, vector=vector, jpeg=b"j" * 900)
            memory.write([item])
            self.next_seq[stream] = seq + 1

    def sleep(self, stream, kind):
        """Pairs become one, mostly with vectors of their own."""
        config = SleepConfig(target=0.4, max_loss=1.0, seed=kind)
        sleep = Sleep(self.memory.store, self.memory.longterm, config, proposer=paired)
        sleep.run(mutex=self.memory._mutex, size=lambda: 0, now_s=0.0)

    def wake(self, stream, kind):
        """The last sleep is taken back."""
        self.memory.wake()

    def demote(self, stream, kind):
        """Steps that the byte budget would take: pictures, precision and vectors are given up, twins merged."""
        for _ in range(4 + 4 * kind):
            self.memory.longterm.held.give_up()

    def forget_entry(self, stream, kind):
        """One entry is deleted."""
        held = sorted(self.memory.store.entries.ids())
        if held:
            self.memory.forget([held[kind % len(held)]])

    def forget_newest(self, stream, kind):
        """The newest times of a stream are deleted, and with them the newest rows of the journal."""
        self.memory.forget(Filter(stream=stream, after_s=30.0 * (self.next_seq[stream] - 1 - kind)))

    def forget_stream(self, stream, kind):
        """A stream is deleted, and will be watched anew under the same ids."""
        self.memory.forget(Filter(stream=stream))
        self.next_seq[stream] = 0

    def roll(self, stream, kind):
        """Thousands of rows go through the journal."""
        with self.memory.store.transaction():
            for _ in range(1000 * kind):
                self.memory.store.journal.add(stream, 0.0, "seen again", 1, None, "{}", keep=64)


HAPPENINGS = [name for name in vars(World) if not name.startswith("_")]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    history=st.lists(
        st.tuples(
            st.sampled_from([*HAPPENINGS, "watch", "watch", "watch", "sleep", "demote"]),
            st.sampled_from(STREAMS),
            st.integers(0, 4),
            st.booleans(),
        ),
        min_size=4,
        max_size=14,
    )
)
def test_after_any_history_the_index_is_the_one_built_from_scratch(tmp_path_factory, history):
    folder = tmp_path_factory.mktemp("memory") / "m"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hippocam.memory.sleep.probes._PROBES", 32)
        world = World(folder)
        world.watch("cam", 0)
        follower, inside = Follower(folder / "memory.db"), FreshIndex(world.memory.store, lambda ids: ones(ids))
        follower.ask()
        with Memory.open_reader(folder) as reader, closing(follower.store), world.memory:
            for happening, stream, kind, asks in [("watch", "dog", 1, True), *history]:
                getattr(world, happening)(stream, kind)
                if asks:
                    follower.ask()
                    assert inside.now(D).ids() == world.memory.store.entries.ids()
                    assert answers(reader)
            follower.ask()
            with Memory.open_reader(folder) as fresh:
                assert answers(reader) == answers(fresh) == answers(world.memory)


def test_where_a_bank_lived_again_its_versions_say_nothing_of_before(tmp_path):
    """They begin anew: what sleep changed before has the version again that it had when it was read."""
    world = World(tmp_path / "m")
    with world.memory:
        world.watch("cam", 0)
        world.watch("dog", 1)
        follower = Follower(tmp_path / "m" / "memory.db")
        with closing(follower.store):
            follower.ask()
            world.forget_stream("cam", 0)
            for kind in (1, 0):
                world.watch("cam", kind)
            world.sleep("cam", 0)
            world.forget_entry("cam", 1)
            follower.ask()


def ones(entry_ids):
    return np.ones((len(entry_ids), D), np.float32)


def answers(memory):
    """What is found, and how near, for a question of each kind."""
    found = [memory.recall(Query(text="", vector=kind, top=4)) for kind in KINDS]
    return [[(one.entry.id, one.score, one.cosine) for one in each] for each in found]


@pytest.mark.parametrize("where", ["in the writer", "beside it"])
def test_the_index_follows_the_writer_and_reads_no_row_twice(tmp_path, frames_of, where):
    rng = np.random.default_rng(0)
    frames = frames_of("cam", [(20.0 * k, rng.normal(size=D)) for k in range(12)])
    read = []

    def rows(entry_ids):
        read.extend(entry_ids)
        return ones(entry_ids)

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


def test_once_the_journal_has_rolled_past_only_rows_that_differ_are_read(tmp_path):
    world = World(tmp_path / "m")
    with world.memory:
        for kind in range(5):
            world.watch("cam", kind)
        follower = Follower(tmp_path / "m" / "memory.db")
        with closing(follower.store):
            follower.ask()
            first = set(follower.read)
            assert len(first) >= 10
            world.roll("cam", 4)
            world.watch("cam", 0)
            follower.ask()
            assert set(follower.read) == world.memory.store.entries.ids() - first
            assert len(follower.read) == 3


def test_an_index_sees_that_an_older_copy_was_put_in_its_place_whatever_was_written_since(tmp_path):
    world, path = World(tmp_path / "m"), tmp_path / "m" / "memory.db"
    world.watch("cam", 0)
    world.memory.close()
    with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(tmp_path / "copy")) as copy:
        db.backup(copy)
    follower = Follower(path)
    with closing(follower.store):
        world = World(tmp_path / "m")
        world.next_seq["cam"] = 2
        world.watch("cam", 1)
        follower.ask()
        world.memory.close()
        with closing(sqlite3.connect(tmp_path / "copy")) as copy, closing(sqlite3.connect(path)) as db:
            copy.backup(db)
        world = World(tmp_path / "m")
        world.next_seq["cam"] = 2
        with world.memory:
            for kind in (2, 3, 4):  # the journal is longer than it was
                world.watch("cam", kind)
            follower.ask()
