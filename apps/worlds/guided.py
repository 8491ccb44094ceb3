"""A task that needs no memory: the tour, but things were moved after it, and a sign shows the way.

What was asked for stands in another room now, so what is remembered of it is wrong, and of no use. Whoever acts on
the signs alone does well; whoever relies on the memory opens the wrong door.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hippocam.apps.worlds.tour import ACTIONS, Tour, TourConfig, units
from hippocam.stream.records import FloatArray

# How much of a view is the sign, and how the encoder sees that for each action.
_SIGN = 0.6
_SIGNS = units(np.random.default_rng(23), ACTIONS)


class GuidedTour(Tour):
    """One episode; see `Tour`.

    Attributes:
        seen_in: Number of the room in which what is asked for was seen; it is not `goal`.
    """

    def __init__(self, config: TourConfig, seed: Sequence[int]) -> None:
        super().__init__(config, seed)
        self.seen_in = self.goal
        others = [room for room in range(config.rooms) if room != self.seen_in]
        self.goal = int(self._rng.choice(others))

    def view(self, passer_D: FloatArray | None = None) -> FloatArray:
        """What the encoder makes of what is seen from here, with the sign once doors are closed."""
        seen = super().view(passer_D)
        return seen if self.doors_open else seen + _SIGN * _SIGNS[self.expert(1)[0]]
