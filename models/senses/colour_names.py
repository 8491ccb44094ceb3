"""A thing in a picture into the names of its colours, as a person would say them in the light of the scene.

The eleven basic colour terms of English (Berlin and Kay 1969). The light is taken out first by shades of grey
(Finlayson and Trezzi 2004), at half its strength: a lawn is no green lamp. Of the pixels of a part, those that
look like what surrounds the thing do not count. A person has two parts, above and below; anything else is one.

The numbers were set on half of 1,568 things in Flickr8k's photographs: captions give each one colour, and the
detector sees one such thing. Of the other half 50 % are named as in the caption (43 % before), and 65 % so or as
light may make it: grey for white, pink for red. Captions are no exact truth: a brown dog may be orange.

Shapes: N pixels; C colours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hippocam.stream import opencv as cv2
from hippocam.stream.portraits.cutting import cut
from hippocam.stream.records import Box, FloatArray, Image

COLOURS = ("black", "white", "grey", "red", "orange", "brown", "yellow", "green", "blue", "purple", "pink")
_FIRST_HUE = 3
# Parts as shares of a box's width and height: of a person clothes above and below, of anything else the middle.
_PERSON = ((0.28, 0.18, 0.72, 0.46), (0.32, 0.56, 0.68, 0.86))
_WHOLE = ((0.2, 0.2, 0.8, 0.8),)
# Sides in pixels to which the picture and a part are brought.
_SCENE_PX = 32
_PART_PX = 16
# The norm that shades of grey takes, how much of the light is taken out, and the gains that a light may need.
_NORM = 8.0
_STRENGTH = 0.4
_GAINS = (0.75, 1.35)
# How much wider the surroundings are than the box on each side; the size of the cells of CIE Lab in which their
# colours are counted; the share from which such a cell is theirs; how near to one a pixel is taken for what is
# behind.
_AROUND = 0.35
_CELL = 8.0
_CELL_SHARE = 0.025
_MOST_CELLS = 32
_BEHIND = 9.0
# Share of a part that must be left, else all of it counts.
_LEAST_LEFT = 0.1
# Saturation from which a pixel has a hue, and below which brightness it is black in any case.
_SATURATED = 0.21
_BLACK = 0.19
_WHITE = 0.6
# Share of a part from which a hue names it, though more of it is black, white or grey: windows, folds, shadows.
_HUE_SHARE = 0.3
# Share from which any name is given.
_SURE = 0.2
# Upper ends of the hues in degrees.
_HUES = (
    (13, "red"),
    (40, "orange"),
    (70, "yellow"),
    (158, "green"),
    (250, "blue"),
    (300, "purple"),
    (342, "pink"),
)


class SceneLight:
    """One picture with its light taken out, to name the colours of the things in it.

    Args:
        image: uint8 [H, W, 3], RGB.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        small = _resized(image, _SCENE_PX).reshape(-1, 3)
        light_3 = np.mean(small**_NORM, axis=0) ** (1 / _NORM)
        gains_3 = (float(light_3.mean()) / np.maximum(light_3, 1e-3)) ** _STRENGTH
        self._gains_3 = np.clip(gains_3, *_GAINS).astype(np.float32)

    def colours(self, label: str, box: Box) -> tuple[str, ...]:
        """Name the colours of a thing by part, from top to bottom; "" for a part that tells none.

        Args:
            label: What it is; a person has two parts.
            box: Where it is in the picture.
        """
        parts = _PERSON if label == "person" else _WHOLE
        return tuple(
            self._name(_within(box, part), self._around(_within(box, (0, part[1], 1, part[3])))) for part in parts
        )

    def mostly(self, box: Box) -> str:
        """Name the colour of most of a box, whatever surrounds it: a floor is surrounded by floor."""
        return self._name(box, np.zeros((0, 3), np.float32))

    def _name(self, part: Box, around_C3: FloatArray) -> str:
        pixels_N3 = self._pixels(part)
        apart_NC = ((_lab(pixels_N3)[:, None] - around_C3) ** 2).sum(axis=2)
        own_N = apart_NC.min(axis=1, initial=np.inf) >= _BEHIND**2
        if own_N.mean() >= _LEAST_LEFT:
            pixels_N3 = pixels_N3[own_N]
        shares = np.bincount(names_of(pixels_N3), minlength=len(COLOURS)) / len(pixels_N3)
        hue = _FIRST_HUE + int(np.argmax(shares[_FIRST_HUE:]))
        best = hue if shares[hue] >= _HUE_SHARE else int(np.argmax(shares))
        return COLOURS[best] if shares[best] >= (_HUE_SHARE if best == hue else _SURE) else ""

    def _around(self, rows: Box) -> FloatArray:
        """The colours to the left and right of some rows of a box, in CIE Lab, float32 [C, 3]."""
        wide = _AROUND * (rows[2] - rows[0])
        left = (max(0.0, rows[0] - wide), rows[1], max(rows[0], 0.01), rows[3])
        right = (min(rows[2], 0.99), rows[1], min(1.0, rows[2] + wide), rows[3])
        lab_N3 = _lab(np.concatenate([self._pixels(left), self._pixels(right)]))
        cells_N3 = np.round(lab_N3 / _CELL).astype(np.int64)
        keys_N = (cells_N3 + _MOST_CELLS) @ np.array([1, 2 * _MOST_CELLS, 4 * _MOST_CELLS**2])
        _, first, counts = np.unique(keys_N, return_index=True, return_counts=True)
        return np.asarray(cells_N3[first[counts >= _CELL_SHARE * len(cells_N3)]] * _CELL, np.float32)

    def _pixels(self, box: Box) -> FloatArray:
        """The pixels of a box with the light taken out, float32 [N, 3], RGB from 0 to 1."""
        pixels_N3 = _resized(cut(self._image, box), _PART_PX).reshape(-1, 3) * self._gains_3
        return np.asarray(np.clip(pixels_N3, 0, 1), np.float32)


def names_of(pixels_N3: FloatArray) -> NDArray[np.intp]:
    """Name pixels, float32 [N, 3] RGB from 0 to 1, by their indices in COLOURS."""
    hsv = cv2.cvtColor(np.ascontiguousarray(pixels_N3[None]), cv2.COLOR_RGB2HSV)[0]
    hue, saturation, value = hsv[:, 0], hsv[:, 1], hsv[:, 2]
    ends = [end for end, _ in _HUES]
    of_hue = np.array([COLOURS.index(name) for _, name in _HUES] + [COLOURS.index("red")])
    named = of_hue[np.searchsorted(ends, hue)]
    warm = (named == COLOURS.index("orange")) | ((named == COLOURS.index("red")) & (saturation < 0.35))
    named[warm & (value < 0.72)] = COLOURS.index("brown")
    named[(named == COLOURS.index("red")) & (saturation < 0.6) & (value > 0.8)] = COLOURS.index("pink")
    pale = saturation < _SATURATED + 0.4 * np.maximum(0, 0.4 - value)  # what is dark looks less coloured
    named[pale] = COLOURS.index("grey")
    named[pale & (value >= _WHITE)] = COLOURS.index("white")
    named[(value < _BLACK) | (pale & (value < _BLACK + 0.1))] = COLOURS.index("black")
    return np.asarray(named, np.intp)


def _lab(pixels_N3: FloatArray) -> FloatArray:
    lab: FloatArray = cv2.cvtColor(np.ascontiguousarray(pixels_N3[None]), cv2.COLOR_RGB2LAB)[0]
    return lab


def _resized(image: Image, side_px: int) -> FloatArray:
    down, across = (max(1, length // (2 * side_px)) for length in image.shape[:2])
    some = np.ascontiguousarray(image[::down, ::across])  # means of all pixels are no better, and ten times slower
    small = cv2.resize(some, (side_px, side_px), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def _within(box: Box, part: Box) -> Box:
    """A part of a box, given in shares of it."""
    width, height = box[2] - box[0], box[3] - box[1]
    return (
        box[0] + part[0] * width,
        box[1] + part[1] * height,
        box[0] + part[2] * width,
        box[1] + part[3] * height,
    )
