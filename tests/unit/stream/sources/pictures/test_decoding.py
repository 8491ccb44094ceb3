"""Bytes of pictures into pixels: cut ones, ones with more behind them, turned ones, ones that are too large."""

from __future__ import annotations

import struct
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest

from hippocam.stream.sources.pictures.decoding import decode_image, read_image, why_unread


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, b"x" * 1000])
def test_bytes_that_are_no_image_decode_to_none(data: bytes) -> None:
    assert decode_image(data, 640) is None


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


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "avif"])
def test_a_picture_is_seen_as_it_is_turned(tmp_path: Path, media: ModuleType, suffix: str, turn: int) -> None:
    path, exif = tmp_path / f"a.{suffix}", PIL.Image.Exif()
    exif[0x0112] = turn
    PIL.Image.fromarray(media.numbered_image(7)).save(path, exif=exif)
    upright = np.asarray(PIL.ImageOps.exif_transpose(PIL.Image.open(path)).convert("RGB"))
    seen = read_image(path, 640)
    assert seen is not None
    assert seen.shape == upright.shape
    assert np.abs(seen.astype(int) - upright).mean() < 8


def _claimed(suffix: str, width: int, height: int) -> bytes:
    """A picture whose header says that it is so large."""
    data = bytearray(_encoded(suffix))
    if suffix == ".png":
        data[16:24] = struct.pack(">II", width, height)
    elif suffix == ".bmp":
        data[18:26] = struct.pack("<ii", width, -height)
    else:
        at = data.index(b"\xff\xc0") + 5
        data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.jpg", _claimed(".jpg", 20_000, 20_001), "20000 x 20001 pixels, which is too many"),
        ("a.png", _claimed(".png", 20_000, 20_001), "20000 x 20001 pixels, which is too many"),
        ("a.bmp", _claimed(".bmp", 20_000, 20_001), "20000 x 20001 pixels, which is too many"),
        ("a.jpg", _encoded(".jpg")[:-100], "cut off before its end"),
        ("a.png", b"", "empty"),
        ("a.webp", b"x" * 1000, "damaged"),
        ("gone.png", None, "no such file or directory"),
    ],
)
def test_why_a_picture_cannot_be_read_is_told(tmp_path: Path, name: str, data: bytes | None, told: str) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    assert read_image(tmp_path / name, 640) is None
    assert why_unread(tmp_path / name) == told
