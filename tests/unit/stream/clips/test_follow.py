"""Footage that goes on as one video: its times are those of the files, and it ends where there is a pause."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from hippocam.stream.clips.follow import follow, plays_in_snippets, snippet_after, start_before, stretches
from hippocam.stream.errors import ClipError

START_S = 1_795_000_000.0


def write(
    folder: Path, start_s: float, *, seconds: float = 2.0, codec: str = "libx264", shade: int = 0, sound: str = ""
) -> None:
    """A file of 10 pictures a second, each lighter than the one before; with a tone where a codec is named."""
    folder.mkdir(exist_ok=True)
    with av.open(str(folder / f"{round(start_s * 1000)}.mkv"), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if sound:
            heard = container.add_stream(sound, rate=8000, layout="mono")
            for at in range(0, round(8000 * seconds), 1000):
                wave = (8000 * np.sin(np.arange(at, at + 1000))).astype(np.int16)[None]
                frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
                frame.sample_rate, frame.pts = 8000, at
                container.mux(heard.encode(frame))
            container.mux(heard.encode(None))
        for index in range(round(10 * seconds)):
            picture = np.full((48, 64, 3), shade + 2 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def shown(content: bytes) -> list[tuple[float, int]]:
    """Time and shade of each picture of a video."""
    with av.open(io.BytesIO(content)) as container:
        return [
            (float(frame.time), round(float(frame.to_ndarray(format="rgb24").mean())))
            for frame in container.decode(video=0)
        ]


def test_stretches_are_what_was_filmed_without_a_pause(tmp_path: Path) -> None:
    for at_s in (0.0, 2.0, 4.0, 60.0):
        write(tmp_path / "cam", START_S + at_s)
    first, second = stretches(tmp_path / "cam")
    assert (first.t0_s, second.t0_s) == (START_S, START_S + 60)
    assert first.t1_s == pytest.approx(START_S + 6, abs=0.2)
    assert second.t1_s == pytest.approx(START_S + 62, abs=0.2)
    assert stretches(tmp_path / "none") == []
    assert start_before(tmp_path / "cam", START_S + 3.3) == START_S + 2
    assert start_before(tmp_path / "cam", START_S + 30) is None
    assert start_before(tmp_path / "cam", START_S - 1) is None


def test_files_are_one_video_whose_times_go_on_and_which_ends_at_a_pause(tmp_path: Path) -> None:
    for index, at_s in enumerate((0.0, 2.0, 60.0)):
        write(tmp_path / "cam", START_S + at_s, shade=50 * index)
    content = b"".join(follow(tmp_path / "cam", START_S, sleep=lambda s: None, away_s=0.5))
    times, shades = zip(*shown(content), strict=True)
    assert len(times) == 40
    assert times[0] == pytest.approx(0.0, abs=0.01)
    assert times[-1] == pytest.approx(3.9, abs=0.15)
    assert all(later > earlier for earlier, later in pairwise(times))
    assert shades[25] > 50


def test_what_is_filmed_meanwhile_is_shown_too_and_it_ends_when_nothing_comes(tmp_path: Path) -> None:
    write(tmp_path / "cam", START_S)
    waits = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            write(tmp_path / "cam", START_S + 2, shade=60)

    content = b"".join(follow(tmp_path / "cam", START_S, sleep=sleep, away_s=1.0))
    assert len(shown(content)) == 40
    assert len(waits) > 2


def test_what_no_browser_plays_is_encoded_on_the_way(tmp_path: Path) -> None:
    write(tmp_path / "cam", START_S, codec="mjpeg", shade=100)
    content = b"".join(follow(tmp_path / "cam", START_S, sleep=lambda s: None, away_s=0.3))
    with av.open(io.BytesIO(content)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
    assert len(shown(content)) == 20


def test_of_no_footage_there_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "cam").mkdir()
    assert b"".join(follow(tmp_path / "cam", START_S, sleep=lambda s: None, away_s=0.3)) == b""


def test_it_may_begin_at_any_key_frame(tmp_path: Path) -> None:
    (tmp_path / "cam").mkdir()
    path = tmp_path / "cam" / f"{round(START_S * 1000)}.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"g": "10", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(40):
            picture = np.full((48, 64, 3), 5 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    start_s = start_before(tmp_path / "cam", START_S + 2.5)
    assert start_s == pytest.approx(START_S + 2.0, abs=0.01)
    content = b"".join(follow(tmp_path / "cam", start_s, sleep=lambda s: None, away_s=0.3))
    assert len(shown(content)) == 20


def test_what_a_camera_hears_is_heard_as_browsers_play_it(tmp_path: Path) -> None:
    for at_s in (0.0, 2.0):
        write(tmp_path / "cam", START_S + at_s, sound="pcm_s16le")
    content = b"".join(follow(tmp_path / "cam", START_S, sleep=lambda s: None, away_s=0.3))
    with av.open(io.BytesIO(content)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        frames = list(container.decode(audio=0))
    assert sum(frame.samples for frame in frames) / 8000 == pytest.approx(4.0, abs=0.3)
    assert max(float(frame.time) for frame in frames) == pytest.approx(3.9, abs=0.3)
    assert len(shown(content)) == 40


def test_the_newest_file_is_shown_while_it_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "cam"
    write(tmp_path / "whole", START_S)
    (path,) = (tmp_path / "whole").iterdir()
    whole, folder_path = path.read_bytes(), folder / path.name
    folder.mkdir()
    folder_path.write_bytes(whole[: len(whole) * 2 // 3])
    came = list[int]()

    def sleep(seconds: float) -> None:
        came.append(0)
        if len(came) == 1:
            folder_path.write_bytes(whole)

    content = b"".join(follow(folder, START_S, sleep=sleep, away_s=1.0))
    assert [round(time_s, 1) for time_s, _ in shown(content)] == [round(index / 10, 1) for index in range(20)]


def test_snippets_follow_one_another_as_files_are_closed(tmp_path: Path) -> None:
    folder = tmp_path / "cam"
    for index in range(3):
        write(folder, START_S + 2 * index, shade=40 * index, sound="pcm_s16le")
    assert plays_in_snippets(folder)
    first = snippet_after(folder, 0.0)
    assert first is not None
    assert (first.start_s, first.newest_s) == (pytest.approx(START_S), START_S + 2)  # the third is still open
    assert len(shown(first.content)) == 40
    assert snippet_after(folder, first.newest_s) is None
    write(folder, START_S + 6)
    second = snippet_after(folder, first.newest_s)
    assert second is not None
    assert second.start_s == pytest.approx(START_S + 4)
    with av.open(io.BytesIO(second.content)) as container:
        assert not container.streams.audio


def test_snippets_that_no_browser_plays_are_refused(tmp_path: Path) -> None:
    for at_s in (0.0, 2.0):
        write(tmp_path / "cam", START_S + at_s, codec="mjpeg")
    assert not plays_in_snippets(tmp_path / "cam")
    with pytest.raises(ClipError, match="mjpeg"):
        snippet_after(tmp_path / "cam", 0.0)


def test_a_snippet_begins_where_a_masked_picture_is_coded_as_browsers_play_it(tmp_path: Path) -> None:
    folder = tmp_path / "cam"
    for index, codec in enumerate(("mjpeg", "mjpeg", "libx264", "libx264")):
        write(folder, START_S + 2 * index, codec=codec)
    assert plays_in_snippets(folder)
    snippet = snippet_after(folder, 0.0)
    assert snippet is not None
    assert (snippet.start_s, snippet.newest_s) == (pytest.approx(START_S + 4), START_S + 4)


def test_a_file_that_its_camera_left_before_a_picture_hides_no_snippet(tmp_path: Path) -> None:
    folder = tmp_path / "cam"
    write(folder, START_S)
    for at_s in (2, 4):
        (folder / f"{round((START_S + at_s) * 1000)}.mkv").touch()
    snippet = snippet_after(folder, 0.0)
    assert snippet is not None
    assert snippet.newest_s == START_S
    assert snippet_after(folder, snippet.newest_s) is None
