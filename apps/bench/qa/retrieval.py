"""Moments that were found against the windows that are right: recall, temporal IoU, average precision, chance.

R1 at an IoU and mAP are those of QVHighlights (Lei et al. 2021; jayleicn/moment_detr, standalone_eval/eval.py),
whose average precision is that of ActivityNet and Pascal VOC 2011, a query at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.bench.qa.items import Window

# As QVHighlights has them.
THRESHOLDS = tuple(round(0.5 + 0.05 * k, 2) for k in range(10))
_PREDICTIONS = 10
_RANGES = {"short": (0, 10), "middle": (10, 30), "long": (30, 150), "full": None}
# Positions of a random moment that are tried.
_PLACES = 200
Found = Sequence[tuple[float, float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query's predictions and truth.

    Attributes:
        found: Windows [start, end, score], in the order in which they were given.
        windows: The right windows, one at least.
    """

    found: Found
    windows: Sequence[Window]


def overlaps(moment: Window, windows: Sequence[Window]) -> bool:
    """Whether a moment shares time with one of some windows."""
    return any(min(moment[1], end) > max(moment[0], start) for start, end in windows)


def best_iou(moment: Window, windows: Sequence[Window]) -> float:
    """The greatest temporal intersection over union of a moment with one of some windows."""
    return max((_iou(moment, window) for window in windows), default=0.0)


def chance(lengths_s: Sequence[float], windows: Sequence[Window], end_s: float) -> tuple[float, float, float]:
    """What random moments of the same lengths would reach, anywhere in what was seen.

    Args:
        lengths_s: Lengths of the moments that were found, the strongest first.
        windows: The right windows.
        end_s: How much was seen, seconds.

    Returns:
        Chance that the first overlaps, that one of them all does, and the first one's expected IoU.
    """
    if not lengths_s or end_s <= 0:
        return 0.0, 0.0, 0.0
    missed, hits = 1.0, []
    for length_s in lengths_s:
        share = float(np.mean([overlaps(m, windows) for m in _places(length_s, end_s)]))
        hits.append(share)
        missed *= 1 - share
    iou = float(np.mean([best_iou(moment, windows) for moment in _places(lengths_s[0], end_s)]))
    return hits[0], 1 - missed, iou


def qvhighlights(queries: Sequence[Query]) -> dict[str, Any]:
    """The moment retrieval figures of QVHighlights, percent with two decimals as its scorer prints them.

    Args:
        queries: Those with one prediction at least count for precision; all of them must have one.

    Returns:
        "short", "middle", "long" (of windows up to 10, 30 and 150 s) and "full", each with "MR-mAP" and "MR-R1"
        by IoU; a range without a window is left out.

    Raises:
        ValueError: A query has no prediction or no window.
    """
    for query in queries:
        if not query.found or not query.windows:
            raise ValueError("every query needs a predicted window and a right one")
    parts = {name: _within(queries, bounds) for name, bounds in _RANGES.items()}
    return {name: {"MR-mAP": _map(part), "MR-R1": _r1(part)} for name, part in parts.items() if part}


def brief(figures: Mapping[str, Any]) -> dict[str, float]:
    """The figures that are published in tables, under QVHighlights' own names."""
    full = figures["full"]
    named = {
        "MR-full-R1@0.5": full["MR-R1"]["0.5"],
        "MR-full-R1@0.7": full["MR-R1"]["0.7"],
        "MR-full-mAP": full["MR-mAP"]["average"],
        "MR-full-mAP@0.5": full["MR-mAP"]["0.5"],
        "MR-full-mAP@0.75": full["MR-mAP"]["0.75"],
    }
    lengths = (name for name in _RANGES if name != "full" and name in figures)
    return named | {f"MR-{name}-mAP": figures[name]["MR-mAP"]["average"] for name in lengths}


def average_precision(query: Query, thresholds: Sequence[float] = THRESHOLDS) -> NDArray[np.float64]:
    """Interpolated average precision of one query at each IoU, 0 to 1.

    The first ten predictions, the highest score first; each takes the free window that it overlaps best, if the
    IoU reaches the threshold.
    """
    found = sorted(query.found[:_PREDICTIONS], key=lambda w: -w[2])
    ious = np.array([[_iou((start, end), window) for window in query.windows] for start, end, _ in found])
    return np.array([_precision(ious, threshold) for threshold in thresholds])


def _precision(ious_PW: NDArray[np.float64], threshold: float) -> float:
    """Average precision of P predictions in order of their score, against W windows."""
    taken, right = set[int](), []
    for row_W in ious_PW:
        order = row_W.argsort()[::-1]
        free = next((int(w) for w in order if row_W[w] >= threshold and int(w) not in taken), None)
        right.append(free is not None)
        if free is not None:
            taken.add(free)
    true_P = np.cumsum(right)
    precision_P = true_P / np.arange(1, len(right) + 1)
    best_P = np.maximum.accumulate(precision_P[::-1])[::-1]
    gained_P = np.diff(true_P, prepend=0) / ious_PW.shape[1]
    return float((best_P * gained_P).sum())


def _map(queries: Sequence[Query]) -> dict[str, float]:
    by_threshold = np.mean([average_precision(query) for query in queries], axis=0)
    values = {str(t): _percent(v) for t, v in zip(THRESHOLDS, by_threshold.tolist(), strict=True)}
    return values | {"average": _percent(float(by_threshold.mean()))}


def _r1(queries: Sequence[Query]) -> dict[str, float]:
    """Share of queries whose first prediction reaches an IoU; the first as given, whatever its score."""
    ious = np.array([best_iou(query.found[0][:2], query.windows) for query in queries])
    return {str(t): _percent(float((ious >= t).mean())) for t in THRESHOLDS}


def _within(queries: Sequence[Query], bounds: tuple[int, int] | None) -> list[Query]:
    """Queries with a window whose length is above the lower bound and up to the upper, and only such windows."""
    if bounds is None:
        return list(queries)
    low, high = bounds
    kept = ((q.found, [w for w in q.windows if low < w[1] - w[0] <= high]) for q in queries)
    return [Query(found=found, windows=windows) for found, windows in kept if windows]


def _percent(share: float) -> float:
    return float(f"{100 * share:.2f}")


def _iou(moment: Window, window: Window) -> float:
    both = max(0.0, min(moment[1], window[1]) - max(moment[0], window[0]))
    either = (moment[1] - moment[0]) + (window[1] - window[0]) - both
    return both / either if either > 0 else 0.0


def _places(length_s: float, end_s: float) -> list[Window]:
    free_s = max(0.0, end_s - length_s)
    return [(start, start + length_s) for start in (np.arange(_PLACES) + 0.5) / _PLACES * free_s]
