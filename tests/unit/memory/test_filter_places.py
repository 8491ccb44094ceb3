"""How near a way comes to a place, against a way that is looked at every millimetre."""

import numpy as np
import pytest

from hippocam.memory.filter import passed_by, within


@pytest.mark.parametrize("seed", range(20))
def test_a_way_is_as_near_as_its_nearest_millimetre(seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-5, 5, (6, 2)).round(2)
    points[3] = points[2]  # it stood still
    goes_on = np.array([True, True, True, False, True, False])
    x, y = rng.uniform(-5, 5, 2)
    found = passed_by(points, goes_on, x, y)
    for k, (start, on) in enumerate(zip(points, goes_on, strict=True)):
        end = points[k + 1] if on else start
        steps = start + np.linspace(0, 1, 15_001)[:, None] * (end - start)
        assert found[k] == pytest.approx(np.hypot(*(steps - (x, y)).T).min(), abs=2e-3)


def test_a_place_between_two_samples_was_passed_and_one_behind_the_last_was_not():
    poses = np.zeros((2, 7))
    poses[1, 0] = 10.0
    assert within(poses, (5.0, 0.5, 1.0))
    assert not within(poses, (5.0, 1.5, 1.0))
    assert not within(poses, (11.5, 0.0, 1.0))
    assert not within(np.zeros((0, 7)), (0.0, 0.0, 1.0))
    assert within(poses[:1], (0.5, 0.0, 1.0))
