"""Views of entries that nobody has seen: what a question about an entry would look like, as far as views differ.

How far they differ is known from views that were held out of events (working/working.py): the cosine of such a
view with its entry's key. It depends on the event: what stands out looks alike when it is seen again, what is
hardly new does not. So a drawn view takes the cosine of a held-out one whose entry has about the same utility.
What a view has beside the key lies where keys of the same memory lie.

Shapes: N entries, P held-out views, Q drawn views, D embedding dimension.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.records import FloatArray

# How many held-out views of the nearest utility are drawn from for a cosine.
_ALIKE = 8
# A view that is farther from its key than this could be of anything: it is neither asked nor learned from.
LEAST_COSINE = 0.3
# Views over which the share of entries of some utility that are found is averaged.
_SMOOTH = 64
# Keys that span what a view may have beside its own key.
_BASIS = 512
# Cosines of held-out views with their keys where a memory has none to show: quantiles over the training streams.
USUAL_COSINES = (0.35, 0.55, 0.7, 0.8, 0.87, 0.92, 0.95, 0.97)


def cosines_of(
    utility_Q: NDArray[np.float64],
    known_utility_P: NDArray[np.float64],
    known_cosine_P: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """How near a drawn view is to its key, for entries of some utility.

    Args:
        utility_Q: Utility of the entries.
        known_utility_P: Utility of the entries with a held-out view.
        known_cosine_P: Cosines of these views with their entries' keys.
        rng: Draws which of the nearest lends its cosine.
    """
    if len(known_utility_P) < _ALIKE:
        return rng.choice(np.asarray(USUAL_COSINES), len(utility_Q))
    order = np.argsort(known_utility_P, kind="stable")
    middle = np.searchsorted(known_utility_P[order], utility_Q) - _ALIKE // 2
    first = np.clip(middle, 0, len(order) - _ALIKE)
    chosen: NDArray[np.float64] = known_cosine_P[order[first + rng.integers(0, _ALIKE, len(utility_Q))]]
    return chosen


def recallable(
    utility_N: NDArray[np.float64], asked_utility_Q: NDArray[np.float64], found_Q: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """How often entries of some utility are found by their views, 0 to 1; 1 for all where none was asked.

    What is hardly ever found can be merged at hardly any cost.
    """
    if not len(asked_utility_Q):
        return np.ones(len(utility_N))
    order = np.argsort(asked_utility_Q, kind="stable")
    width = min(_SMOOTH, len(order))
    total = np.concatenate([[0.0], np.cumsum(found_Q[order])])
    means = (total[width:] - total[:-width]) / width
    first = np.searchsorted(asked_utility_Q[order], utility_N) - width // 2
    chosen: NDArray[np.float64] = means[np.clip(first, 0, len(means) - 1)]
    return chosen


def draw(
    own_QD: FloatArray, cosines_Q: NDArray[np.float64], keys_ND: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Draw one view of each entry.

    Args:
        own_QD: Their keys, of length 1.
        cosines_Q: How near each view is to its key.
        keys_ND: Keys of the memory: what a view has beside its key is a random mixture of them.
        rng: Draws it.

    Returns:
        float32 [Q, D], of length 1.
    """
    basis = keys_ND[np.sort(rng.permutation(len(keys_ND))[:_BASIS])].astype(np.float64)
    beside = rng.normal(size=(len(own_QD), len(basis))) @ basis
    beside -= (beside * own_QD).sum(axis=1, keepdims=True) * own_QD
    beside /= np.maximum(np.linalg.norm(beside, axis=1, keepdims=True), 1e-9)
    cosines = np.clip(cosines_Q, -1, 1)[:, None]
    return (cosines * own_QD + np.sqrt(1 - cosines**2) * beside).astype(np.float32)
