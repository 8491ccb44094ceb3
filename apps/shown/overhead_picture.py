"""Draws where a robot was, and where it saw what, from above: a PNG."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.shown.overhead import Mark, Overhead
from hippocam.stream import opencv as cv2

_SIDE, _LEGEND, _MARGIN = 900, 260, 70
_PAPER, _GRID, _INK, _SOFT = (255, 255, 255), (232, 232, 232), (40, 40, 40), (130, 130, 130)
_FOUND = (200, 30, 30)
# One colour a recording, and one a kind of thing; then they begin again.
_PATHS = ((90, 110, 150), (150, 110, 80), (90, 140, 100), (140, 90, 140), (110, 110, 110))
_THINGS = (
    (31, 119, 180),
    (255, 127, 14),
    (44, 160, 44),
    (148, 103, 189),
    (140, 86, 75),
    (227, 119, 194),
    (23, 190, 207),
)
# Lines of the legend; lines across the picture, about; distance of marks that hide each other, pixels.
_MOST_LINES, _LINES, _CLOSE_PX = 24, 8, 22
_FACE = 0  # FONT_HERSHEY_SIMPLEX

Canvas = NDArray[np.uint8]


class _Sheet(NamedTuple):
    """A picture, and how metres become pixels in it."""

    canvas: Canvas
    low: NDArray[np.float64]
    scale: float

    def at(self, point: NDArray[np.float64]) -> tuple[int, int]:
        """Pixel of a point; up is where the second number grows."""
        x, y = (point[:2] - self.low) * self.scale
        return round(_MARGIN + x), round(_SIDE - _MARGIN - y)


def draw(seen: Overhead, *, title: str = "") -> bytes:
    """Draw it.

    Args:
        seen: What is seen from above.
        title: What stands above it, such as what was asked for.

    Returns:
        A PNG.
    """
    sheet = _sheet(seen)
    _grid(sheet, seen.axes)
    for number, path in enumerate(seen.paths):
        colour = _PATHS[number % len(_PATHS)]
        pixels = np.array([sheet.at(point) for point in path.points], np.int32)
        cv2.polylines(sheet.canvas, [pixels.reshape(-1, 1, 2)], False, colour, 2, cv2.LINE_AA)
        cv2.circle(sheet.canvas, sheet.at(path.points[0]), 6, colour, -1, cv2.LINE_AA)
        cv2.rectangle(sheet.canvas, *_box(sheet.at(path.points[-1]), 5), colour, -1)
    colours = _things(seen)
    for mark in _apart(sheet, seen):
        if mark.found:
            cv2.circle(sheet.canvas, sheet.at(mark.point), 13, _FOUND, -1, cv2.LINE_AA)
            _text(sheet.canvas, mark.text, sheet.at(mark.point), _PAPER, size=0.5, centred=True)
        else:
            cv2.circle(sheet.canvas, sheet.at(mark.point), 6, colours[mark.text], -1, cv2.LINE_AA)
            cv2.circle(sheet.canvas, sheet.at(mark.point), 6, _PAPER, 1, cv2.LINE_AA)
    _legend(sheet.canvas, seen, colours)
    _text(sheet.canvas, title, (_MARGIN, 34), _INK, size=0.62)
    done, made = cv2.imencode(".png", cv2.cvtColor(sheet.canvas, cv2.COLOR_RGB2BGR))
    if not done:
        raise RuntimeError("OpenCV could not write a PNG")
    return bytes(made)


def _sheet(seen: Overhead) -> _Sheet:
    points = np.concatenate([path.points for path in seen.paths])[:, :2]
    low, high = points.min(0), points.max(0)
    size = max(float((high - low).max()), 0.1)
    middle = (low + high) / 2
    canvas = np.full((_SIDE, _SIDE + _LEGEND, 3), _PAPER, np.uint8)
    return _Sheet(canvas, middle - size / 2, (_SIDE - 2 * _MARGIN) / size)


def _grid(sheet: _Sheet, axes: tuple[str, str]) -> None:
    size = (_SIDE - 2 * _MARGIN) / sheet.scale
    step = _round_step(size / _LINES)
    digits = max(0, -math.floor(math.log10(step)))
    for axis in (0, 1):
        for k in range(math.ceil(sheet.low[axis] / step), math.floor((sheet.low[axis] + size) / step) + 1):
            start, end = sheet.low.copy(), sheet.low + size
            start[axis] = end[axis] = k * step
            cv2.line(sheet.canvas, sheet.at(start), sheet.at(end), _GRID, 1)
            x, y = sheet.at(start)
            place = (x, _SIDE - _MARGIN + 18) if axis == 0 else (_MARGIN - 32, y)
            _text(sheet.canvas, f"{k * step:.{digits}f}", place, _SOFT, size=0.4, centred=True)
    _text(sheet.canvas, f"{axes[0]}, metres", (_SIDE // 2, _SIDE - 24), _SOFT, size=0.45, centred=True)
    _text(sheet.canvas, f"{axes[1]}, metres", (14, _MARGIN - 16), _SOFT, size=0.45)


def _round_step(step: float) -> float:
    """1, 2 or 5 times a power of ten, about as large as a step."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(part * power for part in (1, 2, 5, 10) if part * power >= step)


def _things(seen: Overhead) -> dict[str, Any]:
    labels = sorted({mark.text for mark in seen.marks if not mark.found})
    return {label: _THINGS[number % len(_THINGS)] for number, label in enumerate(labels)}


def _apart(sheet: _Sheet, seen: Overhead) -> list[Mark]:
    """Marks without those that another of their kind hides; others that would hide one are moved beside it."""
    shown: list[tuple[Mark, NDArray[np.float64]]] = []
    for mark in seen.marks:
        pixel = np.array(sheet.at(mark.point), float)
        beside = [held for held, where in shown if np.hypot(*(where - pixel)) < _CLOSE_PX]
        if any(held.text == mark.text and held.found == mark.found for held in beside):
            continue
        moved = mark.point.copy()
        moved[1] += len(beside) * _CLOSE_PX / sheet.scale
        shown.append((mark._replace(point=moved), pixel))
    return sorted((mark for mark, _ in shown), key=lambda mark: mark.found)


def _legend(canvas: Canvas, seen: Overhead, colours: Mapping[str, Any]) -> None:
    lines = [(path.name, _PATHS[number % len(_PATHS)]) for number, path in enumerate(seen.paths)]
    counts = {label: sum(mark.text == label and not mark.found for mark in seen.marks) for label in colours}
    lines += [(f"{label}, seen {counts[label]} x", colour) for label, colour in colours.items()]
    if any(mark.found for mark in seen.marks):
        lines.append(("found, the strongest first", _FOUND))
    y = _MARGIN
    for text, colour in lines[:_MOST_LINES]:
        cv2.circle(canvas, (_SIDE + 8, y - 4), 6, colour, -1, cv2.LINE_AA)
        _text(canvas, text if len(text) <= 30 else f"...{text[-27:]}", (_SIDE + 22, y), _INK, size=0.42)
        y += 26
    if len(lines) > _MOST_LINES:
        _text(canvas, f"and {len(lines) - _MOST_LINES} more", (_SIDE + 22, y), _SOFT, size=0.42)
        y += 26
    for text in ("round: where it began", "square: where it ended"):
        _text(canvas, text, (_SIDE + 22, y + 10), _SOFT, size=0.4)
        y += 22


def _box(pixel: tuple[int, int], half: int) -> tuple[tuple[int, int], tuple[int, int]]:
    x, y = pixel
    return (x - half, y - half), (x + half, y + half)


def _text(
    canvas: Canvas, text: str, pixel: tuple[int, int], colour: Any, *, size: float, centred: bool = False
) -> None:
    """Write letters that the font has; others become question marks."""
    plain = text.encode("ascii", "replace").decode()
    if centred:
        (width, height), _ = cv2.getTextSize(plain, _FACE, size, 1)
        pixel = (pixel[0] - width // 2, pixel[1] + height // 2)
    cv2.putText(canvas, plain, pixel, _FACE, size, colour, 1, cv2.LINE_AA)
