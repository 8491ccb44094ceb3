"""Questions about a zone: the same questions, put to the visits of what stood in it, and to nothing else.

"Who came through the gate?" is "who came?", asked of the things whose feet were in the zone "gate". Only the
detector's things have a place in the picture, so words, sounds and what the encoder sees by itself have no say,
but for the moments in which such a thing was there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hippocam.apps.ask.count.question import WHOLE, CountAnswer, EntityView
from hippocam.apps.ask.records import Recorded
from hippocam.apps.ask.robot.records import RobotRecords
from hippocam.apps.ask.where import Where
from hippocam.apps.records import Answer
from hippocam.memory.entities.detections import Detected
from hippocam.memory.entities.records import Entity, EntityTotals, Visit
from hippocam.memory.records import Evidence, StreamStatus
from hippocam.models.sentences.people import Kinds
from hippocam.stream.records import Note
from hippocam.stream.zones.polygons import CameraZones, Zone

_BEFORE = r"(?:\b(?:in|into|at|to|through|on|onto|by|near|past|via|from|of|inside|within|across|over)\s+)?"
_ARTICLE = r"(?:\b(?:the|my|our|this|that)\s+)?"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedZone:
    """A zone that a question names.

    Attributes:
        name: Its name.
        rest: The question without it.
        zones: The zone of that name in each stream that has one.
    """

    name: str
    rest: str
    zones: Mapping[str, Zone]


def zone_named(question: str, marked: Mapping[str, CameraZones]) -> NamedZone | None:
    """Find the zone that a question names; None where it names none, or is of nothing but the zone.

    Args:
        question: In the user's words.
        marked: What is marked in the pictures of each stream.
    """
    names = sorted({name for each in marked.values() for name in each.zones}, key=lambda name: (-len(name), name))
    for name in names:
        words = r"\s+".join(map(re.escape, re.split(r"[\s_-]+", name.strip())))
        found = re.search(rf"{_BEFORE}{_ARTICLE}\b(?:zone\s+)?{words}(?:\s+zone)?\b", question, re.IGNORECASE)
        if found is None:
            continue
        rest = " ".join((question[: found.start()] + " " + question[found.end() :]).split())
        rest = re.sub(r"\s+(?=[?!.,;])", "", rest)
        zones = {stream: zone for stream, each in marked.items() if (zone := each.zone(name)) is not None}
        return NamedZone(name=name, rest=rest, zones=zones) if re.search(r"\w", rest) else None
    return None


class Asked(Recorded, Protocol):
    """What a question is put to where it names no zone; `Search` is one."""

    @property
    def robot(self) -> RobotRecords:
        """What is known of robots beside their pictures."""

    def streams(self) -> Sequence[StreamStatus]:
        """What is held of each stream."""

    def search(self, text: str, where: Where) -> tuple[Evidence, ...]:
        """Moments that show what a text describes, the strongest first."""

    def count(self, question: str, where: Where, view: EntityView | None = None) -> CountAnswer | None:
        """The answer to a question that counts; None where it is none, or cannot be counted."""

    def marked(self) -> Mapping[str, CameraZones]:
        """What is marked in the pictures of each stream."""


class InZone:
    """What a question about a zone is put to: the streams that have it, and what stood in it.

    Args:
        memory: All that there is.
        named: The zone.
    """

    def __init__(self, memory: Asked, named: NamedZone) -> None:
        self._memory, self._zones = memory, named.zones

    @property
    def robot(self) -> RobotRecords:
        """What is known of robots, which stand in no zone of their own pictures."""
        return self._memory.robot

    def streams(self) -> list[StreamStatus]:
        """What is held of each stream that has the zone."""
        return [stream for stream in self._memory.streams() if stream.id in self._zones]

    def search(self, text: str, where: Where) -> tuple[Evidence, ...]:
        """Moments that show what a text describes, of those in which something stood in the zone."""
        visits = self._visits(where.get("at_s"))
        return tuple(moment for moment in self._memory.search(text, where) if _meets(moment, visits))

    def count(self, question: str, where: Where, view: EntityView | None = None) -> CountAnswer | None:
        """The answer to a question that counts, in the zone."""
        return self._memory.count(question, where, view or _View(self))

    def marked(self) -> Mapping[str, CameraZones]:
        """What is marked in the pictures of each stream."""
        return self._memory.marked()

    def entities(self, at_s: float | None) -> list[Entity]:
        """What stood in the zone, with the part of its visits in which it did."""
        return zoned(self._memory.entities(at_s), self._zones)

    def people(self, at_s: float | None) -> Kinds:
        """What the portraits of all visits show."""
        return self._memory.people(at_s)

    def detected(self, at_s: float | None) -> list[Detected]:
        """Nothing: of a detection without a visit nobody knows where it was."""
        return []

    def notes(self, where: Where) -> list[Note]:
        """Nothing: words stand in no zone."""
        return []

    def moment_at(
        self, stream: str, time_s: float, at_s: float | None, within: tuple[float, float] | None = None
    ) -> Evidence | None:
        """The moment of a stream that shows a time."""
        return self._memory.moment_at(stream, time_s, at_s, within)

    def notable(self, where: Where, top: int) -> list[tuple[float, Evidence]]:
        """The most novel of the moments in which something stood in the zone."""
        visits = self._visits(where.get("at_s"))
        return [pair for pair in self._memory.notable(where, top) if _meets(pair[1], visits)]

    def _visits(self, at_s: float | None) -> list[Visit]:
        return [visit for entity in self.entities(at_s) for visit in entity.visits]


def _meets(moment: Evidence, visits: Sequence[Visit]) -> bool:
    """Whether something was there at one of the times of a moment."""
    own = [visit for visit in visits if visit.stream == moment.stream]
    return any(visit.t0_s <= to_s and visit.t1_s >= from_s for visit in own for from_s, to_s in moment.spans)


class _View:
    """What stood in a zone, as counting asks for it."""

    def __init__(self, inside: InZone) -> None:
        self._inside = inside

    def entities(self, stream: str | None, label: str | None, at_s: float | None) -> list[Entity]:
        """Entities by the time of their first visit."""
        every = self._inside.entities(at_s)
        return [each for each in every if stream in (None, each.stream) and label in (None, each.label)]

    def count(self, stream: str | None, label: str | None, at_s: float | None) -> EntityTotals:
        """How many there have been, as far as their visits are kept."""
        found = self.entities(stream, label, at_s)
        return EntityTotals(entities=len(found), visits=sum(len(each.visits) for each in found))

    def end_s(self, stream: str | None) -> float:
        """The latest time at which anything was there."""
        return max((each.last_s for each in self.entities(stream, None, None)), default=0.0)


def of_zone(answer: Answer, name: str) -> Answer:
    """An answer with the zone that it is about."""
    if not answer.sentences:
        return answer

    def told(text: str) -> str:
        return text.replace(WHOLE, "")

    first, *others = answer.sentences
    sentences = (
        replace(first, text=f"In the zone {name}: {told(first.text)}"),
        *(replace(each, text=told(each.text)) for each in others),
    )
    return replace(answer, answer=f"In the zone {name}: {told(answer.answer)}", sentences=sentences)


def within(visit: Visit, zone: Zone) -> Visit | None:
    """The part of a visit from when a thing was first in a zone to when it was last; None where it never was."""
    points = visit.path or ((visit.frame_s, visit.box),)
    held = [index for index, (_, box) in enumerate(points) if zone.holds(box)]
    if not held:
        return None
    first, last = held[0], held[-1]
    times_s = [time_s for time_s, _ in points]
    came, left = first > 0, last < len(points) - 1
    best_s, box = min((points[index] for index in held), key=lambda point: abs(point[0] - visit.frame_s))
    return replace(
        visit,
        t0_s=(times_s[first - 1] + times_s[first]) / 2 if came else visit.t0_s,
        t1_s=(times_s[last] + times_s[last + 1]) / 2 if left else visit.t1_s,
        first_s=max(visit.first_s, times_s[first]),
        known_s=max(visit.known_s, times_s[first]),
        gone_s=times_s[last + 1] if left else visit.gone_s,
        from_start=visit.from_start and not came,
        frame_s=best_s,
        box=box,
        path=tuple(points[first : last + 1]),
    )


def zoned(entities: Sequence[Entity], zones: Mapping[str, Zone]) -> list[Entity]:
    """What was in a zone, with the part of its visits in which it was."""
    found = list[Entity]()
    for entity in entities:
        parts = [within(visit, zones[visit.stream]) for visit in entity.visits if visit.stream in zones]
        visits = tuple(part for part in parts if part is not None)
        if visits:
            found.append(replace(entity, visits=visits, earlier=0))
    return sorted(found, key=lambda entity: (entity.first_s, entity.id))
