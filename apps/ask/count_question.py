"""What a question that counts asks: in which streams, within which time, of whom; and what was counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from hippocam.apps.ask.stream_names import take_all_names
from hippocam.apps.ask.time_words import Window, find_time_words, on_other_clock
from hippocam.memory.entities.records import Entity, EntityTotals, Visit
from hippocam.stream.timecode import format_time

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
    """

    words: str
    view: EntityView
    stream: str
    at_s: float
    window: Window = ANYTIME

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


class StreamTimes(NamedTuple):
    """A stream, and its start and end for whoever asks, in seconds."""

    stream: str
    start_s: float
    end_s: float


class Scope(NamedTuple):
    """A stream, the time of asking about it, and the window of time within which to count."""

    stream: str
    at_s: float
    window: Window = ANYTIME


def take_scopes(words: str, streams: Sequence[StreamTimes], limits: Window = ANYTIME) -> tuple[str, list[Scope]]:
    """Split a question that counts from where and when to count.

    Args:
        words: The question.
        streams: Those that it may be about.
        limits: A window that holds in addition to what the question says.

    Returns:
        The rest of the question, with "now" and "at 1:23" still in it, and a scope for each stream that is meant
        and whose times count as those of the question do, from its start or from 1970.
    """
    words, named = take_all_names(words, [each.stream for each in streams])
    found = find_time_words(words, moments=False)
    scopes = list[Scope]()
    for stream, start_s, end_s in streams:
        if named and stream not in named:
            continue
        window = ANYTIME if found is None else found.window(start_s, end_s)
        if on_other_clock(window, dated=start_s > 0) is None:
            scopes.append(Scope(stream, end_s, _both(window, limits)))
    return words if found is None else found.rest, scopes


def window_text(window: Window) -> str:
    """The words for a window of time: "between 1:00 and 2:00"."""
    after_s, before_s = window
    if after_s is not None and before_s is not None:
        return f"between {format_time(after_s)} and {format_time(before_s)}"
    if before_s is not None:
        return f"before {format_time(before_s)}"
    return "so far" if after_s is None else f"from {format_time(after_s)} on"


def _both(one: Window, other: Window) -> Window:
    after = [edge for edge in (one[0], other[0]) if edge is not None]
    before = [edge for edge in (one[1], other[1]) if edge is not None]
    return max(after, default=None), min(before, default=None)
