"""Questions that count: the number from a memory's entities, and the moments that it rests on."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from hippocam.apps.ask.count.question import ANYTIME, WHOLE, Count, CountAnswer, CountQuestion, EntityView
from hippocam.apps.ask.count.rules import RULES, WINDOW_RULES
from hippocam.apps.ask.question.stream_names import take_streams
from hippocam.apps.ask.question.time_words import both, find_time_words, on_other_clock, take_whole
from hippocam.apps.ask.question.timeline import Timeline
from hippocam.apps.ask.question.typed import as_meant
from hippocam.memory.entities.records import Entity
from hippocam.memory.records import Evidence
from hippocam.models.readers.reading import Reading, Sentence
from hippocam.stream.timecode import DATES_FROM_S, Window


class StreamTimes(NamedTuple):
    """A stream, and its times for whoever asks, in seconds.

    Attributes:
        stream: Its name.
        start_s: Its start.
        end_s: Its end: now, for a live one.
        timeline: What its time words count on; None for its own start and end.
        away_s: Since when its camera is away; None where it is not.
        over: Whether it is over, so that nothing is there "now".
    """

    stream: str
    start_s: float
    end_s: float
    timeline: Timeline | None = None
    away_s: float | None = None
    over: bool = False


class Scope(NamedTuple):
    """A stream, the time of asking about it, and the window of time within which to count.

    Attributes:
        stream: Its name.
        at_s: The time of asking.
        window: The window.
        away_s: Since when its camera is away; None where it is not.
        over: Whether the stream is over.
    """

    stream: str
    at_s: float
    window: Window = ANYTIME
    away_s: float | None = None
    over: bool = False


def answer_count(
    view: EntityView,
    question: str,
    *,
    streams: Sequence[StreamTimes],
    at_s: float | None,
    limits: Window = ANYTIME,
    top: int,
    moment: Callable[[str, float, tuple[float, float]], Evidence | None],
) -> CountAnswer | None:
    """Answer a question that counts, with the entries that show what was counted.

    The belief in a count is how sure the detector was of the least sure entity in it, and one half where it counts
    none.

    Args:
        view: What was seen, in one memory or several.
        question: In the user's words.
        streams: Those that it may be about, each ending at the time of asking.
        at_s: As if the streams ended here.
        limits: Count only within this window of time.
        top: Entries to show at most.
        moment: Gives the moment of a stream that shows a time, pictures that were taken within a stretch of time
            first; None where none is held.

    Returns:
        None where the question does not count, or no entity was recognised.
    """
    count = count_entities(question, view, at_s=at_s, streams=streams, limits=limits)
    if count is None:
        return None
    chosen = [e for e in view.entities(None, None, at_s) if e.id in set(count.entities)]
    belief = min((max(visit.score for visit in entity.visits) for entity in chosen), default=0.5)
    shown = dict[str, Evidence]()
    for name, t0_s, t1_s in sorted(count.spans, key=lambda span: (span[1], span[0])):
        found = moment(name, _best_s(chosen, name, t0_s, t1_s), (t0_s, t1_s))
        if found is None or (found.id not in shown and len(shown) >= top):
            continue
        spans = (*(shown[found.id].spans if found.id in shown else ()), (t0_s, t1_s))
        shown[found.id] = replace(
            found,
            t0_s=spans[0][0],
            t1_s=spans[0][1],
            spans=spans,
            score=belief,
            why="counted: seen by the detector at these times",
            met=len(spans),
            recorded=True,
        )
    evidence = tuple(shown.values())
    sentence = Sentence(text=f"{count.text}.", evidence_ids=tuple(found.id for found in evidence), known=True)
    return CountAnswer(reading=Reading(sentences=(sentence,), unknown=False, confidence=belief), evidence=evidence)


def count_entities(
    question: str,
    view: EntityView,
    *,
    stream: str | None = None,
    at_s: float | None = None,
    streams: Sequence[StreamTimes] = (),
    limits: Window = ANYTIME,
) -> Count | None:
    """Answer a question that counts, stream by stream: nobody is followed from one to another.

    Args:
        question: In the user's words.
        view: What was seen.
        stream: Which stream is meant; None for all, or for those that the question names.
        at_s: The time of asking; None for the end. Nothing that was known later is used.
        streams: Those that there are, each ending at the time of asking; without them, those in which something
            was recognised.
        limits: Count only within this window of time.

    Returns:
        The answer, its value the sum of the streams' numbers; None where the question does not count, some of its
        words are not known, or no entity was ever recognised.
    """
    words = " ".join(re.sub(r"[?!.,;]+(?=\s|$)", " ", as_meant(question).casefold()).split())
    known = [each for each in streams or _streams_of(view, at_s) if stream in (None, each.stream)]
    rest, scopes = take_scopes(words, known, limits)
    rest, whole = take_whole(rest)
    counts = list[tuple[str, Count]]()
    for scope in scopes:
        asked = CountQuestion(
            rest, view, scope.stream, scope.at_s, scope.window, whole, away_s=scope.away_s, over=scope.over
        )
        found = _count(asked)
        # Where no entity was ever recognised, "none" may be wrong, so nothing is said.
        if found is not None and view.entities(scope.stream, None, scope.at_s):
            counts.append((scope.stream, found))
    return _together(counts) if len(scopes) > 1 and counts else counts[0][1] if counts else None


def _count(question: CountQuestion) -> Count | None:
    rules = RULES if question.window == ANYTIME else WINDOW_RULES
    return next((found for rule in rules if (found := rule(question)) is not None), None)


def _together(counts: Sequence[tuple[str, Count]]) -> Count:
    """What was counted in several streams, each by its name; those with nothing are named at the end."""
    some = [(name, count) for name, count in counts if count.value or count.spans] or list(counts)
    parts = [f"{name}: {count.text.removesuffix(WHOLE)}" for name, count in some]
    without = [name for name, _ in counts if name not in dict(some)]
    if without:
        parts.append(f"none in {without[0] if len(without) == 1 else f'{len(without)} others'}")
    whole = WHOLE if any(count.text.endswith(WHOLE) for _, count in counts) else ""
    return Count(
        text="; ".join(parts) + whole,
        value=sum(count.value for _, count in some) if some[0][1].adds_up else some[0][1].value,
        spans=tuple(span for _, count in some for span in count.spans),
        entities=tuple(entity for _, count in some for entity in count.entities),
        adds_up=some[0][1].adds_up,
    )


def _streams_of(view: EntityView, at_s: float | None) -> list[StreamTimes]:
    """The streams in which something was recognised, as far as that tells when they began and end."""
    first = dict[str, float]()
    for entity in view.entities(None, None, None):
        first[entity.stream] = min(entity.first_s, first.get(entity.stream, math.inf))
    return [
        StreamTimes(
            stream, first_s if first_s >= DATES_FROM_S else 0.0, view.end_s(stream) if at_s is None else at_s
        )
        for stream, first_s in first.items()
    ]


def _best_s(entities: Sequence[Entity], stream: str, t0_s: float, t1_s: float) -> float:
    """The time in a stretch at which the detector was surest of what was there, else the middle."""
    best = [v for e in entities for v in e.visits if v.stream == stream and t0_s <= v.frame_s <= t1_s]
    return max(best, key=lambda visit: visit.score).frame_s if best else (t0_s + t1_s) / 2


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
    words, _, named = take_streams(words, [each.stream for each in streams])
    found = find_time_words(words, moments=False)
    scopes = list[Scope]()
    for times in streams:
        if named and times.stream not in named:
            continue
        window = ANYTIME if found is None else found.window(*(times.timeline or (times.start_s, times.end_s)))
        if on_other_clock(window, dated=times.start_s > 0) is None:
            scopes.append(
                Scope(times.stream, times.end_s, both(window, limits), away_s=times.away_s, over=times.over)
            )
    return words if found is None else found.rest, scopes
