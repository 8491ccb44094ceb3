"""Every rule keeps within its bytes, and does what its paper says, against small independent reckonings."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hippocam.apps.bench.policies import POLICIES, slot_bytes
from hippocam.apps.bench.policies.base import SHORT_SPAN_BYTES, NoRoomError, Slots, cosine, half
from hippocam.apps.bench.policies.events import (
    Event,
    FifoEvents,
    Imprint,
    Segmenter,
    SelectStream,
    Surprise,
    modularity,
)
from hippocam.apps.bench.policies.merging import MaLmm, MovieChat, StreamForest
from hippocam.apps.bench.policies.oracle import Oracle
from hippocam.apps.bench.policies.sampling import Recent, Reservoir, Uniform
from hippocam.apps.bench.policies.tiers import FlashVStream, PyramidMemoryBank, XMem, quantised
from hippocam.apps.worlds.worlds import Planted, synthetic, unit
from hippocam.memory.codec import rounded, signs

D = 16


def budget(slots: int, numbers: int = 0) -> int:
    return slots * slot_bytes(D, numbers)


def frames(count: int, seed: int = 0) -> np.ndarray:
    return unit(np.random.default_rng(seed).normal(size=(count, D))).astype(np.float32)


def show(policy, frames_TD, times=None):
    for t, frame_D in enumerate(frames_TD):
        policy.push(frame_D, float(t if times is None else times[t]))
    policy.finish()
    return policy.bank()


@pytest.mark.parametrize("slots", [24, 64])
@pytest.mark.parametrize("name", POLICIES)
def test_a_rule_keeps_within_its_bytes_and_cites_only_what_it_saw(name, slots):
    world = synthetic(3, frames=700, needles=12, visits=15, distractors=15, dim=D, entities=4)
    policy = POLICIES[name].build(budget(slots), D, 0)
    if name == "oracle":
        policy.foresee(world.planted)
    for frame_D, time_s in zip(world.frames_TD, world.times_T, strict=True):
        policy.push(frame_D, float(time_s))
        assert policy._held_bytes() <= budget(slots)
    policy.finish()
    bank = policy.bank()
    assert 0 < bank.bytes <= budget(slots)
    assert len(bank.keys_ND) == len(bank.t0_NS) == len(bank.t1_NS) > 0
    assert bank.keys_ND.dtype == np.float32
    stored = half
    if not name.startswith("pyramid"):  # its levels are coarser
        stored = {"int8": rounded, "signs": signs}.get(name.rpartition("-")[2], half)
    assert np.allclose(bank.keys_ND, [stored(key_D) for key_D in bank.keys_ND], rtol=1e-6, atol=0)
    known = ~np.isnan(bank.t0_NS)
    assert known[:, 0].all()
    assert (known == ~np.isnan(bank.t1_NS)).all()
    assert np.isin(bank.t0_NS[known], world.times_T).all()
    assert np.isin(bank.t1_NS[known], world.times_T).all()
    assert (bank.t0_NS[known] <= bank.t1_NS[known]).all()
    assert bank.writes >= len(bank.keys_ND)


@pytest.mark.parametrize("name", sorted(set(POLICIES) - {"oracle"}))
def test_a_rule_is_deterministic(name):
    a, b = (show(POLICIES[name].build(budget(48), D, 5), frames(300)) for _ in range(2))
    assert np.array_equal(a.keys_ND, b.keys_ND)
    assert np.array_equal(a.t0_NS, b.t0_NS, equal_nan=True)


@pytest.mark.parametrize("name", sorted(set(POLICIES) - {"oracle"}))
def test_a_rule_remembers_a_short_stream_of_one_frame(name):
    bank = show(POLICIES[name].build(budget(48), D, 0), frames(1))
    assert bank.t0_NS[0, 0] == bank.t1_NS[0, 0] == 0


@pytest.mark.parametrize("name", sorted(set(POLICIES) - {"oracle"}))
def test_a_small_budget_is_kept_or_refused(name):
    kept = []
    for slots in range(1, 24):
        try:
            policy = POLICIES[name].build(budget(slots), D, 0)
        except NoRoomError:
            continue
        assert show(policy, frames(120)).bytes <= budget(slots)
        kept.append(slots)
    assert kept == list(range(kept[0], 24))  # what has room in a budget has room in every larger one


@pytest.mark.parametrize("name", POLICIES)
def test_a_budget_without_room_for_a_slot_is_an_error(name):
    with pytest.raises(NoRoomError, match="give it more"):
        POLICIES[name].build(SHORT_SPAN_BYTES + 1, D, 0)  # the times alone would fit


INT8 = sorted(name for name in POLICIES if name.endswith("-int8"))
SIGNS = sorted(name for name in POLICIES if name.endswith("-signs"))


def test_every_published_rule_is_there_with_keys_as_ours_are_too():
    published = {name for name, entry in POLICIES.items() if entry.standing == "published"}
    assert published == {name.removesuffix("-int8") for name in INT8}
    assert published == {name.removesuffix("-signs") for name in SIGNS}


@pytest.mark.parametrize("name", SIGNS)
def test_a_key_of_signs_has_numbers_of_one_size(name):
    sizes = np.abs(show(POLICIES[name].build(budget(64), D, 0), frames(900)).keys_ND)
    assert np.allclose(sizes, sizes.max(axis=1, keepdims=True), rtol=1e-5)


def test_signs_take_a_bit_a_number_and_a_scale():
    assert slot_bytes(D, numbers=1, key_codec="signs") == D // 8 + 2 + 7 + 2
    budget_bytes = 40 * slot_bytes(D)
    bank = show(POLICIES["recent-signs"].build(budget_bytes, D, 0), frames(900))
    assert len(bank.keys_ND) == budget_bytes // (D // 8 + 2 + 7)


def test_without_a_memory_the_newest_frames_are_left():
    bank = show(POLICIES["memory-off"].build(budget(64), D, 0), frames(40))
    assert bank.t0_NS[:, 0].tolist() == list(range(32, 40))


def test_pieces_are_means_of_their_frames_and_thinned_evenly():
    stream = frames(100)
    bank = show(POLICIES["pieces"].build(budget(12), D, 0), stream)
    starts = bank.t0_NS[:, 0]
    assert set(np.diff(starts)) == {10.0}  # every second piece of five frames
    assert (bank.t1_NS - bank.t0_NS == 4).all()
    assert np.allclose(bank.keys_ND[3], stream[30:35].mean(axis=0), atol=2e-3)


def test_imprint_keeps_what_recurs_what_is_recent_and_what_is_distinctive():
    axes = np.eye(D, dtype=np.float32)
    near = unit(axes[0] + 0.9 * axes[1]).astype(np.float32)
    policy = Imprint(2 * D * 3 + 16 + 16 + 3 * slot_bytes(D, 1, 2), D, 0, longest=1)
    assert policy.capacity == 3
    bank = show(policy, [axes[0], axes[0], near, axes[2], axes[3]])
    kept = {tuple(np.flatnonzero(key_D > 0.3)) for key_D in bank.keys_ND}
    assert kept == {(0,), (2,), (3,)}  # it recurs; near it, and met once, goes; the rest is new
    again = int(np.argmax(bank.keys_ND[:, 0]))
    assert bank.t0_NS[again].tolist() == [0.0, 1.0]


def test_an_int8_key_takes_a_byte_a_number_and_a_scale():
    assert slot_bytes(D, numbers=2, spans=2, key_codec="int8") == D + 4 + 2 * 7 + 2 * 2
    assert slot_bytes(D, numbers=2, spans=2) == 2 * D + 2 * 16 + 2 * 4
    budget_bytes = 40 * slot_bytes(D)
    bank = show(POLICIES["recent-int8"].build(budget_bytes, D, 0), frames(300))
    assert len(bank.keys_ND) == budget_bytes // (D + 4 + 7)
    assert bank.bytes == len(bank.keys_ND) * (D + 4 + 7)


@pytest.mark.parametrize("name", [name for name in INT8 if not name.startswith("pyramid")])
def test_int8_keys_make_room_for_no_fewer_slots(name):
    stream = frames(900)
    few, more = (show(POLICIES[n].build(budget(64), D, 0), stream) for n in (name.removesuffix("-int8"), name))
    assert len(more.keys_ND) >= len(few.keys_ND)
    steps = 127 * more.keys_ND / np.maximum(np.abs(more.keys_ND).max(axis=1, keepdims=True), 1e-12)
    assert np.allclose(steps, np.rint(steps), atol=1e-3)


def test_slots_keep_their_order_when_one_goes_and_their_hull_when_two_merge():
    slots = Slots(4, 2, numbers=("w",))
    for i in range(4):
        slots.add(np.full(2, float(i)), i, i + 0.5, w=i)
    slots.remove(1)
    assert slots["w"].tolist() == [0, 2, 3]
    slots.merge(1, 2, (3.0, 1.0))
    assert slots.keys_ND.tolist() == [[0, 0], [2.25, 2.25]]
    assert (slots.t0_NS[1, 0], slots.t1_NS[1, 0]) == (2, 3.5)


def test_recent_keeps_the_last_frames():
    bank = show(Recent(budget(10), D, 0), frames(35))
    assert sorted(bank.t0_NS[:, 0]) == list(range(25, 35))


@pytest.mark.parametrize("count", [7, 16, 17, 100, 1000])
def test_uniform_keeps_every_frame_of_one_stride(count):
    bank = show(Uniform(budget(16), D, 0), frames(count))
    stride = 1
    while -(-count // stride) > 16:
        stride *= 2
    assert bank.t0_NS[:, 0].tolist() == list(range(0, count, stride))


def test_reservoir_includes_every_frame_with_the_same_probability():
    slots, count, draws = 5, 40, 1500
    stream = frames(count)
    times = np.concatenate([show(Reservoir(budget(slots), D, seed), stream).t0_NS[:, 0] for seed in range(draws)])
    share = np.bincount(times.astype(int), minlength=count) / draws
    expected, deviation = slots / count, np.sqrt(slots / count * (1 - slots / count) / draws)
    assert np.abs(share - expected).max() < 4.5 * deviation


def test_moviechat_merges_the_most_alike_neighbours_to_two_and_drops_the_oldest():
    stream = frames(18 * 20 + 5)
    policy = MovieChat(budget(40), D, 0)
    bank = show(policy, stream)
    assert policy.capacity == 22
    segments = [[[key, t, t, 1] for t, key in enumerate(stream)][i * 18 : i * 18 + 18] for i in range(20)]
    expected = []
    for segment in segments:
        while len(segment) > 2:
            alike = [float(cosine(a[0], b[0])) for a, b in pairwise(segment)]
            i = int(np.argmax(alike))
            (ka, t0, _, wa), (kb, _, t1, wb) = segment[i : i + 2]
            segment[i : i + 2] = [[(ka + kb) / 2, t0, t1, wa + wb]]
        expected += segment
    assert bank.t0_NS[:22, 0].tolist() == [e[1] for e in expected[-22:]]
    assert bank.t1_NS[:22, 0].tolist() == [e[2] for e in expected[-22:]]
    assert bank.t0_NS[22:, 0].tolist() == list(range(360, 365))
    assert cosine(bank.keys_ND[:22], np.stack([e[0] for e in expected[-22:]])).min() > 0.99


def test_ma_lmm_merges_the_most_alike_neighbours_and_conserves_weight_and_time():
    stream = frames(120)
    policy = MaLmm(budget(12, numbers=1), D, 0)
    bank = show(policy, stream)
    slots = []
    for t, key in enumerate(stream):
        slots.append((key, t, t, 1))
        if len(slots) > 12:
            i = int(np.argmax([float(cosine(a[0], b[0])) for a, b in pairwise(slots)]))
            (ka, t0, _, wa), (kb, _, t1, wb) = slots[i : i + 2]
            slots[i : i + 2] = [((wa * ka + wb * kb) / (wa + wb), t0, t1, wa + wb)]
    assert bank.t0_NS[:, 0].tolist() == [s[1] for s in slots]
    assert policy.slots["frames"].tolist() == [s[3] for s in slots]
    assert policy.slots["frames"].sum() == 120
    assert bank.t0_NS[0, 0] == 0
    assert bank.t1_NS[-1, 0] == 119
    assert (bank.t0_NS[1:, 0] == bank.t1_NS[:-1, 0] + 1).all()


def test_streamforest_merges_the_pair_of_least_penalty_to_half():
    policy = StreamForest(budget(80), D, 0)
    stream = frames(400)
    merged = []
    join = policy._merge

    def spy(i):
        alike = np.array(policy._alike)
        leaves = np.array([t.leaves for t in policy.forest])
        centre = np.array([t.centre for t in policy.forest])
        merges = (leaves[1:] + leaves[:-1]) / 2
        age = (centre[1:] + centre[:-1]) / 2 / (policy._cut_frames + policy.short.count)
        assert i == int(np.argmin(0.4 * (1 - alike) + 0.2 * age + 0.4 * merges / merges.max()))
        before = [len(t.keys_ND) for t in policy.forest[i : i + 2]]
        hull = policy.forest[i].t0_N.min(), policy.forest[i + 1].t1_N.max()
        join(i)
        assert len(policy.forest[i].keys_ND) == -(-sum(before) // 2)
        assert (policy.forest[i].t0_N.min(), policy.forest[i].t1_N.max()) == hull
        merged.append(i)

    policy._merge = spy
    show(policy, stream)
    assert len(merged) > 20
    assert sum(t.leaves for t in policy.forest) == len(merged) + len(policy.forest)


def test_flash_vstream_conserves_weight_and_keeps_true_frames_of_the_heaviest_clusters():
    policy = FlashVStream(budget(60), D, 0)
    stream = frames(16 * 20)
    bank = show(policy, stream)
    assert policy.clusters["frames"].sum() + policy.clip.count == len(stream)
    count = policy.clusters.count
    assert bank.t0_NS[:count, 0].min() == 0
    assert (bank.t0_NS[count:] == bank.t1_NS[count:]).all()
    for key_D, t in zip(bank.keys_ND[count:], bank.t0_NS[count:, 0], strict=True):
        assert np.allclose(key_D, stream[int(t)], atol=1e-3)


def test_flash_vstream_finds_the_places_of_a_stream():
    places = frames(4, seed=1)
    stream = unit(places[np.repeat(np.arange(4), 80)] + 0.01 * frames(320, seed=2)).astype(np.float32)
    policy = FlashVStream(budget(60), D, 0)
    show(policy, stream)
    assert (policy.clusters.keys_ND @ places.T).max(axis=0).min() > 0.99


def test_the_pyramids_cascade_reaches_the_bottom_and_levels_stay_in_time():
    policy = PyramidMemoryBank(budget(24), D, 0)
    policy.rates = (1, 10**9, 10**9)  # all frames enter at the top, so what is below came down
    bank = show(policy, frames(200))
    assert [level.slots.count for level in policy.levels] == policy.capacities
    for level in policy.levels:
        times = level.slots.t0_NS[:, 0]
        assert (np.diff(times) > 0).all()
        assert np.allclose(level._alike, cosine(level.slots.keys_ND[:-1], level.slots.keys_ND[1:]), atol=1e-6)
    assert len(np.unique(bank.t0_NS)) == len(bank.t0_NS)
    assert policy.capacities[0] < policy.capacities[1] < policy.capacities[2]


def test_the_pyramid_gives_up_the_most_alike_of_a_full_level():
    policy = PyramidMemoryBank(budget(24), D, 0)
    level = policy.levels[0]
    stream = frames(level.capacity + 1)
    stream[3] = stream[2]
    for t in range(level.capacity):
        assert level.insert(stream[t], float(t)) is None
    given_up = level.insert(stream[-1], 99.0)
    assert given_up is not None
    assert given_up[1] == 2.0


def test_fewer_bits_are_fewer_values():
    key_D = frames(1)[0]
    assert len(np.unique(np.abs(quantised(key_D, 1)))) == 1
    assert len(np.unique(quantised(key_D, 4))) <= 15
    assert float(cosine(quantised(key_D, 4), key_D)) > 0.98
    assert float(cosine(quantised(key_D, 1), key_D)) > 0.6


def test_xmem_evicts_the_least_used_for_its_life_and_keeps_the_first_frame():
    policy = XMem(budget(24, numbers=2), D, 0)
    consolidate, evicted = policy._consolidate, []

    def spy():
        rate = dict(zip(policy.long.t0_NS[:, 0], policy.long["used"] / policy.long["life"], strict=True))
        full = policy.long.count == policy.capacity
        consolidate()
        gone = rate.keys() - set(policy.long.t0_NS[:, 0])
        assert len(gone) == full  # exactly the overflow
        assert all(rate[t] == min(rate.values()) for t in gone)
        evicted.extend(gone)

    policy._consolidate = spy
    bank = show(policy, frames(1200))
    assert len(evicted) > 10
    assert policy.working.t0_NS[0, 0] == 0
    assert (bank.t0_NS % 5 == 0).all()


def test_a_read_of_xmem_adds_one_to_the_usage_of_all():
    policy = XMem(budget(24, numbers=2), D, 0)
    stream = frames(4)
    for t in range(4):
        policy.push(stream[t], float(t))
    assert policy.working["used"].sum() == pytest.approx(3)
    assert policy.working["life"].tolist() == pytest.approx([3])


def test_xmem_prefers_what_is_read_over_what_is_not():
    often, once = frames(2, seed=4)
    policy = XMem(budget(30, numbers=2), D, 0)
    for t in range(50):
        policy.push(once if t == 20 else often, float(t))
    assert 20.0 not in policy.long.t0_NS


def test_a_segmenter_cuts_where_the_scene_changes():
    segmenter = Segmenter(D)
    a, b = frames(2, seed=8)
    noise = 0.05 * frames(60, seed=9)
    cuts = [
        event
        for t in range(60)
        if (event := segmenter.push(unit((b if 30 <= t < 36 else a) + noise[t]), float(t))) is not None
    ]
    assert (30.0, 35.0) in [(event.t0_s, event.t1_s) for event in cuts]
    burst = next(event for event in cuts if event.t0_s == 30)
    assert burst.frames == 6
    new = unit(b - a * float(a @ b))
    assert float(cosine(burst.residual_D, new)) > 0.9


def test_events_are_whole_and_forgotten_in_order():
    stream = frames(600)
    policy = FifoEvents(budget(30), D, 0)
    bank = show(policy, stream)
    assert (bank.t0_NS[1:, 0] == bank.t1_NS[:-1, 0] + 1).all()
    assert bank.t1_NS[-1, 0] == 599
    assert len(bank.keys_ND) == policy.capacity


def test_modularity_is_that_of_the_partition():
    graph = np.abs(np.random.default_rng(0).normal(size=(6, 6)))
    graph = graph + graph.T
    degree, whole = graph.sum(axis=1), graph.sum()
    for cut in range(6):
        parts = [list(range(cut)), list(range(cut, 6))]
        expected = (
            sum(graph[i, j] - degree[i] * degree[j] / whole for part in parts for i in part for j in part) / whole
        )
        assert modularity(graph)[cut] == pytest.approx(expected)


def test_em_llm_refined_covers_the_stream_without_gaps():
    stream = frames(300)
    bank = show(POLICIES["em-llm-refined"].build(budget(400), D, 0), stream)
    assert bank.t0_NS[0, 0] == 0
    assert bank.t1_NS[-1, 0] == 299
    assert (bank.t0_NS[1:, 0] == bank.t1_NS[:-1, 0] + 1).all()


def event(key_D, t, size=1.0):
    return Event(mean_D=key_D, residual_D=size * key_D, t0_s=float(t), t1_s=float(t + 2), frames=3)


def test_selectstream_merges_the_cheapest_pair_by_writes():
    policy = SelectStream(budget(20, numbers=2), D, 0)
    keys = frames(policy.capacity + 1, seed=6)
    for t, key_D in enumerate(keys):
        policy._store(event(key_D, 10 * t, size=0.5 + 0.01 * t))
    assert policy.slots.count == policy.capacity
    assert policy.slots["writes"].sum() == policy.capacity + 1
    alike = keys.astype(np.float16).astype(np.float32) @ keys.astype(np.float16).astype(np.float32).T
    sizes = 0.5 + 0.01 * np.arange(len(keys))
    cost = {
        (i, j): (1 - alike[i, j]) / 2
        + 0.5 * (sizes[i] + sizes[j]) / 2 / sizes.max()
        + 0.25 * (i + j) / 2 / (len(keys) - 1)
        for i in range(len(keys))
        for j in range(i + 1, len(keys))
    }
    i, j = min(cost, key=lambda pair: cost[pair])
    assert policy.slots["writes"][i] == 2
    assert (policy.slots.t0_NS[i, 0], policy.slots.t1_NS[i, 0]) == (10 * i, 10 * j + 2)


def test_selectstream_updates_a_slot_with_a_dull_event_like_it():
    policy = SelectStream(budget(20, numbers=2), D, 0)
    key_D = frames(1)[0]
    policy._store(event(key_D, 0, size=0.1))
    policy._store(event(key_D, 10, size=0.1))
    assert policy.slots.count == 1
    policy._store(event(key_D, 20, size=0.9))
    assert policy.slots.count == 2


def test_surprise_keeps_the_most_surprising_and_the_first_and_latest_time_of_the_same():
    policy = Surprise(budget(20), D, 0)
    keys = frames(60, seed=7)
    sizes = np.random.default_rng(1).permutation(60) + 1.0
    keys = keys[[k for k in range(60) if all(abs(keys[k] @ keys[j]) < 0.6 for j in range(k))]]
    for t, key_D in enumerate(keys):
        policy._store(event(key_D, 10 * t, size=sizes[t]))
    kept = np.sort(policy.slots["surprise"])
    assert kept.tolist() == sorted(sizes[: len(keys)])[-policy.capacity :]
    again = policy.slots.keys_ND[0].copy()
    policy._store(event(again, 5000))
    assert policy.slots.t0_NS[0].tolist() == [policy.slots.t0_NS[0, 0], 5000.0]
    assert policy.slots["count"][0] == 2


def test_the_oracle_keeps_the_mean_of_what_will_be_asked():
    stream = frames(60)
    needle = Planted(kind="needle", identity=0, t0_s=10.0, t1_s=15.0, query_D=stream[0])
    visits = [
        Planted(kind="entity", identity=0, t0_s=t, t1_s=t + 4, query_D=stream[0]) for t in (20.0, 30.0, 56.0)
    ]
    policy = Oracle(budget(8), D, 0)
    policy.foresee([needle, *visits])
    bank = show(policy, stream)
    assert bank.t0_NS[:, 0].tolist() == [10, 20, 56]
    assert bank.t1_NS[:, 0].tolist() == [14, 23, 59]
    assert np.allclose(bank.keys_ND[0], stream[10:15].mean(axis=0), atol=1e-3)
