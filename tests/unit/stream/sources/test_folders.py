"""What a folder gives when entries of it cannot be read, are links, or are no footage: the rest, and names."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from hippocam.stream.sources import OpenedSources, open_sources

Done = subprocess.CompletedProcess[str]


@pytest.fixture
def cams(tmp_path: Path, media: ModuleType) -> Path:
    """A folder with a video in each of two folders."""
    for name in ("a/one.mp4", "z/two.mp4"):
        (tmp_path / "cams" / name).parent.mkdir(parents=True)
        media.render_video(tmp_path / "cams" / name, frames=3)
    return tmp_path / "cams"


def _names(opened: OpenedSources, folder: Path) -> list[str]:
    return [os.path.relpath(source.uri, folder) for source in opened.sources]


def _failed(opened: OpenedSources, folder: Path) -> dict[str, str]:
    return {os.path.relpath(error.uri, folder): error.reason for error in opened.failed}


def test_links_that_lead_nowhere_are_named(cams: Path) -> None:
    (cams / "a" / "self.mp4").symlink_to("self.mp4")
    (cams / "a" / "loop1").symlink_to("loop2")
    (cams / "a" / "loop2").symlink_to("loop1")
    (cams / "gone.mp4").symlink_to("../nas/gone.mp4")
    (cams / "gone").symlink_to("../nas/gone")
    (cams / "notes.txt").symlink_to("nowhere.txt")  # no footage, wherever it led
    opened = open_sources([cams])
    assert _names(opened, cams) == ["a/one.mp4", "z/two.mp4"]
    failed = _failed(opened, cams)
    assert sorted(failed) == ["a/loop1", "a/loop2", "a/self.mp4", "gone", "gone.mp4"]
    assert "leads to itself" in failed["a/self.mp4"]
    assert "a link to nothing" in failed["gone"]


def test_a_file_that_vanishes_is_named(cams: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(cams / "a" / "one.mp4", cams / "a" / "other.mp4")
    real = os.scandir

    class Listed(list):  # type: ignore[type-arg]
        def __enter__(self) -> Listed:
            return self

        def __exit__(self, *_: object) -> None: ...

    def snapshot(path: str | Path) -> object:
        with real(path) as listed:
            names = Listed(listed)
        if str(path).endswith("/a"):
            (cams / "a" / "other.mp4").unlink(missing_ok=True)
        return names

    monkeypatch.setattr(os, "scandir", snapshot)
    opened = open_sources([cams])
    assert _names(opened, cams) == ["a/one.mp4", "z/two.mp4"]
    assert _failed(opened, cams) == {"a/other.mp4": "it vanished while its folder was read"}


def _opened_as_a_user(as_a_user: Callable[..., Done], *paths: str | Path) -> Done:
    return as_a_user(
        "import sys; from hippocam.stream.sources import open_sources; o = open_sources(sys.argv[1:]);"
        "print('\\n'.join('+' + s.uri for s in o.sources)); print('\\n'.join(f'-{e}' for e in o.failed))",
        *paths,
    )


def test_locked_folders_and_files_are_named_and_the_rest_is_taken(
    cams: Path, as_a_user: Callable[..., Done]
) -> None:
    (cams / "locked").mkdir()
    shutil.copy(cams / "a" / "one.mp4", cams / "locked" / "x.mp4")
    (cams / "blind").mkdir()  # may be listed, but nothing in it looked at
    shutil.copy(cams / "a" / "one.mp4", cams / "blind" / "y.mp4")
    (cams / "a" / "linked.mp4").symlink_to("../locked/x.mp4")
    (cams / "a" / "linked").symlink_to("../locked")
    shutil.copy(cams / "a" / "one.mp4", cams / "z" / "private.mp4")
    modes = {"locked": 0, "z/private.mp4": 0, "blind": 0o444}
    for name, mode in modes.items():
        (cams / name).chmod(mode)
    try:
        done = _opened_as_a_user(as_a_user, cams)
    finally:
        for name in modes:
            (cams / name).chmod(0o755)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.split()
    assert [line for line in lines if line.startswith("+")] == [f"+{cams}/a/one.mp4", f"+{cams}/z/two.mp4"]
    told = [line.partition(": ")[0] for line in done.stdout.splitlines() if line.startswith("-")]
    expected = {"a/linked.mp4", "blind/y.mp4", "locked", "z/private.mp4"}
    assert set(told) == {f"-{cams}/{name}" for name in expected}, "the link to the locked folder adds nothing"


def test_linked_folders_are_taken_once(cams: Path, tmp_path: Path) -> None:
    (tmp_path / "nas" / "rear").mkdir(parents=True)
    shutil.copy(cams / "a" / "one.mp4", tmp_path / "nas" / "rear" / "b.mp4")
    (cams / "rear").symlink_to("../nas/rear")
    (cams / "again").symlink_to("../nas/rear")
    (cams / "0").symlink_to("z")  # the folder itself goes before what links to it
    (tmp_path / "nas" / "rear" / "back").symlink_to(cams / "a")
    opened = open_sources([cams])
    assert _names(opened, cams) == ["a/one.mp4", "z/two.mp4", "again/b.mp4"]
    assert not opened.failed


def test_a_link_to_a_folder_above_is_named(cams: Path) -> None:
    (cams / "up").symlink_to("..")
    opened = open_sources([cams])
    assert _names(opened, cams) == ["a/one.mp4", "z/two.mp4"]
    assert list(_failed(opened, cams)) == ["up"]


def test_photographs_beside_films_are_taken_and_their_covers_are_not(
    cams: Path, media: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    covers = ("one.jpg", "one-0001.png", "poster.jpg", "Thumb3.png")
    for name in ("IMG_1.jpg", "one2.jpg", "onerous.png", *covers):
        cv2.imwrite(str(cams / "a" / name), media.numbered_image(0))
    opened = open_sources([cams])
    assert _names(opened, cams) == ["a/one.mp4", "a", "z/two.mp4"]
    assert len(list(opened.sources[1].observations(fps=None))) == 3
    assert len({source.id for source in opened.sources}) == 3
    assert f"{cams}/a: 4 pictures that are named as a film's own are passed over" in caplog.text


def test_photographs_of_kinds_that_are_not_read_are_told(
    cams: Path, media: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("IMG_1.HEIC", "IMG_2.heic", "scan.tif"):
        (cams / "a" / name).write_bytes(b"a picture")
    assert _names(open_sources([cams]), cams) == ["a/one.mp4", "z/two.mp4"]
    assert f"{cams}/a: 3 pictures of kinds that are not read (.heic, .tif)" in caplog.text


def test_maps_of_distances_beside_photographs_are_passed_over_and_told(
    tmp_path: Path, media: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    depth = np.full((48, 64), 1500, np.uint16)
    for k in range(3):
        cv2.imwrite(str(tmp_path / f"frame-{k}.color.jpg"), media.numbered_image(k)[..., ::-1])
        cv2.imwrite(str(tmp_path / f"frame-{k}.depth.png"), depth)
    for argument in (tmp_path, tmp_path / "*"):
        caplog.clear()
        (source,) = open_sources([str(argument)]).sources
        assert [media.read_number(o.images[""]) for o in source.observations(fps=None)] == [0, 1, 2]
        assert "3 pictures of 16 bits of grey are passed over as depth maps" in caplog.text
    (named,) = open_sources([tmp_path / "frame-0.depth.png"]).sources
    assert len(list(named.observations(fps=None))) == 1


def test_a_camera_of_sixteen_bits_is_watched(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for k in range(3):
        cv2.imwrite(str(tmp_path / f"{k}.png"), np.full((48, 64), 20_000 * k, np.uint16))
    (source,) = open_sources([tmp_path]).sources
    assert len(list(source.observations(fps=None))) == 3
    assert caplog.text == ""


def test_avif_is_a_picture_and_a_moving_one_is_a_film(tmp_path: Path, media: ModuleType) -> None:
    pictures = [media.numbered_image(number)[..., ::-1] for number in range(4)]
    for number in (0, 1):
        cv2.imwrite(str(tmp_path / f"IMG_{number}.avif"), pictures[number])
    moving = cv2.Animation()
    moving.frames, moving.durations = pictures, [40] * 4
    assert cv2.imwriteanimation(str(tmp_path / "moves.avif"), moving)
    opened = open_sources([tmp_path])
    seen = [
        [media.read_number(one.images[""]) for one in source.observations(fps=None)] for source in opened.sources
    ]
    assert sorted(seen) == [[0, 1], [0, 1, 2, 3]]


def test_pipes_and_sockets_are_named_and_never_waited_for(cams: Path) -> None:
    os.mkfifo(cams / "a" / "pipe.mp4")
    (cams / "a" / "null.jpg").symlink_to("/dev/null")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(cams / "a" / "socket.mkv"))
        opened = open_sources([cams])
    assert _names(opened, cams) == ["a/one.mp4", "z/two.mp4"]
    said = {Path(error.uri).name: error.reason.split(",")[0] for error in opened.failed}
    assert said == {"pipe.mp4": "a pipe", "null.jpg": "a device", "socket.mkv": "a socket"}


def test_pictures_without_numbers_in_folders_below_are_told(
    cams: Path, media: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    (cams / "album").mkdir()
    for name in ("beach.jpg", "party.jpg"):
        cv2.imwrite(str(cams / "album" / name), media.numbered_image(0))
    assert _names(open_sources([cams]), cams) == ["a/one.mp4", "z/two.mp4"]
    assert f"{cams}/album: 2 pictures without numbers are passed over" in caplog.text


@pytest.mark.parametrize("made", ["memory", "look-back", "kept", "web"])
def test_a_memorys_own_footage_is_not_watched(cams: Path, made: str) -> None:
    """What live cameras keep is known by the memory beside it, or by what it holds; the page's by the memory."""
    live = cams / ("my-memory.web" if made == "web" else "my-memory.live")
    footage = live / {"memory": "alerts", "web": "converted"}.get(made, f"{made}/yard")
    footage.mkdir(parents=True)
    shutil.copy(cams / "a" / "one.mp4", footage / "1700000000000.mkv")
    if made in ("memory", "web"):
        (cams / "my-memory").mkdir()
        for name in ("memory.db", "writer.lock"):
            (cams / "my-memory" / name).touch()
    opened = open_sources([cams])
    assert _names(opened, cams) == ["a/one.mp4", "z/two.mp4"]
    assert not opened.failed
    assert len(open_sources([live]).sources) == 1, "named, it is watched"


def test_a_folder_that_is_called_live_is_watched(cams: Path) -> None:
    (cams / "a").rename(cams / "concert.live")
    assert _names(open_sources([cams]), cams) == ["concert.live/one.mp4", "z/two.mp4"]


@pytest.mark.parametrize(
    ("pattern", "taken", "told"),
    [
        ("**/*.mp4", {"a/one.mp4", "z/two.mp4"}, {"locked", "z/shut"}),
        ("**", {"a/one.mp4", "z/two.mp4"}, {"locked", "z/shut"}),
        ("*/*.mp4", {"a/one.mp4", "z/two.mp4"}, {"locked"}),
        ("*/*/*.mp4", set(), {"locked", "z/shut"}),
        ("*/x.mp4", set(), {"locked"}),
        ("lock*/x.mp4", set(), {"locked"}),
        ("[az]/*.mp4", {"a/one.mp4", "z/two.mp4"}, set()),
        ("a/*.mp4", {"a/one.mp4"}, set()),
        ("**/two.mp4", {"z/two.mp4"}, {"locked", "z/shut"}),
    ],
)
def test_a_pattern_names_the_folders_that_it_could_not_look_into(
    cams: Path, as_a_user: Callable[..., Done], pattern: str, taken: set[str], told: set[str]
) -> None:
    for name in ("locked", "z/shut"):
        (cams / name).mkdir()
        shutil.copy(cams / "a" / "one.mp4", cams / name / "x.mp4")
        (cams / name).chmod(0)
    try:
        done = _opened_as_a_user(as_a_user, cams / pattern)
    finally:
        for name in ("locked", "z/shut"):
            (cams / name).chmod(0o755)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert {line for line in lines if line.startswith("+")} == {f"+{cams}/{name}" for name in taken}
    failed = {line.removeprefix("-").partition(": ")[0] for line in lines if line.startswith("-")}
    assert failed == {f"{cams}/{name}" for name in told}


@pytest.mark.parametrize("pattern", ["**", "**/*", "**/*.mkv", "**/*.jpg", "*/*/*"])
def test_a_pattern_passes_over_memories_and_what_is_beside_them(cams: Path, pattern: str) -> None:
    for made in ("m/exemplars/0a.jpg", "m/memory.db", "m/writer.lock", "m.live/look-back/yard/1700000000000.mkv"):
        (cams / made).parent.mkdir(parents=True, exist_ok=True)
        (cams / made).write_bytes(b"\0\1")
    opened = open_sources([cams / pattern])
    assert {name.split("/")[0] for name in _names(opened, cams)} <= {"a", "z"}
    named = open_sources([cams / "m.live" / "look-back" / "*" / "*.mkv"])
    assert [Path(source.uri).name for source in named.sources] == ["1700000000000.mkv"], "asked for by its name"


@pytest.mark.parametrize("suffix", [".heic", ".TIFF", ".jp2", ".dng", ".ppm"])
def test_a_picture_of_a_kind_that_is_not_read_is_told_also_by_itself(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"photo{suffix}"
    path.write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(200))
    opened = open_sources([path])
    assert not opened.sources
    assert [error.reason for error in opened.failed] == [
        "a picture of a kind that is not read; convert it to JPEG"
    ]


@pytest.mark.parametrize("suffix", [".jfif", ".JPE"])
def test_other_names_of_jpeg_are_pictures(tmp_path: Path, media: ModuleType, suffix: str) -> None:
    for number in range(2):
        data = cv2.imencode(".jpg", media.numbered_image(number))[1]
        (tmp_path / f"{number}{suffix}").write_bytes(data.tobytes())
    (source,) = open_sources([tmp_path]).sources
    assert [media.read_number(o.images[""]) for o in source.observations(fps=None)] == [0, 1]
