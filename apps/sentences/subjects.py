"""The visits to a camera at a time into the subjects of a sentence: what, how many, in which colour, where."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from hippocam.memory.boxes import centre, side
from hippocam.memory.entities.describing import box_at
from hippocam.memory.entities.records import MOVERS, Visit
from hippocam.models.sentences.moment import Subject
from hippocam.models.sentences.people import Kinds
from hippocam.stream.records import Box

T = TypeVar("T")

# A visit without a path counts this far from the frame that shows it best; any visit, where it was seen in so many
# frames a second.
_NEAR_S = 0.9
_OFTEN = 0.75
# Left and right of these shares of the picture's width things are said to be on one side.
_LEFT, _RIGHT = 0.33, 0.67
# Time on both sides in which a thing is watched, and the way in its own sides that it goes within it: from the
# first on it goes somewhere, below the second it stays.
_WATCHED_S = 2.5
_GOES = 0.5
_STAYS = 0.2
_HAIR = "brown"
_NOBODY: Kinds = {}


def subjects_at(
    visits: Iterable[Visit], time_s: float, at_s: float | None = None, people: Kinds = _NOBODY
) -> tuple[Subject, ...]:
    """What was to be seen at a time: people first, then what moves by itself, then the rest, most of a kind first.

    Args:
        visits: Those to one stream around that time.
        time_s: The time.
        at_s: As if the stream ended here.
        people: Which kind of people the portraits of visits show, where they tell.
    """
    known = (visit for visit in visits if at_s is None or visit.known_s <= at_s)
    return subjects([visit for visit in known if _is_seen(visit, time_s)], time_s, at_s, people)


def subjects(
    visits: Sequence[Visit], time_s: float, at_s: float | None = None, people: Kinds = _NOBODY
) -> tuple[Subject, ...]:
    """What some visits are of, in the same order."""
    kinds: dict[str, list[Visit]] = {}
    for visit in visits:
        kinds.setdefault(visit.label, []).append(visit)
    ordered = sorted(kinds, key=_order_of({label: len(own) for label, own in kinds.items()}))
    return tuple(_subject(label, kinds[label], time_s, at_s, people) for label in ordered)


def counted(labels: Sequence[str]) -> tuple[Subject, ...]:
    """What is in one frame by its labels alone, in the same order."""
    counts = Counter(labels)
    return tuple(Subject(label=label, count=counts[label]) for label in sorted(counts, key=_order_of(counts)))


def _order_of(counts: Mapping[str, int]) -> Callable[[str], tuple[bool, bool, int, str]]:
    """Sort key: people first, then what moves by itself, then the rest, most of a kind first."""
    return lambda label: (label != "person", label not in MOVERS, -counts[label], label)


def _subject(label: str, visits: Sequence[Visit], time_s: float, at_s: float | None, people: Kinds) -> Subject:
    """Things of one kind; what is not the same of all of them is left out."""
    end_s = math.inf if at_s is None else at_s
    shown = _same([people.get((visit.stream, visit.id), "") for visit in visits])
    return Subject(
        label=label,
        count=len(visits),
        colour=_same([_colour(visit) for visit in visits]) or "",
        side=_same([_side(box_at(visit, time_s) or visit.box) for visit in visits]) or "",
        kind=shown if label == "person" and shown else "",
        moves=_same([_moves(visit, time_s, end_s) for visit in visits]),
    )


def _is_seen(visit: Visit, time_s: float) -> bool:
    """Whether a visit's thing was seen at about a time, not only before and after it."""
    if not visit.t0_s <= time_s <= visit.t1_s or any(from_s <= time_s < to_s for from_s, to_s in visit.gaps):
        return False
    if visit.hits >= _OFTEN * (visit.t1_s - visit.t0_s):
        return True
    return abs(time_s - visit.frame_s) <= _NEAR_S if not visit.path else box_at(visit, time_s) is not None


def _colour(visit: Visit) -> str:
    """A thing's colour, of a person that of the clothes above; what is brown there alone may be hair."""
    above = visit.colours[0] if visit.colours else ""
    return "" if above == _HAIR and any(below != _HAIR for below in visit.colours[1:]) else above


def _side(box: Box) -> str:
    x, _ = centre(box)
    return "left" if x < _LEFT else "right" if x > _RIGHT else ""


def _moves(visit: Visit, time_s: float, end_s: float) -> bool | None:
    """Whether a thing goes somewhere at about a time; None where its path does not tell."""
    boxes = [box for at_s, box in visit.path if abs(at_s - time_s) <= _WATCHED_S and at_s <= end_s]
    if len(boxes) < 2:
        return None
    way = max(math.dist(centre(boxes[0]), centre(box)) for box in boxes[1:])
    sides = way / max(side(boxes[0]), 1e-6)
    return True if sides >= _GOES else False if sides < _STAYS else None


def _same(values: Sequence[T]) -> T | None:
    return values[0] if all(value == values[0] for value in values) else None
