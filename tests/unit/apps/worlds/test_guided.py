"""The tour with signs: what is remembered is wrong, and what is seen is enough."""

import numpy as np

from hippocam.apps.worlds.guided import GuidedTour
from hippocam.apps.worlds.tour import ACTIONS, FORWARD, LEFT, Stand, TourConfig


def test_what_was_asked_for_stands_elsewhere_than_where_it_was_seen():
    for seed in range(8):
        game = GuidedTour(TourConfig(rooms=4), (seed,))
        views = np.stack([turn.vector_D for turn in game.turns()])
        assert np.argmax(game.looks @ game.goal_D) == game.seen_in != game.goal
        assert (views @ game.goal_D).max() > 0.5  # it was seen, so a memory recalls it
        while not game.done:
            game.act(game.expert(1)[0])
        assert game.success


def test_the_view_alone_says_what_to_do():
    """The nearest of the mean views of each action, of other episodes, is the right one."""

    def views(seeds):
        found = []
        for seed in seeds:
            game = GuidedTour(TourConfig(rooms=8), (seed,))
            game.turns()
            while not game.done:
                found.append((game.now().vector_D, game.expert(1)[0]))
                game.act(game.expert(1)[0] if len(found) % 5 else LEFT)
        return found

    shown, asked = views(range(40)), views(range(40, 60))
    means = np.stack([np.mean([view for view, best in shown if best == k], 0) for k in range(ACTIONS)])
    right = [np.argmax(means @ view - (means**2).sum(1) / 2) == best for view, best in asked]
    assert np.mean(right) > 0.9


def test_the_sign_is_shown_after_the_tour_only():
    """What is seen depends on where the thing stands now, once it was moved."""
    views = []
    for goal in (0, 7):
        game = GuidedTour(TourConfig(rooms=8), (3,))
        game.goal = goal
        led = np.stack([turn.vector_D for turn in game.turns()])
        game.act(FORWARD)
        game.act(LEFT)
        views.append((led, [game.view() for game.stand in (Stand(4, 0), Stand(1, 1))]))
    (led, after), (again, others) = views
    assert (led == again).all()
    assert all((one != other).any() for one, other in zip(after, others, strict=True))
