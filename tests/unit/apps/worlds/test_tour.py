"""The tour: what is shown, that nothing leaks, and that MiniGrid plays by the same rules."""

import warnings

import numpy as np
import pytest

from hippocam.apps.worlds.tour import ACTIONS, FORWARD, LEFT, OPEN, Tour, TourConfig


def played_by_expert(game):
    turns = game.turns()
    while not game.done:
        game.act(game.expert(1)[0])
    return turns


@pytest.mark.parametrize("rooms", [4, 32])
def test_the_expert_opens_the_right_door(rooms):
    for seed in range(8):
        game = Tour(TourConfig(rooms=rooms), (seed,))
        played_by_expert(game)
        assert game.success


def test_the_first_door_counts():
    game = Tour(TourConfig(rooms=8), (3,))
    game.turns()
    wrong = 0 if game.goal > 1 else 7
    game.goal, right = wrong, game.goal
    while not game.done:
        action = game.expert(1)[0]
        if action == OPEN:
            game.goal = right
        game.act(action)
    assert not game.success
    with pytest.raises(ValueError, match="over"):
        game.act(OPEN)


def test_every_room_is_seen_and_looks_like_its_goal_and_like_no_other():
    for seed in range(5):
        game = Tour(TourConfig(rooms=16), (seed,))
        views = np.stack([turn.vector_D for turn in game.turns()])
        cosines = game.looks @ views.T
        assert (cosines.max(1) > 0.7).all()
        assert np.argmax(game.looks @ game.goal_D) == game.goal
        assert 0.7 < game.looks[game.goal] @ game.goal_D < 0.95  # from another side


def test_what_is_seen_while_it_acts_says_nothing_of_the_goal():
    """Two episodes that differ in their goal alone look the same from the question on."""
    seen = []
    for goal in (0, 5):
        game = Tour(TourConfig(rooms=8, delay=30), (9,))
        game.turns()
        game.goal = goal
        seen.append([])
        for action in (LEFT, LEFT, FORWARD, FORWARD, LEFT, LEFT, LEFT):
            game.act(action)
            seen[-1].append(game.now().vector_D)
    assert (np.array(seen[0]) == np.array(seen[1])).all()


def test_looks_are_new_in_each_episode():
    one, other = (Tour(TourConfig(rooms=8), (seed,)).looks for seed in (1, 2))
    assert np.abs(one @ other.T).max() < 0.95


def test_the_question_comes_after_the_delay():
    short, long = (len(Tour(TourConfig(rooms=4, delay=delay), (1,)).turns()) for delay in (0, 500))
    assert long == short + 500


@pytest.mark.parametrize(("rooms", "delay"), [(3, 0), (0, 0), (4, -1)])
def test_sizes_that_make_no_tour_are_refused(rooms, delay):
    with pytest.raises(ValueError, match="even number"):
        TourConfig(rooms=rooms, delay=delay)


@pytest.mark.parametrize("rooms", [4, 16])
def test_minigrid_plays_by_the_same_rules(rooms):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its renderer's, on import
        pytest.importorskip("minigrid", reason="needs pip install 'hippocam[robot-bench]'")
        from hippocam.apps.worlds.minigrid_tour import MiniGridTour

    rng = np.random.default_rng(0)
    for seed in range(4):
        ours, theirs = (kind(TourConfig(rooms=rooms, delay=40), (seed,)) for kind in (Tour, MiniGridTour))
        for one, other in zip(ours.turns(), theirs.turns(), strict=True):
            assert (one.vector_D == other.vector_D).all()
            assert (one.pose == other.pose).all()
        while not ours.done:
            action = int(rng.integers(ACTIONS)) if rng.random() < 0.5 else ours.expert(1)[0]
            assert theirs.expert(4) == ours.expert(4)
            ours.act(action)
            theirs.act(action)
            assert (ours.now().vector_D == theirs.now().vector_D).all()
            assert (theirs.done, theirs.success) == (ours.done, ours.success)
