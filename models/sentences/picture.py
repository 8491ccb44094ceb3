"""A picture into what its pixels alone tell: its main colours, and whether it has as few as a drawing has.

Shapes: N pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hippocam.models.senses.colour_names import COLOURS, names_of
from hippocam.stream import opencv as cv2

# Side in pixels to which a picture is brought.
_SIDE_PX = 64
# Steps of red, green and blue by which shades are told apart, and how many of the most frequent are added up.
_STEPS = 32
_MOST_FREQUENT = 8
# Share of the picture from which a colour is one of its colours.
_SHARE = 0.12


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the pixels of a picture tell.

    Attributes:
        colours: Names of its main colours, the most frequent first, each with its share of the picture.
        plainness: Share of the picture that its eight most frequent shades take, 0 to 1: a drawing or a screen has
            few shades, a photograph many.
    """

    colours: tuple[tuple[str, float], ...]
    plainness: float


def look_of(jpeg: bytes) -> Look | None:
    """Look at a JPEG; None where it is no picture."""
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_COLOR_2) if jpeg else None
    if image is None:
        return None
    small = cv2.resize(image, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)[:, :, ::-1].reshape(-1, 3)
    steps_N3 = small.astype(np.intp) * _STEPS // 256
    counts = np.bincount(np.ravel_multi_index(tuple(steps_N3.T), (_STEPS,) * 3))
    frequent = np.sort(counts)[-_MOST_FREQUENT:].sum()
    shares = np.bincount(names_of(small.astype(np.float32) / 255), minlength=len(COLOURS)) / len(small)
    order = [k for k in np.argsort(-shares, kind="stable") if shares[k] >= _SHARE]
    return Look(
        colours=tuple((COLOURS[k], float(shares[k])) for k in order), plainness=float(frequent / len(small))
    )
