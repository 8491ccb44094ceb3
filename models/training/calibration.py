"""Cosines between texts and pictures into a belief: how likely the best of many pictures shows what was asked.

A memory compares a query with many pictures, and the best cosine of many wrong ones is far above that of one.
So the belief is fitted on that: a caption's cosine with its own photograph (seen), against its best cosine among
20 photographs of which none is its own (not seen), since a video has about that many different scenes. With more
scenes the midpoint rises, about with the logarithm of their number, and fewer cases can be told apart.
Logistic calibration: Platt 1999.

Shapes: N photographs; M captions; F of a vector.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import FloatArray

OTHERS = 20
_NEWTON_STEPS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """A fitted belief p = 1 / (1 + exp(-slope * (cosine - midpoint))).

    Attributes:
        midpoint: Cosine at which seen and not seen are equally likely.
        slope: Per unit of cosine.
        auc: Chance that a seen case has a higher cosine than one not seen; 0.5 tells nothing, 1 is perfect.
    """

    midpoint: float
    slope: float
    auc: float


def fit_belief(
    pictures_NF: FloatArray, texts_MF: FloatArray, truth_M: NDArray[np.int64], *, others: int = OTHERS, seed: int
) -> Belief:
    """Fit the belief on photographs that the encoder was not trained on.

    Args:
        pictures_NF: float32 [N, F], unit vectors; N above `others`.
        texts_MF: float32 [M, F], unit vectors.
        truth_M: The photograph of each caption, 0 to N - 1.
        others: Over how many other photographs the best cosine is taken.
        seed: Seed of their choice.
    """
    rng = np.random.default_rng(seed)
    cosines_MN = texts_MF @ pictures_NF.T
    seen_M = cosines_MN[np.arange(len(truth_M)), truth_M]
    unseen_M = np.zeros_like(seen_M)
    for row, truth in enumerate(truth_M):
        wrong = rng.choice(len(pictures_NF) - 1, others, replace=False)
        unseen_M[row] = cosines_MN[row, wrong + (wrong >= truth)].max()
    cosines = np.concatenate([seen_M, unseen_M]).astype(np.float64)
    happened = np.concatenate([np.ones(len(seen_M)), np.zeros(len(unseen_M))])
    slope, midpoint = _logistic(cosines, happened)
    return Belief(midpoint=midpoint, slope=slope, auc=_auc(seen_M, unseen_M))


def _logistic(values: NDArray[np.float64], happened: NDArray[np.float64]) -> tuple[float, float]:
    """Fit by Newton's method on standardised values, which is convex and needs few steps."""
    mean, deviation = values.mean(), values.std()
    design = np.stack([(values - mean) / deviation, np.ones_like(values)], axis=1)
    weights = np.zeros(2)
    for _ in range(_NEWTON_STEPS):
        belief = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (happened - belief) - 1e-3 * weights
        hessian = (design * (belief * (1 - belief))[:, None]).T @ design + 1e-3 * np.eye(2)
        weights = weights + np.linalg.solve(hessian, gradient)
    slope = weights[0] / deviation
    return float(slope), float(mean - weights[1] / slope)


def _auc(positive: FloatArray, negative: FloatArray) -> float:
    """Mann-Whitney: share of pairs in the right order, ties half."""
    ordered = np.sort(negative)
    below, upto = np.searchsorted(ordered, positive, "left"), np.searchsorted(ordered, positive, "right")
    return float((below + upto).mean() / (2 * len(negative)))
