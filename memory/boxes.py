"""Boxes in a picture: left, top, right, bottom as shares of its width and height."""

from __future__ import annotations

import math

from hippocam.stream.records import Box


def area(box: Box) -> float:
    """Share of the picture."""
    return (box[2] - box[0]) * (box[3] - box[1])


def centre(box: Box) -> tuple[float, float]:
    """Its middle, as shares of the picture."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def side(box: Box) -> float:
    """Side of the square of the same area: how large the thing is."""
    return math.sqrt(area(box))


def overlap(a: Box, b: Box) -> float:
    """How much two boxes share, as a share of the smaller, 0 to 1."""
    return _both(a, b) / max(min(area(a), area(b)), 1e-9)


def iou(a: Box, b: Box) -> float:
    """How much two boxes share, as a share of what either covers, 0 to 1: intersection over union."""
    both = _both(a, b)
    return both / max(area(a) + area(b) - both, 1e-12)


def _both(a: Box, b: Box) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
