"""What a rule is given: a question that counts, with its stream and window of time; and what it counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hippocam.memory.entities.records import Entity, EntityTotals, Visit
from hippocam.memory.records import Evidence
from hippocam.models.readers.reading import Reading
from hippocam.stream.timecode import Window, format_time

Span = tuple[str, float, float]
ANYTIME: Window = (None, None)
# What an answer says at its end: where the question says "at the table" nobody looked for the table.
WHOLE = " (in the camera's whole view)"
# How long before the end of the looking the last look may be, seconds.
_LAST_LOOK_S = 5.0


class EntityView(Protocol):
    """The part of the entity memory that counting needs."""

    def entities(self, stream: str | None, label: str | None, at_s: float | None) -> list[Entity]:
        """Entities by the time of their first visit."""

    def count(self, stream: str | None, label: str | None, at_s: float | None) -> EntityTotals:
        """How many there have been."""

    def end_s(self, stream: str | None) -> float:
        """The latest time at which anything was there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What a rule counted.

    Attributes:
        text: The answer, in words.
        value: The number, or the time or length in seconds; 1 or 0 for yes and no.
        spans: The visits that it rests on: stream, start, end.
        entities: Ids of the entities that made them.
        adds_up: Whether the values of several streams have a sum.
    """

    text: str
    value: float
    spans: tuple[Span, ...]
    entities: tuple[int, ...]
    adds_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CountAnswer:
    """A count as a reader would word it.

    Attributes:
        reading: The sentence.
        evidence: The moments that it rests on, by time, each with the times at which something was counted.
    """

    reading: Reading
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class CountQuestion:
    """A question in lower case without punctuation, and the stream and time that it is about.

    Attributes:
        words: The question.
        view: What was seen.
        stream: The one stream that is meant: nobody is followed from one to another.
        at_s: The time of asking.
        window: Within which time to count.
        whole: Whether all of a recording is meant: "in the video".
        away_s: Since when the stream's camera is away; None where it is not.
        over: Whether the stream is over, so that nothing of it is there now unless "now" is said.
    """

    words: str
    view: EntityView
    stream: str
    at_s: float
    window: Window = ANYTIME
    whole: bool = False
    away_s: float | None = None
    over: bool = False

    def entities(self, labels: Sequence[str], *, came: bool = False) -> list[Entity]:
        """Entities of some labels with their visits in the window, by the time of the first of these.

        Args:
            labels: Labels of the detector.
            came: Whether a visit must have begun in the window; else it is enough that it was going on then.
        """
        found = [
            replace(entity, visits=visits)
            for label in labels
            for entity in self.view.entities(self.stream, label, self.at_s)
            if (visits := tuple(visit for visit in entity.visits if self._is_within(visit, came=came)))
        ]
        return sorted(found, key=lambda entity: (entity.first_s, entity.id))

    def there(self, labels: Sequence[str], at_s: float) -> list[tuple[Entity, Visit]]:
        """What is in sight at a time, or was when its camera went away before that."""
        away_s = self.away_s if self.away_s is not None and self.away_s < at_s else None
        return [
            (entity, visit)
            for entity in self.entities(labels)
            for visit in entity.visits
            if (visit.there(at_s) if away_s is None else visit.there(away_s) or _until(visit, away_s))
        ]

    def when(self, at_s: float | None) -> str:
        """The words for a time, None for now: of a camera that is away, when it was last looked at."""
        if self.away_s is not None and (at_s is None or self.away_s < at_s):
            return f"when {self.stream} was last looked at, {format_time(self.away_s)}"
        return "now" if at_s is None else f"at {format_time(at_s)}"

    def includes(self, time_s: float) -> bool:
        """Whether a time is in the window."""
        after_s, before_s = self.window
        return (after_s is None or time_s >= after_s) and (before_s is None or time_s < before_s)

    def _is_within(self, visit: Visit, *, came: bool) -> bool:
        if came:
            return self.includes(visit.t0_s)
        after_s, before_s = self.window
        end_s = self.at_s if visit.gone_s is None else visit.t1_s
        return (after_s is None or end_s >= after_s) and (before_s is None or visit.t0_s < before_s)


def _until(visit: Visit, time_s: float) -> bool:
    """Whether a visit was cut off at a time, which may be the end of the last look."""
    return visit.cut_off and visit.t1_s >= time_s - _LAST_LOOK_S


def window_text(window: Window) -> str:
    """The words for a window of time: "between 1:00 and 2:00"."""
    after_s, before_s = window
    if after_s is not None and before_s is not None:
        return f"between {format_time(after_s)} and {format_time(before_s)}"
    if before_s is not None:
        return f"before {format_time(before_s)}"
    return "so far" if after_s is None else f"from {format_time(after_s)} on"
