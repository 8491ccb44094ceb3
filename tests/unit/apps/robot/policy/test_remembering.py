"""The product's memory as a policy has it, and the ways in which it is taken away."""

import numpy as np
import pytest

from hippocam.apps.robot.policy.ablations import Emptied, Frozen, Other, Shuffled
from hippocam.apps.robot.policy.remembering import OurMemory, our_memory
from hippocam.apps.worlds.levers import Levers
from hippocam.apps.worlds.tour import DIM, Tour, TourConfig


def toured(memory, seed=1, rooms=8):
    game = Tour(TourConfig(rooms=rooms), (seed,))
    for turn in game.turns():
        memory.observe(turn)
    memory.named()
    return game


@pytest.fixture
def memory():
    with our_memory("tour", DIM) as opened:
        yield opened


def door_of(game):
    return 1 + 2 * (game.goal // 2), (-1) ** game.goal * np.pi / 2


def test_what_was_seen_is_recalled_where_it_was(memory: OurMemory):
    game = toured(memory)
    found = memory.recall(game.goal_D, now_s=100.0)
    x, heading = door_of(game)
    assert found.poses_K3[0] == pytest.approx([x, 0, heading], abs=1e-6)
    assert found.cosines_K[0] == max(found.cosines_K) > 0.6
    assert (found.ages_K > 0).all()
    assert not found.stale
    assert memory.bytes() < 1_000_000


def test_what_is_seen_after_the_question_is_recalled_too(memory: OurMemory):
    game = toured(memory)
    looked = game.now()._replace(vector_D=game.looks[3], pose=np.array([77.0, 0, 0]))
    for step in range(3):
        memory.observe(looked._replace(time_s=looked.time_s + step))
    memory.named()
    assert memory.recall(game.looks[3], now_s=200.0).poses_K3[0, 0] == 77.0


def test_an_emptied_memory_recalls_nothing(memory: OurMemory):
    assert len(Emptied(memory).recall(toured(memory).goal_D, 9.0)) == 0


def test_another_episodes_memory_knows_nothing_of_this_one(memory: OurMemory):
    elsewhere = Tour(TourConfig(rooms=8), (5,))
    other = Other(memory, elsewhere.turns())
    here = toured(other)
    own, foreign = (other.recall(game.goal_D, 9.0).cosines_K.max() for game in (elsewhere, here))
    assert own > 0.6 > foreign


def test_a_shuffled_memory_has_every_moment_elsewhere(memory: OurMemory):
    goal_D = toured(memory).goal_D
    right, wrong = memory.recall(goal_D, 9.0), Shuffled(memory).recall(goal_D, 9.0)
    assert (right.cosines_K == wrong.cosines_K).all()
    assert (right.poses_K3 != wrong.poses_K3).any(1).all()
    assert sorted(map(tuple, right.poses_K3)) == sorted(map(tuple, wrong.poses_K3))


def test_a_frozen_memory_knows_what_came_first_and_is_stale(memory: OurMemory):
    frozen = Frozen(memory, steps=8, stale_s=0.75)
    game = toured(frozen)
    late = frozen.recall(game.goal_D, game.now().time_s)
    assert late.stale
    assert late.poses_K3[:, 0].max() < 3
    assert not frozen.recall(game.goal_D, 8 * 0.2 + 0.5).stale


def test_how_something_went_is_recalled_with_it(memory: OurMemory):
    """Each lever that was pulled, and whether it worked."""
    game = Levers(2, True, (8,))
    for turn in game.turns():
        memory.observe(turn)
    memory.named()
    found = memory.recall(game.goal_D, now_s=500.0)
    own = found.only(np.flatnonzero(found.cosines_K > 0.5))
    went = {round(x): outcome for x, outcome in zip(own.poses_K3[:, 0], own.outcomes_K, strict=True)}
    assert went[game.lever] == 1.0
    assert all(went[lever] == -1.0 for lever in range(game.lever))
    assert went.get(-1, 0.0) == 0.0  # it stood away, and did nothing
