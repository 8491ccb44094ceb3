"""A visit into what a person would say of it: where in the picture, how large, which way it went.

All of it follows from the boxes that a visit keeps, in the picture of its camera: "left" is left in the picture,
and what grows comes nearer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hippocam.memory.boxes import area, centre, side
from hippocam.memory.entities.records import Visit
from hippocam.stream.records import Box

Across = Literal["left", "middle", "right"]
Down = Literal["top", "middle", "bottom"]
Size = Literal["small", "medium", "large"]
Motion = Literal["comes nearer", "goes away", "left to right", "right to left", "stands still", "moves about"]

# Thirds of the picture, and shares of it from which a thing is of medium size, and large.
_THIRDS = (1 / 3, 2 / 3)
_SIZES = (0.02, 0.15)
# Growth of its side from first to last from which it comes nearer or, the other way round, goes away.
_GROWTH = 1.45
# Ways in sides of the thing: less than the first, it stands still; more than the second to one side, it crosses.
_STILL = 0.35
_CROSSED = 0.8
# Share of the times at which it must be where it usually is, to stand still.
_MOSTLY = 0.6
# Boxes that the border does not cut off, of which there must be so many for others to be left out.
_FEWEST = 3
# Of the way across, how much may be back and forth.
_STRAIGHT = 0.6
# Distance between two boxes, in sides of the larger, from which on they are no longer near each other.
_NEAR = 0.75
# Longest time between a point of the path and a frame that it is taken to tell about, in seconds.
_AT_S = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where in the picture."""

    across: Across
    down: Down

    def __str__(self) -> str:
        if self.across == "middle":
            return {"top": "at the top", "middle": "in the middle", "bottom": "in front, in the middle"}[self.down]
        return f"on the {self.across}" + {"top": ", at the top", "middle": "", "bottom": ", in front"}[self.down]


def position(visit: Visit) -> Position:
    """Where it was in the picture, for most of its path."""
    x, y = np.median([centre(box) for box in _boxes(visit)], axis=0)
    return _position(float(x), float(y))


def position_of(box: Box) -> Position:
    """Where a box is in the picture."""
    return _position(*centre(box))


def _position(x: float, y: float) -> Position:
    return Position(
        across="left" if x < _THIRDS[0] else "right" if x > _THIRDS[1] else "middle",
        down="top" if y < _THIRDS[0] else "bottom" if y > _THIRDS[1] else "middle",
    )


def size(visit: Visit) -> Size:
    """How large it was beside the picture, for most of its path."""
    share = float(np.median([area(box) for box in _boxes(visit)]))
    return "small" if share < _SIZES[0] else "medium" if share < _SIZES[1] else "large"


def motion(visit: Visit) -> Motion | None:
    """Which way it went; None where one frame alone shows it, or an older hippocam kept no path."""
    boxes = [box for _, box in visit.path if not _is_cut(box)]
    if len(boxes) < _FEWEST:
        boxes = [box for _, box in visit.path]
    if len(boxes) < 2:
        return None
    scale = float(np.median([side(box) for box in boxes]))
    xs = np.array([centre(box)[0] for box in boxes])
    across, way = float(xs[-1] - xs[0]), float(np.abs(np.diff(xs)).sum())
    third = max(1, len(boxes) // 3)
    growth = _typical_side(boxes[-third:]) / max(_typical_side(boxes[:third]), 1e-6) if len(boxes) > 2 else 1.0
    crossed = abs(across) / scale
    if growth >= _GROWTH or growth <= 1 / _GROWTH:
        turned = abs(math.log(growth)) / math.log(_GROWTH)
        if turned >= crossed / (2 * _CROSSED):
            return "comes nearer" if growth > 1 else "goes away"
    if crossed >= _CROSSED and abs(across) >= _STRAIGHT * way:
        return "left to right" if across > 0 else "right to left"
    usual = np.median([centre(box) for box in boxes], axis=0)
    still = [math.dist(usual, centre(box)) < _STILL * scale for box in boxes]
    return "stands still" if float(np.mean(still)) >= _MOSTLY else "moves about"


def box_at(visit: Visit, time_s: float) -> Box | None:
    """Where it was at a time, as far as its path tells; None where it does not."""
    points = visit.path or ((visit.frame_s, visit.box),)
    at_s, box = min(points, key=lambda point: abs(point[0] - time_s))
    return box if abs(at_s - time_s) <= _AT_S else None


def near(visit: Visit, others: Iterable[Visit]) -> list[Visit]:
    """The visits of other things that were near it at some time of its path."""
    return [other for other in others if _was_near(visit, other)]


def matching(
    visits: Iterable[Visit],
    *,
    across: Across | None = None,
    down: Down | None = None,
    size_is: Size | None = None,
    motion_is: Motion | None = None,
    colours: Sequence[str] = (),
) -> list[Visit]:
    """The visits that meet all conditions that are given, in their order.

    Args:
        visits: Among these.
        across: Where from left to right.
        down: Where from top to bottom.
        size_is: How large.
        motion_is: Which way it went.
        colours: Every one of these is among its colours.
    """
    return [
        visit
        for visit in visits
        if (across is None or position(visit).across == across)
        and (down is None or position(visit).down == down)
        and (size_is is None or size(visit) == size_is)
        and (motion_is is None or motion(visit) == motion_is)
        and all(name in visit.colours for name in colours)
    ]


def _boxes(visit: Visit) -> list[Box]:
    return [box for _, box in visit.path] or [visit.box]


def _is_cut(box: Box) -> bool:
    return min(box[0], box[1], 1 - box[2], 1 - box[3]) < 0.005


def _typical_side(boxes: Sequence[Box]) -> float:
    return float(np.median([side(box) for box in boxes]))


def _was_near(visit: Visit, other: Visit) -> bool:
    """Whether the boxes of two things were ever near each other in one picture."""
    if other.id == visit.id or other.stream != visit.stream:
        return False
    pairs = ((box, box_at(other, time_s)) for time_s, box in visit.path or ((visit.frame_s, visit.box),))
    return any(at is not None and _are_near(box, at) for box, at in pairs)


def _are_near(a: Box, b: Box) -> bool:
    across, down = max(a[0] - b[2], b[0] - a[2], 0.0), max(a[1] - b[3], b[1] - a[3], 0.0)
    return math.hypot(across, down) < _NEAR * max(side(a), side(b))
