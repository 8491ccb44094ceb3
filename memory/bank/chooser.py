"""Which rule of utility to trust in this memory: surprise, what was learned, or both.

A rule that was learned in one domain says nothing in another, so it has to prove itself where it is used. Each
time that an entry is met again, for the first time, every rule is asked where it had ranked that entry among all,
by what was known when the entry was new. The rule that ranks such entries highest (by an area under the ROC curve
in which old probes slowly fade) decides what is kept. All rules are seen at every probe, so nothing has to be
tried out at a loss (prediction with expert advice, Cesa-Bianchi and Lugosi 2006, rather than a bandit).

Shapes: N entries.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

# The rules.
ARMS = ("surprise", "utility", "product")
# Share of the past that is left after a probe.
_MEMORY = 0.98
# Probes before a rule other than the product is chosen, and how much better it must be.
_LEAST_PROBES = 6.0
_MARGIN = 0.1


class Chooser:
    """Keeps a score for each rule, 0.5 for one that is no better than chance."""

    def __init__(self) -> None:
        self._probes = 0.0
        self._ranks = np.zeros(len(ARMS))

    @staticmethod
    def value(arm: str, surprise_N: Doubles, learned_N: Doubles) -> Doubles:
        """Utility of entries by a rule."""
        if arm == "surprise":
            return surprise_N
        return learned_N if arm == "utility" else surprise_N * learned_N

    def probe(self, surprise_N: Doubles, learned_N: Doubles, met: int) -> None:
        """Score each rule by how it ranked the entry at index `met`, which was met again."""
        self._probes = _MEMORY * self._probes + 1
        for index, arm in enumerate(ARMS):
            values = self.value(arm, surprise_N, learned_N)
            below = float((values < values[met]).mean() + ((values == values[met]).sum() - 1) / (2 * len(values)))
            self._ranks[index] = _MEMORY * self._ranks[index] + below

    def scores(self) -> dict[str, float]:
        """Area under the ROC curve of each rule so far."""
        if not self._probes:
            return dict.fromkeys(ARMS, 0.5)
        return {arm: float(rank / self._probes) for arm, rank in zip(ARMS, self._ranks, strict=True)}

    def best(self) -> str:
        """The rule to go by: the product, unless another has proved clearly better."""
        scores, best = self.scores(), "product"
        if self._probes >= _LEAST_PROBES:
            if scores["surprise"] > scores["product"] + _MARGIN:
                best = "surprise"
            if scores["utility"] > max(scores["surprise"], scores["product"]) + 2 * _MARGIN:
                best = "utility"
        return best

    def state(self) -> list[float]:
        """Numbers to keep."""
        return [self._probes, *self._ranks.tolist()]

    def restore(self, state: list[float]) -> None:
        """Go on from what `state` gave."""
        self._probes, self._ranks = state[0], np.asarray(state[1 : 1 + len(ARMS)])
