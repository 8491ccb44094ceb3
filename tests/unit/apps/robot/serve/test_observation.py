"""Observations as robots' policies have them."""

import numpy as np
import pytest

from hippocam.apps.robot.serve.observation import camera_of, observed

RED = np.zeros((6, 8, 3), np.uint8)
RED[..., 0] = 200


@pytest.mark.parametrize(
    ("message", "camera"),
    [
        ({"observation/image": RED}, "camera"),
        ({"observation/wrist_image": RED}, "wrist"),
        ({"images": {"cam_high": RED}}, "cam_high"),
        ({"observation": {"images": {"front": RED}}}, "front"),
        ({"observation.images.top": RED}, "top"),
        ({"image": {"base_0_rgb": RED}}, "base_0"),
        ({b"observation/image": RED}, "camera"),
    ],
)
def test_pictures_are_found_under_the_names_that_policies_use(message, camera):
    found = observed(message)
    assert list(found.images) == [camera]
    assert np.array_equal(found.images[camera][0], RED)


@pytest.mark.parametrize(
    "picture",
    [RED.transpose(2, 0, 1), RED.astype(np.float32) / 255, RED.astype(np.float64), RED.transpose(2, 0, 1) / 255.0],
)
def test_channels_first_and_fractions_are_the_same_picture(picture):
    (found,) = observed({"image": picture}).images["camera"]
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - RED).max() <= 1


@pytest.mark.parametrize("every", [[RED, RED // 2], np.stack([RED, RED // 2])])
def test_all_pictures_since_the_last_call_are_taken_in_order(every):
    found = observed({"image": every}).images["camera"]
    assert [int(picture.max()) for picture in found] == [200, 100]


def test_state_prompt_time_and_environment():
    message = {
        "observation/state": [1, 2],
        "observation/joint_position": np.array([3.0]),
        "prompt": "pick",
        "env": 2,
    }
    found = observed(message | {"time_s": 1.5})
    assert found.state.tolist() == [3, 1, 2]
    assert (found.prompt, found.env, found.time_s) == ("pick", "2", 1.5)
    assert not found.reset


@pytest.mark.parametrize(
    "value", [np.zeros((0, 3, 3)), np.zeros((5, 5)), "text", None, 3, np.full((2, 2, 3), np.nan)]
)
def test_what_is_no_picture_does_no_harm(value):
    found = observed({"image": value})
    assert all(picture.dtype == np.uint8 for every in found.images.values() for picture in every)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"env": ["a"], "goal": "the cup", "vector": [np.nan]}, {"env", "goal", "vector"}),
        ({"image": np.zeros((5, 5)), "state": "bent", "pose": [1, 2]}, {"picture", "state", "pose"}),
        ({"time_s": "now", "prompt": ["red", "cup"]}, {"time", "prompt"}),
        ({"env": 1, "goal": [1.0], "vector": [1.0], "pose": [0, 0, 0], "time_s": 1, "prompt": b"red"}, set()),
        ({"image": None, "something": "else"}, set()),
    ],
)
def test_what_was_told_and_cannot_be_used_is_named(message, words):
    assert set(observed(message).refused) == words


def test_a_message_that_is_no_map_is_refused():
    with pytest.raises(ValueError, match="must be a map"):
        observed([1, 2])


def test_a_reset_is_one():
    assert observed({"reset": True}).reset
    assert not observed({"reset": np.array([True])}).reset


def test_names_of_cameras_are_never_empty():
    assert camera_of("observation/image") == camera_of("image") == "camera"


def test_what_a_robot_knows_of_each_instant_is_told_from_the_newest_back():
    message = {"vector": np.eye(2), "pose": [[0, 0, 0], [1, 2, 3]], "mark": ["", "worked"], "time_s": [1.0, 1.2]}
    found = observed(message)
    assert found.frames == 2
    assert [found.vector_at(back).tolist() for back in (1, 0)] == [[1, 0], [0, 1]]
    assert [found.pose_at(back).tolist() for back in (1, 0)] == [[0, 0, 0], [1, 2, 3]]
    assert [found.mark_at(back) for back in (1, 0)] == ["", "worked"]
    assert [found.time_at(back) for back in (2, 1, 0)] == [None, 1.0, 1.2]


@pytest.mark.parametrize(
    "message",
    [
        {"pose": [1.0, np.nan, 0.0]},
        {"pose": [1.0, 2.0]},
        {"pose": [[1.0, 2.0, 3.0], [1.0]]},
        {"vector": "text"},
        {"vector": np.array([None])},
        {"time_s": [1.0, None]},
        {"time_s": np.nan},
    ],
)
def test_what_cannot_be_used_is_passed_over(message):
    found = observed(message)
    assert (list(found.vectors), list(found.poses), list(found.times_s), found.frames) == ([], [], [], 1)


def test_a_goal_is_a_picture_or_a_vector_and_no_camera():
    found = observed({"image": RED // 2, "goal_image": RED})
    assert list(found.images) == ["camera"]
    assert np.array_equal(found.goal, RED)
    assert observed({"goal": [0.0, 1.0]}).goal.tolist() == [0, 1]
    assert observed({"goal": "somewhere"}).goal is None
