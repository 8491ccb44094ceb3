"""Scores of episodes, against other sources."""

import numpy as np
import pytest

from hippocam.apps.robot.policy.demonstrations import LaidOut, demonstrate, demonstrations, episodes, remembered
from hippocam.apps.robot.policy.remembering import our_memory
from hippocam.apps.robot.policy.trials import Played, play, score, wilson
from hippocam.apps.robot.policy.worlds import WORLDS, world_named
from hippocam.models.policies.playing import TRIED
from hippocam.models.policies.policy import Chosen
from hippocam.models.policies.records import nothing
from hippocam.stream.errors import HippocamError

WORLD = WORLDS["tour"]


class Nothing:
    """A memory of nothing."""

    def observe(self, turn):
        pass

    def named(self):
        pass

    def recall(self, goal_D, now_s):
        return nothing(len(goal_D))

    def bytes(self):
        return 7


class Expert:
    """Knows the game that it plays."""

    def __init__(self, game):
        self.game = game

    def act(self, moment, draws=None):
        return Chosen(np.array(self.game.expert(4)), 0.5)


def test_an_expert_scores_one():
    game = WORLD.play(8, 0, (TRIED, 1, 0))
    played = play(game, Nothing(), Expert(game), 2)
    assert (played.success, played.bytes) == (True, 7)
    assert played.steps <= 2 * len(played.act_s)
    assert set(played.gates) == {0.5}


def test_scores_count():
    once = {"act_s": [0.002], "gates": [0.25], "shown": 4, "shown_s": 0.02, "bytes": 10}
    every = [Played(success=k < 9, steps=k, **once) for k in range(10)]
    told = score(every)
    assert (told.success, told.n, told.steps, told.act_ms, told.bytes) == (0.9, 10, 4.5, 2.0, 10)
    assert (told.observe_ms, told.gate) == (5.0, 0.25)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(9, 10, 0.5958, 0.9821), (0, 20, 0.0, 0.1611), (50, 50, 0.9287, 1.0)],  # R, binom::binom.wilson
)
def test_wilsons_interval(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx((low, high), abs=2e-4)


def test_episodes_to_learn_from_are_other_ones_than_those_that_are_tried():
    learned = list(episodes(WORLD, 8, seed=1))
    tried = [WORLD.play(size, 0, (TRIED, 1, k)) for k, size in enumerate((4, 8, 16, 32) * 2)]
    assert {len(game.looks) for game in learned} == set(WORLD.sizes)
    goals = np.stack([game.goal_D for game in learned]) @ np.stack([game.goal_D for game in tried]).T
    assert np.abs(goals).max() < 0.9


def test_demonstrations_hold_what_the_expert_did():
    game = WORLD.play(16, 0, (1, 2, 3))
    with our_memory("tour", WORLD.dim) as memory:
        lessons = remembered(demonstrate(game, 4, np.random.default_rng(0)), memory)
    assert game.success
    assert lessons[-1].actions == [3]
    assert len(lessons[-2].actions) == 2
    assert all(len(lesson.moment.recalled) for lesson in lessons)
    learned, held_out = LaidOut.of(lessons, 4, share=0.25, seed=0, turned=WORLD.new_looks)
    assert (len(learned), len(held_out)) == (len(lessons) - round(len(lessons) / 4), round(len(lessons) / 4))
    batch, chunks = learned.batch([0, 1])
    assert chunks.shape == (2, 4)
    cosines = (batch.vectors_BKD * batch.goal_BD[:, None]).sum(-1)  # turned alike, so that these are left
    assert np.allclose(cosines[batch.held_BK], batch.moments_BKF[..., 0][batch.held_BK], atol=1e-5)


def test_a_demonstration_is_the_same_whatever_remembers_it():
    """Played once, it teaches each memory what it would have if it had been beside the expert."""
    (played,) = demonstrations(WORLD, 1, seed=3)
    with our_memory("tour", WORLD.dim) as memory:
        with_ours = remembered(played, memory)
    with_none = remembered(played, Nothing())
    assert [lesson.actions for lesson in with_ours] == [lesson.actions for lesson in with_none]
    assert all(
        (one.moment.pose == other.moment.pose).all() for one, other in zip(with_ours, with_none, strict=True)
    )
    assert {len(lesson.moment.recalled) for lesson in with_none} == {0}
    assert min(len(lesson.moment.recalled) for lesson in with_ours) > 0


def test_an_unknown_world_is_refused():
    with pytest.raises(HippocamError, match="no world is called 'moon'; there are tour"):
        world_named("moon")
