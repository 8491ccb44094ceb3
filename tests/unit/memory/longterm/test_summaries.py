import dataclasses
import json
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pytest

from hippocam.memory.longterm.summaries import Summaries, SummaryConfig, deepest_valley
from hippocam.memory.records import Continuation, Event
from hippocam.memory.store.database import Store
from hippocam.memory.store.summaries import Kind

D = 16
PLENTY = 100_000_000


def unit(vector):
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def make_event(stream="cam", seq=0, t0_s=0.0, t1_s=None, scene=None, **kwargs):
    scene = np.eye(D, dtype=np.float32)[0] if scene is None else scene
    t1_s = t0_s + 5 if t1_s is None else t1_s
    return Event(
        stream=stream, first_seq=seq, last_seq=seq + 4, t0_s=t0_s, t1_s=t1_s, known_s=t1_s - 1, key=scene,
        scene=scene, surprise=0.5, utility=1.0, frame_s=t0_s, jpeg=b"", **kwargs,
    )  # fmt: skip


def film(n, *, stream="cam", seed=0, run=6, seconds=5.0, start_s=0.0):
    """Events in runs that look alike, each with a label of its run."""
    rng = np.random.default_rng(seed)
    looks = [unit(rng.standard_normal(D)) for _ in range(1 + n // run)]
    return [
        make_event(
            stream, 5 * k, start_s + seconds * k, start_s + seconds * (k + 1),
            unit(looks[k // run] + 0.05 * rng.standard_normal(D)), labels=(f"look{k // run}",),
        )
        for k in range(n)
    ]  # fmt: skip


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "memory.db", writable=True)
    yield store
    store.close()


def open_summaries(store, budget=PLENTY, **config):
    return Summaries(store.summaries, dim=D, budget_bytes=budget, config=SummaryConfig(**config))


def write(store, events, budget=PLENTY, *, finish=True, summaries=None, **config):
    summaries = summaries or open_summaries(store, budget, **config)
    for event in events:
        with store.transaction():
            summaries.add(event, store.entries.insert(event))
    if finish:
        with store.transaction():
            for stream in dict.fromkeys(event.stream for event in events):
                summaries.finish(stream)
    return summaries


def dump(store):
    return [
        tuple(v.tobytes() if isinstance(v, np.ndarray) else v for v in dataclasses.astuple(summary))
        for summary in sorted(store.summaries.every(), key=lambda s: s.id)
    ]


def test_scenes_are_the_runs_that_look_alike(store):
    write(store, film(60, run=6))
    scenes = store.summaries.of("cam", Kind.SCENE)
    assert [(s.t0_s, s.t1_s, s.events) for s in scenes] == [(30.0 * k, 30.0 * (k + 1), 6) for k in range(10)]
    assert [s.words for s in scenes] == [((f"look{k}", 6),) for k in range(10)]
    for k, scene in enumerate(scenes):
        truth = unit(np.mean([e.scene for e in film(60, run=6)[6 * k : 6 * k + 6]], axis=0))
        assert unit(scene.vector_D) @ truth > 0.999


def test_a_change_of_place_cuts_and_one_place_holds_together(store):
    vectors = np.eye(D, dtype=np.float32)
    places = [1, 1, 1, 2, 2, 1]
    looks = [0, 1, 2, 2, 2, 2]  # the place is known, so looks do not matter
    write(store, [make_event("cam", 5 * k, 5.0 * k, scene=vectors[looks[k]], place=places[k]) for k in range(6)])
    scenes = store.summaries.of("cam", Kind.SCENE)
    assert [(s.place, s.events) for s in scenes] == [(1, 3), (2, 2), (1, 1)]


@pytest.mark.parametrize(
    ("times", "cut"),
    [([0, 5, 10], 1), ([0, 5, 400], 2), ([0, 5, 2], 2), ([86390, 86395, 86400], 2), ([0, 250, 301], 2)],
)
def test_gaps_jumps_back_midnight_and_length_cut(store, times, cut):
    events = [make_event("cam", 5 * k, float(t), float(t) + 5) for k, t in enumerate(times)]
    if times[1] == 250:
        events[0] = make_event("cam", 0, 0.0, 250.0)
        events[1] = make_event("cam", 5, 250.0, 301.0)
    write(store, events)
    assert len(store.summaries.of("cam", Kind.SCENE)) == cut


def test_times_are_the_union_of_the_parts_and_every_event_is_in_one_scene(store):
    rng = np.random.default_rng(3)
    events, now = [], 0.0
    for k in range(300):
        now += float(rng.choice([0, 0, 0, 30, 2000, -40]))
        events.append(make_event("cam", 5 * k, now, now + 5, unit(rng.standard_normal(D))))
        now += 5
    write(store, events)
    rows = store.summaries
    scenes = rows.of("cam", Kind.SCENE)
    assert sum(s.events for s in scenes) == 300
    assert all(sum(s.t0_s <= e.t0_s and e.t1_s <= s.t1_s for s in scenes) >= 1 for e in events)
    for whole in rows.of("cam", Kind.CHAPTER) + rows.of("cam", Kind.DAY):
        parts = rows.children(whole)
        assert (whole.t0_s, whole.t1_s) == (min(p.t0_s for p in parts), max(p.t1_s for p in parts))
        assert whole.known_s == max(p.known_s for p in parts)
        assert whole.events == sum(p.events for p in parts)
        assert whole.seconds == pytest.approx(sum(p.seconds for p in parts))
        mean = unit(np.sum([p.vector_D * p.seconds for p in parts], axis=0))
        assert unit(whole.vector_D) @ mean > 0.999
        assert whole.exemplar in {p.exemplar for p in parts}
    tops = [s for s in rows.every() if s.parent is None]
    assert sum(s.events for s in tops) == 300


def test_a_chapter_ends_in_the_deepest_valley():
    a, b = np.eye(D, dtype=np.float32)[:2]
    rng = np.random.default_rng(0)
    runs = [unit(v + 0.05 * rng.standard_normal(D)) for v in [a] * 10 + [b] * 6]
    assert deepest_valley(runs) == 10
    assert 4 <= deepest_valley([a] * 16) <= 12


@pytest.mark.parametrize("count", [4, 5, 16, 30])
def test_the_deepest_valley_is_that_of_the_definition(count):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        every = [unit(rng.standard_normal(D)) for _ in range(count)]

        def across(k, every=every):
            before, after = np.sum(every[max(0, k - 3) : k], axis=0), np.sum(every[k : k + 3], axis=0)
            return before @ after / np.linalg.norm(before) / np.linalg.norm(after)

        likeness = {k: across(k) for k in range(1, count)}
        depth = {
            k: max(likeness[j] for j in range(1, k + 1)) + max(likeness[j] for j in range(k, count)) - 2 * value
            for k, value in likeness.items()
        }
        least = max(1, count // 4)
        assert deepest_valley(every) == max(range(least, count - least + 1), key=lambda k: depth[k])


def test_the_exemplar_is_the_entry_nearest_to_the_mean(store):
    a, b = np.eye(D, dtype=np.float32)[:2]
    looks = [unit(a + 0.6 * b), unit(a - 0.6 * b), unit(a), unit(a + 0.5 * b), unit(a - 0.5 * b)]
    events = [make_event("cam", 5 * k, 5.0 * k, scene=v) for k, v in enumerate(looks)]
    write(store, events, gamma=100)
    (scene,) = store.summaries.of("cam")
    assert scene.exemplar == store.entries.insert(events[2])


@pytest.mark.parametrize("cut", [1, 7, 100, 101, 299])
def test_killed_after_any_event_and_started_again_gives_the_same(tmp_path, cut):
    events = film(300, run=4, seconds=40)
    dumps = []
    for name, size in (("whole", 300), ("killed", cut)):
        path = tmp_path / f"{name}.db"
        for start in range(0, 300, size):
            store = Store(path, writable=True)
            write(store, events[start : start + size], finish=start + size >= 300, gamma=0.5)
            if start + size < 300:  # an event whose transaction never ended
                summaries = open_summaries(store, gamma=0.5)
                with suppress(KeyboardInterrupt), store.transaction():
                    summaries.add(events[start + size], store.entries.insert(events[start + size]))
                    raise KeyboardInterrupt
            store.close()
        store = Store(path, writable=True)
        dumps.append(dump(store))
        store.close()
    assert dumps[0] == dumps[1]
    assert {row[2] for row in dumps[0]} == set(Kind)


def test_streams_do_not_depend_on_each_other(tmp_path):
    one, other = film(100, stream="a", seed=1), film(100, stream="b", seed=2)
    dumps = []
    for name, events in (
        ("turns", [e for pair in zip(one, other, strict=True) for e in pair]),
        ("after", one + other),
    ):
        store = Store(tmp_path / f"{name}.db", writable=True)
        write(store, events)
        dumps.append(dump(store))
        store.close()
    assert dumps[0] == dumps[1]


def test_a_quiet_time_prolongs_the_scene(store):
    summaries = write(store, film(3), finish=False)
    before = store.summaries.open_scene("cam")
    with store.transaction():
        summaries.extend(Continuation(stream="cam", last_seq=9, t0_s=before.t1_s, t1_s=500.0, repeats=5))
        summaries.extend(Continuation(stream="other", last_seq=9, t0_s=15.0, t1_s=500.0, repeats=5))
    after = store.summaries.open_scene("cam")
    assert (after.t0_s, after.t1_s, after.seconds) == (0, 500, before.seconds + 485)
    assert np.allclose(after.vector_D, before.vector_D, atol=1e-6)
    assert open_summaries(store)._scene("cam").t1_s == 500


def test_what_is_unchanged_behind_a_gap_is_a_scene_of_its_own(store):
    summaries = write(store, film(3), finish=False)
    before = store.summaries.open_scene("cam")
    for t0_s, t1_s in ((before.t1_s + 3600, before.t1_s + 3700), (before.t1_s + 3700, before.t1_s + 3900)):
        with store.transaction():
            summaries.extend(Continuation(stream="cam", last_seq=int(t0_s), t0_s=t0_s, t1_s=t1_s, repeats=100))
    closed, after = store.summaries.of("cam", Kind.SCENE)
    assert (closed.t0_s, closed.t1_s, closed.state) == (before.t0_s, before.t1_s, None)
    assert (after.t0_s, after.t1_s, after.seconds) == (before.t1_s + 3600, before.t1_s + 3900, 300)
    assert np.allclose(after.vector_D, before.vector_D, atol=0.01)


def test_days_are_days(store):
    write(store, film(300, run=3, seconds=1000), chapter_gap_s=1e9)
    days = store.summaries.of("cam", Kind.DAY)
    assert [int(d.t0_s // 86400) for d in days] == [0, 1, 2, 3]
    assert [c.parent for c in store.summaries.of("cam", Kind.CHAPTER)].count(None) == 0
    assert sum(d.events for d in days) == 300


def test_a_short_stream_is_one_scene_and_nothing_above(store):
    write(store, film(4))
    assert [s.kind for s in store.summaries.every()] == [Kind.SCENE]


def test_past_their_share_scenes_go_first_then_chapters_then_days_join(store):
    budget = 20 * 30 * (D + 420)  # 30 rows
    summaries = open_summaries(store, budget, chapter_gap_s=1e9)
    kinds = []
    events = film(3000, run=3, seconds=400)  # nearly 14 days
    for event in events:
        with store.transaction():
            summaries.add(event, 1)
        assert store.summaries.count() <= 30
        kinds.append({s.kind for s in store.summaries.every()})
    with store.transaction():
        summaries.finish("cam")
    held = store.summaries.every()
    assert len(held) <= 30
    assert sum(s.events for s in held if s.parent is None) == 3000  # the whole time is still told of
    days = store.summaries.of("cam", Kind.DAY)
    assert days[0].t0_s == 0
    assert days[-1].t1_s == events[-1].t1_s
    scenes = store.summaries.of("cam", Kind.SCENE)
    assert all(s.t0_s > days[0].t1_s for s in scenes)  # the oldest went first
    assert kinds[30] <= {Kind.SCENE, Kind.CHAPTER}


def test_days_join_until_they_fit(store):
    summaries = open_summaries(store, 20 * 8 * (D + 420), chapter_gap_s=1e9)
    for event in film(2000, run=2, seconds=2000):
        with store.transaction():
            summaries.add(event, 1)
    days = store.summaries.of("cam", Kind.DAY)
    assert store.summaries.count() <= 8
    assert days[0].t0_s == 0
    assert all(a.t1_s <= b.t0_s for a, b in pairwise(days))


def test_many_short_streams_stay_within_the_share(store):
    summaries = open_summaries(store, 20 * 30 * (D + 420))
    for k in range(200):
        write(store, film(3, stream=f"clip{k:03d}", seed=k), summaries=summaries)
    assert store.summaries.count() <= 30


def test_rows_take_no_more_than_is_counted(tmp_path):
    path = tmp_path / "memory.db"
    store = Store(path, writable=True)
    before = store.live_bytes()
    budget = 4_000_000
    summaries = open_summaries(store, budget, gamma=0.0)
    rng = np.random.default_rng(0)
    for k in range(3000):
        labels = tuple(f"label number {j}" for j in rng.integers(500, size=5))
        event = make_event("some/recording/cam", 5 * k, 5.0 * k, scene=unit(rng.standard_normal(D)), labels=labels)
        with store.transaction():
            summaries.add(event, 1)
    assert store.live_bytes() - before <= 0.05 * budget + 16 * 4096
    store.close()


def test_words_outlive_the_entries(store):
    events = [dataclasses.replace(e, text="pick the yellow bottle") for e in film(12)]
    write(store, events)
    for event in events:
        store.entries.delete(store.entries.insert(event))
    assert store.entries.count() == 0
    best = store.summaries.of("cam", Kind.SCENE)[0]
    assert dict(best.words)["yellow"] == 6
    assert best.exemplar is not None  # gone, and readers look


def test_an_event_costs_the_database_as_much_however_many_came_before(store):
    """Counted in hundreds of its instructions: seconds would depend on the machine."""
    summaries = open_summaries(store)
    hundreds, costs = [], []
    store.connection.set_progress_handler(lambda: hundreds.append(1) and None, 100)
    with store.transaction():
        for event in film(2000):
            before = len(hundreds)
            summaries.add(event, 1)
            costs.append(len(hundreds) - before)
    store.connection.set_progress_handler(None, 0)
    early, late = sum(costs[100:600]), sum(costs[1500:])
    assert late < 2 * early
    assert late < 500 * 10  # a thousand instructions an event at most


def test_wrong_settings_are_named():
    with pytest.raises(ValueError, match=r"summaries\.share must be 0 to 1, found 2"):
        SummaryConfig(share=2)


def test_state_is_plain_numbers(store):
    write(store, film(3), finish=False)
    scene = store.summaries.open_scene("cam")
    assert len(scene.state) == 4 * 8 + 4 * D
    assert json.loads(json.dumps(scene.words)) == [["look0", 3]]
