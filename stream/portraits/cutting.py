"""A box in a picture into a picture of its own, and how well that shows what is in the box."""

from __future__ import annotations

import math

import numpy as np

from hippocam.stream import opencv as cv2
from hippocam.stream.records import Box, Image

# Nearer to the border than this, as a share of the picture, a box is taken to be cut off by it.
_AT_BORDER = 0.004
# What a box that is cut off by the border is worth, of one that is whole.
_CUT_OFF = 0.4
# Side in pixels from which on a larger box shows no more to an encoder.
_LARGE_PX = 160.0
# Variance of the Laplacian at which a cut-out is half as good as a perfectly sharp one.
_HALF_SHARP = 60.0
# Side in pixels to which a cut-out is brought before its sharpness is measured.
_SHARPNESS_PX = 64


def cut(image: Image, box: Box) -> Image:
    """Cut a box, left, top, right, bottom as shares, out of uint8 [H, W, 3]; one pixel at least."""
    height, width = image.shape[:2]
    x0, y0 = min(int(box[0] * width), width - 1), min(int(box[1] * height), height - 1)
    return image[y0 : max(y0 + 1, math.ceil(box[3] * height)), x0 : max(x0 + 1, math.ceil(box[2] * width))]


def with_surroundings(image: Image, box: Box, margin: float) -> Image:
    """Cut a square around a box out of a picture, as far as the picture goes.

    An encoder knows photographs: what stands alone, or squeezed into another shape, it knows less well.

    Args:
        image: uint8 [H, W, 3].
        box: Left, top, right, bottom, as shares.
        margin: By how much the square's side is longer than the box's longer side, as a share of that.
    """
    height, width = image.shape[:2]
    half_px = (1 + margin) * max((box[2] - box[0]) * width, (box[3] - box[1]) * height) / 2
    x_px, y_px = (box[0] + box[2]) * width / 2, (box[1] + box[3]) * height / 2
    left, top = max(0.0, (x_px - half_px) / width), max(0.0, (y_px - half_px) / height)
    return cut(image, (left, top, min(1.0, (x_px + half_px) / width), min(1.0, (y_px + half_px) / height)))


def is_cut_off(box: Box) -> bool:
    """Whether a thing reaches the picture's border, beyond which there may be more of it."""
    return min(box[0], box[1], 1 - box[2], 1 - box[3]) < _AT_BORDER


def quality(image: Image, box: Box, score: float) -> float:
    """How well a box shows its thing, 0 to 1: surely detected, large, sharp, not cut off by the border.

    Args:
        image: uint8 [H, W, 3] RGB, the whole picture.
        box: Where the thing is.
        score: How sure the detector is, 0 to 1.
    """
    height, width = image.shape[:2]
    side_px = math.sqrt((box[2] - box[0]) * width * (box[3] - box[1]) * height)
    large = min(1.0, side_px / _LARGE_PX)
    sharpness = _sharpness(cut(image, box))
    return score * large * (sharpness / (sharpness + _HALF_SHARP)) * (_CUT_OFF if is_cut_off(box) else 1.0)


def _sharpness(image: Image) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000) of a picture brought to one size."""
    small = cv2.resize(np.ascontiguousarray(image), (_SHARPNESS_PX, _SHARPNESS_PX), interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var())
