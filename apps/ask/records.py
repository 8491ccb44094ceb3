"""The records of a question's streams and times, looked up in what is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hippocam.apps.ask.answer.facts import Facts, Watched
from hippocam.apps.ask.question.meaning import Meaning
from hippocam.apps.ask.question.timeline import start_and_end_s
from hippocam.apps.ask.where import Where, filter_of, narrowed
from hippocam.memory.entities.detections import Detected
from hippocam.memory.entities.records import Entity
from hippocam.memory.filter import Filter
from hippocam.memory.records import Evidence, StreamStatus
from hippocam.models.sentences.people import Kinds
from hippocam.stream.records import Note
from hippocam.stream.timecode import format_time

# Streams whose times are told.
_TOLD = 3


class Recorded(Protocol):
    """Where records are looked up; `Search` is one, over one memory or several."""

    def entities(self, at_s: float | None) -> Sequence[Entity]:
        """Things and people that were told apart, by the time of their first visit."""

    def people(self, at_s: float | None) -> Kinds:
        """What the portraits of visits show, "man" or "woman", by stream and visit, where it can be told."""

    def detected(self, at_s: float | None) -> Sequence[Detected]:
        """When which labels were detected in any stream, followed or not."""

    def notes(self, where: Where) -> Sequence[Note]:
        """What was read, heard or given in some streams and times, by time."""

    def moment_at(
        self, stream: str, time_s: float, at_s: float | None, within: tuple[float, float] | None = None
    ) -> Evidence | None:
        """The moment of a stream that shows a time, as in `Search`; None where none is held."""

    def notable(self, where: Where, top: int) -> Sequence[tuple[float, Evidence]]:
        """The moments that were most novel in their streams, `top` of each memory at most, with their utility."""


class QuestionRecords:
    """Records of what one question is about.

    Args:
        recorded: Where they are.
        searches: Conditions of each stream and window that the question names.
        at_s: As if the streams ended here.
    """

    def __init__(self, recorded: Recorded, searches: Sequence[Where], at_s: float | None) -> None:
        self._recorded, self._searches, self._at_s = recorded, searches, at_s
        self._people: Kinds | None = None

    def entities(self) -> Sequence[Entity]:
        """Things and people that were told apart in any stream."""
        return self._recorded.entities(self._at_s)

    def people(self) -> Kinds:
        """What the portraits of visits show, by stream and visit."""
        if self._people is None:
            self._people = self._recorded.people(self._at_s)
        return self._people

    def detected(self) -> Sequence[Detected]:
        """When which labels were detected in any stream."""
        return self._recorded.detected(self._at_s)

    def notes(self) -> Sequence[Note]:
        """What was read, heard or given, by time."""
        found = {
            (note.stream, note.t0_s, note.kind, note.text): note
            for where in self._searches
            for note in self._recorded.notes(where)
        }
        return sorted(found.values(), key=lambda note: (note.stream, note.t0_s, note.t1_s))

    def moment_at(self, stream: str, time_s: float, within: tuple[float, float] | None = None) -> Evidence | None:
        """The moment of a stream that shows a time, as in `Search`."""
        return self._recorded.moment_at(stream, time_s, self._at_s, within)

    def notable(self, top: int) -> Sequence[tuple[float, Evidence]]:
        """The moments that were most novel in their streams."""
        return [pair for where in self._searches for pair in self._recorded.notable(where, top)]


def facts_of(
    recorded: Recorded, meaning: Meaning, streams: Sequence[StreamStatus], where: Where, *, top: int
) -> Facts | None:
    """Put a question beside the records of what it is about.

    Args:
        recorded: Where the records are.
        meaning: The question.
        streams: Those that it may be about.
        where: Conditions that come with it.
        top: Moments to show at most.

    Returns:
        None where it is about a place: visits and notes have none.
    """
    if where.get("place_of") is not None or where.get("near") is not None:
        return None
    at_s = where.get("at_s")
    searches = [own for span in meaning.spans if (own := narrowed(where, span)) is not None]
    return Facts(
        question=meaning.question,
        kind=meaning.kind,
        text=meaning.text,
        nth=meaning.nth,
        beside=meaning.anchor is not None,
        watched=tuple(_watched(searches, streams, at_s)),
        records=QuestionRecords(recorded, searches, at_s),
        top=top,
    )


def not_watched(facts: Facts, meaning: Meaning, streams: Sequence[StreamStatus]) -> str:
    """Say that nothing was watched at the time that a question names, and until when its streams were; else "".

    A camera may be away, a recording may be shorter, a day may be before the first.
    """
    if facts.watched or not any(span.after_s is not None or span.before_s is not None for span in meaning.spans):
        return ""
    meant = [s for s in streams if s.t0_s is not None and any(span.of_stream(s.id) for span in meaning.spans)]
    if not meant:
        return ""
    told = []
    for stream in meant[:_TOLD]:
        start_s, end_s = start_and_end_s(stream, None)[0], stream.last_look_s
        told.append(f"{stream.id} from {format_time(start_s)} to {format_time(end_s)}")
    more = f" and {len(meant) - _TOLD} more" if len(meant) > _TOLD else ""
    return f"Not seen: nothing was watched {_when(meaning.spans)}, but {', '.join(told)}{more}."


def _when(spans: Sequence[Filter]) -> str:
    """The time that was asked about; "then" where it is not the same for all or open at an end."""
    windows = {(span.after_s, span.before_s) for span in spans}
    after_s, before_s = next(iter(windows))
    if len(windows) > 1 or after_s is None or before_s is None:
        return "then"
    return f"from {format_time(after_s)} to {format_time(before_s)}"


def _watched(searches: Sequence[Where], streams: Sequence[StreamStatus], at_s: float | None) -> list[Watched]:
    found = list[Watched]()
    for own in searches:
        wanted = filter_of(own)
        for stream in streams:
            if not wanted.of_stream(stream.id):
                continue
            start_s, end_s = start_and_end_s(stream, at_s)
            end_s = min(end_s, stream.last_look_s)  # what a camera that is away did not see
            start_s, end_s = max(start_s, own.get("after_s") or start_s), min(end_s, own.get("before_s") or end_s)
            if end_s > start_s and stream.id not in {each.stream for each in found}:
                found.append(Watched(stream.id, start_s, end_s))
    return found
