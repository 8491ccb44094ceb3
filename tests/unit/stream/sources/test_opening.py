"""What a user types: files, folders, patterns, names given twice."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import cv2
import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.sources import OpenedSources, open_sources


@pytest.fixture
def home(tmp_path: Path, media: ModuleType) -> Path:
    """A folder with videos on several levels, hidden things, thumbnails, images and a data set."""
    one = tmp_path / "one.mp4"
    media.render_video(one, frames=3)
    for name in (
        "clip2.mp4",
        "clip10.MP4",
        "b/clip2.mp4",
        "b/deep/öffentlich 1.mov",
        ".hidden.mp4",
        ".git/x.mp4",
        "a/take.mp4",
        "a/take.mkv",
    ):
        (tmp_path / "home" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "home" / name).write_bytes(one.read_bytes())
    (tmp_path / "home" / "notes.txt").write_text("not a video")
    folder = tmp_path / "home"
    cv2.imwrite(str(folder / "thumb1.jpg"), media.numbered_image(0))
    for place in ("shots/rgb", "shots/depth"):
        (folder / place).mkdir(parents=True)
        for i in (1, 2, 10):
            cv2.imwrite(str(folder / place / f"{i}.png"), media.numbered_image(i))
    media.render_lerobot(folder / "arm", lengths=(5, 5))
    return folder


def _ids(opened: OpenedSources) -> list[str]:
    return [source.id for source in opened.sources]


def test_a_folder_gives_all_below_it_in_natural_order(home: Path) -> None:
    opened = open_sources([home])
    assert not opened.failed
    names = [os.path.relpath(source.uri, home) for source in opened.sources]
    assert names == [
        "clip2.mp4",
        "clip10.MP4",
        "a/take.mkv",
        "a/take.mp4",
        "arm#episode_000000",
        "arm#episode_000001",
        "b/clip2.mp4",
        "b/deep/öffentlich 1.mov",
        "shots/rgb",
    ]


def test_ids_are_readable_and_unique(home: Path) -> None:
    ids = _ids(open_sources([home]))
    assert len(set(ids)) == len(ids)
    assert ids[:2] == ["home-clip2", "clip10"]
    # The parent does not tell these two apart.
    assert all(name.startswith("a-take-") and len(name) == len("a-take-") + 8 for name in ids[2:4])
    assert ids[4:] == [
        "arm/episode_000000",
        "arm/episode_000001",
        "b-clip2",
        "öffentlich-1",
        "shots-rgb",
    ]
    assert ids == _ids(open_sources([home]))


def test_the_id_of_a_file_alone_is_its_stem_each_time(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _ids(open_sources([home / "b/clip2.mp4"])) == ["clip2"]
    monkeypatch.chdir(home / "b")
    assert _ids(open_sources(["clip2.mp4"])) == ["clip2"]


def test_what_is_given_twice_is_opened_once(home: Path) -> None:
    (home / "link.mp4").symlink_to(home / "clip2.mp4")
    opened = open_sources([home / "clip2.mp4", home / "clip*", home / "b/../clip2.mp4", home / "link.mp4"])
    assert _ids(opened) == ["clip2", "clip10"]
    assert not opened.failed


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.mp4", ["clip2"]),
        ("*.[mM][pP]4", ["clip2", "clip10"]),
        ("**/take.*", 2),
        ("b/**", ["clip2", "öffentlich-1"]),
        ("shots/rgb/*.png", ["shots-rgb"]),
        ("shots/r*", ["shots-rgb"]),
        ("ar?", ["arm/episode_000000", "arm/episode_000001"]),
    ],
)
def test_patterns(home: Path, pattern: str, expected: list[str] | int) -> None:
    opened = open_sources([str(home / pattern)])
    assert not opened.failed
    if isinstance(expected, int):
        assert len(opened.sources) == expected
    else:
        assert _ids(opened) == expected


def test_a_pattern_of_images_takes_only_those(home: Path) -> None:
    (source,) = open_sources([str(home / "shots/rgb/1*.png")]).sources
    assert len(list(source.observations(fps=None))) == 2


def test_a_file_whose_name_looks_like_a_pattern_is_itself(home: Path) -> None:
    (home / "clip2.mp4").rename(home / "clip[2].mp4")
    assert _ids(open_sources([home / "clip[2].mp4"])) == ["clip-2"]


def test_a_file_of_another_suffix_is_tried_when_named(home: Path) -> None:
    (home / "clip2.mp4").rename(home / "dashcam.bin")
    (source,) = open_sources([home / "dashcam.bin"]).sources
    assert len(list(source.observations(fps=None))) == 3


def test_an_image_alone_is_a_source(home: Path) -> None:
    (source,) = open_sources([home / "thumb1.jpg"]).sources
    assert source.id == "thumb1"
    assert source.uri == str(home / "thumb1.jpg")
    (only,) = source.observations(fps=1)
    assert (only.seq, only.time_s) == (0, 0.0)


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("gone.mp4", "no such file"),
        ("*.gone", "matches no file"),
        ("*.txt", "none of them a video or image"),
        ("empty", "no videos, numbered images or robot logs"),
        ("shots/depth", "depth maps, not pictures"),
        ("notes.txt", "text, not a video"),
        ("x" * 300, "name too long"),
    ],
)
def test_what_cannot_be_opened_is_told_and_stops_nothing(home: Path, argument: str, told: str) -> None:
    (home / "empty").mkdir()
    opened = open_sources([home / argument, home / "clip2.mp4"])
    assert _ids(opened) == ["clip2"]
    (error,) = opened.failed
    assert told in error.reason
    assert str(home / argument) == error.uri


def test_an_empty_name_is_told() -> None:
    assert "an empty name" in open_sources([" "]).failed[0].reason


def test_the_home_folder_is_expanded(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    assert _ids(open_sources(["~/clip2.mp4"])) == ["clip2"]


def test_a_folder_that_links_to_itself_is_read_once(home: Path) -> None:
    (home / "b" / "again").symlink_to(home)
    assert len(open_sources([home]).sources) == 9


def test_real_tum_folder(shared_data: Path) -> None:
    opened = open_sources([shared_data / "robot" / "tum_fr1_xyz_18frames"])
    (source,) = opened.sources
    assert not opened.failed
    observations = source.observations(fps=None)
    seen = [next(observations) for _ in range(18)]
    with pytest.raises(SourceError, match=r"of the \d+ pictures that rgb.txt names are not there"):
        next(observations)  # those of the whole sequence
    assert seen[0].time_s == 0.0
    assert seen[1].time_s == pytest.approx(0.033182, abs=0.02)
    assert seen[-1].time_s == pytest.approx(1628069034.557245 - 1628069033.660061, abs=0.1)


@pytest.mark.parametrize("address", ["rtsp://10.0.0.9/cam", "http://cam.local/video.mjpg", "rtmp://x/y"])
def test_an_address_is_told_to_be_one(home: Path, address: str) -> None:
    opened = open_sources([address, home / "clip2.mp4"])
    assert _ids(opened) == ["clip2"]
    (error,) = opened.failed
    assert (error.uri, error.reason) == (address, "an address, not a file or folder; a camera is watched live")


def test_a_password_in_an_address_is_not_told() -> None:
    (error,) = open_sources(["rtsp://me:secret@10.0.0.9:554/cam?token=secret"]).failed
    assert error.uri == "rtsp://10.0.0.9:554/cam"
