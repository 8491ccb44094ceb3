"""Bytes of a picture into pixels, upright; or why they cannot be."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from hippocam.stream import opencv as cv2
from hippocam.stream.records import Image
from hippocam.stream.sources.decode.pyav import Matrix, display_matrix, turned
from hippocam.stream.sources.pictures.kinds import PNG

# A marker of JPEG; in compressed data 0xFF stands before 0 or a restart marker only.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
# Markers without a length behind them: start, end, and one that nobody uses.
_JPEG_END = 0xD9
_JPEG_BARE = (0xD8, _JPEG_END, 0x01)
# Markers of the header that tells the size of the picture.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# What an AVIF begins with, behind a length of four bytes.
_BOX = b"ftyp"


def read_image(path: Path, longest: int) -> Image | None:
    """Read an image file as `decode_image` does; None also where the file cannot be read."""
    try:
        return decode_image(path.read_bytes(), longest)  # cv2.imread cannot open every name that the system can
    except OSError:
        return None


def decode_image(data: bytes, longest: int) -> Image | None:
    """Decode an image of any depth and number of channels.

    Args:
        data: A whole jpg, png, webp, avif or bmp file. It is turned as its EXIF or, of an AVIF, its boxes say.
        longest: Longer side of the result in pixels, at most.

    Returns:
        uint8 [H, W, 3] RGB, or None when the image is broken.
    """
    if not _is_whole(data):
        return None
    try:
        pixels: Any = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    if pixels is None:
        return None
    return turned(rgb_of(pixels, longest), _matrix_of_avif(data) if data[4:8] == _BOX else None)


def _matrix_of_avif(data: bytes) -> Matrix | None:
    """How an AVIF is turned and mirrored, which OpenCV leaves out."""
    import av

    try:
        with av.open(io.BytesIO(data), format="mov", metadata_errors="ignore") as container:
            return display_matrix(next(container.decode(video=0)))
    except (av.FFmpegError, StopIteration):
        return None


def why_unread(path: Path) -> str:
    """Say why a picture file cannot be read, in a few words."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return (error.strerror or type(error).__name__).casefold()
    if not data:
        return "empty"
    width, height = size_of(data) or (0, 0)
    if width * height > cv2.MOST_PIXELS:
        return f"{width} x {height} pixels, which is too many"
    return "damaged" if _is_whole(data) else "cut off before its end"


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels that the header of a picture says; None where that is not understood."""
    if data.startswith(PNG):
        return _number(data, 16, 4, "big"), _number(data, 20, 4, "big")
    if data.startswith(b"\xff\xd8"):
        at = next((at for kind, at in _segments(data) if kind in _JPEG_FRAMES), None)
        return None if at is None else (_number(data, at + 5, 2, "big"), _number(data, at + 3, 2, "big"))
    if data.startswith(b"BM"):
        height = int.from_bytes(data[22:26], "little", signed=True)  # below 0 where rows go down
        return _number(data, 18, 4, "little"), abs(height)
    if data[8:16] == b"WEBPVP8X":
        return _number(data, 24, 3, "little") + 1, _number(data, 27, 3, "little") + 1
    return None  # what can be as large tells above


def _number(data: bytes, at: int, size: int, order: Literal["big", "little"]) -> int:
    return int.from_bytes(data[at : at + size], order)


def rgb_of(pixels: Any, longest: int) -> Image:
    """Make OpenCV's picture, BGR with or without transparency, into uint8 [H, W, 3] RGB of at most this size."""
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    image: Image = np.ascontiguousarray(cv2.cvtColor(pixels[..., :3], cv2.COLOR_BGR2RGB))
    return image


def _is_whole(data: bytes) -> bool:
    """Tell whether an image file has its end, whatever stands behind that: cv2 fills what is missing with grey."""
    if data.startswith(b"\xff\xd8"):
        return _jpeg_ends(data)
    if data.startswith(PNG):
        at = len(PNG)
        while at + 12 <= len(data):  # chunks: length, name, content, checksum
            if data[at + 4 : at + 8] == b"IEND":
                return True
            at += 12 + int.from_bytes(data[at : at + 4], "big")
        return False
    if data[:4] == b"RIFF":
        return len(data) >= 8 + int.from_bytes(data[4:8], "little")
    return len(data) > 16


def _jpeg_ends(data: bytes) -> bool:
    return any(kind == _JPEG_END for kind, _ in _segments(data))


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the kind of each segment of a JPEG and where what it says begins, over thumbnails within segments."""
    at = 2
    while (marker := _MARKER.search(data, at)) is not None:
        at = marker.end()
        yield data[at - 1], at
        if data[at - 1] not in _JPEG_BARE:
            at += _number(data, at, 2, "big")
