"""The part of a kept picture that looks most like what is named: what colour it is, and where.

The detector knows some eighty kinds of things. Of anything else the picture is looked at again in pieces, halves
and thirds of its width and height, and the piece that the encoder finds nearest is taken for it. That says roughly
where it is, and its colour is the colour of most of the piece; so such an answer is never surer than "perhaps".

Shapes: K pieces; D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hippocam.apps.ask.pictures import read_picture
from hippocam.memory.entities.describing import Position, position_of
from hippocam.memory.records import Evidence
from hippocam.models.pictures import unit_rows
from hippocam.models.senses.colour_names import COLOURS, SceneLight, names_of
from hippocam.stream.portraits.cutting import cut
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Box, Image

# Sides of the pieces, and how many stand in a row: halves overlap by half, thirds not at all.
_PIECES = ((1 / 2, 3), (1 / 3, 3))
# How wide the border is that counts as background, as a share of the picture.
_BORDER = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Closeup:
    """What was found.

    Attributes:
        colour: Name of its colour; "" where it has none that tells.
        where: Where in the picture it is.
    """

    colour: str
    where: Position


# Looks for what a text names in the picture of a moment; None where no picture is kept.
CloseLook = Callable[[Evidence, str], Closeup | None]


def look_closer(moment: Evidence, text: str, encoder: Encoder) -> Closeup | None:
    """Find what a text names in the picture of a moment; None where no picture is kept.

    Args:
        moment: Which picture.
        text: "the sofa".
        encoder: Compares pieces with the text.
    """
    image = _picture(moment)
    if image is None:
        return None
    boxes = [box for share, count in _PIECES for box in _pieces(share, count)]
    vectors_KD = unit_rows(
        encoder.encode_images([np.ascontiguousarray(cut(image, box)) for box in boxes]).vectors_ND
    )
    box = boxes[int(np.argmax(vectors_KD @ encoder.encode_texts([text])[0]))]
    (colour,) = SceneLight(image).colours("thing", box)
    return Closeup(colour=colour, where=position_of(box))


def part_colour(moment: Evidence, box: Box, part: Box) -> str:
    """The colour of a part of a thing in the picture of a moment; "" where it tells none, or no picture is kept.

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
    within = (box[0] + left * width, box[1] + top * height, box[0] + right * width, box[1] + bottom * height)
    (colour,) = SceneLight(image).colours("part", within)
    return colour


def background_colour(moment: Evidence) -> str:
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
