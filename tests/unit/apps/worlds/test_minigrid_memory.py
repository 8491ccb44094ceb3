"""MiniGrid's Memory task: what the robot is shown, and that the expert goes right."""

import warnings

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its renderer's, on import
    pytest.importorskip("minigrid", reason="needs pip install 'hippocam[robot-bench]'")
    from hippocam.apps.worlds.minigrid_memory import MiniGridMemory


@pytest.mark.parametrize("size", [11, 17])
def test_the_expert_reaches_the_right_object(size):
    for seed in range(6):
        game = MiniGridMemory(size, (seed,))
        game.turns()
        while not game.done:
            game.act(game.expert(1)[0])
        assert game.success


def test_the_object_is_seen_before_the_question_and_not_where_it_is_chosen():
    """The first room's object is in the view while the robot is led, and is not from the junction."""
    for seed in range(6):
        game = MiniGridMemory(11, (seed,))
        cue = (1, game.env.height // 2 - 1)
        assert max(turn.vector_D @ game.goal_D for turn in game.turns()) > 0.5
        while not game.done:
            assert game.env.agent_pos[0] < 7 or not game.env.in_view(*cue)
            game.act(game.expert(1)[0])


def test_two_objects_look_different():
    vectors = {}
    for seed in range(12):
        game = MiniGridMemory(13, (seed,))
        kind = game.env.grid.get(1, game.env.height // 2 - 1).type
        vectors[kind] = game.turns()[-3].vector_D  # it looks around the first room, before it turns
    assert vectors.keys() == {"key", "ball"}
    assert vectors["key"] @ vectors["ball"] < 0.8


@pytest.mark.parametrize("size", [9, 12])
def test_sizes_at_which_it_leaks_are_refused(size):
    with pytest.raises(ValueError, match="odd number of 11"):
        MiniGridMemory(size, (1,))
    assert np.isfinite(MiniGridMemory(11, (1,)).now().vector_D).all()
