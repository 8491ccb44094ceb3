"""Ours fits every budget of the bench, small ones too, and takes what was trained for the world's space."""

import numpy as np
import pytest

from hippocam.apps.bench.memory import run, show
from hippocam.apps.bench.ours.entries import entries, policies
from hippocam.apps.bench.ours.events import OurEvents
from hippocam.apps.bench.ours.frames import Ours
from hippocam.apps.bench.ours.parts import ABLATIONS
from hippocam.apps.bench.policies import slot_bytes
from hippocam.apps.bench.policies.base import NoRoomError
from hippocam.apps.worlds.worlds import SYNTHETIC, synthetic
from hippocam.memory.bank.priors import load_prior
from hippocam.memory.trained import SHIPPED
from hippocam.stream.records import EncoderSpec

SMALL = {"frames": 1500, "needles": 15, "visits": 20, "entities": 4, "distractors": 20}


def small(seed):
    return synthetic(seed, name="small", **SMALL)


@pytest.mark.parametrize("name", entries())
@pytest.mark.parametrize("slots", [16, 32, 48, 64, 128, 256])
def test_ours_keeps_within_its_bytes_at_every_moment(name, slots):
    world, budget = small(1), slots * slot_bytes(64)
    policy = entries()[name].make(budget, world.dim, 1, world.encoder)
    for frame_D, time_s in zip(world.frames_TD, world.times_T.tolist(), strict=True):
        policy.push(frame_D, time_s)
        assert policy.bytes <= budget
    policy.finish()
    bank = policy.bank()
    assert 0 < bank.bytes <= budget
    assert len(bank.keys_ND) >= 8


def test_ours_fits_wide_vectors_and_many_frames_a_second():
    rng = np.random.default_rng(0)
    frames = rng.normal(size=(400, 768)).astype(np.float32)
    frames = (frames.repeat(5, axis=0) / np.linalg.norm(frames, axis=1).repeat(5)[:, None]).astype(np.float32)
    budget = 32 * slot_bytes(768)
    policy = Ours(budget, 768, 0)
    for number, frame_D in enumerate(frames):
        policy.push(frame_D, number / 30)
    policy.finish()
    assert 0 < policy.bank().bytes <= budget


def test_a_budget_without_room_for_a_slot_is_an_error():
    with pytest.raises(NoRoomError, match="give it more"):
        Ours(800, 64, 0)


def test_ours_learns_on_the_way_only_where_the_sketches_are_a_small_part():
    for slots, online in ((128, False), (256, True)):
        policy = Ours(slots * slot_bytes(64), 64, 0)
        show(small(1), policy, slots * slot_bytes(64))
        assert policy.slots.learns == online


def test_ours_takes_the_prior_of_the_worlds_space():
    spec = EncoderSpec(id=SYNTHETIC, dim=64, normalised=True, midpoint=0.0, slope=1.0)
    shipped = load_prior(spec, SHIPPED)
    assert shipped is not None
    assert shipped.events > 0
    budget = 64 * slot_bytes(64)
    assert entries()["ours"].make(budget, 64, 0, SYNTHETIC).slots.knows
    assert not entries()["ours"].make(budget, 64, 0, "nobody:1").slots.knows
    assert not entries()["ours-untrained"].make(budget, 64, 0, SYNTHETIC).slots.knows


def test_ablations_are_in_the_table_but_are_neither_ours_nor_a_rule_to_beat():
    found = policies()
    assert [name for name, entry in found.items() if entry.standing == "ours"] == ["ours"]
    names = [name for name, entry in found.items() if entry.standing == "ablation"]
    assert names == list(ABLATIONS)
    table = {name: found[name] for name in ("ours", "ours-float16", "recent", "recent-int8")}
    (world,) = run(["small"], [1], [32], worlds={"small": small}, table=table).worlds
    assert world.best_rule in ("recent", "recent-int8")


def test_events_that_were_cut_before_keep_their_own_times():
    axes = np.eye(32, dtype=np.float32)
    rule = OurEvents(100_000, 32)
    for number, (t0_s, t1_s) in enumerate([(0.0, 50.0), (10.0, 20.0), (60.0, 61.0)]):
        rule.see(axes[number], t0_s, t1_s)
    bank = rule.bank()
    assert sorted(zip(bank.t0_NS[:, 0], bank.t1_NS[:, 0], strict=True)) == [(0, 50), (10, 20), (60, 61)]
    assert (np.abs(bank.keys_ND).argmax(axis=1) == [0, 1, 2]).all()


def test_nothing_is_joined_where_nothing_is_the_same():
    world, budget = small(1), 256 * slot_bytes(64)
    joined, apart = (
        show(world, entries()[name].make(budget, 64, 1, world.encoder), budget)[0]
        for name in ("ours", "ours-unmerged")
    )
    assert (~np.isnan(joined.t0_NS)).sum() > len(joined.t0_NS)
    assert (~np.isnan(apart.t0_NS)).sum() == len(apart.t0_NS)


def test_an_event_that_was_cut_before_is_found_by_what_it_shares_too_and_more_by_what_is_new():
    axes = np.eye(32, dtype=np.float32)
    rule = OurEvents(100_000, 32)
    rule.see(axes[0], 0.0, 50.0)
    rule.see((axes[0] + axes[1]) / np.sqrt(np.float32(2)), 50.0, 60.0)
    second = rule.bank().keys_ND[1]
    assert second[1] > second[0] > 0.3
