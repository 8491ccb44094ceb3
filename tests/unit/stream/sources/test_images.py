"""Folders of images: order, times, depths, sizes and broken files."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.sources import open_sources
from hippocam.stream.sources.images import AnimationSource, ImageFolderSource, decode_image, stamps_of


def _write(path: Path, image: np.ndarray) -> None:
    assert cv2.imwrite(str(path), image)


def test_order_is_natural_and_images_are_a_second_apart(tmp_path: Path, media: ModuleType) -> None:
    for i in (10, 2, 1):
        _write(tmp_path / f"img_{i}.png", media.numbered_image(i))
    source = ImageFolderSource(tmp_path)
    seen = list(source.observations(fps=None))
    assert [(o.seq, o.time_s, media.read_number(o.images[""])) for o in seen] == [(0, 0, 1), (1, 1, 2), (2, 2, 10)]
    assert source.duration_s == 3.0


def test_a_given_rate_sets_the_times(tmp_path: Path, media: ModuleType) -> None:
    for i in range(10):
        _write(tmp_path / f"{1600000000 + i}.5.png", media.numbered_image(i))
    assert [o.time_s for o in ImageFolderSource(tmp_path).observations(fps=None)] == list(range(10))
    source = ImageFolderSource(tmp_path, image_fps=5)
    assert [o.time_s for o in source.observations(fps=None)] == pytest.approx(np.arange(10) / 5)
    assert [o.seq for o in source.observations(fps=1)] == [0, 5]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["1628069033.759604.png", "1628069034.223968.png"], [0.0, 0.464364]),
        (["1403636579763555584.png", "1403636579813555456.png"], [0.0, 0.049999872]),
        (["1600000000000.jpg", "1600000000250.jpg"], [0.0, 0.25]),
        (["1600000000000000.jpg", "1600000000250000.jpg"], [0.0, 0.25]),
        (["000001.jpg", "000002.jpg"], None),
        (["0000000001.png", "0000000002.png"], None),  # a running number of ten digits
        (["1700000000.jpg", "1700000005.jpg", "1700000005.png"], [0.0, 5.0, 5.0]),
        (["cam_1700000000.jpg", "cam_1700000060.jpg"], [0.0, 60.0]),
        (["2023-11-14_22-13-20.jpg", "2023-11-15_00-13-20.jpg"], [0.0, 7200.0]),
        (["IMG_20231114_221320.jpg", "IMG_20231114_221325.jpg"], [0.0, 5.0]),
        (["PXL_20231114_221320123.jpg", "PXL_20231114_221320623.jpg"], [0.0, 0.5]),
        (["Screenshot 2023-11-14 22.13.20.png", "Screenshot 2023-11-14 22.14.20.png"], [0.0, 60.0]),
        (["2023-11-14T22:13:20.jpg", "2023-11-14T22:13:21.jpg"], [0.0, 1.0]),
        (["front_door-1604001234.25-abc12.jpg", "front_door-1604001236.5-zz.jpg"], [0.0, 2.25]),  # Frigate
        (["2023-02-30_22-13-20.jpg", "2023-02-31_22-13-20.jpg"], None),  # no such days
        (["2023-11-14_22-13-20.jpg", "1.jpg"], None),
        (["2023-11-14_22-13-20.jpg", "2023-11-14_22-13-10.jpg"], None),  # falling
        (["20231114.jpg", "20231115.jpg"], None),  # a date without a time
        (["20240101.5.jpg", "20240102.5.jpg"], None),
        (["1628069033.7.png", "1628069033.7.jpg"], None),
    ],
)
def test_names_that_are_timestamps(names: list[str], expected: list[float] | None) -> None:
    stamps = stamps_of(names)
    assert (None if stamps is None else stamps.tolist()) == expected


def test_all_depths_channels_and_formats_become_rgb(tmp_path: Path) -> None:
    red = np.zeros((40, 60, 3), dtype=np.uint8)
    red[..., 2] = 200
    grey16 = np.full((40, 60), 200 * 256, dtype=np.uint16)
    for name, image in {
        "1.png": red,
        "2.jpg": red,
        "3.webp": red,
        "4.bmp": red,
        "5.png": np.dstack([red, np.full((40, 60), 128, np.uint8)]),
        "6.png": red.astype(np.uint16) * 256,
        "7.png": grey16,
        "8.png": (grey16 // 256).astype(np.uint8),
    }.items():
        _write(tmp_path / name, image)
    pictures = [o.images[""] for o in ImageFolderSource(tmp_path).observations(fps=None)]
    assert [(p.dtype, p.shape) for p in pictures] == [(np.uint8, (40, 60, 3))] * 8
    for picture in pictures[:6]:
        np.testing.assert_allclose(picture[20, 30], (200, 0, 0), atol=4)
    for picture in pictures[6:]:
        np.testing.assert_allclose(picture[20, 30], (200, 200, 200), atol=4)


def test_mixed_sizes_are_kept_and_large_ones_scaled(tmp_path: Path, media: ModuleType) -> None:
    for i, size in enumerate([(100, 50), (2000, 1000), (30, 900)]):
        _write(tmp_path / f"{i}.png", media.numbered_image(i, size))
    seen = list(ImageFolderSource(tmp_path).observations(fps=None))
    assert [o.images[""].shape[:2] for o in seen] == [(50, 100), (320, 640), (640, 21)]
    assert [media.read_number(o.images[""]) for o in seen] == [0, 1, 2]


def test_broken_images_are_told_after_all_others(tmp_path: Path, media: ModuleType) -> None:
    for i in range(6):
        _write(tmp_path / f"{i}.{'png' if i % 2 else 'jpg'}", media.numbered_image(i))
    for name in ("2.jpg", "3.png"):
        media.cut(tmp_path / name, tmp_path / name, 0.7)
    (tmp_path / "5.png").write_text("not an image")
    seen = []
    told = ""
    try:
        for o in ImageFolderSource(tmp_path).observations(fps=None):
            seen.append((o.seq, o.time_s, media.read_number(o.images[""])))
    except SourceError as error:
        told = error.reason
    assert told.startswith("3 of 6 images cannot be read, the first is 2.jpg; all others were kept")
    assert seen == [(0, 0, 0), (1, 1, 1), (4, 4, 4)]


def test_a_folder_without_images_or_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no images in it"):
        list(ImageFolderSource(tmp_path).observations(fps=None))
    with pytest.raises(SourceError, match="no such folder"):
        list(ImageFolderSource(tmp_path / "gone").observations(fps=None))
    assert ImageFolderSource(tmp_path).duration_s is None


def test_names_outside_ascii(tmp_path: Path, media: ModuleType) -> None:
    (tmp_path / "küche").mkdir()
    ok, data = cv2.imencode(".png", media.numbered_image(7))
    assert ok
    (tmp_path / "küche" / "bild-ä1.png").write_bytes(data.tobytes())
    source = ImageFolderSource(tmp_path / "küche")
    assert source.id == "küche"
    assert [media.read_number(o.images[""]) for o in source.observations(fps=None)] == [7]


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, b"x" * 1000])
def test_bytes_that_are_no_image_decode_to_none(data: bytes) -> None:
    assert decode_image(data, 640) is None


@pytest.mark.parametrize("settings", [{"image_fps": 0}, {"image_fps": -1}, {"longest_px": 1}])
def test_senseless_settings_are_refused(tmp_path: Path, settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        ImageFolderSource(tmp_path, **settings)  # type: ignore[arg-type]


def _encoded(suffix: str, number: int = 5) -> bytes:
    ok, data = cv2.imencode(suffix, np.kron(np.eye(8, dtype=np.uint8) * 200, np.ones((16, 16), np.uint8)) + number)
    assert ok
    return bytes(data)


TAILS = {
    "a film": b"\x00\x00\x00\x18ftypisom" + bytes(range(256)) * 400,
    "zeros": bytes(8192),
    "another picture": b"\xff\xd8\xff\xe0" + bytes(9000),
}


@pytest.mark.parametrize("tail", list(TAILS))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
def test_what_stands_behind_a_picture_does_not_matter(suffix: str, tail: str) -> None:
    data = _encoded(suffix)
    plain, tailed = decode_image(data, 640), decode_image(data + TAILS[tail], 640)
    assert plain is not None
    assert tailed is not None
    assert np.array_equal(plain, tailed)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_a_picture_that_was_cut_is_broken_also_with_a_thumbnail_in_it(suffix: str, share: float) -> None:
    data = _encoded(suffix)
    if suffix == ".jpg":  # a thumbnail in its head has an end of its own
        thumbnail = _encoded(".jpg", 9)
        head = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
        data = data[:2] + head + data[2:]
        assert decode_image(data, 640) is not None
        cut = data[: len(head) + int((len(data) - len(head)) * share)]
    else:
        cut = data[: int(len(data) * share)]
    assert decode_image(cut, 640) is None


@pytest.mark.parametrize("suffix", [".webp", ".png", ".jpg"])  # what it is, its first bytes tell
def test_pictures_without_a_duration_are_shown_as_long_as_browsers_do(tmp_path: Path, suffix: str) -> None:
    animation = cv2.Animation()
    animation.frames = [np.full((32, 48, 3), 60 * k, np.uint8) for k in range(4)]
    animation.durations = [0, 10, 40, 0]
    written = tmp_path / ("a.png" if suffix == ".png" else "a.webp")
    assert cv2.imwriteanimation(str(written), animation)
    path = written.rename(tmp_path / f"b{suffix}")
    (source,) = open_sources([path]).sources
    assert [round(o.time_s, 3) for o in source.observations(fps=None)] == [0, 0.1, 0.2, 0.24]
    assert source.duration_s == pytest.approx(0.34)


def test_an_animation_that_no_memory_has_room_for_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    animation = cv2.Animation()
    animation.frames = [np.full((32, 48, 3), 60 * k, np.uint8) for k in range(4)]
    animation.durations = [100] * 4
    assert cv2.imwriteanimation(str(tmp_path / "a.webp"), animation)
    monkeypatch.setattr("hippocam.stream.sources.images._MOST_ANIMATED_PIXELS", 3 * 32 * 48)
    with pytest.raises(SourceError, match="more than 3 pictures of 48 x 32 pixels"):
        list(AnimationSource(tmp_path / "a.webp", id="a").observations(fps=None))
