"""Pictures and texts into the eleven basic colours: the encoder that needs no weights at all.

It understands "something red" and nothing else. It is there for a machine that can fetch nothing, and for
tests that want a true answer within milliseconds. The colours are the basic terms of Berlin and Kay 1969.

Shapes: N pictures or texts, C = 12: eleven colours, and one number that only words without a colour use.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from hippocam.stream import opencv as cv2
from hippocam.stream.records import EncodedImages, EncoderSpec, FloatArray, Image

_COLOURS = {
    "red": (220, 30, 30),
    "orange": (245, 140, 20),
    "yellow": (245, 225, 40),
    "green": (40, 160, 60),
    "blue": (40, 80, 210),
    "purple": (130, 50, 160),
    "pink": (245, 150, 190),
    "brown": (120, 75, 40),
    "black": (10, 10, 10),
    "grey": (128, 128, 128),
    "white": (250, 250, 250),
}
_SAME = {
    "gray": "grey",
    "dark": "black",
    "violet": "purple",
    "golden": "yellow",
    "crimson": "red",
    "silver": "grey",
}
_SPEC = EncoderSpec(id="palette:1", dim=len(_COLOURS) + 1, normalised=True, midpoint=0.3, slope=20.0)
_SIDE_PX = 48
_LABEL_SHARE = 0.15


class PaletteEncoder:
    """Shares of the basic colours in a picture; the colour words in a text."""

    @property
    def spec(self) -> EncoderSpec:
        """Identity and geometry of the vectors."""
        return _SPEC

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        """Encode N pictures: the root of each colour's share, so that a small red thing still counts."""
        vectors_NC = np.zeros((len(images), _SPEC.dim), np.float32)
        focal_C3 = _lab(np.array([list(_COLOURS.values())], np.uint8))[0]
        labels = []
        for row, image in zip(vectors_NC, images, strict=True):
            small = cv2.resize(image, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.uint8)
            pixels_P3 = _lab(small).reshape(-1, 3)
            distance_PC = np.linalg.norm(pixels_P3[:, None] - focal_C3[None], axis=2)
            share_C = np.bincount(distance_PC.argmin(1), minlength=len(_COLOURS)) / len(pixels_P3)
            row[: len(_COLOURS)] = np.sqrt(share_C)
            names = np.array(list(_COLOURS))[np.argsort(-share_C, kind="stable")]
            labels.append(tuple(str(n) for n in names[:3] if share_C[list(_COLOURS).index(n)] > _LABEL_SHARE))
        return EncodedImages(vectors_ND=vectors_NC, labels=tuple(labels))

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """Encode N texts: the colours that they name, in equal parts."""
        vectors_NC = np.zeros((len(texts), _SPEC.dim), np.float32)
        names = list(_COLOURS)
        for row, text in zip(vectors_NC, texts, strict=True):
            words = [_SAME.get(word, word) for word in re.findall(r"[a-z]+", text.lower())]
            for word in words:
                if word in _COLOURS:
                    row[names.index(word)] = 1.0
            if not row.any():
                row[-1] = 1.0
            row /= np.linalg.norm(row)
        return vectors_NC


def _lab(image: Image) -> FloatArray:
    """Turn uint8 [H, W, 3] RGB into CIE L*a*b*, where distances are about as people see them."""
    lab: FloatArray = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return lab
