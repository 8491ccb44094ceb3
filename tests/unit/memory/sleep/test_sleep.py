import math
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from hippocam.memory.codec import pack, unpack
from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query, RecallConfig
from hippocam.memory.records import Held, Level, Span
from hippocam.memory.sleep.config import SleepConfig
from hippocam.memory.sleep.dream import dream, paired
from hippocam.memory.sleep.probes import with_drawn
from hippocam.memory.sleep.proposals import Group
from hippocam.memory.sleep.replay import LONGEST_S, Replay, Replica
from hippocam.memory.sleep.sleep import Sleep
from hippocam.memory.store.database import Store
from hippocam.memory.store.probes import Probe
from hippocam.stream.records import Embedding, EncoderSpec

D = 32
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)


def writer(folder, budget=20_000_000, **config):
    return Memory.open_writer(
        folder, encoder="test", spec=SPEC, config=MemoryConfig(budget_bytes=budget, **config)
    )


def unit(x):
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)


def things(count, seed=0):
    """Frames of a camera that goes from one thing to the next, each four times in all, 4 s each, with noise."""
    rng = np.random.default_rng(seed)
    kinds = -(-count // 4)
    centres = unit(rng.normal(size=(kinds, D)))
    order = rng.permutation(np.tile(np.arange(kinds), 4))[:count]
    return [unit(centres[k] + 0.08 * rng.normal(size=(4, D))) for k in order]


def watch(memory, events, stream="cam", start=0, jpeg_bytes=2000, gap=0):
    """Write events of 4 frames; the picture of each frame says its stream and time."""
    memory.begin(stream, uri=f"/x/{stream}.mp4")
    seq = 4 * start
    for number, frames in enumerate(events, start=start):
        for k, vector in enumerate(frames):
            time_s = float((4 + gap) * number + k)
            jpeg = f"{stream}@{time_s:.3f}".encode().ljust(jpeg_bytes, b".")
            memory.write([Embedding(stream=stream, seq=seq, time_s=time_s, vector=vector, jpeg=jpeg)])
            seq += 1
    memory.finish(stream)


def entries(folder):
    """What the database holds, read without a line of ours but the codec."""
    db = sqlite3.connect(f"file:{folder}/memory.db?mode=ro", uri=True)
    columns = "id, stream, t0_s, t1_s, spans, met, pinned, frame_s, key, scene, slept, level, known_s, place"
    rows = db.execute(f"SELECT {columns} FROM entry ORDER BY id").fetchall()
    db.close()
    found = {}
    for row in rows:
        named = dict(zip(columns.split(", "), row, strict=True))
        further = np.frombuffer(named["spans"] or b"", "<f8").reshape(-1, 3)
        named["spans"] = [(named["t0_s"], named["t1_s"]), *((a, b) for a, b, _ in further.tolist())]
        if named["key"] is not None:
            named["key"] = unpack(named["key"])
        found[named["id"]] = named
    return found


def recall_by_hand(held, probes):
    """Recall at 1 and 5 of probes, one at a time, straight from the database's rows."""
    rows = list(held.values())
    keys = np.stack([row["key"] for row in rows])
    first = five = count = 0
    for probe in probes:
        right = [
            row["stream"] == probe.stream
            and any(min(b, t1) > max(a, t0) for a, b in row["spans"] for t0, t1 in probe.times)
            for row in rows
        ]
        if not any(right):
            continue
        cosines = keys @ probe.vector_D
        best = max(c for c, r in zip(cosines, right, strict=True) if r)
        above = sum(c >= best and not r for c, r in zip(cosines, right, strict=True))
        first, five, count = first + (above < 1), five + (above < 5), count + 1
    return first / count, five / count


def covered(held, stream="cam"):
    """The union of all spans as a sorted list of stretches."""
    spans = sorted(span for row in held.values() if row["stream"] == stream for span in row["spans"])
    union = []
    for a, b in spans:
        if union and a <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], b))
        else:
            union.append((a, b))
    return union


def random_groups(replica, turn):
    """A proposer that joins what does not belong together."""
    rng = np.random.default_rng(turn)
    rows = rng.permutation(np.flatnonzero(replica.alive))
    for start in range(0, len(rows) - 3, 4):
        some = tuple(int(row) for row in rows[start : start + 4])
        noise = unit(rng.normal(size=D))
        yield Group(some, noise, noise, 0.0)


@pytest.fixture
def folder(tmp_path):
    with writer(tmp_path / "m") as memory:
        watch(memory, things(160), gap=1)
    return tmp_path / "m"


def test_the_bank_is_four_times_smaller_and_recall_holds(folder):
    before = entries(folder)
    with writer(folder) as memory:
        probes = Sleep(memory.store, memory.longterm).look().probes
        report = memory.sleep()
    after = entries(folder)
    assert (report.before, report.after) == (len(before), len(after))
    assert len(after) == math.ceil(len(before) / 4)
    assert report.bytes_after < report.bytes_before
    asked = recall_by_hand(before, probes), recall_by_hand(after, probes)
    assert asked[0] == pytest.approx((report.recall_before[1], report.recall_before[5]))
    assert asked[1] == pytest.approx((report.recall_after[1], report.recall_after[5]))
    assert asked[1][0] >= asked[0][0] - 0.01
    assert asked[1][1] >= asked[0][1] - 0.01
    assert len(probes) == report.probes >= 100
    assert {p.kind for p in probes} == {"view", "drawn"}


def test_no_time_and_no_meeting_is_lost_and_no_time_is_made_up(folder):
    before = entries(folder)
    with writer(folder) as memory:
        memory.sleep()
    after = entries(folder)
    assert covered(after) == covered(before)
    assert sum(row["met"] for row in after.values()) == sum(row["met"] for row in before.values())
    assert sum(1 + row["slept"] for row in after.values()) == len(before)
    starts, ends = ({span[end] for row in before.values() for span in row["spans"]} for end in (0, 1))
    for row in after.values():
        assert len(row["spans"]) <= 4
        assert row["spans"] == sorted(row["spans"])
        for a, b in row["spans"]:
            assert a in starts
            assert b in ends
            assert b - a <= LONGEST_S


def test_the_exemplar_of_each_entry_is_the_frame_that_it_was(folder):
    before = entries(folder)
    with writer(folder) as memory:
        memory.sleep()
        after = entries(folder)
        for number, row in after.items():
            assert row["frame_s"] == before[number]["frame_s"]
            assert memory.image(number).read_bytes().rstrip(b".") == f"cam@{row['frame_s']:.3f}".encode()
            assert any(a <= row["frame_s"] <= b for a, b in row["spans"])
    assert len(list((folder / "exemplars").iterdir())) == len(after)


def test_sleeping_again_at_the_target_changes_nothing(folder):
    with writer(folder) as memory:
        first = memory.sleep(0.5)
        assert first.after == math.ceil(first.before / 2)
        before = entries(folder)
        second = memory.sleep(0.5)
    assert (second.before, second.after, second.committed) == (first.after, first.after, 0)
    assert entries(folder).keys() == before.keys()
    with writer(folder) as memory:  # the target counts what there would be had none ever been merged
        assert memory.sleep(0.4).after == math.ceil(0.4 * first.before)


def test_the_journal_tells_what_went_where(folder):
    before = entries(folder)
    with writer(folder) as memory:
        memory.sleep()
        after = entries(folder)
        gone = sorted(before.keys() - after.keys())
        for number in gone:
            last = [row for row in memory.explain(number).journal if row.entry_id == number][-1]
            assert last.action == "slept into"
            heir = last.other_id
            while heir not in after:
                heir = next(r.other_id for r in memory.explain(heir).journal if r.action == "slept into")
            inside = before[number]["spans"]
            assert all(any(a <= t0 and t1 <= b for a, b in after[heir]["spans"]) for t0, t1 in inside)


def test_an_index_that_was_built_before_follows(folder):
    rng = np.random.default_rng(5)
    with writer(folder) as memory, Memory.open_reader(folder) as reader:
        queries = [Query(text="", vector=unit(rng.normal(size=D)), top=8) for _ in range(20)]
        for query in queries:
            memory.recall(query), reader.recall(query)
        memory.sleep()
        with Memory.open_reader(folder) as fresh:
            for query in queries:
                found = fresh.recall(query)
                assert memory.recall(query) == found
                assert reader.recall(query) == found


def test_a_bad_proposer_costs_no_more_than_is_allowed(folder, monkeypatch):
    before = entries(folder)
    monkeypatch.setattr("hippocam.memory.sleep.sleep.both", random_groups)
    with writer(folder) as memory:
        probes = Sleep(memory.store, memory.longterm).look().probes
        report = memory.sleep(0.25, 0.01)
    after = entries(folder)
    assert report.rolled_back > 10
    was, now = recall_by_hand(before, probes), recall_by_hand(after, probes)
    assert now[0] >= was[0] - 0.01 - 1e-9
    assert now[1] >= was[1] - 0.01 - 1e-9
    assert covered(after) == covered(before)
    assert sum(row["met"] for row in after.values()) == sum(row["met"] for row in before.values())


def test_without_its_verifier_a_bad_proposer_would_cost_much(folder, monkeypatch):
    """Or the test above would prove nothing."""
    before = entries(folder)
    monkeypatch.setattr("hippocam.memory.sleep.sleep.both", random_groups)
    monkeypatch.setattr(Replay, "holds", lambda self, max_loss: True)
    with writer(folder) as memory:
        probes = Sleep(memory.store, memory.longterm).look().probes
        memory.sleep(0.25, 0.01)
    assert recall_by_hand(entries(folder), probes)[0] < recall_by_hand(before, probes)[0] - 0.1


def test_pinned_entries_stay_as_they_are_over_hundreds_of_cycles(tmp_path, monkeypatch):
    """Many small sleeps, with something new before each, on a bank that gives entries up as well."""
    monkeypatch.setattr("hippocam.memory.sleep.probes._PROBES", 32)  # a thousand for each would take minutes
    rng = np.random.default_rng(3)
    centres = unit(rng.normal(size=(6, D)))
    folder = tmp_path / "m"
    pinned = {}
    with writer(folder, 1_000_000) as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        for cycle in range(250):
            time_s = 30.0 * cycle  # each frame an event of its own, across gaps
            jpeg = f"cam@{time_s:.3f}".encode().ljust(12_000, b".")
            vector = unit(centres[cycle % 6] + 0.15 * rng.normal(size=D))
            memory.write([Embedding(stream="cam", seq=cycle, time_s=time_s, vector=vector, jpeg=jpeg)])
            if cycle % 10 == 1:
                number = memory.entry_at("cam", time_s)
                memory.pin(number)
                entry = memory.entry(number)
                pinned[number] = (entry.frame_s, entry.t0_s)
            _small_sleep(memory)
        held = entries(folder)
        for number, (frame_s, t0_s) in pinned.items():
            row = held[number]
            assert row["pinned"] == 1
            assert row["frame_s"] == frame_s
            assert any(a <= t0_s <= b for a, b in row["spans"])
            assert memory.image(number).read_bytes().rstrip(b".") == f"cam@{frame_s:.3f}".encode()
        assert sum(row["pinned"] for row in held.values()) == len(pinned) == 25
        assert sum(row["slept"] for row in held.values()) > 100
        assert memory.bytes() <= 1_000_000


def _small_sleep(memory):
    """A sleep with pairs alone, which need no network."""
    config = SleepConfig(target=0.25, max_loss=0.05)
    sleep = Sleep(memory.store, memory.longterm, config, proposer=paired)
    sleep.run(mutex=memory._mutex, size=lambda: 0, now_s=0.0)


def test_two_pinned_entries_never_become_one():
    held = [made(k, np.eye(D)[0], [(10 * k, 10 * k + 4)], pinned=k < 2) for k in range(3)]
    replica = Replica(held)
    assert not replica.allowed([0, 1])
    assert replica.allowed([0, 2])
    assert replica.heir([2, 0]) == 0
    assert replica.heir([2, 1]) == 1


def made(number, key, spans, **more):
    key = unit(np.asarray(key, np.float32))
    found = tuple(Span(t0_s=float(a), t1_s=float(b), known_s=float(b)) for a, b in spans)
    return Held(id=number, stream="cam", key_D=key, scene_D=key, spans=found, utility=1.0, **more)


def test_what_would_lose_times_words_or_precision_is_not_allowed():
    x = np.eye(D)[0]
    two, one = [(0, 4), (10, 14)], [(20, 24)]
    assert Replica([made(0, x, two), made(1, x, [(30, 34), (40, 44)])]).allowed([0, 1])
    assert not Replica([made(0, x, two), made(1, x, [(30, 34), (40, 44), (50, 54)])]).allowed([0, 1])  # 5 spans
    assert Replica([made(0, x, two), made(1, x, [(14, 20), (24, 30), (50, 54)])]).allowed(
        [0, 1]
    )  # one of them joins
    assert Replica([made(0, x, [(0, 30)]), made(1, x, [(30, 60)])]).allowed([0, 1])
    assert not Replica([made(0, x, [(0, 40)]), made(1, x, [(40, 80)])]).allowed([0, 1])  # 80 s say little
    assert not Replica([made(0, x, two, text="put"), made(1, x, one, text="take")]).allowed([0, 1])
    worded = Replica([made(0, x, two, worth=5.0), made(1, x, one, text="take")])
    assert worded.allowed([0, 1])
    assert worded.heir([0, 1]) == 1
    other = replace(made(1, x, one), stream="dog")
    assert not Replica([made(0, x, two), other]).allowed([0, 1])


def test_the_heir_has_a_picture_and_is_worth_most():
    x = np.eye(D)[0]
    held = [made(0, x, [(0, 1)], worth=1.0), made(1, x, [(2, 3)], worth=3.0), made(2, x, [(4, 5)], worth=2.0)]
    assert Replica(held).heir([0, 1, 2]) == 1
    held[1] = replace(held[1], level=Level.VECTORS)
    assert Replica(held).heir([0, 1, 2]) == 2


def test_taking_back_leaves_the_replay_as_it_was():
    rng = np.random.default_rng(0)
    keys = unit(rng.normal(size=(30, D)))
    held = [made(k, keys[k], [(10 * k, 10 * k + 4)]) for k in range(30)]
    probes = [
        Probe("view", "cam", ((10.0 * k, 10.0 * k + 4),), unit(keys[k] + 0.15 * rng.normal(size=D)))
        for k in range(30)
    ]
    replica = Replica(held)
    replay = Replay(replica, probes)
    fresh = {first: hits.copy() for first, hits in replay.found.items()}
    before = replay.try_out([replay.choose((0, 1, 2), keys[0], keys[0]), replay.choose((3, 4), keys[9], keys[9])])
    assert len(replica) == 27
    again = Replay(replica, probes)
    for first in fresh:  # what was asked again in part is what asking all anew gives
        np.testing.assert_array_equal(replay.found[first], again.found[first])
    replay.take_back(before)
    assert len(replica) == 30
    assert [one.id for one in replica.held] == list(range(30))
    for first, hits in fresh.items():
        np.testing.assert_array_equal(replay.found[first], hits)
    np.testing.assert_array_equal(replay._score_QN, Replay(replica, probes)._score_QN)


def test_every_partial_replay_is_what_a_whole_one_gives():
    """The replay asks again only whom a merge can have changed: against one that asks everybody."""
    rng = np.random.default_rng(1)
    keys = unit(np.repeat(rng.normal(size=(20, D)), 3, axis=0) + 0.3 * rng.normal(size=(60, D)))
    held = [made(k, keys[k], [(10 * k, 10 * k + 4)]) for k in range(60)]
    probes = [
        Probe("drawn", "cam", ((10.0 * k, 10.0 * k + 4),), unit(keys[k] + 0.2 * rng.normal(size=D)))
        for k in range(60)
    ]
    replica = Replica(held)
    replay = Replay(replica, probes)
    for turn in range(40):
        rows = rng.permutation(np.flatnonzero(replica.alive))
        pairs = [(int(a), int(b)) for a, b in rows[:8].reshape(4, 2) if replica.allowed([int(a), int(b)])]
        if not pairs:
            continue
        noise = unit(rng.normal(size=D))
        before = replay.try_out([replay.choose(pair, noise, noise) for pair in pairs])
        if turn % 3 == 0:
            replay.take_back(before)
        whole = Replay(replica, probes)
        for first in whole.found:
            np.testing.assert_array_equal(replay.found[first], whole.found[first])
        np.testing.assert_allclose(replay._best_wrong_Q, whole._best_wrong_Q, atol=1e-6)


def test_a_kind_of_probes_is_not_paid_for_by_another():
    keys = np.eye(D, dtype=np.float32)
    held = [made(k, keys[k], [(10 * k, 10 * k + 4)]) for k in range(12)]
    probes = [Probe("view" if k < 2 else "drawn", "cam", ((10.0 * k, 10.0 * k + 4),), keys[k]) for k in range(12)]
    replay = Replay(Replica(held), probes)
    replay.found[1][0] = False  # one of two views is lost, of twelve probes a twelfth
    assert not replay.holds(0.1)
    replay.found[1][0], replay.found[1][5] = True, False
    assert replay.holds(0.1)
    assert not replay.holds(0.05)


def test_losses_count_from_the_first_sleep(folder):
    with writer(folder) as memory:
        memory.sleep(0.6)
        fixed = [p for p in memory.store.probes.every() if p.kind == "view"]
        assert fixed
        assert all(p.found in (0, 1, 2, 3) for p in fixed)
        noted = {p.id: p.found for p in fixed}
        memory.sleep(0.3)
        assert {p.id: p.found for p in memory.store.probes.every()} == noted
        replay = Sleep(memory.store, memory.longterm).look()
        bits = [p.found for p in replay.probes if p.found is not None]
        assert replay.before[1][: len(bits)].sum() == sum(b & 1 for b in bits)


@pytest.mark.parametrize("key_weight", [0.0, 1.0, 5.0])
def test_a_question_is_replayed_as_recall_weighs_it(tmp_path, key_weight):
    """Compared with recall itself, whose order differs between these weights."""
    config = MemoryConfig(recall=RecallConfig(key_weight=key_weight))
    rng = np.random.default_rng(2)
    doubtful = replace(SPEC, midpoint=2.0)  # nothing is believed: recall lets near-copies of what is make way
    with Memory.open_writer(tmp_path, encoder="test", spec=doubtful, config=config) as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        place = unit(rng.normal(size=D))
        for seq in range(240):
            vector = unit(2 * place + unit(rng.normal(size=D)))
            memory.write([Embedding(stream="cam", seq=seq, time_s=4.0 * seq, vector=vector, jpeg=b"j")])
        memory.finish("cam")
    with closing(Store(tmp_path / "memory.db", writable=False)) as store:
        held = store.entries.held()
    assert len(held) > 40
    probes, found = [], {1: [], 5: []}
    with Memory.open_reader(tmp_path, config) as memory:
        for one in held[::3]:
            asked = unit(one.scene_D + 1.2 * unit(rng.normal(size=D)))
            probes.append(Probe("question", "cam", tuple((s.t0_s, s.t1_s) for s in one.spans), asked))
            ids = [c.entry.id for c in memory.recall(Query(text="", vector=asked, top=5))]
            for first, hits in found.items():
                hits.append(one.id in ids[:first])
    assert 0 < sum(found[1]) < sum(found[5]) < len(probes)
    replay = Replay(Replica(held), probes, key_weight=key_weight)
    for first, hits in found.items():
        np.testing.assert_array_equal(replay.found[first], hits)


def test_the_same_memory_sleeps_the_same(tmp_path):
    """Cut into other chunks, reopened in between: the same entries come out."""
    seen = []
    for name, parts in (("a", [160]), ("b", [50, 110])):
        events, start = things(160), 0
        for part in parts:
            with writer(tmp_path / name) as memory:
                memory.begin("cam", uri="/x/cam.mp4")
                for number in range(start, start + part):
                    items = [
                        Embedding(
                            stream="cam", seq=4 * number + k, time_s=5.0 * number + k, vector=v, jpeg=b"j" * 99
                        )
                        for k, v in enumerate(events[number])
                    ]
                    for item in items:
                        memory.write([item])
                if start + part == 160:
                    memory.finish("cam")
            start += part
            if start < 160:  # what was open is lost with the process, and is shown again
                with writer(tmp_path / name) as memory:
                    after = memory.begin("cam", uri="/x/cam.mp4")
                    start = (after + 1) // 4
                    parts[-1] = 160 - start
                    memory.write(
                        [
                            Embedding(
                                stream="cam",
                                seq=s,
                                time_s=5.0 * (s // 4) + s % 4,
                                vector=events[s // 4][s % 4],
                                jpeg=b"j" * 99,
                            )
                            for s in range(after + 1, 640)
                        ]
                    )
                    memory.finish("cam")
                break
        with writer(tmp_path / name) as memory:
            report = memory.sleep(now_s=0.0)
        rows = entries(tmp_path / name)
        seen.append([(n, r["spans"], r["met"], r["key"].tobytes(), r["slept"]) for n, r in sorted(rows.items())])
        assert report.committed > 10
    assert seen[0] == seen[1]


def test_what_sleep_did_can_be_taken_back(folder):
    before = entries(folder)
    with writer(folder) as memory:
        report = memory.sleep()
        assert memory.wake() == report.before - report.after
        back = entries(folder)
        assert back.keys() == before.keys()
        for number, row in back.items():
            for name in ("spans", "met", "frame_s", "slept", "known_s", "place"):
                assert row[name] == before[number][name], name
            np.testing.assert_array_equal(row["key"], before[number]["key"])
        pictures = {int(p.stem, 16) for p in (folder / "exemplars").iterdir()}
        assert {n for n, row in back.items() if row["level"] < Level.VECTORS} == pictures
        (stream,) = memory.streams()
        assert stream.entries + stream.evicted == stream.events
        assert memory.wake() == 0
    with writer(folder) as memory:  # and the bank that is opened anew agrees
        assert len(memory.longterm.bank) == len(before)


def test_what_was_seen_since_is_not_taken_back(folder):
    events = things(160)
    with writer(folder) as memory:
        report = memory.sleep()
        held = entries(folder)
        heirs = [n for n, row in held.items() if row["slept"]]
        memory.store.connection.execute("UPDATE entry SET met = met + 1 WHERE id = ?", (heirs[0],))
        came = memory.wake()
        assert 0 < came == report.before - report.after - held[heirs[0]]["slept"]
        assert entries(folder)[heirs[0]]["slept"] == held[heirs[0]]["slept"]
    assert events


def test_tombstones_last_until_the_horizon(folder):
    with writer(folder, sleep=SleepConfig(horizon_s=100.0)) as memory:
        memory.sleep(0.5, now_s=1000.0)
        assert memory.store.tombstones.count() > 0
        memory.sleep(0.5, now_s=1099.0)
        assert memory.store.tombstones.count() > 0
        memory.sleep(0.5, now_s=1101.0)
        assert memory.store.tombstones.count() == 0
        assert memory.wake() == 0


def test_forgetting_an_entry_forgets_what_slept_into_it(folder):
    with writer(folder) as memory:
        memory.sleep(0.5)
        memory.sleep(0.25)
        db = memory.store.connection
        heirs = [
            n for (n,) in db.execute("SELECT DISTINCT heir FROM tombstone WHERE heir IN (SELECT id FROM entry)")
        ]
        for heir in heirs:
            memory.longterm.held.give_up_entry(heir, "given up", {})
        assert db.execute("SELECT count(*) FROM tombstone").fetchone() == (0,)


def test_tombstones_go_before_entries_do(tmp_path):
    folder = tmp_path / "m"
    with writer(folder, 1_500_000) as memory:
        watch(memory, things(200), gap=1, jpeg_bytes=2000)
        memory.sleep(0.25)
        assert memory.store.tombstones.count() > 0
        evicted = memory.streams()[0].evicted
        number = 0
        while memory.store.tombstones.count():
            watch(memory, things(10, seed=number + 9), stream=f"more{number}", jpeg_bytes=20_000)
            assert memory.bytes() <= 1_500_000
            number += 1
        assert memory.streams()[0].evicted == evicted or number > 3


def test_an_entry_that_holds_several_things_loses_no_time_when_one_is_seen_again(tmp_path):
    x = np.eye(D, dtype=np.float32)
    folder = tmp_path / "m"
    with writer(folder) as memory:
        watch(memory, [np.repeat(x[k : k + 1], 4, axis=0) for k in range(4)], gap=20)
        longterm = memory.longterm
        held = memory.store.entries.held()
        from hippocam.memory.longterm.merging import Consolidated
        from hippocam.memory.sleep.replay import united

        assert longterm.sleep.merge(
            Consolidated(held[0], held[1:], united(held[0], held[1:], None, None)), sleep=1, now_s=0
        )
        spans = entries(folder)[held[0].id]["spans"]
        assert len(spans) == 4
        place = held[0].place
        memory.store.connection.execute("UPDATE entry SET place = ?", (place,))
        for number in range(10, 14):
            watch(memory, [np.repeat(x[:1], 4, axis=0)], start=number, gap=20, stream="cam")
        assert entries(folder)[held[0].id]["spans"] == spans


def test_the_past_does_not_know_what_was_merged_later(folder):
    """`at_s`: where an entry's vectors are new, nothing is found of it before the last frame that they rest on."""
    with writer(folder) as memory:
        memory.sleep()
        held = {one.id: one for one in memory.store.entries.held()}
        before = {one.id: one for _, group in memory.store.tombstones.groups(1) for one in group}
        checked = 0
        for heir, group in memory.store.tombstones.groups(1):
            known = max(span.known_s for one in group for span in one.spans)
            if not np.array_equal(held[heir].key_D, before[heir].key_D):
                assert held[heir].spans[0].known_s == known
                found = memory.recall(Query(text="", vector=held[heir].key_D, at_s=known - 0.5, top=500))
                assert heir not in {c.entry.id for c in found}
                checked += 1
        assert checked > 3


def test_a_place_that_is_not_the_same_for_all_is_not_claimed():
    x = np.eye(D)[0]
    from hippocam.memory.sleep.replay import united

    here, there = made(0, x, [(0, 1)], place=3), made(1, x, [(5, 6)], place=4)
    assert united(here, [there], None, None).place == 0
    assert united(here, [replace(there, place=3)], None, None).place == 3


def test_the_folder_stays_within_its_budget_while_it_sleeps(tmp_path):
    folder, budget = tmp_path / "m", 1_200_000
    most = 0
    with writer(folder, budget) as memory:
        watch(memory, things(260), gap=1, jpeg_bytes=9000)
        assert memory.bytes() > 0.6 * budget
        consolidate = memory.longterm.sleep.merge

        def watched(*args, **kwargs):
            nonlocal most
            done = consolidate(*args, **kwargs)
            most = max(most, memory.bytes())
            return done

        memory.longterm.sleep.merge = watched
        assert memory.sleep().committed > 10
        assert 0 < most <= budget
        assert memory.bytes() <= budget
        assert (
            sum(p.stat().st_size for p in (folder / "exemplars").iterdir()) == memory.longterm.bank.picture_bytes
        )


def test_others_may_write_while_it_dreams(folder, monkeypatch):
    """What changed meanwhile is left alone; the bank and the database agree afterwards."""
    with writer(folder) as memory:
        true_dream, wrote = dream, []

        def dream_and_write(*args, **kwargs):
            outcome = true_dream(*args, **kwargs)
            thread = threading.Thread(target=lambda: wrote.append(watch(memory, things(20, seed=4), stream="dog")))
            thread.start()
            thread.join(20)
            for one in list(memory.store.entries.held())[:40]:
                memory.pin(one.id)
            return outcome

        monkeypatch.setattr("hippocam.memory.sleep.sleep.dream", dream_and_write)
        memory.sleep()
        assert wrote
        held = entries(folder)
        assert set(memory.longterm.bank) == set(held)
        assert sum(row["pinned"] for row in held.values()) == 40


_SLEEPS = """
import sys
from hippocam.memory.memory import Memory
from hippocam.memory.config import MemoryConfig
from hippocam.memory.longterm.held import HeldEntries
from hippocam.stream.records import EncoderSpec
spec = EncoderSpec(id="test:1", dim=32, normalised=True, midpoint=0.5, slope=20.0)
memory = Memory.open_writer(sys.argv[1], encoder="test", spec=spec, config=MemoryConfig(budget_bytes=20_000_000))
merge = HeldEntries.merge
def told(*args, **kwargs):
    print("merging", flush=True)
    merge(*args, **kwargs)
HeldEntries.merge = told
memory.sleep()
print("done", flush=True)
"""


@pytest.mark.parametrize("after", [2, 4, 9])
def test_killed_at_any_instant_leaves_a_whole_memory(folder, after):
    before = entries(folder)
    process = subprocess.Popen([sys.executable, "-c", _SLEEPS, folder], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(after):
        assert process.stdout.readline() == "merging\n"
    os.kill(process.pid, 9)
    process.wait()
    process.stdout.close()
    with writer(folder) as memory:
        assert memory.store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        held = entries(folder)
        assert len(held) < len(before) - (after > 1)
        assert covered(held) == covered(before)
        assert sum(row["met"] for row in held.values()) == sum(row["met"] for row in before.values())
        assert {int(p.stem, 16) for p in (folder / "exemplars").iterdir()} == set(held)
        assert memory.sleep().after <= math.ceil(len(before) / 4) + 2


def test_an_idle_memory_sleeps_once_it_has_filled(tmp_path):
    folder = tmp_path / "m"
    with writer(folder, 1_000_000) as memory:
        watch(memory, things(30), gap=1, jpeg_bytes=1000)
        assert memory.bytes() < 800_000
        assert memory.idle() is None
        watch(memory, things(200), stream="b", gap=1, jpeg_bytes=12_000)
        report = memory.idle()
        assert report is not None
        assert report.after < report.before
        assert memory.idle() is None  # nothing has come since
    with writer(folder, 1_000_000, sleep=SleepConfig(auto=False)) as memory:
        watch(memory, things(200, seed=2), stream="c", gap=1, jpeg_bytes=12_000)
        assert memory.idle() is None


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"sleep.target must be 0.001 to 1, found 0"):
        SleepConfig(target=0)
    with pytest.raises(ValueError, match=r"sleep.max_loss"):
        SleepConfig(max_loss=2)


def test_an_empty_memory_and_one_with_a_single_entry_sleep(tmp_path):
    with writer(tmp_path / "m") as memory:
        assert memory.sleep().after == 0
        watch(memory, things(1))
        report = memory.sleep()
        assert (report.before, report.after) == (1, 1)


def test_drawn_probes_are_the_same_each_time_and_ask_for_every_entry_twice():
    rng = np.random.default_rng(0)
    held = [made(k, rng.normal(size=D), [(10 * k, 10 * k + 4)]) for k in range(1500)]
    fixed = [Probe("view", "cam", ((10.0 * k, 10.0 * k + 4),), held[k].key_D) for k in range(40)]
    first, again = with_drawn(held, fixed, [], 0), with_drawn(held[::-1], fixed, [], 0)
    assert len(first) == 2 * len(held)
    assert [p.kind for p in first].count("view") == 40
    for a, b in zip(first, again, strict=True):
        assert a.times == b.times
        np.testing.assert_array_equal(a.vector_D, b.vector_D)


def test_dreaming_stops_at_the_target():
    keys = unit(np.random.default_rng(0).normal(size=(12, D)))
    held = [made(k, keys[k // 4], [(10 * k, 10 * k + 4)]) for k in range(12)]
    replica = Replica(held)
    dream(replica, Replay(replica, []), target=0.5, max_loss=0.0)
    assert len(replica) == 6
    assert pack(keys[0])
