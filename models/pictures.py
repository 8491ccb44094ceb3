"""Pictures of any size into the fixed square that a network wants.

The whole picture is squeezed into the square instead of cropping its middle: what matters to a memory may be
at the edge, and the training photographs of the bundled head are stretched to squares too.
"""

from __future__ import annotations

import numpy as np

from hippocam.stream import opencv as cv2
from hippocam.stream.records import FloatArray, Image

# Mean and deviation of the colours of ImageNet's photographs, red, green and blue, from 0 to 1.
UNIT_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
UNIT_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
# The same from 0 to 255.
IMAGENET_MEAN = UNIT_MEAN * 255
IMAGENET_DEVIATION = UNIT_DEVIATION * 255


def to_square(image: Image, side_px: int) -> FloatArray:
    """Resize to a square, averaging areas when shrinking.

    Args:
        image: uint8 [H, W, 3], RGB, any size from 1 x 1.
        side_px: Side of the square.

    Returns:
        float32 [side_px, side_px, 3], values 0 to 255.

    Raises:
        ValueError: The picture is empty or not uint8 [H, W, 3].
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        found = f"{image.dtype} {image.shape}"
        raise ValueError(f"a picture must be uint8 [H, W, 3] RGB and not empty, found {found}")
    shrinks = min(image.shape[:2]) > side_px
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    square = cv2.resize(np.ascontiguousarray(image), (side_px, side_px), interpolation=interpolation)
    return np.asarray(square, np.float32)


def to_network(image: Image, side_px: int, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """Give a picture as a network's input, float32 [1, 3, side_px, side_px].

    Args:
        image: uint8 [H, W, 3], RGB.
        side_px: Side of the square that the network wants.
        mean: float32 [3] on the scale 0 to 255, subtracted.
        deviation: float32 [3] on the same scale, divided by.
    """
    planes = np.ascontiguousarray(to_square(image, side_px).transpose(2, 0, 1)[None])
    planes -= mean[:, None, None]
    planes /= deviation[:, None, None]
    return planes


def unit_rows(rows_ND: FloatArray) -> FloatArray:
    """Scale each row to length 1; a row of zeros becomes the first axis, to have length 1 too."""
    lengths_N1 = np.linalg.norm(rows_ND, axis=1, keepdims=True)
    rows_ND = np.where(lengths_N1 > 0, rows_ND / np.maximum(lengths_N1, 1e-12), np.eye(1, rows_ND.shape[1]))
    return rows_ND.astype(np.float32)
