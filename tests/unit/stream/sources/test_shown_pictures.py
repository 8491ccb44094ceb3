"""Pictures as a player shows them: turned and mirrored, in their shape, in their colours."""

from __future__ import annotations

import struct
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest

from hippocam.stream.records import Image
from hippocam.stream.sources.video import VideoSource

ONE = 1 << 16
# Matrix of a track, and what it does to a picture.
MATRICES = {
    "upright": ((1, 0, 0, 1), lambda p: p),
    "a quarter turn clockwise": ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),
    "half a turn": ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
    "a quarter turn counter-clockwise": ((0, -1, 1, 0), lambda p: np.rot90(p, 1)),
    "mirrored": ((-1, 0, 0, 1), lambda p: p[:, ::-1]),
    "upside down": ((1, 0, 0, -1), lambda p: p[::-1]),
    "mirrored along one diagonal": ((0, 1, 1, 0), lambda p: p.transpose(1, 0, 2)),
    "mirrored along the other": ((0, -1, -1, 0), lambda p: np.rot90(p.transpose(1, 0, 2), 2)),
}


def corners(size: tuple[int, int] = (160, 120)) -> Image:
    """A picture with a colour of its own in each corner."""
    width, height = size
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2] = 220, 30, 30
    picture[: height // 2, width // 2 :] = 30, 200, 30
    picture[height // 2 :, : width // 2] = 30, 30, 220
    picture[height // 2 :, width // 2 :] = 230, 230, 230
    return picture


def write(path: Path, pictures: list[Image], *, colorspace: str | None = None, tag: int | None = None) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast", "crf": "8"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if tag is not None:
            stream.codec_context.colorspace = tag
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace=colorspace)))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("decoder", ["pyav", "decord"])
@pytest.mark.parametrize("keyframes_only", [False, True])
@pytest.mark.parametrize("name", list(MATRICES))
def test_turned_and_mirrored(tmp_path: Path, name: str, decoder: str, keyframes_only: bool) -> None:
    path = write(tmp_path / "a.mp4", [corners()] * 5)
    (a, b, c, d), expected = MATRICES[name]
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    source = VideoSource(path, decoder=decoder, threads=2, keyframes_only=keyframes_only)  # type: ignore[arg-type]
    picture = next(iter(source.observations(fps=None))).images[""].astype(int)
    shown = expected(corners()).astype(int)
    assert picture.shape == shown.shape
    assert np.abs(picture - shown).mean() < 6


@pytest.mark.parametrize("longest", [640, 100])
def test_a_picture_that_changes_its_size_keeps_its_shape(tmp_path: Path, media: ModuleType, longest: int) -> None:
    sizes = [(160, 96), (96, 160), (320, 192), (64, 64)]
    parts = []
    for k, size in enumerate(sizes):
        parts.append(write(tmp_path / f"{k}.ts", [corners(size)] * 20))
    path = media.join(parts, tmp_path / "all.ts")
    seen = list(VideoSource(path, longest_px=longest).observations(fps=None))
    assert len(seen) == 80
    for k, size in enumerate(sizes):
        scale = min(1.0, longest / max(size))
        width, height = round(size[0] * scale), round(size[1] * scale)
        for observation in seen[20 * k : 20 * k + 20]:
            picture = observation.images[""]
            assert picture.shape == (height, width, 3)
            assert np.abs(picture[height // 4, width // 4].astype(int) - (220, 30, 30)).max() < 30


def test_pixels_that_change_their_shape_in_mid_stream_are_made_square(tmp_path: Path, media: ModuleType) -> None:
    # Television changes between 4:3 and 16:9 in frames of one size.
    parts = []
    for k, aspect in enumerate(("1/1", "2/1", "1/2")):
        parts.append(tmp_path / f"{k}.ts")
        params = {"preset": "veryfast", "x264-params": f"sar={aspect}:keyint=10"}
        media.render_video(parts[-1], frames=20, size=(96, 64), options=params)
    seen = list(VideoSource(media.join(parts, tmp_path / "all.ts")).observations(fps=None))
    assert [seen[k].images[""].shape[:2] for k in (0, 10, 30, 50, 59)] == [
        (64, 96), (64, 96), (32, 96), (64, 48), (64, 48)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("size", "colorspace", "tag"),
    [
        ((1280, 720), "ITU709", None),  # not told: HD is BT.709, as players take it
        ((1920, 1080), "ITU709", None),
        ((720, 576), "ITU601", None),
        ((1280, 720), "ITU601", 5),  # told: taken at its word
        ((720, 576), "ITU709", 1),
    ],
)
def test_colours_are_those_that_were_meant(
    tmp_path: Path, size: tuple[int, int], colorspace: str, tag: int | None
) -> None:
    path = write(tmp_path / "a.mp4", [corners(size)] * 3, colorspace=colorspace, tag=tag)
    picture = next(iter(VideoSource(path).observations(fps=None))).images[""].astype(int)
    height, width = picture.shape[:2]
    for y, x, colour in ((1, 1, (220, 30, 30)), (1, 3, (30, 200, 30)), (3, 1, (30, 30, 220))):
        assert np.abs(picture[y * height // 4, x * width // 4] - colour).max() < 8


@pytest.mark.parametrize("form", ["YCgCo", "bt2020c", "chroma-derived-nc", "ICtCp"])
def test_a_film_whose_form_of_colour_is_not_read_is_watched_and_that_is_told(
    tmp_path: Path, media: ModuleType, caplog: pytest.LogCaptureFixture, form: str
) -> None:
    path = tmp_path / "a.mp4"
    media.render_video(path, frames=5, options={"preset": "veryfast", "x264-params": f"colormatrix={form}"})
    seen = list(VideoSource(path).observations(fps=None))
    assert [media.read_number(o.images[""]) for o in seen] == list(range(5))
    assert caplog.text.count("a.mp4: its colours are of a form that is not read") == 1
