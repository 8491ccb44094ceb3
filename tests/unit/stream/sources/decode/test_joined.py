"""Recordings that were joined byte by byte: how long they are together, what each part shows, what is not read."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import av
import numpy as np
import pytest

from hippocam.stream.sources.decode.joined import begins_again, unread_from
from hippocam.stream.sources.sound import RATE, read_sound
from hippocam.stream.sources.video import VideoSource


class Part(NamedTuple):
    """A recording: so many frames, at so many a second, of a size."""

    frames: int
    fps: float = 10.0
    size: tuple[int, int] = (96, 64)


ALIKE = (Part(50), Part(33), Part(41))
UNLIKE = (Part(50), Part(40, 25.0, (128, 64)), Part(30, 5.0, (64, 96)), Part(12, 4.0))
ONE_LONG = (Part(3), Part(120), Part(3))
MANY = tuple(Part(5 + n % 3, 5.0 + n % 2 * 5) for n in range(20))


def join(folder: Path, media: ModuleType, to: str, parts: tuple[Part, ...], **settings: object) -> list[float]:
    """Write a joined file; return the true time of each frame: every part begins when the one before it ends."""
    paths, times_s, first, start_s = [], [], 0, 0.0
    for part in parts:
        paths.append(folder / f"{first}{Path(to).suffix}")
        options = media.long_gop(20) if Path(to).suffix in (".ts", ".mkv") else None
        made = {"fps": part.fps, "size": part.size, "options": options, **settings}
        media.render_video(paths[-1], frames=part.frames, first=first, **made)
        times_s += [start_s + i / part.fps for i in range(part.frames)]
        first, start_s = first + part.frames, start_s + part.frames / part.fps
    media.join(paths, folder / to)
    return [*times_s, start_s]


@pytest.mark.parametrize("parts", [ALIKE, UNLIKE, ONE_LONG, MANY])
def test_parts_follow_each_other_and_the_whole_length_is_told(
    tmp_path: Path, media: ModuleType, parts: tuple[Part, ...], to_the_end: Any
) -> None:
    *times_s, end_s = join(tmp_path, media, "trip.ts", parts)
    source = VideoSource(tmp_path / "trip.ts")
    seen, reason = to_the_end(source)
    assert reason == ""
    assert [media.read_number(o.images[""]) for o in seen] == list(range(len(times_s)))
    np.testing.assert_allclose([o.time_s for o in seen], times_s, atol=0.003 * len(parts))
    assert source.duration_s == pytest.approx(end_s, abs=0.003 * len(parts))


@pytest.mark.parametrize("parts", [ALIKE, UNLIKE, ONE_LONG, MANY])
def test_of_joined_matroska_files_all_is_watched_or_what_is_not_is_told(
    tmp_path: Path, media: ModuleType, parts: tuple[Part, ...], to_the_end: Any
) -> None:
    *times_s, _ = join(tmp_path, media, "trip.mkv", parts)
    seen, reason = to_the_end(VideoSource(tmp_path / "trip.mkv"))
    numbers = [media.read_number(o.images[""]) for o in seen]
    assert numbers == list(range(len(numbers)))
    np.testing.assert_allclose([o.time_s for o in seen], times_s[: len(numbers)], atol=0.01)
    ends = np.cumsum([part.frames for part in parts])
    assert len(numbers) in ends
    assert ("all others were kept" in reason or "joined behind" in reason) == (len(numbers) < ends[-1])


@pytest.mark.parametrize("suffix", [".mpg", ".vob", ".avi", ".ogv"])
def test_other_containers_that_are_read_through_a_join(
    tmp_path: Path, media: ModuleType, suffix: str, to_the_end: Any
) -> None:
    for name in ("a", "b"):
        _write(tmp_path / f"{name}{suffix}", rate=25)
    media.join([tmp_path / f"{name}{suffix}" for name in "ab"], tmp_path / f"trip{suffix}")
    source = VideoSource(tmp_path / f"trip{suffix}")
    seen, reason = to_the_end(source)
    assert reason == ""
    np.testing.assert_allclose([o.time_s for o in seen], [i / 25 for i in range(60)], atol=0.1)
    assert source.duration_s == pytest.approx(2.4, abs=0.1)


def test_hours_between_the_clocks_of_two_parts_are_no_truncation(
    tmp_path: Path, media: ModuleType, to_the_end: Any
) -> None:
    media.render_video(tmp_path / "a.ts", frames=30, fps=10)
    media.render_video(tmp_path / "b.ts", times_s=[5000 + i / 10 for i in range(20)], first=30)
    source = VideoSource(media.join([tmp_path / "a.ts", tmp_path / "b.ts"], tmp_path / "trip.ts"))
    seen, reason = to_the_end(source)
    assert reason == ""
    np.testing.assert_allclose([o.time_s for o in seen], [i / 10 for i in range(50)], atol=0.005)
    assert source.duration_s == pytest.approx(5.0, abs=0.01)


@pytest.mark.parametrize("suffix", [".mp4", ".flv"])
def test_a_recording_behind_another_that_no_player_reads_is_told(
    tmp_path: Path, media: ModuleType, suffix: str, to_the_end: Any
) -> None:
    for name in ("a", "b"):
        _write(tmp_path / f"{name}{suffix}")
    media.join([tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"], tmp_path / f"both{suffix}")
    seen, reason = to_the_end(VideoSource(tmp_path / f"both{suffix}"))
    assert len(seen) == 30
    size = (tmp_path / f"a{suffix}").stat().st_size
    assert f"another recording is joined behind, from byte {size} on" in reason
    assert to_the_end(VideoSource(tmp_path / f"a{suffix}"))[1] == ""


def _write(path: Path, codec: str | None = None, rate: int = 10, **options: str) -> None:
    """30 frames of noise that never stands still, so that no container leaves any out."""
    codecs = {".ogv": "libvpx", ".flv": "flv", ".avi": "mpeg4", ".mpg": "mpeg2video", ".vob": "mpeg2video"}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec or codecs.get(path.suffix, "libx264"), rate=rate)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for i in range(30):
            noise = np.random.default_rng(i).integers(0, 256, (64, 96, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("codec", "options"),
    [("mpeg2video", {}), ("libx264", {"mpegts_start_pid": "512", "mpegts_pmt_start_pid": "4352"})],
)
def test_a_part_with_other_tracks_is_told_and_the_rest_is_watched(
    tmp_path: Path, media: ModuleType, codec: str, options: dict[str, str], to_the_end: Any
) -> None:
    _write(tmp_path / "a.ts")
    _write(tmp_path / "b.ts", codec, rate=25, **options)
    media.join([tmp_path / f"{name}.ts" for name in "ab"], tmp_path / "trip.ts")
    seen, reason = to_the_end(VideoSource(tmp_path / "trip.ts"))
    assert len(seen) >= 29  # the last one may still be in the decoder when other data come
    start = (tmp_path / "a.ts").stat().st_size
    (told,) = (int(word) for word in reason.split() if word.isdigit())
    assert start <= told <= start + 4 * 188  # where its table of tracks is


def test_whole_files_are_not_taken_for_joined(tmp_path: Path, media: ModuleType) -> None:
    lenses = [tmp_path / "1.mp4", tmp_path / "2.mp4"]
    for path in lenses:
        media.render_video(path, frames=60, fps=10)
    media.bundle(lenses, tmp_path / "two.ts")
    for name in ("a.ts", "a.mkv", "a.avi", "a.webm", "a.mp4"):
        media.render_video(tmp_path / name, frames=100)
    for name in ("b.mpg", "b.vob", "b.flv", "b.ogv"):
        _write(tmp_path / name, rate=25)
    media.render_video(tmp_path / "late.ts", times_s=[95_000 + i / 10 for i in range(60)])  # the clock overflows
    for path in tmp_path.iterdir():
        with av.open(str(path)) as container:
            name = container.format.name
        assert not begins_again(path, name)
        assert unread_from(path, name) is None


def test_fragments_behind_a_second_header_are_read_and_no_other_recording(
    tmp_path: Path, media: ModuleType
) -> None:
    options = {"movflags": "frag_every_frame+empty_moov+default_base_moof"}
    media.render_video(tmp_path / "a.mp4", frames=20, fps=10, container_options=options)
    data = (tmp_path / "a.mp4").read_bytes()
    (tmp_path / "twice.mp4").write_bytes(data[: data.index(b"moof") - 4] + data)
    assert unread_from(tmp_path / "twice.mp4", "mov,mp4") is None


def test_sound_and_pictures_stay_together_over_many_parts(tmp_path: Path, media: ModuleType) -> None:
    paths = [tmp_path / f"{n}.ts" for n in range(12)]
    for n, path in enumerate(paths):  # the sound of each part ends .4 s before its picture
        media.render_video(path, frames=20, fps=10, sound_s=1.6, first=20 * n)
    media.join(paths, tmp_path / "trip.ts")
    sound, _ = read_sound(tmp_path / "trip.ts", "trip", 22.0, 24.0)  # the last part
    sound = np.pad(sound, (0, 2 * RATE - len(sound)))
    loud = np.abs(sound).reshape(-1, RATE // 20).max(axis=1) > 0.05
    assert loud[2:28].all()
    assert not loud[36:].any()


def test_a_file_of_nothing_but_sync_bytes_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    for data in (b"G" * 5000, b"\x47" + b"\0" * 187, b"", bytes(range(256)) * 50):
        path.write_bytes(data)
        assert not begins_again(path, "mpegts")
        assert unread_from(path, "mpegts") is None


CLOCK_TURNS_S = 2**33 / 90_000  # when the clock of a transport stream begins again at zero


@pytest.mark.parametrize("behind", [True, False])
def test_a_clock_that_begins_again_is_no_join_also_in_a_later_part(
    tmp_path: Path, media: ModuleType, to_the_end: Any, *, behind: bool
) -> None:
    starts_s = [0.0, CLOCK_TURNS_S - 1.5] if behind else [CLOCK_TURNS_S - 1.5, 0.0]
    for name, start_s, first in zip("ab", starts_s, (0, 40), strict=True):
        times_s = [start_s + i / 10 for i in range(40)]
        media.render_video(tmp_path / f"{name}.ts", times_s=times_s, first=first, options=media.long_gop(20))
    source = VideoSource(media.join([tmp_path / "a.ts", tmp_path / "b.ts"], tmp_path / "trip.ts"))
    seen, reason = to_the_end(source)
    assert reason == ""
    assert [media.read_number(o.images[""]) for o in seen] == list(range(80))
    np.testing.assert_allclose([o.time_s for o in seen], [i / 10 for i in range(80)], atol=0.005)
    assert source.duration_s == pytest.approx(8.0, abs=0.01)
