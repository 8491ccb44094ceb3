"""Folders of images: order, times, depths, sizes and broken files."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.sources.pictures.folder import ImageFolderSource


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
    assert told.startswith(
        "3 of 6 images cannot be read, the first is 2.jpg (cut off before its end); all others were kept"
    )
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


@pytest.mark.parametrize("settings", [{"image_fps": 0}, {"image_fps": -1}, {"longest_px": 1}])
def test_senseless_settings_are_refused(tmp_path: Path, settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        ImageFolderSource(tmp_path, **settings)  # type: ignore[arg-type]


def test_of_one_picture_by_itself_only_the_reason_is_told(tmp_path: Path, media: ModuleType) -> None:
    _write(tmp_path / "a.jpg", media.numbered_image(0))
    media.cut(tmp_path / "a.jpg", tmp_path / "a.jpg", 0.5)
    with pytest.raises(SourceError, match=r"a\.jpg: cannot be read \(cut off before its end\)$"):
        list(ImageFolderSource(tmp_path, names=("a.jpg",)).observations(fps=None))
