"""Moves merged keys towards the views that should find them.

Shapes: M keys, Q views, D embedding dimension.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import FloatArray

# Temperature of the beliefs by which keys are tuned.
_TEMPERATURE = 0.05


def tune(
    keys_MD: FloatArray,
    merged_M: NDArray[np.bool_],
    views_QD: FloatArray,
    own_Q: NDArray[np.int64],
    *,
    rate: float,
) -> FloatArray:
    """Move merged keys a step towards views that are theirs and away from others: the gradient of InfoNCE.

    Args:
        keys_MD: All keys, of length 1.
        merged_M: Which of them may move.
        views_QD: Views of entries.
        own_Q: The key that each is to find.
        rate: Length of the step, as a share of the gradient.
    """
    logits = views_QD @ keys_MD.T / np.float32(_TEMPERATURE)
    beliefs = np.exp(logits - logits.max(axis=1, keepdims=True))
    beliefs /= beliefs.sum(axis=1, keepdims=True)
    beliefs[np.arange(len(own_Q)), own_Q] -= 1
    moved = keys_MD.copy()
    moved[merged_M] -= np.float32(rate) * (beliefs[:, merged_M].T @ views_QD)
    moved[merged_M] /= np.maximum(np.linalg.norm(moved[merged_M], axis=1, keepdims=True), 1e-9)
    return moved
