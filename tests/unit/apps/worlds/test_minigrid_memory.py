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


def cue_of(game):
    return (1, game.env.height // 2 - 1)


def test_the_object_is_seen_before_the_question_and_not_where_it_is_chosen():
    """The first room's object is in a view near to the goal while the robot is led, and not at the junction."""
    for seed in range(6):
        game = MiniGridMemory(11, (seed,))
        turns = game.turns()
        empty = MiniGridMemory(11, (seed,))
        empty.env.grid.set(*cue_of(empty), None)
        without = empty.turns()
        shown = [turn for turn, other in zip(turns, without, strict=True) if turn.vector_D @ other.vector_D < 0.9]
        assert max(turn.vector_D @ game.goal_D for turn in shown) > 0.4
        while not game.done:
            assert game.env.agent_pos[0] < 7 or not game.env.in_view(*cue_of(game))
            game.act(game.expert(1)[0])


def test_the_goal_says_nothing_of_the_object():
    goals = {}
    for seed in range(12):
        game = MiniGridMemory(13, (seed,))
        x = min(int(game.env.agent_pos[0]), 3)
        goals.setdefault((x, game.env.grid.get(*cue_of(game)).type), []).append(game.goal_D)
    kinds = {kind for _, kind in goals}
    assert kinds == {"key", "ball"}
    for kind in kinds:
        assert all((goal == goals[3, "key"][0]).all() for goal in goals[3, kind])


def test_two_objects_look_different_and_so_do_a_choice_and_its_mirror_image():
    cues, choices = {}, {}
    for seed in range(12):
        game = MiniGridMemory(13, (seed,))
        kind = game.env.grid.get(*cue_of(game)).type
        cues[kind] = game.turns()[-3].vector_D  # it looks around the first room, before it turns
        while game.env.agent_pos[0] < 9:
            game.act(game.expert(1)[0])
        first = game.env.grid.get(game.env.width - 2, game.env.height // 2 - 2).type
        choices.setdefault(first, []).append(game.now().vector_D)
    assert cues.keys() == choices.keys() == {"key", "ball"}
    assert cues["key"] @ cues["ball"] < 0.8
    same = choices["key"][0] @ choices["key"][1]
    assert same > 0.95 > 0.85 > choices["key"][0] @ choices["ball"][0]


@pytest.mark.parametrize("size", [9, 12])
def test_sizes_at_which_it_leaks_are_refused(size):
    with pytest.raises(ValueError, match="odd number of 11"):
        MiniGridMemory(size, (1,))
    assert np.isfinite(MiniGridMemory(11, (1,)).now().vector_D).all()
