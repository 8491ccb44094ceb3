"""What is left of a robot's observations, and what counts as a key event."""

import math

import numpy as np
import pytest

from hippocam.apps.robot.intake import Intake, RobotConfig

PICTURE = np.zeros((4, 6, 3), np.uint8)


def intake(**config):
    return Intake(RobotConfig(**config), {})


def observe(given, time_s, **more):
    values = {"images": {}, "state": None, "action": None, "pose": None, "text": "", "mark": "", "env": ""}
    return given.observe(time_s=time_s, **(values | more))


@pytest.mark.parametrize(("fps", "expected"), [(5.0, 10), (30.0, 60), (100.0, 60), (None, 60), (1.0, 2)])
def test_each_camera_has_its_turn_at_the_rate_that_is_set(fps, expected):
    given = intake(fps=fps)
    seen = [observe(given, i / 30, images={"a": PICTURE, "b": PICTURE}) for i in range(60)]
    for camera in "ab":
        assert sum(camera in each.images for each in seen) == expected


def test_a_camera_that_vanishes_and_comes_back_is_looked_at_at_once():
    given = intake(fps=1.0)
    turns = []
    for i in range(100):
        there = not 2 <= i / 10 < 7.35
        seen = observe(given, i / 10, images={"a": PICTURE} if there else {})
        turns += [i / 10] if seen.images else []
    assert turns == [0.0, 1.0, 7.4, 8.4, 9.4]


@pytest.mark.parametrize("time_s", [math.nan, math.inf, "now", None, 4.0, 3.0, -1.0])
def test_a_time_that_cannot_be_is_refused_and_the_next_goes_on(time_s):
    given = intake()
    assert observe(given, 4.0) is not None
    assert observe(given, time_s) is None
    assert given.refused_now
    assert sum(given.refused.values()) == 1
    assert observe(given, 5.0) is not None
    assert not given.refused_now


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("pose", [0, 0, 0, 0, 0, 0, math.nan]),
        ("pose", [1, 2]),
        ("pose", "here"),
        ("state", [math.nan]),
        ("state", [object()]),
        ("action", []),
        ("images", {"a": np.zeros((3, 3), np.uint8)}),
        ("images", {"a": np.zeros((3, 3, 3), np.float32)}),
        ("images", {"a": np.zeros((0, 3, 3), np.uint8)}),
        ("images", {"a": np.array([object()])}),
        ("images", {"a": None}),
    ],
)
def test_what_cannot_be_used_is_counted_and_the_rest_is_taken(what, value):
    given = intake()
    seen = observe(given, 1.0, text="go on", **{what: value})
    assert seen.text == "go on"
    assert not getattr(seen, what)
    assert list(given.refused.values()) == [1]


def test_a_pose_in_the_plane_has_its_heading_as_a_quaternion():
    pose = observe(intake(), 0.0, pose=[1.0, 2.0, math.pi / 2]).pose
    assert pose == pytest.approx([1, 2, 0, 0, 0, math.sqrt(0.5), math.sqrt(0.5)])


def test_a_map_that_is_far_from_its_origin_loses_no_millimetre():
    x = 4_158_999.123  # as coordinates about the earth's centre are
    assert observe(intake(), 0.0, pose=[x, 0, 0, 0, 0, 0, 1]).pose[0] == x


def test_key_events_are_reset_task_gripper_and_marks():
    given = intake(gripper=-1)
    marks = []
    for i in range(40):
        if i == 10:
            given.reset("")
        text = "pick" if i < 20 else "place"
        grip = 1.0 if 5 <= i < 8 or i >= 30 else 0.0
        seen = observe(given, float(i), text=text, action=[0.3, grip], mark="look here" if i == 25 else "")
        if seen.mark:
            marks.append((i, seen.mark, seen.episode, seen.ends))
    assert marks == [
        (5, "gripper", 0, False),
        (8, "gripper", 0, False),
        (10, "reset", 1, True),
        (20, "task", 1, False),
        (25, "look here", 1, False),
        (30, "gripper", 1, False),
    ]


def test_noise_about_the_middle_of_its_range_is_no_move_of_the_gripper():
    given = intake(gripper=0)
    rng = np.random.default_rng(0)
    values = [0.0, 1.0, *(0.5 + 0.02 * rng.normal(size=200))]
    marked = [observe(given, float(i), action=[value]).mark for i, value in enumerate(values)]
    assert sum(mark != "" for mark in marked) <= 1


def test_a_key_event_brings_all_pictures_whoever_has_the_turn():
    given = intake(fps=1.0)
    assert observe(given, 0.0, images={"a": PICTURE}).images
    assert not observe(given, 0.1, images={"a": PICTURE}).images
    assert observe(given, 0.2, images={"a": PICTURE}, mark="this").images


def test_environments_have_clocks_and_episodes_of_their_own():
    given = Intake(RobotConfig(), {"left": 6})
    assert observe(given, 100.0, env="left").episode == 7
    assert observe(given, 1.0, env="right").episode == 0
    given.reset("right")
    assert observe(given, 0.0, env="right").episode == 1
    assert observe(given, 101.0, env="left").episode == 7
    assert given.newest("left") == given.newest(None) == ("left", 7, 101.0)
    assert given.newest("right") == ("right", 1, 0.0)
    assert given.newest("nobody") is None


def test_a_reset_before_anything_was_seen_begins_no_second_episode():
    given = intake()
    given.reset("")
    seen = observe(given, 0.0)
    assert (seen.episode, seen.ends, seen.mark) == (0, False, "")


def test_what_was_done_since_the_last_observation_is_its_action():
    given = intake()
    observe(given, 1.0)
    given.acted(1.1, [5.0], [], "")
    assert observe(given, 2.0).action.tolist() == [5.0]
    assert observe(given, 3.0).action is None
    given.acted(3.1, [5.0], [], "")
    assert observe(given, 4.0, action=[6.0]).action.tolist() == [6.0]
    given.acted(4.1, [5.0], [], "")
    given.reset("")
    assert observe(given, 0.0).action is None
