"""Since when a camera is away, beside an answer about a time that reaches beyond its last look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hippocam.apps.ask.answer.phrases import listed
from hippocam.apps.ask.question.meaning import Meaning
from hippocam.apps.ask.question.timeline import away, clock_s
from hippocam.apps.ask.where import Where, filter_of
from hippocam.apps.records import Answer
from hippocam.memory.records import StreamStatus
from hippocam.models.readers.reading import Sentence
from hippocam.stream.timecode import format_time

# Cameras that are told.
_TOLD = 3


def with_away(answer: Answer, streams: Sequence[StreamStatus], where: Where, *, present: bool) -> Answer:
    """Say beside an answer which cameras are away, where it is about a time in which they were.

    Args:
        answer: The answer, as it was found.
        streams: What is held.
        where: The conditions of the question.
        present: Whether the question is for what is so now.
    """
    meaning = answer.understood
    if meaning is None or where.get("at_s") is not None:
        return answer
    meant = [stream for stream in streams if filter_of(where).of_stream(stream.id)]
    missed = {
        name: since_s
        for name, since_s in away(meant).items()
        if (present and any(span.of_stream(name) for span in meaning.spans))
        or _reaches(meaning, where, name, since_s)
    }
    if not missed:
        return answer
    told = [f"{name} is away since {format_time(since_s)}" for name, since_s in list(missed.items())[:_TOLD]]
    more = len(missed) - _TOLD
    text = f"{listed(told + ([f'{more} more are away'] if more > 0 else []))}."
    words = f"{answer.answer} {text}"
    return replace(answer, answer=words, sentences=(*answer.sentences, Sentence(text=text, known=True)))


def _reaches(meaning: Meaning, where: Where, stream: str, since_s: float) -> bool:
    """Whether a question names a time that begins before now and ends after a camera went away."""
    for span in meaning.spans:
        after = [edge for edge in (span.after_s, where.get("after_s")) if edge is not None]
        before = [edge for edge in (span.before_s, where.get("before_s")) if edge is not None]
        if not after and not before:
            continue
        if (
            span.of_stream(stream)
            and max(after, default=0.0) < clock_s()
            and min(before, default=since_s + 1) > since_s
        ):
            return True
    return False
