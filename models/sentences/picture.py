"""A picture into what its pixels alone tell: its main colours, and whether it has as few as a drawing has.

Shapes: N pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hippocam.models.senses.colour_names import COLOURS, names_of
from hippocam.stream import opencv as cv2
from hippocam.stream.jpeg import Scale, decode_jpeg

# Side in pixels to which a picture is brought.
_SIDE_PX = 64
# Steps of red, green and blue by which shades are told apart, and how many of the most frequent are added up.
_STEPS = 32
_MOST_FREQUENT = 8
# Percentiles of brightness that are stretched over all steps, and the range below which noise would be stretched.
_ENDS = (1, 99)
_LEAST_RANGE = 24
# Difference of red, green and blue below which a pixel has no colour.
_GREY = 20
# Share of the picture from which a colour is one of its colours.
_SHARE = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the pixels of a picture tell.

    Attributes:
        colours: Names of its main colours, the most frequent first, each with its share of the picture.
        plainness: Share of the picture that its eight most frequent shades take, 0 to 1: a drawing or a screen has
            few shades, a photograph many. 1 where it is all of one shade.
        grey: Whether there is no colour in it, as in an old film.
    """

    colours: tuple[tuple[str, float], ...]
    plainness: float
    grey: bool


def look_of(jpeg: bytes) -> Look | None:
    """Look at a JPEG; None where it is no picture."""
    image = decode_jpeg(jpeg, Scale.HALF)
    if image is None:
        return None
    small = cv2.resize(image, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)[:, :, ::-1].reshape(-1, 3)
    low, high = np.percentile(small, _ENDS)  # so that a dark or a faded photograph has as many shades as any
    plainness = 1.0
    if high - low >= _LEAST_RANGE:
        stretched = np.clip((small - low) / (high - low), 0, 1)
        steps_N3 = np.minimum(stretched * _STEPS, _STEPS - 1).astype(np.intp)
        counts = np.bincount(np.ravel_multi_index(tuple(steps_N3.T), (_STEPS,) * 3))
        plainness = float(np.sort(counts)[-_MOST_FREQUENT:].sum() / len(small))
    spread_N = small.max(axis=1).astype(np.intp) - small.min(axis=1)
    shares = np.bincount(names_of(small.astype(np.float32) / 255), minlength=len(COLOURS)) / len(small)
    order = [k for k in np.argsort(-shares, kind="stable") if shares[k] >= _SHARE]
    return Look(
        colours=tuple((COLOURS[k], float(shares[k])) for k in order),
        plainness=plainness,
        grey=bool(np.percentile(spread_N, _ENDS[1]) < _GREY),
    )
