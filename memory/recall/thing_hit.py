"""A thing that was found by its own picture."""

from __future__ import annotations

from dataclasses import dataclass

from hippocam.memory.entities.records import Visit
from hippocam.memory.records import Entry, Level, Span


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


def entry_of(hit: ThingHit) -> Entry:
    """Make an entry without a picture of a thing whose time no entry holds any more."""
    visit = hit.visit
    return Entry(
        id=visit.id,
        stream=visit.stream,
        t0_s=visit.t0_s,
        t1_s=visit.t1_s,
        known_s=hit.known_s,
        frame_s=visit.frame_s,
        surprise=0.0,
        utility=0.0,
        labels=(),
        text="",
        frames=0,
        repeats=0,
        jpeg_bytes=0,
        spans=(hit.span,),
        level=Level.WORDS,
    )
