"""hippocam watch --fast: key frames first, marked as coarse; the whole video takes their place later."""

import json
import shutil

import av
import numpy as np
import pytest

from hippocam.apps import Session
from hippocam.apps.cli.main import main
from hippocam.apps.cli.report import evidence_lines, status_lines
from hippocam.apps.web.views.site import moment_json
from hippocam.stream.pipeline import PipelineConfig

COLOURS = {"red": (220, 30, 30), "green": (40, 160, 60), "blue": (40, 80, 210), "yellow": (245, 225, 40)}


@pytest.fixture
def session(tmp_path):
    with Session(tmp_path / "m", encoder="palette") as session:
        yield session


def film(path, scenes, *, rate=5, gop_s=5):
    """Plain colours, seconds each, with a key frame every gop_s seconds and nowhere else."""
    params = f"keyint={rate * gop_s}:min-keyint={rate * gop_s}:scenecut=0"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"x264-params": params, "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for colour, seconds in scenes:
            picture = np.full((90, 160, 3), COLOURS[colour], np.uint8)
            for _ in range(seconds * rate):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


SCENES = [("red", 10), ("green", 13), ("blue", 13), ("yellow", 2), ("blue", 7)]


def seen(session, text):
    return [(m.stream, m.t0_s, m.coarse) for m in session.search(text, top=50) if m.score > 0.5]


def test_a_preview_has_the_times_of_key_frames_and_says_so(tmp_path, session):
    clip = film(tmp_path / "a.mp4", SCENES)
    report = session.watch([clip], fast=True)
    (stream,) = report.streams
    assert (stream.id, stream.frames_seen, stream.fps) == ("a/preview", 9, 0.0)
    # green begins at 10 s, which is a key frame; blue at 23 s, of which the key frame at 25 s is the first
    assert seen(session, "green") == [("a/preview", 10.0, True)]
    assert seen(session, "blue")[0][1:] == (25.0, True)
    assert seen(session, "yellow") == []  # it fell between two key frames
    (moment,) = session.search("green", top=1)
    assert "~0:10 - ~0:25" in evidence_lines([moment])[0]
    assert moment_json(moment)["coarse"] is True  # the page writes its times with a "~"
    assert "~0:10 to ~0:25 in a/preview" in session.ask("When was it green?").answer
    (held,) = session.status().streams
    assert held.coarse
    assert any(
        line.startswith("a/preview") and line.endswith("key frames") for line in status_lines(session.status())
    )


def test_watching_the_same_video_takes_the_place_of_its_preview(tmp_path, session):
    clip = film(tmp_path / "a.mp4", SCENES)
    session.watch([clip], fast=True)
    during = []
    report = session.watch([clip], on_progress=lambda _: during.append({s.id for s in session.status().streams}))
    assert [s.id for s in report.streams] == ["a"]
    assert {"a", "a/preview"} in during  # it answers until the whole is in
    assert [s.id for s in session.status().streams] == ["a"]
    assert {m.stream for m in session.search("anything", top=100)} == {"a"}
    assert seen(session, "green") == [("a", 10.0, False)]
    assert seen(session, "yellow") == [("a", 36.0, False)]
    assert "~" not in "".join(evidence_lines(session.search("green", top=1)))
    plain = tmp_path / "plain"
    with Session(plain, encoder="palette") as other:
        other.watch([clip])
        assert [(m.id, m.t0_s, m.score) for m in other.search("blue")] == [
            (m.id, m.t0_s, m.score) for m in session.search("blue")
        ]


def test_what_was_watched_whole_is_not_previewed_and_a_preview_is_not_made_twice(tmp_path, session):
    clip = film(tmp_path / "a.mp4", SCENES)
    for _ in range(2):
        report = session.watch([clip], fast=True)
    assert report.streams[0].resumed
    assert [s.frames_seen for s in session.status().streams] == [9]
    moved = shutil.move(clip, tmp_path / "b.mp4")
    assert [s.id for s in session.watch([moved], fast=True).streams] == ["a/preview"]
    session.watch([moved])
    assert [s.id for s in session.status().streams] == ["b"]
    report = session.watch([moved], fast=True)
    assert [s.id for s in report.streams] == ["b"]
    assert report.streams[0].resumed
    assert [s.id for s in session.status().streams] == ["b"]


def test_a_preview_stays_while_the_whole_is_not_in(tmp_path, session, media):
    whole = tmp_path / "whole.mp4"
    media.render_video(whole, frames=400, fps=10, size=(320, 240), container_options={"movflags": "faststart"})
    clip = media.cut(whole, tmp_path / "rec.mp4", 0.6)
    assert session.watch([clip], fast=True).failed
    assert session.watch([clip]).failed
    assert {s.id for s in session.status().streams} == {"rec", "rec/preview"}
    shutil.copy(whole, clip)
    assert session.watch([clip]).failed == ()
    assert [s.id for s in session.status().streams] == ["rec"]


def test_two_videos_of_one_name_have_a_preview_each(tmp_path, session):
    for folder, colour in (("x", "red"), ("y", "blue")):
        (tmp_path / folder).mkdir()
        session.watch([film(tmp_path / folder / "a.mp4", [(colour, 6)])], fast=True)
    assert {s.id for s in session.status().streams} == {"a/preview", "a-2/preview"}
    session.watch([tmp_path / "y" / "a.mp4"])
    assert seen(session, "red") == [("a/preview", 0.0, True)]
    assert seen(session, "blue") == [("a", 0.0, False)]


def test_pictures_have_no_key_frames_and_are_watched_whole(tmp_path, session):
    import cv2

    (tmp_path / "shots").mkdir()
    for number in range(6):
        cv2.imwrite(str(tmp_path / "shots" / f"{number:03d}.png"), np.full((60, 80, 3), (30, 30, 220), np.uint8))
    (stream,) = session.watch([tmp_path / "shots"], fast=True).streams
    assert (stream.id, stream.frames_seen, stream.fps) == ("shots", 6, PipelineConfig().fps)


def test_key_frames_far_apart_make_no_gaps(tmp_path, session):
    clip = film(tmp_path / "a.mp4", [("red", 40), ("blue", 40)], gop_s=20)
    session.watch([clip], fast=True)
    (moment,) = session.search("red", top=1)
    assert (moment.t0_s, moment.t1_s) == (0.0, 20.0) or moment.t1_s - moment.t0_s >= 20


def test_the_command_line_previews(tmp_path, capsys):
    clip, memory = film(tmp_path / "a.mp4", SCENES), str(tmp_path / "m")
    assert main(["watch", str(clip), "--memory", memory, "--encoder", "palette", "--fast"]) == 0
    assert "9 key frames seen" in capsys.readouterr().out
    assert main(["search", "green", "--memory", memory, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["moments"]
    assert all(moment["coarse"] for moment in found)
    assert main(["status", "--memory", memory, "--json"]) == 0
    (stream,) = json.loads(capsys.readouterr().out)["streams"]
    assert (stream["coarse"], stream["fps"]) == (True, 0.0)
    assert main(["watch", str(clip), "--memory", memory]) == 0
    assert main(["search", "green", "--memory", memory, "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["moments"]
    assert not any(moment["coarse"] for moment in found)
