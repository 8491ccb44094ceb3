"""What is watched again: recognised by content, gone on with where it grew, kept apart where it is another."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys

import pytest

from hippocam.apps import Session
from hippocam.apps.archive.records import ArchiveConfig, ArchiveRequest
from hippocam.apps.archive.run import archive
from hippocam.apps.content import fingerprint_of
from hippocam.stream.errors import HippocamError


@pytest.fixture
def session(tmp_path):
    with Session(tmp_path / "m", encoder="palette") as session:
        yield session


def names(report):
    return [s.id for s in report.streams]


def moments(session, text):
    return sorted((m.stream, m.t0_s) for m in session.search(text, top=50) if m.score > 0.5)


def test_a_linked_moved_or_touched_file_is_not_watched_twice(tmp_path, session, colour_video):
    clip = colour_video(tmp_path / "a.mp4", [("red", 4), ("blue", 4)])
    session.watch([clip])
    before = moments(session, "red")
    (tmp_path / "link.mp4").symlink_to(clip)
    os.link(clip, tmp_path / "hard.mp4")
    os.utime(clip)
    for again in (clip, tmp_path / "link.mp4", tmp_path / "hard.mp4"):
        report = session.watch([again])
        assert names(report) == ["a"]
        assert report.streams[0].resumed
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "hard.mp4").unlink()
    moved = shutil.move(clip, tmp_path / "elsewhere" / "b.mp4")
    assert names(session.watch([moved])) == ["a"]
    assert session.status().streams[0].source == str(moved)
    assert moments(session, "red") == before == [("a", 0.0)]


def test_other_content_under_the_same_name_is_a_stream_of_its_own(tmp_path, session, colour_video):
    session.watch([colour_video(tmp_path / "a.mp4", [("red", 4)])])
    assert names(session.watch([colour_video(tmp_path / "a.mp4", [("blue", 4)])])) == ["a-2"]
    assert moments(session, "red") == [("a", 0.0)]
    assert moments(session, "blue") == [("a-2", 0.0)]


def test_two_new_files_of_one_name_in_one_call_stay_apart(tmp_path, session, colour_video):
    for folder, colour in (("x", "red"), ("y", "blue"), ("z", "yellow")):
        (tmp_path / folder).mkdir()
        colour_video(tmp_path / folder / "field.mp4", [(colour, 3)])
    shutil.copy(tmp_path / "z" / "field.mp4", tmp_path / "y" / "field-2.mp4")
    session.watch([tmp_path / "x" / "field.mp4"])
    report = session.watch([tmp_path / "y" / "field.mp4", tmp_path / "y" / "field-2.mp4"])
    assert len(set(names(report))) == 2
    assert [m[1] for colour in ("red", "blue", "yellow") for m in moments(session, colour)] == [0.0, 0.0, 0.0]


def test_a_recording_that_was_cut_off_is_gone_on_with_and_then_is_done(tmp_path, session, media):
    whole = tmp_path / "whole.mp4"
    media.render_video(whole, frames=400, size=(320, 240), container_options={"movflags": "faststart"})
    recording = media.cut(whole, tmp_path / "rec.mp4", 0.6)
    assert session.watch([recording]).failed
    seen = session.status().streams[0].frames_seen
    shutil.copy(whole, recording)
    for _ in range(2):
        report = session.watch([recording])
        assert report.failed == ()
        assert names(report) == ["rec"]
        assert report.streams[0].frames_seen == 16 > seen


def test_a_folder_of_pictures_that_grew_is_gone_on_with(tmp_path, session):
    import cv2
    import numpy as np

    folder = tmp_path / "shots"
    folder.mkdir()

    def add(numbers, bgr):
        for number in numbers:
            cv2.imwrite(str(folder / f"{number:03d}.png"), np.full((60, 80, 3), bgr, np.uint8))

    add(range(6), (30, 30, 220))
    session.watch([folder])
    add(range(6, 12), (210, 80, 40))
    report = session.watch([folder])
    assert names(report) == ["shots"]
    assert report.streams[0].frames_seen == 12
    assert moments(session, "red") == [("shots", 0.0)]
    assert moments(session, "blue") == [("shots", 6.0)]


def test_a_memory_does_not_watch_itself(tmp_path, colour_video, monkeypatch):
    colour_video(tmp_path / "a.mp4", [("red", 4)])
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        with Session(encoder="palette") as session:
            assert names(session.watch(["."])) == ["a"]


def test_a_name_that_is_not_utf8_stops_nothing(tmp_path, session, colour_video):
    good = colour_video(tmp_path / "good.mp4", [("red", 2)])
    shutil.copy(good, os.path.join(os.fsencode(tmp_path), b"\xff\xfe.mp4"))
    report = session.watch([tmp_path])
    assert names(report) == ["good"]
    (failure,) = report.failed
    assert "\\xff\\xfe.mp4" in failure.source
    assert "rename" in failure.reason


def test_nothing_to_watch_leaves_no_memory_behind(tmp_path, session):
    assert session.watch([tmp_path / "missing.mp4"]).failed
    assert not (tmp_path / "m").exists()


def test_the_newest_frames_can_be_had_while_watching(tmp_path, session, colour_video):
    clip = colour_video(tmp_path / "a.mp4", [("red", 2), ("blue", 2), ("yellow", 2)] * 4)
    latest = []
    tiers = []

    def look(progress):
        latest.append([f.time_s for f in session.latest("a")])
        tiers.append(session.status().tiers[0].entries)

    session.watch([clip], on_progress=look)
    assert max(len(times) for times in latest) == 8
    assert all(times == sorted(times) for times in latest)
    assert max(tiers) == 8
    assert session.latest("a") == []


def test_a_memory_of_another_encoder_version_is_not_searched(tmp_path, session, colour_video):
    session.watch([colour_video(tmp_path / "a.mp4", [("red", 2)])])
    database = sqlite3.connect(tmp_path / "m" / "memory.db")
    database.execute("UPDATE meta SET value = replace(value, 'palette:1', 'palette:0') WHERE key = 'spec'")
    database.commit()
    database.close()
    with pytest.raises(HippocamError, match=r"made with encoder palette \(palette:0\), not palette \(palette:1\)"):
        session.search("red")


@pytest.mark.parametrize("budget", [float("nan"), float("inf"), 0.2, -3])
def test_a_budget_out_of_range_is_refused(tmp_path, session, colour_video, budget):
    clip = colour_video(tmp_path / "a.mp4", [("red", 2)])
    with pytest.raises(ValueError, match="budget must be 0.4 MB or more"):
        session.watch([clip], budget_mb=budget)


def raw_film(path, colours, *, end="blue"):
    """Raw pictures at one a second: any film of as many pictures has the same size; begin and end are alike."""
    luma = {"red": (82, 90, 240), "blue": (41, 240, 110), "green": (145, 54, 34)}
    width, height = 320, 240
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W%d H%d F1:1 Ip A1:1 C420\n" % (width, height))
        for colour in ("blue", *colours, end):
            y, u, v = luma[colour]
            file.write(b"FRAME\n" + bytes([y]) * (width * height) + bytes([u]) * (width * height // 4))
            file.write(bytes([v]) * (width * height // 4))
    return path


def test_files_of_one_size_with_the_same_ends_are_told_apart(tmp_path, session):
    first = raw_film(tmp_path / "a.y4m", ["red"] * 6)
    second = raw_film(tmp_path / "b.y4m", ["green"] * 6)
    assert fingerprint_of(str(first)) == fingerprint_of(str(second))
    for together in ([first], [second], [first, second]):
        report = session.watch(together)
        assert names(report) == [path.stem for path in together]
    assert {stream for stream, _ in moments(session, "green")} == {"b"}
    assert {stream for stream, _ in moments(session, "red")} == {"a"}


def test_it_is_told_apart_from_what_was_moved_or_deleted(tmp_path, session):
    first = raw_film(tmp_path / "a.y4m", ["red"] * 6)
    session.watch([first])
    moved = first.rename(tmp_path / "moved.y4m")
    second = raw_film(tmp_path / "b.y4m", ["green"] * 6)
    assert names(session.watch([second])) == ["b"]
    assert names(session.watch([moved])) == ["a"], "and this is still what it was"
    moved.unlink()
    assert names(session.watch([raw_film(tmp_path / "c.y4m", ["green", "red"] * 3)])) == ["c"]


def pictures(folder, bgr, numbers=range(6)):
    import cv2
    import numpy as np

    folder.mkdir(exist_ok=True)
    for number in numbers:
        cv2.imwrite(str(folder / f"frame_{number:04d}.bmp"), np.full((48, 64, 3), bgr, np.uint8))
    return folder


def test_folders_of_pictures_of_one_size_are_told_apart(tmp_path, session):
    """Two cameras whose uncompressed pictures have running numbers: names and sizes are all the same."""
    red, blue = pictures(tmp_path / "cam1", (30, 30, 220)), pictures(tmp_path / "cam2", (210, 80, 40))
    assert fingerprint_of(str(red)) == fingerprint_of(str(blue))
    session.watch([red])
    session.watch([blue])
    assert moments(session, "red") == [("cam1", 0.0)]
    assert moments(session, "blue") == [("cam2", 0.0)]
    moved = shutil.move(red, tmp_path / "elsewhere")
    assert names(session.watch([moved])) == ["cam1"]
    copied = shutil.copytree(blue, tmp_path / "copy")
    assert names(session.watch([copied])) == ["cam2"]


def test_a_preview_of_other_content_stays(tmp_path, session):
    first, second = raw_film(tmp_path / "a.y4m", ["red"] * 6), raw_film(tmp_path / "b.y4m", ["green"] * 6)
    session.watch([first], fast=True)
    session.watch([second])
    assert names(session.watch([first], fast=True)) == ["a/preview"]


def test_an_archive_tells_them_apart(tmp_path):
    footage = tmp_path / "footage"
    footage.mkdir()
    raw_film(footage / "a.y4m", ["red"] * 6)
    request = ArchiveRequest(paths=(str(footage),), encoder="palette")
    local = ArchiveConfig(executor="local")
    assert archive(tmp_path / "m", request, local).archived == 1
    raw_film(footage / "b.y4m", ["green"] * 6)
    report = archive(tmp_path / "m", request, local)
    assert (report.archived, report.known) == (1, 1)
    (footage / "a.y4m").rename(footage / "c.y4m")
    report = archive(tmp_path / "m", request, local)
    assert (report.archived, report.known, report.moved) == (0, 2, (str(footage / "c.y4m"),))
    raw_film(footage / "a.y4m", ["red", "green"] * 3)
    assert archive(tmp_path / "m", request, local).archived == 1


@pytest.mark.parametrize("how", ["written over", "renamed over", "with its old time"])
def test_a_picture_that_was_replaced_in_its_place_is_noticed(tmp_path, session, how):
    folder = pictures(tmp_path / "cam", (30, 30, 220))
    session.watch([folder])
    kept = fingerprint_of(str(folder))
    old = (folder / "frame_0003.bmp").stat()
    other = pictures(tmp_path / "other", (210, 80, 40)) / "frame_0003.bmp"
    if how == "renamed over":
        other.rename(folder / "frame_0003.bmp")
    else:
        (folder / "frame_0003.bmp").write_bytes(other.read_bytes())
    if how == "with its old time":
        os.utime(folder / "frame_0003.bmp", ns=(old.st_atime_ns, old.st_mtime_ns))
    assert fingerprint_of(str(folder)) == kept, "names and sizes do not tell"
    for _ in range(2):
        assert names(session.watch([folder])) == ["cam-2"]
    assert moments(session, "blue") == [("cam-2", 3.0)]


def test_a_film_that_was_replaced_in_its_midst_is_noticed(tmp_path, session):
    film = raw_film(tmp_path / "a.y4m", ["red"] * 6)
    session.watch([film])
    kept = fingerprint_of(str(film))
    raw_film(film, ["red", "red", "green", "green", "red", "red"])
    assert fingerprint_of(str(film)) == kept
    assert names(session.watch([film])) == ["a-2"]
    assert {stream for stream, _ in moments(session, "green")} == {"a-2"}


def test_what_was_only_touched_is_compared_once_and_not_watched_again(tmp_path, session, monkeypatch):
    folder = pictures(tmp_path / "cam", (30, 30, 220))
    film = raw_film(tmp_path / "a.y4m", ["red"] * 6)
    session.watch([folder, film])
    for path in (film, *folder.iterdir()):
        path.chmod(0o600)
        os.utime(path)
    session.watch([folder, film])
    monkeypatch.setattr("hippocam.apps.content._content_of", lambda uri: pytest.fail(f"compared again: {uri}"))
    report = session.watch([folder, film])
    assert sorted(names(report)) == ["a", "cam"]
    assert all(stream.resumed for stream in report.streams)


_KILLED = """
import os, signal, sys
from hippocam.apps import Session

def look(progress):
    if progress.time_s >= 40:
        os.kill(os.getpid(), signal.SIGKILL)

with Session(sys.argv[1], encoder="palette") as session:
    session.watch([sys.argv[2]], on_progress=look)
"""


def killed(memory, source):
    """Watch something in a process that is killed in the midst of it."""
    done = subprocess.run([sys.executable, "-c", _KILLED, str(memory), str(source)], check=False)
    assert done.returncode == -signal.SIGKILL
    with Session(memory, encoder="palette") as session:
        assert 0 < session.status().streams[0].frames_seen < 120


def scenes(session):
    return sorted((m.t0_s, m.t1_s) for m in session.search("red", top=500))


@pytest.mark.parametrize("kind", ["film", "pictures"])
def test_what_was_interrupted_and_then_moved_is_gone_on_with(tmp_path, session, kind):
    colours = ["red", "green", "blue"] * 40
    if kind == "film":
        source = raw_film(tmp_path / "a.y4m", colours)
    else:
        source = pictures(tmp_path / "a", (30, 30, 220), range(0, 120, 2))
        pictures(source, (210, 80, 40), range(1, 120, 2))
    with Session(tmp_path / "undisturbed", encoder="palette") as other:
        frames = other.watch([source]).streams[0].frames_seen
        whole = scenes(other)
    killed(tmp_path / "m", source)
    moved = source.rename(tmp_path / f"elsewhere{source.suffix}")
    report = session.watch([moved])
    assert names(report) == ["a"]
    assert report.streams[0].frames_seen == frames
    assert scenes(session) == whole
    assert session.status().streams[0].source == str(moved)


def test_other_content_is_not_taken_for_what_was_interrupted(tmp_path, session):
    source = raw_film(tmp_path / "a.y4m", ["red", "green"] * 60)
    killed(tmp_path / "m", source)
    source.unlink()
    other = raw_film(tmp_path / "b.y4m", ["red", "blue"] * 60)
    assert names(session.watch([other])) == ["b"]
    replaced = raw_film(tmp_path / "a.y4m", ["blue", "green"] * 60)
    assert names(session.watch([replaced])) == ["a-2"]


def test_an_archive_notices_a_picture_that_was_replaced(tmp_path):
    (tmp_path / "footage").mkdir()
    folder = pictures(tmp_path / "footage" / "cam1", (30, 30, 220))
    request = ArchiveRequest(paths=(str(tmp_path / "footage"),), encoder="palette")
    local = ArchiveConfig(executor="local")
    assert archive(tmp_path / "m", request, local).archived == 1
    other = pictures(tmp_path / "other", (210, 80, 40)) / "frame_0003.bmp"
    (folder / "frame_0003.bmp").write_bytes(other.read_bytes())
    assert archive(tmp_path / "m", request, local).archived == 1
    report = archive(tmp_path / "m", request, local)
    assert (report.archived, report.known) == (0, 1)
