"""What a picture file is, by its first bytes, whatever it is called; and folders that hold no pictures."""

from __future__ import annotations

import re
from pathlib import Path

# What can be read as pictures.
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".bmp", ".avif"})
# Photographs and drawings that are told and not read.
UNREAD_SUFFIXES = frozenset({
    ".arw", ".cr2", ".cr3", ".dng", ".exr", ".hdr", ".heic", ".heif", ".jp2", ".jxl", ".nef", ".orf", ".pbm",
    ".pcx", ".pgm", ".pnm", ".ppm", ".psd", ".raf", ".rw2", ".tga", ".tif", ".tiff",
})  # fmt: skip
PNG = b"\x89PNG\r\n\x1a\n"


def is_animation(path: Path) -> bool:
    """Tell by its first bytes whether a file is a WebP or PNG of several pictures, whatever it is called."""
    head = _head(path, 4096)
    if head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X":
        return bool(head[20] & 2) if len(head) > 20 else False
    return head.startswith(PNG) and b"acTL" in head.partition(b"IDAT")[0]


def is_read_as_video(path: Path) -> bool:
    """Tell by its first bytes whether a picture is a GIF, or an AVIF of several, which are read as videos."""
    head = _head(path, 256)
    moving_avif = head[4:8] == b"ftyp" and b"avis" in head[8 : int.from_bytes(head[:4], "big")]
    return moving_avif or head.startswith((b"GIF87a", b"GIF89a"))


def is_deep_grey(path: Path) -> bool:
    """Tell by its first bytes whether a file is a PNG of one channel of 16 bits, as depth cameras write."""
    head = _head(path, 26)
    return head.startswith(PNG) and head[12:16] == b"IHDR" and head[24:26] == b"\x10\x00"


def _head(path: Path, count: int) -> bytes:
    """The first bytes of a file; none where it cannot be read, which reading it tells."""
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError:
        return b""


def is_depth_folder(folder: Path) -> bool:
    """Tell by its name whether a folder holds depth maps, which are distances and not pictures."""
    return "depth" in re.split(r"[^a-z]+", folder.name.casefold())
