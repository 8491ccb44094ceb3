"""From which cosine two keys are the same thing: what chance does not explain.

The cosines of new keys with those that are held say how alike two keys of this memory are by chance. "The same"
begins some standard deviations above their mean. So on a still camera, where all keys are alike, nothing is merged
that a threshold made for another encoder would merge.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hippocam.stream.records import FloatArray

# How many cosines must be seen before chance is known.
_LEAST_PAIRS = 64


class Thresholds:
    """Cosines at which keys are the same, and at which they begin to be redundant.

    Args:
        same_deviations: Standard deviations above the mean cosine from which keys are the same: see BankConfig.
        alike_deviations: Standard deviations above it from which they are redundant.
        least_same: Cosine below which two keys are never the same thing.
        most_same: Cosine above which they always are.

    Attributes:
        same: Cosine from which two keys are the same thing.
        alike: Cosine from which they are redundant.
    """

    def __init__(
        self, *, same_deviations: float, alike_deviations: float, least_same: float, most_same: float
    ) -> None:
        self._same_deviations, self._alike_deviations = same_deviations, alike_deviations
        self._least_same, self._most_same = least_same, most_same
        self._sums = np.zeros(3)  # number of cosines that were observed, their sum, the sum of their squares
        self.same, self.alike = most_same, least_same

    def observe(self, cosines: FloatArray) -> None:
        """Take in the cosines of a new key with those that are held."""
        self._sums += (len(cosines), float(cosines.sum()), float(np.square(cosines).sum()))

    def fit(self) -> None:
        """Fit the thresholds to what was observed, once that is enough."""
        pairs, total, squares = self._sums
        if pairs < _LEAST_PAIRS:
            return
        mean = total / pairs
        spread = math.sqrt(max(squares / pairs - mean**2, 1e-6))
        self.same = min(self._most_same, max(self._least_same, mean + self._same_deviations * spread))
        self.alike = self.same - (self._same_deviations - self._alike_deviations) * spread

    def state(self) -> list[float]:
        """What to keep: five floats."""
        return [*self._sums, self.same, self.alike]

    def restore(self, state: Sequence[float]) -> None:
        """Go on from what `state` gave."""
        self._sums = np.asarray(state[:3])
        self.same, self.alike = state[3:5]
