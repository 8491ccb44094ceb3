"""Odd input as users have it, made by the ffmpeg command; our own unit tests build the same kinds with PyAV."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from hippocam.apps import Session
from hippocam.apps.records import WatchReport
from hippocam.stream.errors import SourceError
from hippocam.stream.records import Image
from hippocam.stream.sources.pictures.folder import ImageFolderSource
from hippocam.stream.sources.video import VideoSource

Make = Callable[[str], Path]

COLOURS = {"red": (255, 0, 0), "lime": (0, 255, 0), "green": (0, 128, 0), "blue": (0, 0, 255), "white": (255,) * 3}


@pytest.fixture
def case(tmp_path: Path, shared_data: Path) -> Make:
    """Make a case of the shared data in a folder of the test: `case("bmp_folders")` returns where."""

    def make(name: str) -> Path:
        made = shared_data / "cases" / name
        if not (made / "make.sh").is_file() or shutil.which("ffmpeg") is None:
            pytest.skip(f"no case {name} in the test data, or no ffmpeg command to make it with")
        folder = tmp_path / "cases" / name
        shutil.copytree(made, folder)
        shutil.copy(made.parent / "lerobot_maker.py", folder.parent)
        hippocam = [sys.executable, "-m", "hippocam.apps.cli.main"]
        environment = {**os.environ, "PY": sys.executable, "HC": " ".join(hippocam)}
        done = subprocess.run(["bash", "make.sh"], cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return folder

    return make


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(tmp_path / "memory", encoder="palette")


def colour(image: Image) -> str:
    """The named colour that most of a picture has."""
    middle = np.median(image.reshape(-1, 3), axis=0)
    return min(COLOURS, key=lambda name: float(np.abs(middle - COLOURS[name]).sum()))


def shown(path: Path, fps: float = 1) -> list[tuple[float, str]]:
    return [(round(o.time_s, 1), colour(o.images[""])) for o in VideoSource(path).observations(fps=fps)]


def ids(report: WatchReport) -> list[str]:
    return [stream.id for stream in report.streams]


def failed(report: WatchReport, folder: Path) -> dict[str, str]:
    return {os.path.relpath(failure.source, folder): failure.reason for failure in report.failed}


@pytest.mark.parametrize("name", ["trimmed.mp4", "one_key.mp4"])
def test_a_trimmed_clip_is_seen_from_its_start(case: Make, name: str) -> None:
    seen = shown(case("edit_list_trim") / name)
    assert seen == [(float(k), "red" if k < 4 else "blue") for k in range(12)]


def test_joined_pieces_go_on_where_the_last_ended(case: Make) -> None:
    seen = shown(case("concatenated_ts") / "trip.ts")
    assert seen == [(float(k), ("red", "green", "blue")[k // 5]) for k in range(15)]


def test_cameras_with_the_same_numbers_are_told_apart(case: Make, session: Session) -> None:
    folder = case("bmp_folders")
    for name, found in (("cam1", "red"), ("cam2", "blue")):
        session.watch([folder / name])
        assert session.search(found, top=1)[0].stream == name


def test_linked_folders_and_links_to_nothing(case: Make, session: Session) -> None:
    folder = case("linked_subfolder")
    report = session.watch([folder / "cams"])
    assert ids(report) == ["a", "b"]
    assert list(failed(report, folder)) == ["cams/gone.mp4"]


def test_damaged_files_stop_nobody(shared_data: Path, session: Session) -> None:
    folder = shared_data / "cases" / "damaged_files"
    if not folder.is_dir():
        pytest.skip("no such case in the test data")
    report = session.watch([folder])
    assert "c_good" in ids(report)
    assert next(stream for stream in report.streams if stream.id == "c_good").entries > 0
    assert {Path(failure.source).name for failure in report.failed} <= {
        "a_bad.ts",
        "b_bad.mp4",
        "crash_2-1635.mp4",
    }


@pytest.mark.parametrize(
    ("name", "told", "streams"),
    [
        ("lerobot_video_shorter", "top: no picture in 60 of 100 rows", {"arm/episode_000000/top"}),
        ("lerobot_rows_restart", "time goes back in its rows, first at row 40 of 80", {"arm/episode_000000/top"}),
        ("lerobot_nan_time", "1 of 40 rows have no time", {f"arm/episode_00000{k}/top" for k in range(2)}),
        (
            "lerobot_camera_absent_one_episode",
            "wrist: nothing is listed of it in this episode",
            {f"arm/episode_00000{k}/{c}" for k in range(3) for c in ("top", "wrist")}
            - {"arm/episode_000001/wrist"},
        ),
    ],
)
def test_what_robots_lost_is_counted(
    case: Make, session: Session, name: str, told: str, streams: set[str]
) -> None:
    report = session.watch([case(name) / "arm"])
    assert set(ids(report)) == streams
    (failure,) = report.failed
    assert told in failure.reason
    assert "episode_00000" in failure.source


def test_look_back_footage_beside_a_memory_is_not_watched(case: Make, session: Session) -> None:
    report = session.watch([case("lookback_in_folder") / "home"])
    assert ids(report) == ["film"]
    assert not report.failed


def test_subtitles_in_any_encoding_and_layout(case: Make) -> None:
    folder = case("utf16_srt")
    words = {
        name: [(n.t0_s, n.text) for _, n in VideoSource(folder / f"{name}.mp4").notes("cam", hearing=None)]
        for name in "abcd"
    }
    assert words == {
        "a": [(1.0, "The blue lorry arrives"), (5.0, "It leaves again")],
        "b": [(1.0, "We don’t see “Rover” – he’s gone")],
        "c": [(1.0, "Синий грузовик")],
        "d": [(1.0, "The blue lorry arrives"), (5.0, "It leaves again"), (7.0, "Quiet street")],
    }


@pytest.mark.parametrize("name", ["plain", "mirrored", "upside_down"])
def test_a_mirrored_track_is_seen_as_players_show_it(case: Make, name: str) -> None:
    (first, *_) = VideoSource(case("mirrored_display_matrix") / f"{name}.mp4").observations(fps=1)
    picture = first.images[""]
    quarters = [picture[y : y + 120, x : x + 160] for y in (0, 120) for x in (0, 160)]
    assert [colour(quarter) for quarter in quarters] == ["red", "lime", "blue", "white"]


def test_a_picture_that_is_turned_in_mid_stream_keeps_its_shape(case: Make) -> None:
    seen = list(VideoSource(case("resolution_change") / "turned.ts").observations(fps=1))
    assert [round(o.time_s) for o in seen] == list(range(6))
    assert [o.images[""].shape[:2] for o in seen] == [(180, 320)] * 3 + [(320, 180)] * 3
    square = np.argwhere(seen[4].images[""].min(axis=2) > 200)
    assert np.abs(np.ptp(square, axis=0) - 99).max() <= 4


def test_pictures_with_a_film_behind_them_are_whole(case: Make) -> None:
    seen = [colour(o.images[""]) for o in ImageFolderSource(case("motion_photo") / "photos").observations(fps=1)]
    assert seen == ["red", "green", "blue"]


def test_a_second_lens_is_a_camera(case: Make, session: Session) -> None:
    watched = session.watch([case("two_cameras_in_one_file") / "dash.mp4"])
    assert ids(watched) == ["dash/1", "dash/2"]
    assert not watched.failed
    for name, seen in (("red", "dash/1"), ("blue", "dash/2")):
        best = session.ask(f"When is it {name}?").evidence[0]
        assert (best.stream, best.t0_s, best.t1_s) == (seen, 0.0, 6.0)


def test_a_film_on_which_decord_dies(shared_data: Path) -> None:
    path = shared_data / "cases" / "damaged_files" / "crash_2-1635.mp4"
    if not path.is_file():
        pytest.skip("no such case in the test data")
    seen = []
    with suppress(SourceError):
        seen.extend(VideoSource(path, decoder="decord", threads=2).observations(fps=None))
    assert [o.seq for o in seen] == sorted({o.seq for o in seen})


def test_animations_are_watched_whole(case: Make, session: Session) -> None:
    folder = case("animated_webp")
    report = session.watch([folder])
    assert len(report.streams) == 3
    assert {stream.source for stream in session.status().streams} == {
        str(folder / name) for name in ("clip.webp", "clip.png", "unequal.gif")
    }
    found = {moment.stream for moment in session.search("blue", top=9) if moment.score > 0.5}
    assert len(found) == 3


def test_locked_places_are_named_and_the_rest_is_watched(case: Make, tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv: the case belongs to whoever made it")
    folder, locked = case("locked_places"), "-dac_override,-dac_read_search"
    command = ["setpriv", f"--bounding-set={locked}", f"--inh-caps={locked}"]
    command += [sys.executable, "-m", "hippocam.apps.cli.main", "watch", "cams", "--encoder", "palette"]
    try:
        done = subprocess.run(
            [*command, "--memory", str(tmp_path / "m")], cwd=folder, capture_output=True, text=True
        )
    finally:
        for path in ("locked", "z/private.mp4"):
            (folder / "cams" / path).chmod(0o755)
    assert done.returncode == 1, done.stderr
    told = [line.split("cams/")[1].partition(":")[0] for line in done.stderr.splitlines() if "hippocam: " in line]
    assert sorted(told) == ["a/linked.mp4", "locked", "z/private.mp4"]
    assert "one: " in done.stdout
    assert "two: " in done.stdout
