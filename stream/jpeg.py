"""Pictures as they are kept: made smaller, compressed; and read again."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from hippocam.stream import opencv as cv2
from hippocam.stream.records import Image


def encode_jpeg(image: Image, side_px: int, quality: int) -> bytes:
    """Compress uint8 [H, W, 3] RGB to JPEG; the longer side gets side_px pixels at most."""
    height, width = image.shape[:2]
    scale = side_px / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    ok, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise RuntimeError(f"OpenCV could not compress a frame of shape {image.shape}")
    return bytes(data)


class Scale(IntEnum):
    """How much smaller a picture is read; a JPEG is decoded that much quicker. Values are OpenCV's."""

    FULL = 1
    HALF = 17
    QUARTER = 33


def decode_jpeg(jpeg: bytes, scale: Scale = Scale.FULL) -> Image | None:
    """Read a kept picture as uint8 [H, W, 3] BGR; None where it is none, or has more pixels than are read."""
    if not jpeg:
        return None
    try:
        image: Image | None = cv2.imdecode(np.frombuffer(jpeg, np.uint8), scale)
    except cv2.error:  # a size that cannot be, as any bytes may claim
        return None
    return image
