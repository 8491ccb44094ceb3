"""Published states, against every row of the database read and compared one by one."""

import numpy as np
import pytest

from hippocam.memory.config import MemoryConfig
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.provenance.records import Origin
from hippocam.memory.recall import snapshot
from hippocam.memory.recall.query import RecallConfig
from hippocam.memory.recall.recall import index_rows
from hippocam.memory.recall.rows import Condition
from hippocam.memory.recall.snapshot import SnapshotFollower
from hippocam.memory.store.database import Store
from hippocam.stream.records import Embedding, EncoderSpec, Repeat, Sensors

D = 16
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
CONFIG = RecallConfig()


def unit(vector):
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class World:
    """A robot that goes round in a circle, in two streams."""

    def __init__(self, folder, seed):
        self.rng = np.random.default_rng(seed)
        config = MemoryConfig(budget_bytes=1_000_000)
        self.memory = Memory.open_writer(folder, encoder="test", spec=SPEC, config=config)
        self.seq = {"a/000000/front": 0, "b/000000": 0}
        for stream in self.seq:
            self.memory.begin(stream, uri=f"robot://{stream}")

    def watch(self, stream, events):
        for _ in range(events):
            seq = self.seq[stream]
            angle = seq / 7
            pose = np.array([np.cos(angle), np.sin(angle), 0, 0, 0, np.sin(angle / 2), np.cos(angle / 2)])
            item = Embedding(
                stream=stream,
                seq=seq,
                time_s=20.0 * seq,
                vector=unit(self.rng.normal(size=D)),
                sensors=Sensors(pose=pose.astype(np.float32)),
                text=f"task {seq // 8}",
                jpeg=b"x" * 40_000 if seq % 4 else b"",  # of which the budget holds some twenty
            )
            self.memory.write([item, Repeat(stream=stream, seq=seq + 1, time_s=20.0 * seq + 5)])
            self.seq[stream] += 2

    def happen(self):
        stream = str(self.rng.choice(list(self.seq)))
        what = self.rng.integers(4)
        if what < 2:
            self.watch(stream, int(self.rng.integers(1, 6)))
        elif what == 2:
            self.memory.forget(Filter(stream=stream, after_s=20.0 * self.seq[stream] - 60))
        else:
            entries = sorted(self.memory.store.entries.ids())
            if entries:
                self.memory.forget([entries[int(self.rng.integers(len(entries)))]])


def expected(store, vector_D, condition, top):
    """Ids and cosines by plain reading."""
    found = []
    for entry_id in sorted(store.entries.ids()):
        entry = store.entries.get(entry_id)
        spans = [
            span
            for span in entry.spans
            if (condition.after_s is None or span.t1_s > condition.after_s)
            and (condition.before_s is None or span.t0_s < condition.before_s)
        ]
        if not spans or (condition.streams and not entry.stream.startswith(condition.streams[0])):
            continue
        pose = entry.sensors.pose
        if condition.near is not None:
            x, y, radius = condition.near
            if np.hypot(pose[0] - x, pose[1] - y) > radius:
                continue
        row = index_rows(store, [entry_id], CONFIG)[0]
        found.append((float(row.astype(np.float16).astype(np.float32) @ vector_D), entry_id, spans[-1]))
    return sorted(found, key=lambda each: -each[0])[:top]


CONDITIONS = (
    Condition(),
    Condition(streams=("a",)),
    Condition(after_s=100.0, before_s=900.0),
    Condition(near=(1.0, 0.0, 0.5)),
)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("most_new", [3, 2048])
def test_a_state_is_what_the_database_holds_after_anything_that_happens(tmp_path, monkeypatch, seed, most_new):
    """Also while the large part is indexed anew all the time, and compared through an inverted file."""
    monkeypatch.setattr(snapshot, "_MOST_NEW", most_new)
    monkeypatch.setattr(snapshot, "EXACT", 20)
    monkeypatch.setattr(snapshot, "_FEW", 5)
    monkeypatch.setattr(snapshot, "_PROBES", 1000)  # every list: what is found is then exact
    world = World(tmp_path / "memory", seed)
    world.watch("a/000000/front", 12)
    store = Store(tmp_path / "memory" / "memory.db", writable=False)
    follower = SnapshotFollower(store, CONFIG)
    for _ in range(18):
        world.happen()
        follower.follow()
        if follower._indexing is not None:
            follower._indexing.join()
            follower.follow()
        assert len(follower.latest) == len(store.entries.ids())
        question = unit(world.rng.normal(size=D))
        for condition in CONDITIONS:
            wanted = expected(store, question, condition, 5)
            hits = follower.latest.search(question, condition, 5)
            assert [hit.entry_id for hit in hits] == [entry_id for _, entry_id, _ in wanted]
            for hit, (cosine, _, span) in zip(hits, wanted, strict=True):
                assert hit.cosine == pytest.approx(cosine, abs=1e-5)
                assert (hit.t0_s, hit.t1_s) == (span.t0_s, span.t1_s)
                entry = store.entries.get(hit.entry_id)
                assert (hit.text, hit.pictured) == (entry.text, entry.jpeg_bytes > 0)
    world.memory.close()
    store.close()


def test_a_state_that_is_held_stays_as_it_was(tmp_path):
    world = World(tmp_path / "memory", 1)
    world.watch("b/000000", 10)
    store = Store(tmp_path / "memory" / "memory.db", writable=False)
    follower = SnapshotFollower(store, CONFIG)
    follower.follow()
    held, question = follower.latest, unit(np.ones(D))
    before = held.search(question, Condition(), 5)
    world.memory.forget(Filter(stream="b/000000"))
    assert follower.follow()
    assert not follower.latest.search(question, Condition(), 5)
    after = held.search(question, Condition(), 5)
    assert [hit.entry_id for hit in after] == [hit.entry_id for hit in before]
    assert not follower.follow()
    world.memory.close()


def test_without_a_question_the_latest_come_first(tmp_path):
    world = World(tmp_path / "memory", 2)
    world.watch("b/000000", 10)
    store = Store(tmp_path / "memory" / "memory.db", writable=False)
    follower = SnapshotFollower(store, CONFIG)
    follower.follow()
    hits = follower.latest.search(None, Condition(), 3)
    ends = sorted((entry.spans[-1].t1_s for entry in map(store.entries.get, store.entries.ids())), reverse=True)
    assert [hit.t1_s for hit in hits] == ends[:3]
    world.memory.close()


def test_a_heading_is_met_across_the_turn_from_pi_to_minus_pi(tmp_path):
    world = World(tmp_path / "memory", 3)
    world.watch("b/000000", 30)
    store = Store(tmp_path / "memory" / "memory.db", writable=False)
    follower = SnapshotFollower(store, CONFIG)
    follower.follow()
    hits = follower.latest.search(None, Condition(heading=(np.pi, 0.3)), 100)
    assert hits
    every = [entry.sensors.pose for entry in map(store.entries.get, store.entries.ids())]
    angles = np.array([2 * np.arctan2(pose[5], pose[6]) for pose in every])
    assert len(hits) == int((np.cos(angles - np.pi) >= np.cos(0.3)).sum())
    world.memory.close()


def test_what_is_in_quarantine_is_in_no_state_until_it_is_released(tmp_path):
    world = World(tmp_path / "m", 5)
    for stream in world.seq:
        world.watch(stream, 6)
    store = Store(tmp_path / "m" / "memory.db", writable=False)
    follower = SnapshotFollower(store, CONFIG)

    def streams():
        follower.follow()
        return {hit.stream for hit in follower.latest.search(None, Condition(), 50)}

    assert streams() == set(world.seq)
    provenance = world.memory.store.provenance
    with world.memory.store.transaction():
        provenance.set_apart(Origin(stream="a"))
    assert streams() == {"b/000000"}
    with world.memory.store.transaction():
        provenance.release(Origin(stream="a"))
    assert streams() == set(world.seq)
    store.close()
    world.memory.close()


def test_the_first_state_of_a_large_memory_has_its_index(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshot, "EXACT", 20)
    world = World(tmp_path / "memory", 6)
    world.watch("b/000000", 30)
    store = Store(tmp_path / "memory" / "memory.db", writable=False)
    follower = SnapshotFollower(store, CONFIG)
    follower.follow()
    state = follower.latest
    assert state.index is not None
    assert len(state) == len(state.large.ids) == len(store.entries.ids())
    question = unit(np.ones(D))
    wanted = [entry_id for _, entry_id, _ in expected(store, question, Condition(), 5)]
    assert [hit.entry_id for hit in state.search(question, Condition(), 5)] == wanted
    store.close()
    world.memory.close()
