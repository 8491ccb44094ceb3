"""What is new in an event is stressed, the more so the more of it was known."""

import numpy as np
import pytest

from hippocam.memory.codec import signs
from hippocam.memory.stress import in_one, stressed, to_reduce

D = 64
KNOWN, KEY = np.eye(2, D, dtype=np.float32)


def event(new):
    """Key and scene of an event of which so much is new, [1, D] each."""
    return KEY[None], (np.sqrt(1 - new**2) * KNOWN + new * KEY)[None].astype(np.float32)


def share_of_new(new, weight=1.0):
    return float((stressed(*event(new), weight) @ KEY)[0])


@pytest.mark.parametrize("new", [0.0, 1.0])
def test_where_nothing_or_all_is_new_it_is_the_scene(new):
    key, scene = event(new)
    np.testing.assert_allclose(stressed(key, scene, 1.0), scene, atol=1e-6)


def test_what_is_new_is_stressed_less_where_it_is_most_of_the_scene():
    raised = [share_of_new(new) / new for new in (0.1, 0.3, 0.5, 0.7, 0.9)]
    assert raised == sorted(raised, reverse=True)
    assert raised[0] == pytest.approx(2, abs=0.05)  # once more beside all that is shown
    assert raised[-1] < 1.02  # most of it is known no more
    assert share_of_new(0.3, weight=0.0) == pytest.approx(0.3, abs=1e-6)


def test_rows_have_the_length_of_their_scenes():
    rng = np.random.default_rng(0)
    keys, scenes = rng.normal(size=(2, 9, D)).astype(np.float32)
    keys, scenes = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (keys, scenes))
    assert np.linalg.norm(stressed(keys, scenes, 1.0), axis=1) == pytest.approx(1, abs=1e-5)
    outlines = np.float32(1.08) * scenes  # as long as one that ships makes them
    assert np.linalg.norm(stressed(outlines, outlines, 1.0), axis=1) == pytest.approx(1, abs=1e-5)
    keys, scenes = (np.stack([signs(row) for row in rows]) for rows in (keys, scenes))
    assert np.linalg.norm(stressed(keys, scenes, 1.0), axis=1) == pytest.approx(np.linalg.norm(scenes, axis=1))


@pytest.mark.parametrize("new", [0.5, 0.7, 0.9])
def test_what_is_left_of_both_is_what_is_compared_with_a_question_or_nearer_to_the_key(new):
    key, scene = event(new)
    searched, known = (
        in_one(3 * key[0], 5 * scene[0], as_searched=each) for each in (True, False)
    )  # of any length
    np.testing.assert_allclose(searched, stressed(key, scene, 1.0)[0], atol=1e-6)
    assert np.linalg.norm(known) == pytest.approx(1, abs=1e-6)
    assert known @ key[0] > searched @ key[0] >= 0.66
    assert searched @ scene[0] > known @ scene[0] >= 0.94


@pytest.mark.parametrize(
    ("new", "as_one", "apart"), [(0.45, False, True), (0.45, True, False), (0.55, False, False)]
)
def test_one_vector_stands_for_both_where_they_are_near_or_room_is_short(new, as_one, apart):
    key, scene = (rows[0] for rows in event(new))
    left = to_reduce(key, scene, as_searched=True, as_one=as_one)
    expected = (key, scene) if apart else (in_one(key, scene, as_searched=True),) * 2
    for row, true in zip(left, expected, strict=True):
        np.testing.assert_array_equal(row, true)
