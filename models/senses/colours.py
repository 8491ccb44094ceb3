"""A picture of one thing into the shares of its colours, by thirds from top to bottom.

It is what people remember a thing by ("the red car"), for kinds that no network was trained to tell apart. Colours
are counted coarsely in CIE Lab, so that a little more light changes little; with the square roots of shares, a dot
product is the Bhattacharyya coefficient of two histograms.
"""

from __future__ import annotations

import numpy as np

from hippocam.stream import opencv as cv2
from hippocam.stream.records import FloatArray, Image

_PARTS = 3
_BINS = (6, 5, 5)
_RANGE = ((0, 100), (-50, 50), (-50, 50))
_SIDE_PX = 48  # shares are just as exact in a small picture
_MARGIN = 6  # one column in this many on each side mostly shows what is behind
SIZE = _PARTS * int(np.prod(_BINS))


def colour_features(image: Image) -> FloatArray:
    """Give the features of a picture cut to its thing, float32 [225], of length 1.

    Args:
        image: uint8 [H, W, 3], RGB, from 1 x 1.
    """
    small = cv2.resize(np.ascontiguousarray(image), (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    margin = _SIDE_PX // _MARGIN
    parts = np.array_split(lab[:, margin:-margin], _PARTS)
    counts = [_counts(part.reshape(-1, 3)) for part in parts]
    features = np.sqrt(np.concatenate(counts))
    return np.asarray(features / np.linalg.norm(features), np.float32)


def _counts(pixels_N3: FloatArray) -> FloatArray:
    low = np.array([low for low, _ in _RANGE], np.float32)
    width = np.array([(high - low) / bins for (low, high), bins in zip(_RANGE, _BINS, strict=True)], np.float32)
    cells_N3 = np.clip((pixels_N3 - low) / width, 0, np.array(_BINS) - 1).astype(np.intp)
    flat_N = np.ravel_multi_index((cells_N3[:, 0], cells_N3[:, 1], cells_N3[:, 2]), _BINS)
    return np.bincount(flat_N, minlength=int(np.prod(_BINS))).astype(np.float32)
