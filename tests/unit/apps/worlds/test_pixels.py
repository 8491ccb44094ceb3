"""The tour in pixels: that doors hide, walls stop, and a place is known from the side."""

import warnings

import numpy as np
import pytest

from hippocam.apps.worlds.pixels.paintings import SIDE_PX, painting
from hippocam.apps.worlds.tour import FORWARD, LEFT, RIGHT, Stand, TourConfig

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pyglet's, on import
    try:
        from hippocam.apps.worlds.pixels.scene import CELL_M, Scene, Stood, room_x_m
        from hippocam.apps.worlds.pixels.tour import PixelTour

        Scene()
        MISSING = ""
    except Exception as error:  # no MiniWorld, or no OpenGL: pyglet raises what it likes
        MISSING = f"needs pip install 'hippocam[robot-bench]' and OpenGL: {error}"

draws = pytest.mark.skipif(bool(MISSING), reason=MISSING)


def test_paintings_are_new_ones():
    drawn = [painting(np.random.default_rng(seed)) for seed in (1, 1, 2, 3)]
    assert drawn[0].shape == (SIDE_PX, SIDE_PX, 3)
    assert (drawn[0] == drawn[1]).all()
    assert all(np.abs(drawn[0].astype(int) - other).mean() > 10 for other in drawn[2:])


@draws
def test_a_closed_door_hides_the_painting():
    scene, rng = Scene(), np.random.default_rng(0)
    one, other = ([painting(rng) for _ in range(4)] for _ in range(2))
    before = Stood(room_x_m(2), 0.0, np.pi / 2)
    opened = [scene.look(every, before, doors_open=True) for every in (one, other)]
    closed = [scene.look(every, before, doors_open=False) for every in (one, other)]
    assert np.abs(opened[0].astype(int) - opened[1]).mean() > 2
    assert (closed[0] == closed[1]).all()
    assert (scene.look(one, before, doors_open=True) == opened[0]).all()  # the scene before is drawn again


@draws
def test_walls_and_closed_doors_stop_who_walks():
    game = PixelTour(TourConfig(rooms=4), (1,))
    game.turns()
    game.stand = Stand(1, 1)
    game.act(FORWARD)
    assert game.stand == Stand(1, 1)
    assert -1 < game.stood.z_m < 0  # nearer to the door
    game.act(RIGHT)
    game.act(FORWARD)
    assert game.stand == Stand(2, 0)
    assert game.stood.x_m == pytest.approx(2 * CELL_M)


@draws
def test_the_expert_opens_the_right_door_and_has_seen_what_is_behind_it():
    """From the corridor the room of the goal's picture looks most like it, of all that was seen."""
    known = 0
    for seed in range(6):
        game = PixelTour(TourConfig(rooms=4), (0, 7, seed))
        turns = game.turns()
        nearest = turns[int(np.argmax([turn.vector_D @ game.goal_D for turn in turns]))]
        before = [1 + 2 * (game.goal // 2), 0, (1.5 if game.goal % 2 else 0.5) * np.pi]
        known += np.allclose(nearest.pose, before, atol=0.01)
        while not game.done:
            game.act(game.expert(1)[0])
        assert game.success
    assert known >= 5


@draws
def test_what_is_seen_after_the_tour_says_nothing_of_the_goal():
    seen = []
    for goal in (0, 3):
        game = PixelTour(TourConfig(rooms=4), (5,))
        game.turns()
        game.goal = goal
        seen.append([])
        for action in (LEFT, LEFT, FORWARD, FORWARD, RIGHT, RIGHT):
            game.act(action)
            seen[-1].append(game.seen())
    assert (np.stack(seen[0]) == np.stack(seen[1])).all()
