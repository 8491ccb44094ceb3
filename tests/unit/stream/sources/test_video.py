"""Pictures, sizes and decoders of VideoSource, and real films."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import av
import cv2
import numpy as np
import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.sources.decode.frames import Decoder
from hippocam.stream.sources.decode.packet_index import build_index
from hippocam.stream.sources.video import VideoSource


@pytest.mark.parametrize(("name", "degrees"), [("a.mp4", 90), ("a.mp4", 180), ("a.mov", 270)])
def test_rotation_metadata_turns_the_picture_upright(
    tmp_path: Path, media: ModuleType, name: str, degrees: int
) -> None:
    path = tmp_path / name
    media.render_video(path, frames=5, rotation=degrees)
    for decoder in ("pyav", "decord"):
        for o in VideoSource(path, decoder=decoder).observations(fps=None):
            # The player turns clockwise; turned back, the picture is as it was drawn.
            drawn = np.rot90(o.images[""], degrees // 90)
            assert drawn.shape == (64, 96, 3)
            assert media.read_number(drawn) == o.seq


@pytest.mark.parametrize(
    "settings",
    [
        {"size": (97, 65), "pix_fmt": "yuv444p"},
        {"codec": "ffv1", "pix_fmt": "gray"},
        {"codec": "ffv1", "pix_fmt": "gray16le"},
        {"codec": "libx265", "pix_fmt": "yuv420p10le"},
        {"codec": "mjpeg", "pix_fmt": "yuvj422p"},
        {"codec": "ffv1", "pix_fmt": "bgra"},
    ],
    ids=lambda s: f"{s.get('codec', 'h264')} {s['pix_fmt']}",
)
def test_any_pixel_format_becomes_rgb(tmp_path: Path, media: ModuleType, settings: Mapping[str, object]) -> None:
    path = tmp_path / "a.mkv"
    media.render_video(path, frames=10, **settings)
    seen = list(VideoSource(path).observations(fps=None))
    width, height = settings.get("size", (96, 64))  # type: ignore[misc]
    assert [media.read_number(o.images[""]) for o in seen] == list(range(10))
    assert {o.images[""].shape for o in seen} == {(height, width, 3)}
    darkest, brightest = seen[3].images[""].min(), seen[3].images[""].max()
    assert darkest < 50
    assert brightest > 205


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [
        ((320, 180), 100, (56, 100)),
        ((180, 320), 100, (100, 56)),
        ((64, 48), 100, (48, 64)),
        ((320, 16), 64, (3, 64)),
    ],
)
def test_pictures_are_scaled_down_in_shape_and_never_up(
    tmp_path: Path, media: ModuleType, size: tuple[int, int], longest: int, expected: tuple[int, int]
) -> None:
    media.render_video(tmp_path / "a.mp4", frames=2, size=size)
    (first, _) = VideoSource(tmp_path / "a.mp4", longest_px=longest).observations(fps=None)
    assert first.images[""].shape == (*expected, 3)


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path, media: ModuleType) -> None:
    path = tmp_path / "a.mkv"
    media.render_video(path, frames=2, options={"aspect": "3:1"})  # of one pixel
    (first, _) = VideoSource(path).observations(fps=None)
    height, width = first.images[""].shape[:2]
    assert width / height == pytest.approx(3 * 96 / 64, rel=0.05)


def test_a_picture_that_starts_after_the_sound_keeps_its_delay(tmp_path: Path, media: ModuleType) -> None:
    path = tmp_path / "a.mp4"
    media.render_video(path, times_s=[1 + i / 25 for i in range(50)], sound_s=4.0)
    first = next(iter(VideoSource(path).observations(fps=1)))
    assert (first.seq, first.time_s) == (0, pytest.approx(1.0))


@pytest.mark.parametrize("fps", [None, 5])
def test_an_avi_which_tells_only_when_frames_are_decoded_shows_them_in_order(
    tmp_path: Path, media: ModuleType, fps: float | None
) -> None:
    path = tmp_path / "a.avi"
    media.render_video(path, frames=60, codec="libx264", options=media.long_gop(30))
    seen = [(o.seq, o.time_s, media.read_number(o.images[""])) for o in VideoSource(path).observations(fps=fps)]
    step = 1 if fps is None else 5
    expected = [(k, k / 25, k) for k in range(0, 60, step)]
    assert [(seq, number) for seq, _, number in seen] == [(seq, number) for seq, _, number in expected]
    np.testing.assert_allclose(
        [time_s for _, time_s, _ in seen], [time_s for _, time_s, _ in expected], atol=0.011
    )


def test_jpegs_one_behind_the_other_are_a_video(tmp_path: Path, media: ModuleType) -> None:
    sizes = [(96, 64)] * 3 + [(64, 96)] * 3
    pictures = [cv2.imencode(".jpg", media.numbered_image(k, size))[1].tobytes() for k, size in enumerate(sizes)]
    (tmp_path / "a.mjpeg").write_bytes(b"".join(pictures))
    seen = list(VideoSource(tmp_path / "a.mjpeg").observations(fps=None))
    assert [media.read_number(o.images[""]) for o in seen] == list(range(6))
    assert [o.images[""].shape[1::-1] for o in seen] == sizes


def test_pictures_that_no_memory_has_room_for_are_refused(
    tmp_path: Path, media: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hippocam.stream.sources.files.MOST_PIXELS", 128 * 80)
    monkeypatch.setattr("hippocam.stream.sources.decode.packet_index.MOST_PIXELS", 128 * 80)
    for name, size in (("small", (96, 64)), ("large", (160, 96))):
        media.render_video(tmp_path / f"{name}.ts", frames=10, size=size)
    media.join([tmp_path / "small.ts", tmp_path / "large.ts"], tmp_path / "grows.ts")
    assert len(list(VideoSource(tmp_path / "small.ts").observations(fps=None))) == 10
    with pytest.raises(SourceError, match="160 x 96 pixels, which is too many"):
        list(VideoSource(tmp_path / "large.ts").observations(fps=None))
    seen = []
    with suppress(SourceError):
        seen.extend(VideoSource(tmp_path / "grows.ts").observations(fps=None))
    assert {o.images[""].shape for o in seen} == {(64, 96, 3)}


def test_a_single_frame(tmp_path: Path, media: ModuleType) -> None:
    media.render_video(tmp_path / "a.mp4", frames=1)
    for fps in (None, 1, 100):
        (only,) = VideoSource(tmp_path / "a.mp4").observations(fps=fps)
        assert (only.seq, only.time_s, media.read_number(only.images[""])) == (0, 0.0, 0)


def test_timestamps_that_jump_back_are_kept_in_the_order_of_the_file(tmp_path: Path, media: ModuleType) -> None:
    # Two recordings of a transport stream behind each other, as a restarted camera leaves them.
    for name, frames in (("a.ts", 30), ("b.ts", 20)):
        media.render_video(tmp_path / name, frames=frames, options=media.long_gop(10))
    path = tmp_path / "both.ts"
    path.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    seen = list(VideoSource(path).observations(fps=None))
    assert [media.read_number(o.images[""]) for o in seen] == [*range(30), *range(20)]
    assert [o.seq for o in seen] == list(range(50))
    whole = [(o.seq, o.time_s) for o in VideoSource(path).observations(fps=5)]
    rest = [(o.seq, o.time_s) for o in VideoSource(path).observations(fps=5, after_seq=whole[4][0])]
    assert rest == whole[5:]


def test_a_raw_stream_without_timestamps_is_read_at_its_nominal_rate(tmp_path: Path, media: ModuleType) -> None:
    path = tmp_path / "a.h264"
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "2", "g": "20"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for i in range(40):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(media.numbered_image(i), format="rgb24")))
        container.mux(stream.encode(None))
    seen = list(VideoSource(path).observations(fps=None))
    assert [media.read_number(o.images[""]) for o in seen] == list(range(40))
    assert np.all(np.diff([o.time_s for o in seen]) > 0)


@pytest.mark.parametrize("threads", [0, 1, 2])
@pytest.mark.parametrize("decoder", ["auto", "pyav", "decord"])
@pytest.mark.parametrize("name", ["plain.mp4", "vfr.mp4", "open.mp4", "a.webm"])
def test_every_decoder_gives_the_same_frames(
    tmp_path: Path, media: ModuleType, decoder: Decoder, threads: int, name: str
) -> None:
    path = tmp_path / name
    options = {"plain.mp4": media.long_gop(20), "open.mp4": media.long_gop(20, open_gop=True)}.get(name)
    times_s = [0, 0.04, 0.5, 0.54, 1.7, 1.74, 3.0, 3.04, 9.0] if name == "vfr.mp4" else None
    media.render_video(path, frames=60, options=options, times_s=times_s, size=(128, 64))
    source = VideoSource(path, decoder=decoder, threads=threads)
    truth = list(media.true_frames(path))
    for fps, after_seq in ((None, -1), (None, 3), (5, -1), (5, 4)):
        seen = list(source.observations(fps=fps, after_seq=after_seq))
        assert seen
        for o in seen:
            assert (o.time_s, media.read_number(o.images[""])) == (pytest.approx(truth[o.seq][0]), o.seq)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"longest_px": 3}, "longest_px"),
        ({"threads": -1}, "threads"),
        ({"decoder": "cv2"}, "decoder must be"),
    ],
)
def test_senseless_settings_are_refused(settings: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        VideoSource("a.mp4", **settings)  # type: ignore[arg-type]


def test_heavy_libraries_wait_until_a_file_is_read() -> None:
    code = (
        "import sys; from hippocam.stream.sources import open_sources; open_sources(['/nope.mp4', '/*.nope']);"
        "print([m for m in ('av', 'cv2', 'decord', 'pyarrow', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


REAL = {
    "cctv/intel_one_by_one_person_detection.mp4": 140,
    "cctv/driveway_prius_60s.mov": 61,
    "ego/openeqa_hm3d_house_tour.mp4": 17,
    "film/sintel_trailer_480p_14chapters.mp4": 53,
    "ui/gnome_dual_monitors_screencast.webm": 38,
    "misc/hobby_robot_arm_30s.mp4": 31,
}


@pytest.mark.parametrize("name", list(REAL))
def test_real_videos_give_the_frames_of_a_full_decode(shared_data: Path, name: str) -> None:
    path = shared_data / "video" / name
    index = build_index(path, str(path))
    assert not index.linear
    seen = {o.seq: o for o in VideoSource(path).observations(fps=1)}
    assert len(seen) == REAL[name]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for seq, frame in enumerate(container.decode(stream)):
            if seq in seen:
                image = seen[seq].images[""]
                assert seen[seq].time_s == pytest.approx(float(frame.pts * stream.time_base), abs=1e-6)
                truth = frame.to_ndarray(format="rgb24", width=image.shape[1], height=image.shape[0])
                assert np.abs(truth.astype(int) - image).mean() < 0.5
    assert seq + 1 == len(index)


def test_memory_stays_small_on_a_whole_film(shared_data: Path) -> None:
    path = shared_data / "video/film/big_buck_bunny_full_360p.mp4"
    code = (
        "import resource, sys\n"
        "from hippocam.stream.sources.video import VideoSource\n"
        "rss = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "for n, o in enumerate(VideoSource(sys.argv[1]).observations(fps=1)):\n"
        "    if n == 20: before = rss()\n"
        "print(n + 1, o.seq, rss() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    count, last, grown_mb = map(int, done.stdout.split())
    assert (count, last) == (635, 19020)
    assert grown_mb < 30
