"""Pictures as they are kept: made smaller, compressed."""

from __future__ import annotations

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
