"""What a robot gives, as it can be kept: values, and not only whether they are taken."""

import math

import numpy as np
import pytest

from hippocam.apps.robot import checks


def test_a_position_with_a_heading_is_a_pose():
    pose = checks.pose_of([1, 2, math.pi / 2])
    assert pose[:3].tolist() == [1, 2, 0]
    assert pose[3:] == pytest.approx([0, 0, math.sqrt(0.5), math.sqrt(0.5)])


def test_numbers_are_copied():
    given = np.array([1.0, 2.0])
    kept = checks.numbers_of(given)
    given[:] = 7
    assert kept.tolist() == [1, 2]
    assert kept.dtype == np.float32
    assert checks.numbers_of(3.5).tolist() == [3.5]
    assert checks.numbers_of([True, False]).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("given", "name"), [(0, "0"), ("arm", "arm"), ("", ""), (np.int64(3), "3"), ("a/b", "a/b")]
)
def test_names_are_words_or_whole_numbers(given, name):
    assert checks.name_of(given) == name


@pytest.mark.parametrize(
    "text", ["", "7" * 15, "7" * 17, "f" * 16, "8" + "0" * 15, "-" + "7" * 15, "g" * 16, None, 5]
)
def test_what_the_database_cannot_hold_is_no_id(text):
    assert checks.entry_id_of(text) is None


def test_an_id_is_read_as_people_see_it():
    assert checks.entry_id_of("7" + "f" * 15) == 2**63 - 1


def test_a_heading_alone_allows_an_eighth_of_a_turn():
    rest = {"streams": None, "near": None, "after_s": None, "before_s": None}
    assert checks.condition_of(heading=1.0, **rest).heading == (1.0, math.pi / 4)
    assert checks.condition_of(heading=np.float32(1.0), **rest).heading == (1.0, math.pi / 4)
    assert checks.condition_of(heading=[1.0, 0.1], **rest).heading == (1.0, 0.1)
