"""What a rule is given: a question that counts, with its stream and window of time; and what it counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hippocam.memory.entities.records import Entity, EntityTotals, Visit
from hippocam.stream.timecode import Window, format_time

Span = tuple[str, float, float]
ANYTIME: Window = (None, None)


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
    """

    words: str
    view: EntityView
    stream: str
    at_s: float
    window: Window = ANYTIME
    whole: bool = False

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


def window_text(window: Window) -> str:
    """The words for a window of time: "between 1:00 and 2:00"."""
    after_s, before_s = window
    if after_s is not None and before_s is not None:
        return f"between {format_time(after_s)} and {format_time(before_s)}"
    if before_s is not None:
        return f"before {format_time(before_s)}"
    return "so far" if after_s is None else f"from {format_time(after_s)} on"
