"""Highlight detection as QVHighlights scores it (Lei et al. 2021; jayleicn/moment_detr, standalone_eval/eval.py).

Three people said of every clip of 2 s how good a highlight it is for the query, 0 to 4; a model gives each clip a
score.

Shapes: C clips of a video; 3 people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CLIP_S = 2
_PEOPLE = 3
# The mark from which a clip counts as a highlight, by the published names.
_MARKS = {"Fair": 2, "Good": 3, "VeryGood": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlights:
    """What three people said of a video's clips for one query.

    Attributes:
        marks_C3: float64 [C, 3], 0 to 4; 0 for a clip outside the query's windows.
    """

    marks_C3: NDArray[np.float64]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Highlights | None:
        """From a row of the annotations; None for the test split, which has none."""
        if "saliency_scores" not in row:
            return None
        marks_C3 = np.zeros((int(row["duration"] / _CLIP_S), _PEOPLE))
        marks_C3[np.array(row["relevant_clip_ids"], int)] = row["saliency_scores"]
        return cls(marks_C3=marks_C3)


def highlights(truth: Sequence[Highlights], scores: Sequence[Sequence[float]]) -> dict[str, dict[str, float]]:
    """Average precision and the hit of the best clip, percent with two decimals as its scorer prints them.

    Args:
        truth: One a query.
        scores: For each query a score for each clip; missing ones count as 0, further ones are left out.

    Returns:
        "HL-min-Fair", "HL-min-Good" and "HL-min-VeryGood", each with "HL-mAP" and "HL-Hit1".
    """
    figures = {}
    for name, least in _MARKS.items():
        precisions, hits = [], []
        for marked, given in zip(truth, scores, strict=True):
            good_C3 = marked.marks_C3 >= least
            scores_C = np.zeros(len(good_C3))
            kept = given[: len(good_C3)]
            scores_C[: len(kept)] = kept
            precisions.append([_precision(good_C, scores_C) for good_C in good_C3.T])
            best = int(np.argmax(given))
            hits.append(bool(best < len(good_C3) and good_C3[best].any()))
        mean = {"HL-mAP": float(np.mean(precisions)), "HL-Hit1": float(np.mean(hits))}
        figures[f"HL-min-{name}"] = {figure: float(f"{100 * value:.2f}") for figure, value in mean.items()}
    return figures


def _precision(good_C: NDArray[np.bool_], scores_C: NDArray[np.float64]) -> float:
    """Interpolated precision, averaged over the recalls that thresholds on the score reach."""
    if good_C.all() or not good_C.any():
        return float(good_C.all())
    order = np.argsort(-scores_C, kind="stable")
    last_T = np.flatnonzero(np.diff(scores_C[order], append=np.nan))  # where each threshold's clips end
    true_T = np.cumsum(good_C[order])[last_T]
    precision_T = np.maximum.accumulate((true_T / (last_T + 1))[::-1])[::-1]
    return float(precision_T[np.diff(true_T, prepend=0) > 0].mean())
