"""Machines with levers: what is known of them beforehand, and what is not."""

import numpy as np
import pytest

from hippocam.apps.worlds.levers import LEVERS, Levers
from hippocam.models.policies.playing import FAILED, WORKED


def pulls(game):
    game.turns()
    count = 0
    while not game.done:
        game.act(game.expert(4)[0])
        count += 1
    assert game.success
    return count


def test_who_has_met_the_machine_needs_one_pull_and_who_has_not_as_many_as_the_levers_number():
    for seed in range(10):
        assert pulls(Levers(3, True, (seed,))) == 1
        game = Levers(3, False, (seed,))
        assert pulls(game) == game.lever + 1


def test_how_each_pull_went_is_marked():
    game = Levers(0, True, (4,))
    turns = game.turns()
    assert [turn.mark for turn in turns] == ["", *[FAILED] * game.lever, WORKED]
    game.act(game.lever)
    assert game.now().mark == WORKED
    assert game.now().mark == ""


def test_other_machines_look_different():
    game = Levers(4, True, (5,))
    views = np.stack([turn.vector_D for turn in game.turns()])
    alike = views @ game.goal_D
    own = np.sort(np.argsort(-alike)[: game.lever + 2])
    assert alike[own].min() > np.delete(alike, own).max()
    assert (np.diff(own) == 1).all()  # one attempt after the other


def test_the_machine_may_have_been_met_at_any_time_among_the_others():
    firsts = set()
    for seed in range(20):
        game = Levers(2, True, (seed,))
        views = np.stack([turn.vector_D for turn in game.turns()])
        firsts.add((views @ game.goal_D > 0.5).argmax() > 0)
    assert firsts == {False, True}


def test_it_ends_when_nothing_works():
    game = Levers(0, False, (6,))
    wrong = (game.lever + 1) % LEVERS
    while not game.done:
        game.act(wrong)
    assert not game.success
    with pytest.raises(ValueError, match="over"):
        game.act(wrong)
