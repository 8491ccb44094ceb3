"""How what a memory says is there is scored."""

import json

import numpy as np
import pytest

from hippocam.apps.bench.known.presence import SHIFTS, Shown, moved, read_shown, table, told_of
from hippocam.memory.training.auc import auc


def test_the_area_is_the_share_of_pairs_in_order():
    assert auc(np.array([0.9, 0.4]), np.array([0.5, 0.1])) == pytest.approx(3 / 4)
    assert auc(np.array([0.5]), np.array([0.5])) == pytest.approx(1 / 2)


def test_what_is_said_is_counted_half_by_half(tmp_path):
    clips = [
        Shown(video=tmp_path / "a", half="report", present=("car", "tree"), absent=("dog",)),
        Shown(video=tmp_path / "b", half="report", present=("man",), absent=("cat", "bus")),
    ]
    scores = {
        tmp_path / "a": {"memory": np.array([0.9, 0.4, 0.6, 0.1])},
        tmp_path / "b": {"memory": np.array([0.8, 0.3, 0.2, 0.7])},
    }
    told = told_of("report", "memory", clips, scores)
    assert (told.present, told.absent, told.never) == pytest.approx((2 / 3, 2 / 3, 1 / 2))
    assert told.auc == pytest.approx(8 / 9)
    assert told.by_clip == pytest.approx((1 / 2 + 1) / 2)
    assert "| report | memory | 0.889 |" in table([told])


def test_a_belief_that_is_moved_says_more_or_less(tmp_path):
    clips = [Shown(video=tmp_path / n, half="calibrate", present=("car", "tree"), absent=("dog",)) for n in "abc"]
    # log odds of what is present, present, absent, and of a text that no clip shows
    odds = {"a": [1, -0.15, -0.9, 9], "b": [1, -0.15, -0.25, 9], "c": [1, -0.15, -0.25, 9]}
    scores = {tmp_path / name: 1 / (1 + np.exp(-np.array(row, float))) for name, row in odds.items()}
    found = moved(clips, scores)
    assert list(found.shares) == list(SHIFTS)
    assert found.shares[0.0] == (1 / 2, 1)
    assert found.shares[0.2] == (1, 1)  # all is right
    assert found.shares[0.3] == (1, pytest.approx(1 / 3))
    assert found.left_out == (1, 1)
    assert "| present, said to be there | 0.50 |" in table([], found)


def test_a_clip_is_moved_by_what_is_best_for_the_others(tmp_path):
    clips = [Shown(video=tmp_path / n, half="calibrate", present=("car",), absent=("dog",)) for n in "ab"]
    odds = {"a": [1, 0.15], "b": [-0.15, -1]}  # one is best moved down, the other up
    scores = {tmp_path / name: 1 / (1 + np.exp(-np.array(row, float))) for name, row in odds.items()}
    assert moved(clips, scores).left_out == (1 / 2, 1 / 2)


def test_clips_without_their_video_are_left_out(tmp_path):
    (tmp_path / "here.mp4").touch()
    clips = [
        {"video": name, "half": "report", "present": ["a car"], "absent": []} for name in ("here.mp4", "no.mp4")
    ]
    (tmp_path / "things.json").write_text(json.dumps({"how": "by hand", "clips": clips}))
    (read,) = read_shown(tmp_path / "things.json", tmp_path)
    assert read == Shown(video=tmp_path / "here.mp4", half="report", present=("a car",), absent=())
