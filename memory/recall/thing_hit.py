"""A thing that was found by its own picture."""

from __future__ import annotations

from dataclasses import dataclass

from hippocam.memory.entities.records import Visit
from hippocam.memory.records import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingHit:
    """A thing whose own picture comes near the question.

    Attributes:
        visit: When and where it was there.
        cosine: Of its portrait with the question.
        belief: That it is what was asked for, 0 to 1.
        known_s: From when on that is known.
    """

    visit: Visit
    cosine: float
    belief: float
    known_s: float

    @property
    def span(self) -> Span:
        """The time of the visit."""
        return Span(t0_s=self.visit.t0_s, t1_s=self.visit.t1_s, known_s=self.known_s)
