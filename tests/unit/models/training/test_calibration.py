from __future__ import annotations

import numpy as np
import pytest

from hippocam.models.training.calibration import OTHERS, fit_belief


def space(noise: float, photos: int = 300, dim: int = 64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    pictures = rng.normal(size=(photos, dim))
    texts = pictures + noise * rng.normal(size=pictures.shape)
    unit = [(rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32) for rows in (pictures, texts)]
    return unit[0], unit[1], np.arange(photos)


def test_midpoint_lies_between_seen_and_not_seen() -> None:
    pictures, texts, truth = space(noise=1.0)
    belief = fit_belief(pictures, texts, truth, seed=0)
    seen = (pictures * texts).sum(1).mean()
    assert 0.2 < belief.midpoint < seen
    assert belief.slope > 10
    assert belief.auc > 0.99


def test_noisier_space_separates_less() -> None:
    clear, noisy = (fit_belief(*space(noise), seed=0) for noise in (1.0, 3.0))
    assert noisy.auc < clear.auc
    assert noisy.slope < clear.slope


def test_belief_of_half_at_the_midpoint_matches_how_often_it_is_so() -> None:
    pictures, texts, truth = space(noise=2.0)
    belief = fit_belief(pictures, texts, truth, seed=0)
    cosines = texts @ pictures.T
    seen = cosines[truth, truth]
    rng = np.random.default_rng(5)
    unseen = [
        np.delete(row, own)[rng.choice(len(row) - 1, OTHERS, replace=False)].max()
        for own, row in enumerate(cosines)
    ]
    values = np.concatenate([seen, unseen])
    predicted = 1 / (1 + np.exp(-belief.slope * (values - belief.midpoint)))
    assert predicted[: len(seen)].mean() > predicted[len(seen) :].mean()
    assert predicted.mean() == pytest.approx(0.5, abs=0.03)
