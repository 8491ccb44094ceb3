"""A small picture against what is known of each of its pixels: foreground, what was uncovered, what moved.

State is kept in fixed point, so that it can be written down and gone on with to the bit.

Shapes: h, w of the small picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hippocam.stream import opencv as cv2
from hippocam.stream.jpeg import Scale, decode_jpeg
from hippocam.stream.records import Box, FloatArray

Mask = NDArray[np.bool_]
# Width of the small picture.
_WIDTH_PX = 64
# Steps of a stored level.
_FIXED = 256.0
# A pixel's noise at first, and at most, in levels.
_FIRST_NOISE = 4.0
_MOST_NOISE = 10.0
# How many times sharper an outline must be to be the true one.
_SHARPER = 1.15
# Pieces of foreground closer than this share of the picture are one.
_GAP = 0.05
# Time over which a pixel's busyness is measured, and the longest stay that is counted, in seconds.
_BUSY_S = 60.0
_LONGEST_S = 60000.0
# A pixel that changes in more than this share of the pictures is leaves or a screen.
_BUSY = 0.4
# How many times more slowly shadows and leaves are learned than what is plainly background.
_SLOWER = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a pixel counts; see BackgroundConfig for each.

    Attributes:
        level: Difference in levels.
        noises: Difference in units of the pixel's usual noise.
        light_s: Time in which slow light is followed.
        settle_s: Time after which what stands still is background.
    """

    level: float
    noises: float
    light_s: float
    settle_s: float


class Layers:
    """What is known of each pixel, levels 0 to 255.

    back: the background. under: what was there before it settled; valid where had_under. stay: what has been there
    unchanged for stay_s. last: the newest picture. noise: usual deviation. busy: share of pictures in which it
    changes.
    """

    _FIELDS = ("back", "under", "stay", "last", "noise", "busy", "stay_s", "had_under")

    def __init__(self, picture: FloatArray) -> None:
        self.shape = picture.shape
        flat = picture.shape[:2]
        self.back, self.under = picture.copy(), picture.copy()
        self.stay, self.last = picture.copy(), picture.copy()
        self.noise = np.full(flat, _FIRST_NOISE, np.float32)
        self.busy, self.stay_s = np.zeros(flat, np.float32), np.zeros(flat, np.float32)
        self.had_under = np.zeros(flat, np.float32)

    def wait(self, elapsed_s: float) -> None:
        """Let time pass without a change."""
        self.stay_s = _fixed(np.minimum(self.stay_s + elapsed_s, _LONGEST_S))
        self.busy = _fixed(self.busy * (1 - min(1.0, elapsed_s / _BUSY_S)))

    def compare(self, picture: FloatArray, elapsed_s: float, limits: Limits) -> tuple[Mask, Mask, Mask]:
        """Foreground; where what was under the background is there again; where the picture moved."""
        lit = _as_lit(picture, self.back)
        limit = np.maximum(limits.level, limits.noises * self.noise)
        moving = _differs(picture, _as_lit(self.last, picture)) > limit
        share = min(1.0, elapsed_s / _BUSY_S)
        self.busy = _fixed(self.busy + (moving - self.busy) * share)
        differs = _differs(lit, self.back) > limit
        behind = (_differs(lit, self.under) <= limit) & differs & (self.had_under > 0)
        uncovered = _clean(behind)
        back = uncovered
        self.back = np.where(back[..., None], self.under, self.back)
        self.had_under = np.where(back, 0, self.had_under).astype(np.float32)
        here = differs & ~back & (self.busy < _BUSY)
        mask = _with_shadows(_clean(here & ~_shadow(lit, self.back)), _clean(here))
        return mask, uncovered, moving

    def learn(self, picture: FloatArray, mask: Mask, elapsed_s: float, limits: Limits) -> None:
        """Follow the light, learn the noise, and turn what stood still into background."""
        free = ~mask
        deviation = _differs(picture, self.back)
        plain = deviation <= np.maximum(limits.level, limits.noises * self.noise)
        share = np.where(plain, 1, 1 / _SLOWER) * min(1.0, elapsed_s / limits.light_s)
        shift = (picture - self.back) * share[..., None]
        self.back = _fixed(np.where(free[..., None], self.back + shift, self.back))
        noise = np.clip(self.noise + (deviation - self.noise) * share, 1, _MOST_NOISE)
        self.noise = _fixed(np.where(free, noise, self.noise))
        stays = _differs(picture, self.stay) <= limits.level
        self.stay_s = _fixed(np.where(stays, np.minimum(self.stay_s + elapsed_s, _LONGEST_S), 0))
        self.stay = np.where(stays[..., None], self.stay, picture)
        self.last = picture
        settled = mask & (self.stay_s > limits.settle_s)
        self.under = np.where(settled[..., None], self.back, self.under)
        self.had_under = np.where(settled, 1, self.had_under).astype(np.float32)
        self.back = np.where(settled[..., None], picture, self.back)

    def is_hole(self, picture: FloatArray, where: Mask) -> bool:
        """Whether the outline of a piece is sharper in the background than in the picture."""
        piece = where.astype(np.uint8)
        side = np.ones((3, 3), np.uint8)
        outline = (cv2.dilate(piece, side) - cv2.erode(piece, side)).astype(bool)
        behind, before = float(_edges(self.back)[outline].mean()), float(_edges(picture)[outline].mean())
        return behind > _SHARPER * before

    def to_bytes(self) -> bytes:
        """All layers, one after the other."""
        parts = []
        for name in self._FIELDS:
            values = getattr(self, name)
            if name in ("stay", "last", "had_under"):
                parts.append(values.astype(np.uint8))
            elif name == "stay_s":
                parts.append(np.round(values * _FIXED).astype("<u4"))
            else:
                parts.append(np.round(values * _FIXED).astype("<u2"))
        return b"".join(part.tobytes() for part in parts)

    @classmethod
    def from_bytes(cls, data: bytes, shape: tuple[int, int, int]) -> Layers:
        """Read what `to_bytes` wrote for pictures of this shape."""
        made = cls(np.zeros(shape, np.float32))
        start = 0
        for name in cls._FIELDS:
            size = getattr(made, name).shape
            small = name in ("stay", "last", "had_under")
            kind = "u1" if small else "<u4" if name == "stay_s" else "<u2"
            values = np.frombuffer(data, kind, int(np.prod(size)), start).reshape(size).astype(np.float32)
            start += values.size * np.dtype(kind).itemsize
            setattr(made, name, values if small else values / np.float32(_FIXED))
        return made


def small_picture(jpeg: bytes) -> FloatArray | None:
    """A JPEG as a small, slightly blurred picture, levels 0 to 255, float32 [h, 64, 3]; None if it is none."""
    reduced = decode_jpeg(jpeg, Scale.QUARTER)
    if reduced is None:
        return None
    height = max(8, round(_WIDTH_PX * reduced.shape[0] / reduced.shape[1]))
    small = cv2.resize(reduced, (_WIDTH_PX, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (3, 3), 0), np.float32)


def _fixed(values: NDArray[np.floating]) -> FloatArray:
    return np.asarray(np.round(values * _FIXED) / _FIXED, np.float32)


def _differs(a: FloatArray, b: FloatArray) -> FloatArray:
    """Largest difference of each pixel in any colour, float32 [h, w]."""
    difference = np.abs(a - b)
    return np.asarray(
        np.maximum(np.maximum(difference[..., 0], difference[..., 1]), difference[..., 2]), np.float32
    )


def _as_lit(picture: FloatArray, like: FloatArray) -> FloatArray:
    """A picture in the light of another: each colour times the ratio that most pixels have."""
    some = (slice(None, None, 2), slice(None, None, 2))  # a quarter tells as much
    ratio_3 = np.median(((like[some] + 8) / (picture[some] + 8)).reshape(-1, 3), axis=0)
    return np.asarray(picture * np.clip(ratio_3, 0.7, 1.4), np.float32)


def _shadow(picture: FloatArray, back: FloatArray) -> Mask:
    """Where a picture is the background a little darker, in the same colour."""
    ratio = (picture + 8) / (back + 8)
    even = ratio.max(axis=2) - ratio.min(axis=2) < 0.08
    return np.asarray(even & (ratio.mean(axis=2) > 0.7) & (ratio.mean(axis=2) < 1))


def _with_shadows(mask: Mask, darkened: Mask) -> Mask:
    """Add what only darkened where a larger piece of foreground touches it: a grey coat before a white wall."""
    count, numbers = cv2.connectedComponents((mask | darkened).astype(np.uint8), connectivity=8)
    sizes = np.bincount(numbers.ravel(), minlength=count)
    sure = np.bincount(numbers.ravel(), weights=mask.ravel(), minlength=count)
    whole = sure > sizes / 2
    whole[0] = False
    return np.asarray(mask | whole[numbers], bool)


def _clean(mask: NDArray[np.bool_]) -> Mask:
    side = np.ones((3, 3), np.uint8)
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    return np.asarray(cv2.morphologyEx(opened, cv2.MORPH_CLOSE, side), bool)


def pieces(mask: Mask, least_area: float) -> list[tuple[Box, float, Mask]]:
    """Pieces that hang together or nearly so, the largest first: box, share of the picture, pixels."""
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    height, width = mask.shape
    boxes = {i: _corners(stats[i], width, height) for i in range(1, count)}
    groups: list[tuple[Box, list[int]]] = []
    for i, box in boxes.items():
        members = [i]
        while near := [group for group in groups if _touch(group[0], box)]:  # a larger box may touch more
            groups = [group for group in groups if group not in near]
            for other, more in near:
                box = (min(box[0], other[0]), min(box[1], other[1]), max(box[2], other[2]), max(box[3], other[3]))
                members += more
        groups.append((box, members))
    found = [(box, np.isin(numbers, members)) for box, members in groups]
    sized = [(box, float(where.mean()), where) for box, where in found]
    return sorted((piece for piece in sized if piece[1] >= least_area), key=lambda piece: (-piece[1], piece[0]))


def _corners(stats_5: NDArray[np.int32], width: int, height: int) -> Box:
    x, y, w, h = (int(value) for value in stats_5[:4])
    return x / width, y / height, (x + w) / width, (y + h) / height


def _touch(a: Box, b: Box) -> bool:
    return max(a[0], b[0]) - min(a[2], b[2]) < _GAP and max(a[1], b[1]) - min(a[3], b[3]) < _GAP


def _edges(picture: FloatArray) -> FloatArray:
    grey = picture.mean(axis=2)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return np.asarray(np.hypot(across, down), np.float32)
