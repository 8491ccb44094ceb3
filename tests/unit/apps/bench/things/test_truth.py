"""Annotated things: those that ship can be read, and shares of moments are what they should be."""

from __future__ import annotations

import json

import pytest

from hippocam.apps.bench.things.truth import HALVES, Asked, read_things
from hippocam.apps.cli.bench.options import FOOTAGE
from hippocam.stream.errors import HippocamError

SHIPPED = FOOTAGE / "things" / "queries.json"


def test_those_that_ship_have_ten_things_a_half_or_more_and_windows_within_their_clips(tmp_path):
    rows = json.loads(SHIPPED.read_text())
    for row in rows:
        path = tmp_path / row["video"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    clips = read_things(SHIPPED, tmp_path)
    assert len(clips) == len(rows)
    for half in HALVES:
        asked = [each for clip in clips if clip.half == half for each in clip.asked]
        assert len(asked) >= 10
    for clip in clips:
        windows = [window for each in clip.asked for window in each.windows]
        assert all(0 <= t0_s < t1_s <= clip.duration_s for t0_s, t1_s in windows)


def test_clips_without_their_video_and_of_other_halves_are_left_out(tmp_path):
    assert read_things(SHIPPED, tmp_path) == []
    video = tmp_path / "video" / "cctv" / "pets_vtest.avi"
    video.parent.mkdir(parents=True)
    video.touch()
    assert [clip.half for clip in read_things(SHIPPED, tmp_path)] == ["report"]
    assert read_things(SHIPPED, tmp_path, ["calibrate"]) == []


def test_what_is_no_annotation_is_named(tmp_path):
    (tmp_path / "x.json").write_text('[{"video": "a.mp4"}]')
    for name in ("x.json", "missing.json"):
        with pytest.raises(HippocamError, match=name):
            read_things(tmp_path / name, tmp_path)


def test_share_of_a_moment_in_which_a_thing_is_seen():
    asked = Asked(text="a bird", windows=((10.0, 20.0), (30.0, 40.0)))
    assert asked.shown_for(15.0, 25.0) == 0.5
    assert asked.shown_for(0.0, 40.0) == 0.5
    assert asked.shown_for(12.0, 12.0) == 1.0
    assert asked.shown_for(20.5, 29.0) == 0.0
    assert asked.shown_at(10.0)
    assert not asked.shown_at(25.0)
