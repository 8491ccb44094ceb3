"""Animated WebP and PNG: times as browsers have them, and what there is of a broken one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.sources import open_sources
from hippocam.stream.sources.pictures.animation import AnimationSource


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
    monkeypatch.setattr("hippocam.stream.sources.pictures.animation._MOST_PIXELS", 3 * 32 * 48)
    with pytest.raises(SourceError, match="more than 3 pictures of 48 x 32 pixels"):
        list(AnimationSource(tmp_path / "a.webp", id="a").observations(fps=None))


# With what a picture begins.
_BEGINS = {".webp": b"ANMF", ".png": b"fcTL"}


def _film(path: Path, media: ModuleType, count: int = 10) -> bytes:
    animation = cv2.Animation()
    animation.frames = [media.numbered_image(k)[..., ::-1].copy() for k in range(count)]
    animation.durations = [100 + 10 * k for k in range(count)]
    assert cv2.imwriteanimation(str(path), animation)
    return path.read_bytes()


@pytest.mark.parametrize("suffix", [".webp", ".png"])
@pytest.mark.parametrize("share", [0.35, 0.8, 0.999])
def test_of_a_truncated_animation_there_are_the_pictures_before_its_end(
    tmp_path: Path, media: ModuleType, to_the_end: Callable[..., tuple[list, str]], suffix: str, share: float
) -> None:
    path = tmp_path / f"a{suffix}"
    data = _film(path, media)
    path.write_bytes(data[: int(len(data) * share)])
    seen, told = to_the_end(open_sources([path]).sources[0])
    assert len(seen) in (int(10 * share) - 1, int(10 * share))
    assert [media.read_number(o.images[""]) for o in seen] == list(range(len(seen)))
    ends_s = np.cumsum([100 + 10 * k for k in range(len(seen))]) / 1000
    assert [o.time_s for o in seen] == pytest.approx([0, *ends_s[:-1]])
    assert told.startswith(f"truncated: read up to {ends_s[-1]:.1f} s; the part before it was kept")


@pytest.mark.parametrize("suffix", [".webp", ".png"])
@pytest.mark.parametrize("at", [0.3, 0.6, 0.85])
def test_of_a_damaged_animation_there_are_the_pictures_before_the_damage(
    tmp_path: Path, media: ModuleType, to_the_end: Callable[..., tuple[list, str]], suffix: str, at: float
) -> None:
    path = tmp_path / f"a{suffix}"
    data = bytearray(_film(path, media))
    where = data.index(_BEGINS[suffix], int(len(data) * at)) + 4
    before = data[:where].count(_BEGINS[suffix]) - 1
    data[where : where + 60] = b"\xff" * 60
    path.write_bytes(data)
    seen, told = to_the_end(open_sources([path]).sources[0])
    assert [media.read_number(o.images[""]) for o in seen] == list(range(before))
    assert "read up to" in told


def test_an_animation_that_no_longer_says_that_it_is_one_is_refused(tmp_path: Path, media: ModuleType) -> None:
    path = tmp_path / "a.png"
    data = _film(path, media).replace(b"acTL", b"acT\0").replace(b"fcTL", b"fcT\0", 1)
    path.write_bytes(data)
    with pytest.raises(SourceError, match="it is damaged"):
        list(AnimationSource(path, id="a").observations(fps=None))


@pytest.mark.parametrize("suffix", [".webp", ".png"])
def test_an_animation_without_one_whole_picture_is_refused(tmp_path: Path, media: ModuleType, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    data = _film(path, media)
    path.write_bytes(data[: data.index(_BEGINS[suffix]) + 40])
    with pytest.raises(SourceError, match="its pictures cannot be decoded: it is damaged"):
        list(AnimationSource(path, id="a").observations(fps=None))
