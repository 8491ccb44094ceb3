"""A look and the looks of what was there before into the one that it is most like.

An entity has the mean of its visits' looks: one odd view of it changes little, which single linkage would not
bear.

Shapes: E entities; A numbers of a look.
"""

from __future__ import annotations

import numpy as np

from hippocam.stream.records import FloatArray


def most_like(look_A: FloatArray, means_EA: FloatArray, thresholds_E: FloatArray) -> int | None:
    """The entity that a look is most surely another view of, by its row; None where none reaches its threshold.

    Args:
        look_A: float32, of length 1.
        means_EA: Of each entity the mean of its looks, of any length.
        thresholds_E: Of each the cosine from which on it is the same.
    """
    if not len(means_EA):
        return None
    cosines_E = means_EA @ look_A / np.maximum(np.linalg.norm(means_EA, axis=1), 1e-12)
    beyond_E = cosines_E - thresholds_E
    best = int(np.argmax(beyond_E))
    return best if beyond_E[best] >= 0 else None
