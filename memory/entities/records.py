"""What the entity memory keeps and gives back: visits, entities, how many there were.

Times are seconds from the start of the stream's source.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from hippocam.stream.records import Box

# What moves by itself. Anything else that moves is moved, so a detector that gives a mover another label is more
# likely wrong.
MOVERS = frozenset(
    "person bicycle car motorcycle airplane bus train truck boat bird cat dog horse sheep cow elephant bear zebra "
    "giraffe".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityConfig:
    """When detections are one thing, and what may be kept of things.

    Attributes:
        budget_bytes: What entities, visits and their journal may take, bytes, 10,000 or more.
        patience_s: How long a thing may be out of sight within one visit, seconds, above 0.
        gap_s: After so long without any frame all visits end, seconds, above 0.
        sure: Score that one of a visit's detections must reach, 0 to 1.
        alone: Score that a visit's only detection must reach, 0 to 1.
        same_person: Dot product of two visits' looks from which on they are one person's, -1 to 1. Strict: two men
            in black on one camera measured .91, so who comes back in another coat is counted twice.
        same_thing: The same for anything else, by its colours.
        same_place: The same for a thing that does not move by itself and is where it was.
        link_hits: Detections after which a visit is compared with earlier ones, 1 or more.
    """

    budget_bytes: int = 2_500_000
    patience_s: float = 3.0
    gap_s: float = 30.0
    sure: float = 0.5
    alone: float = 0.68
    same_person: float = 0.93
    same_thing: float = 0.92
    same_place: float = 0.75
    link_hits: int = 5

    def __post_init__(self) -> None:
        if self.budget_bytes < 10_000:
            raise ValueError(f"entities.budget_bytes must be 10,000 or more, found {self.budget_bytes}")
        for name in ("patience_s", "gap_s"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"entities.{name} must be above 0, found {getattr(self, name)}")
        for name, low in (("sure", 0), ("alone", 0), ("same_person", -1), ("same_thing", -1), ("same_place", -1)):
            if not low <= getattr(self, name) <= 1:
                raise ValueError(f"entities.{name} must be {low} to 1, found {getattr(self, name)}")
        if self.link_hits < 1:
            raise ValueError(f"entities.link_hits must be 1 or more, found {self.link_hits}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A stretch of time in which one thing was there.

    Attributes:
        id: Made from its stream and first detection alone.
        entity: Id of the entity that it is a visit of.
        stream: Which stream.
        label: What it is.
        t0_s: When it came: half-way between the last frame without it and the first with it.
        t1_s: When it left, likewise; its newest frame where it is still there, or was when the looking ended.
        first_s: Its first frame.
        known_s: Time from which on it is known.
        linked_s: Time from which on it is known to be this entity; before, it was one of its own.
        gone_s: First frame without it; None where it is still there. No later than `t1_s` where it was cut off.
        from_start: Whether it was there when the stream began, or went on after a long gap: it was not seen to
            come.
        hits: Detections.
        score: Score of the surest detection.
        frame_s: Time of the detection that shows it best.
        box: Where it is there: left, top, right, bottom as shares of the picture.
        gaps: When it was out of sight in between: from the first frame without it to the next with it.
        path: When it was where, at some times of the visit from the first to the newest; empty in what an older
            hippocam kept.
        colours: Names of its colours by part from top to bottom, "" for a part that tells none: of a person the
            clothes above and below, of anything else one. Empty where nothing is known.
        portrait_s: Time of the newest picture of it that the encoder was shown; None where it was shown none.
    """

    id: int
    entity: int
    stream: str
    label: str
    t0_s: float
    t1_s: float
    first_s: float
    known_s: float
    linked_s: float
    gone_s: float | None
    from_start: bool
    hits: int
    score: float
    frame_s: float
    box: Box
    gaps: tuple[tuple[float, float], ...] = ()
    path: tuple[tuple[float, Box], ...] = ()
    colours: tuple[str, ...] = ()
    portrait_s: float | None = None

    @property
    def cut_off(self) -> bool:
        """Whether the looking ended while it was in sight: nobody saw it leave."""
        return self.gone_s is not None and self.gone_s <= self.t1_s

    @property
    def left_s(self) -> float | None:
        """When it was seen to leave; None where it is still there, or was cut off."""
        return None if self.gone_s is None or self.cut_off else self.t1_s

    def there(self, time_s: float) -> bool:
        """Whether the newest frame at time_s showed it, as was known then."""
        if time_s < max(self.first_s, self.known_s):
            return False
        if self.gone_s is not None and (time_s > self.gone_s if self.cut_off else time_s >= self.gone_s):
            return False
        return not any(from_s <= time_s < to_s for from_s, to_s in self.gaps)


def as_of(visit: Visit, at_s: float) -> Visit:
    """A visit as it was known at a time: not yet linked, not yet gone."""
    entity = visit.entity if visit.linked_s <= at_s else visit.id
    known = visit.gone_s is not None and (visit.gone_s < at_s if visit.cut_off else visit.gone_s <= at_s)
    gone_s = visit.gone_s if known else None
    gaps = tuple((from_s, min(to_s, at_s)) for from_s, to_s in visit.gaps if from_s <= at_s)
    if gone_s is None and visit.gaps:  # out of sight at that time: gone, as far as was known
        away = [from_s for from_s, to_s in visit.gaps if from_s <= at_s < to_s]
        gone_s = away[0] if away else None
    return replace(
        visit,
        entity=entity,
        t1_s=visit.t1_s if gone_s is not None and gone_s == visit.gone_s else min(visit.t1_s, at_s),
        gone_s=gone_s,
        frame_s=min(visit.frame_s, at_s),
        gaps=gaps,
        path=tuple(point for point in visit.path if point[0] <= at_s),
        colours=visit.colours if visit.path and visit.path[-1][0] <= at_s else (),
        portrait_s=visit.portrait_s if visit.portrait_s is not None and visit.portrait_s <= at_s else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A thing, as far as it is known.

    Attributes:
        id: At first the id of its earliest visit.
        stream: Which stream.
        label: What it is.
        visits: Its visits that are kept, by time; what was given up of them is in `earlier`.
        earlier: Visits whose times were given up for the budget.
    """

    id: int
    stream: str
    label: str
    visits: tuple[Visit, ...]
    earlier: int = 0

    @property
    def first_s(self) -> float:
        """When it first came, as far as is kept."""
        return self.visits[0].t0_s

    @property
    def last_s(self) -> float:
        """When it was last seen."""
        return max(visit.t1_s for visit in self.visits)

    @property
    def seconds(self) -> float:
        """How long it was there in all."""
        return sum(visit.t1_s - visit.t0_s for visit in self.visits)

    @property
    def exemplar(self) -> Visit:
        """The visit whose detection shows it best."""
        return max(self.visits, key=lambda visit: (visit.score, -visit.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityTotals:
    """How many there were.

    Attributes:
        entities: Different things.
        visits: Times that one of them came or was there.
        given_up: How many of these things are only counted: nothing else of them is kept.
    """

    entities: int
    visits: int
    given_up: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityChange:
    """A change of the entity that visits are of; it can be undone.

    Attributes:
        id: Rises with time.
        kind: "link" by the memory itself; "merge" and "split" by a person.
        into: The entity that has the visits now.
        moved: Each visit and the entity that it was of.
        undone: Whether it was taken back.
    """

    id: int
    kind: str
    into: int
    moved: tuple[tuple[int, int], ...]
    undone: bool
