"""An encoder of one's own: it knows dark from bright, and nothing else.

A picture is a direction between "dark" and "bright". A text is the direction that its words name, or a third one
that no picture has: whatever else is asked for was not seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hippocam.stream import EncodedImages, EncoderSpec, FloatArray, Image

_WORDS = {"dark": (1, 0, 0), "night": (1, 0, 0), "bright": (0, 1, 0), "light": (0, 1, 0)}
_NOTHING = (0, 0, 1)


class BrightnessEncoder:
    """Chosen as `--encoder brightness`.

    Args:
        argument: What stands behind the colon of the name; this one takes nothing.
    """

    def __init__(self, argument: str = "") -> None:
        if argument:
            raise ValueError(f"encoder brightness takes no argument, found {argument!r}")

    @property
    def spec(self) -> EncoderSpec:
        """Identity and geometry of the vectors; belief is one half at a cosine of .9."""
        return EncoderSpec(id="brightness:1", dim=3, normalised=True, midpoint=0.9, slope=40.0)

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        """Encode N pictures by their mean brightness."""
        angles = [float(image.mean()) / 255 * math.pi / 2 for image in images]
        vectors = [(math.cos(angle), math.sin(angle), 0) for angle in angles]
        return EncodedImages(vectors_ND=np.array(vectors, np.float32), labels=((),) * len(images))

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Encode N texts by the first word that says how bright it is."""
        named = (
            next((_WORDS[word] for word in text.lower().split() if word in _WORDS), _NOTHING) for text in texts
        )
        return np.array(list(named), np.float32)
