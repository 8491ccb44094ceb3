"""Recalled moments as a policy is shown them: pictures of one size, how long ago, how near.

Shapes: K moments whose pictures are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hippocam.apps.robot.records import Recalled, RecalledEntry
from hippocam.stream import opencv as cv2
from hippocam.stream.records import FloatArray, Image
from hippocam.stream.sources.pictures.decoding import read_image


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """What is shown of recalled moments, the nearest first.

    Attributes:
        images: uint8 [K, side, side, 3].
        ages_s: float32 [K], how long ago they ended.
        cosines: float32 [K].
    """

    images: Image
    ages_s: FloatArray
    cosines: FloatArray


def shown_of(recalled: Recalled, now_s: float, side_px: int) -> Shown:
    """Read the pictures of recalled moments; those without one are left out.

    Args:
        recalled: The moments.
        now_s: The time now, on the robot's clock.
        side_px: Side of the pictures, pixels; they are fitted in on black.
    """
    pictures: list[Image] = []
    entries: list[RecalledEntry] = []
    for entry in recalled.entries:
        picture = read_image(Path(entry.image), 2 * side_px) if entry.image else None
        if picture is not None:
            pictures.append(_square(picture, side_px))
            entries.append(entry)
    return Shown(
        images=np.stack(pictures) if pictures else np.zeros((0, side_px, side_px, 3), np.uint8),
        ages_s=np.array([now_s - entry.t1_s for entry in entries], np.float32),
        cosines=np.array([entry.cosine for entry in entries], np.float32),
    )


def _square(picture: Image, side: int) -> Image:
    """Fit a picture into a square, as openpi does: scaled, on black."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    fitted = np.zeros((side, side, 3), np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    fitted[top : top + size[1], left : left + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return fitted
