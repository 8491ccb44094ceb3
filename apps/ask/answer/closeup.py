"""The part of a kept picture that looks most like what is named: what colour it is, and where.

The detector knows some eighty kinds of things. Of anything else the picture is looked at again, and the region
that the encoder finds nearest is taken for it; where an encoder knows no regions, the nearest of pieces, halves
and thirds of the picture's width and height. That says roughly where it is, and its colour is the colour of most
of the region; so such an answer is never surer than "perhaps". Of 43 things in frames of the calibrate half, by
eye, regions found the place of 28 and the colour of 19, pieces of 24 and 16 with 18 times the work.

Shapes: K pieces or regions; D embedding dimension.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hippocam.apps.ask.answer.facts import Closeup
from hippocam.apps.ask.belief.regions import RegionEncoder
from hippocam.apps.ask.pictures import read_picture
from hippocam.memory.entities.describing import position_of
from hippocam.memory.records import Evidence
from hippocam.models.pictures import unit_rows
from hippocam.models.senses.colour_names import COLOURS, SceneLight, names_of
from hippocam.stream.portraits.cutting import cut
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Box, FloatArray, Image

# Sides of the pieces, and how many stand in a row: halves overlap by half, thirds not at all.
_PIECES = ((1 / 2, 3), (1 / 3, 3))
# Regions overlap by half: of G x G there are as many as fit into a picture of G + 1 such steps.
_STEPS = 2
# How wide the border is that counts as background, as a share of the picture.
_BORDER = 0.1


class Pictures:
    """Looks again at the pictures that are kept of moments.

    Args:
        encoder: Compares pieces of them with texts.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._seen: tuple[tuple[str, ...], FloatArray | None] | None = None

    def find(self, moment: Evidence, text: str, *, fills: bool) -> Closeup | None:
        """The part of a moment's picture that looks most like what a text names; None where no picture is kept.

        Args:
            moment: Which picture.
            text: "the sofa".
            fills: Whether what is named fills such a part, as a floor or the sky does.
        """
        image = _picture(moment)
        if image is None:
            return None
        boxes, vectors_KD = self._parts(image)
        cosines_K = vectors_KD @ self._encoder.encode_texts([text])[0]
        best = int(np.argmax(cosines_K))
        light = SceneLight(image)
        colour = light.mostly(boxes[best]) if fills else light.colours("thing", boxes[best])[0]
        return Closeup(colour, position_of(boxes[best]), float(cosines_K[best]))

    def _parts(self, image: Image) -> tuple[list[Box], FloatArray]:
        """Parts of a picture with their vectors, float32 [K, D]."""
        if isinstance(self._encoder, RegionEncoder):
            regions_KD = self._encoder.encode_regions(image)
            count = math.isqrt(len(regions_KD))
            return _pieces(_STEPS / (count + 1), count), regions_KD
        boxes = [box for share, count in _PIECES for box in _pieces(share, count)]
        pieces = [np.ascontiguousarray(cut(image, box)) for box in boxes]
        return boxes, unit_rows(self._encoder.encode_images(pieces).vectors_ND)

    def near(self, moments: Sequence[Evidence], texts: Sequence[str]) -> list[float]:
        """How near the pictures of some moments come to each of some texts.

        Returns:
            For each text a cosine, the mean over the pictures; 0 where none is kept.
        """
        key = tuple(moment.image for moment in moments)
        if self._seen is None or self._seen[0] != key:
            images = [image for moment in moments if (image := _picture(moment)) is not None]
            vectors_ND = unit_rows(self._encoder.encode_images(images).vectors_ND) if images else None
            self._seen = key, vectors_ND
        vectors_ND = self._seen[1]
        if vectors_ND is None:
            return [0.0] * len(texts)
        cosines_NT = vectors_ND @ unit_rows(self._encoder.encode_texts(list(texts))).T
        return [float(cosine) for cosine in cosines_NT.mean(axis=0)]

    def brightness(self, moments: Sequence[Evidence]) -> float:
        """How bright the pictures of some moments are in the mean, 0 black to 1 white; 1 without a picture."""
        images = [image for moment in moments if (image := _picture(moment)) is not None]
        return float(np.mean([image.mean() for image in images])) / 255 if images else 1.0

    def part(self, moment: Evidence, box: Box, part: Box) -> str:
        """The colour of a part of a thing in the picture of a moment; "" where it tells none.

        Args:
            moment: Which picture.
            box: The thing.
            part: Its part, as shares of the box's width and height.
        """
        image = _picture(moment)
        if image is None:
            return ""
        width, height = box[2] - box[0], box[3] - box[1]
        left, top, right, bottom = part
        within = (
            box[0] + left * width,
            box[1] + top * height,
            box[0] + right * width,
            box[1] + bottom * height,
        )
        (colour,) = SceneLight(image).colours("part", within)
        return colour

    def background(self, moment: Evidence) -> str:
        """The colour of most of a picture's border; "" where no picture is kept."""
        image = _picture(moment)
        if image is None:
            return ""
        down, across = (max(1, int(_BORDER * side)) for side in image.shape[:2])
        parts = (image[:down], image[-down:], image[:, :across], image[:, -across:])
        border_N3 = np.concatenate([part.reshape(-1, 3) for part in parts]).astype(np.float32)
        counts = np.bincount(names_of(border_N3 / np.float32(255)), minlength=len(COLOURS))
        return COLOURS[int(np.argmax(counts))]


def _pieces(share: float, count: int) -> list[Box]:
    starts = [float(start) for start in np.linspace(0, 1 - share, count)]
    return [(x, y, x + share, y + share) for y in starts for x in starts]


def _picture(moment: Evidence) -> Image | None:
    return read_picture(Path(moment.image)) if moment.image else None
