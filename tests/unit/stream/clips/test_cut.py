"""A stretch of a video file as a file of its own: the right frames, whatever holds them."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest

from hippocam.stream.clips.cut import cut, suffix_of
from hippocam.stream.errors import ClipError

FPS, SECONDS, GOP = 10, 12, 20


def render(path: Path, *, codec: str = "libx264", sound: bool = False) -> Path:
    """A video whose brightness tells the time: 2 levels a frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.gop_size, stream.bit_rate = GOP, 8_000_000
        voice = container.add_stream("aac", rate=16_000, layout="mono") if sound else None
        for seq in range(FPS * SECONDS):
            grey = np.full((48, 64, 3), 2 * seq, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(stream.encode(None))
        if voice is not None:
            for start in range(0, 16_000 * SECONDS, 1024):
                frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
                frame.rate, frame.pts = 16_000, start
                container.mux(voice.encode(frame))
            container.mux(voice.encode(None))
    return path


def shown(path: Path) -> list[tuple[float, float]]:
    """Time and brightness, as a time, of each frame of a clip."""
    with av.open(str(path)) as container:
        return [
            (frame.time, frame.to_ndarray(format="gray").mean() / 2 / FPS) for frame in container.decode(video=0)
        ]


def keys_of(path: Path) -> list[tuple[float, bool]]:
    """The brightness, as a time, of each frame of a video, and whether it is a key frame."""
    with av.open(str(path)) as container:
        return [
            (frame.to_ndarray(format="gray").mean() / 2 / FPS, frame.key_frame)
            for frame in container.decode(video=0)
        ]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
def test_a_clip_shows_the_stretch_from_the_key_frame_before_it(tmp_path: Path, suffix: str) -> None:
    codec = "mpeg4" if suffix == ".avi" else "libx264"  # AVI holds no times, so nothing may be out of order
    path = render(tmp_path / f"a{suffix}", codec=codec)
    key_s = max(own_s for own_s, key in keys_of(path) if key and own_s < 5.05)
    clip = cut(path, tmp_path / "clip.mp4", 5.0, 7.05)
    frames = shown(clip.path)
    assert len(frames) == clip.frames
    assert frames[0][0] == pytest.approx(0.0, abs=0.11)
    assert frames[0][1] == pytest.approx(key_s, abs=0.15)
    assert frames[-1][1] == pytest.approx(7.0, abs=0.15)
    for (time_s, own_s), (next_s, next_own_s) in itertools.pairwise(frames):
        assert next_s - time_s == pytest.approx(0.1, abs=0.02)
        assert next_own_s > own_s
    ((t0_s, t1_s),) = clip.spans
    assert (t0_s, t1_s) == (pytest.approx(key_s, abs=0.15), pytest.approx(7.0, abs=0.11))


def test_sound_comes_with_it(tmp_path: Path) -> None:
    cut(render(tmp_path / "a.mp4", sound=True), tmp_path / "clip.mp4", 6.0, 9.0)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        (sound,) = container.streams.audio
        heard = list(container.decode(sound))
        assert sum(frame.samples for frame in heard) / 16_000 == pytest.approx(3.0, abs=0.3)


def test_the_container_follows_the_codec(tmp_path: Path) -> None:
    assert suffix_of(render(tmp_path / "a.mp4")) == ".mp4"
    path = render(tmp_path / "b.mkv", codec="mjpeg")
    assert suffix_of(path) == ".mkv"
    assert cut(path, tmp_path / "clip.mkv", 1.0, 2.0).frames == pytest.approx(11, abs=1)


def test_what_cannot_be_cut_is_told_and_leaves_no_file(tmp_path: Path) -> None:
    path = render(tmp_path / "a.mp4")
    for name, t0_s, t1_s, says in (
        ("c.mp4", 5.0, 4.0, "end after"),
        ("c.mp4", 50.0, 60.0, "no frame"),
        ("c.gif", 1.0, 2.0, "must end in"),
    ):
        with pytest.raises(ClipError, match=says):
            cut(path, tmp_path / name, t0_s, t1_s)
    with pytest.raises(ClipError, match="tracks"):
        cut(path, tmp_path / "c.mp4", 1.0, 2.0, number=1)
    assert [found.name for found in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("name", ["a.ts", "a.mpg"])
@pytest.mark.parametrize("t0_s", [1.0, 3.3])
def test_a_clip_of_joined_recordings_shows_its_own_time(
    tmp_path: Path, media: ModuleType, name: str, t0_s: float
) -> None:
    parts = []
    for k in range(2):
        media.render_video(tmp_path / "raw.mp4", frames=60, first=60 * k, options=media.long_gop(12))
        codec = "mpeg2video" if name == "a.mpg" else "libx264"
        parts.append(media.encode_anew(tmp_path / "raw.mp4", tmp_path / f"{k}{name}", codec=codec))
    path = media.join(parts, tmp_path / name)
    clip = cut(path, tmp_path / "clip.mkv", t0_s, t0_s + 0.8)
    numbers = [number for _, number in media.true_frames(clip.path)]
    (span,) = clip.spans
    assert span[0] <= t0_s < span[1] <= t0_s + 0.8
    assert numbers[0] == round(25 * span[0])
    assert numbers[-1] == round(25 * span[1])


@pytest.mark.parametrize(("codec", "suffix"), [("libsvtav1", ".mp4"), ("libx265", ".mp4"), ("libvpx", ".mkv")])
def test_a_clip_of_a_codec_whose_encoder_has_another_name(
    tmp_path: Path, media: ModuleType, codec: str, suffix: str
) -> None:
    options = {"preset": "8", "crf": "20"} if codec == "libsvtav1" else None
    media.render_video(tmp_path / "a.mkv", frames=50, codec=codec, options=options, size=(192, 128))
    assert suffix_of(tmp_path / "a.mkv") == suffix
    clip = cut(tmp_path / "a.mkv", tmp_path / f"clip{suffix}", 0.0, 1.0)
    numbers = [number for _, number in media.true_frames(clip.path)]
    assert numbers == list(range(len(numbers)))
    assert clip.frames >= len(numbers) >= 25
