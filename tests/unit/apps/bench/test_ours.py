"""Ours fits every budget of the bench, small ones too, and takes what was trained for the world's space."""

import numpy as np
import pytest

from hippocam.apps.bench.memory import policies, run, show
from hippocam.apps.bench.ours import Ours, entries
from hippocam.apps.bench.policies import slot_bytes
from hippocam.apps.worlds.worlds import SYNTHETIC, synthetic
from hippocam.memory.bank.priors import load_prior
from hippocam.memory.trained import SHIPPED
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import EncoderSpec

SMALL = {"frames": 1500, "needles": 15, "visits": 20, "entities": 4, "distractors": 20}


def small(seed):
    return synthetic(seed, name="small", **SMALL)


@pytest.mark.parametrize("name", entries())
@pytest.mark.parametrize("slots", [32, 48, 64, 128, 256])
def test_ours_keeps_within_its_bytes_at_every_moment(name, slots):
    world, budget = small(1), slots * slot_bytes(64)
    policy = entries()[name].make(budget, world.dim, 1, world.encoder)
    for frame_D, time_s in zip(world.frames_TD, world.times_T.tolist(), strict=True):
        policy.push(frame_D, time_s)
        assert policy._bytes() <= budget
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
    with pytest.raises(HippocamError, match="give it more"):
        Ours(1000, 64, 0)


def test_ours_learns_on_the_way_only_where_the_sketches_are_a_small_part():
    for slots, online in ((128, False), (256, True)):
        policy = Ours(slots * slot_bytes(64), 64, 0)
        show(small(1), policy, slots * slot_bytes(64))
        assert (policy._bank.utility.all.count > 0) == online


def test_ours_takes_the_prior_of_the_worlds_space():
    spec = EncoderSpec(id=SYNTHETIC, dim=64, normalised=True, midpoint=0.0, slope=1.0)
    shipped = load_prior(spec, SHIPPED)
    assert shipped is not None
    assert shipped.events > 0
    budget = 64 * slot_bytes(64)
    assert entries()["ours"].make(budget, 64, 0, SYNTHETIC)._bank.utility.knows
    assert not entries()["ours"].make(budget, 64, 0, "nobody:1")._bank.utility.knows
    assert not entries()["ours-untrained"].make(budget, 64, 0, SYNTHETIC)._bank.utility.knows


def test_ablations_are_in_the_table_but_are_neither_ours_nor_a_rule_to_beat():
    found = policies()
    assert [name for name, entry in found.items() if entry.standing == "ours"] == ["ours"]
    names = [name for name, entry in found.items() if entry.standing == "ablation"]
    assert names == ["ours-untrained", "ours-float16", "ours-surprise"]
    table = {name: found[name] for name in ("ours", *names, "recent", "recent-int8")}
    (world,) = run(["small"], [1], [32], worlds={"small": small}, table=table).worlds
    assert world.best_rule in ("recent", "recent-int8")
