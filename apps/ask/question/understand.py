"""A question into where, when and for what to look: time words, streams, before and after, follow-ups.

Rules, not a model: they take the words that say when and where out of a question and leave the rest as it was, for
the encoder. Words that they do not know stay in the question and do no harm.
"""

from __future__ import annotations

from collections.abc import Sequence

from hippocam.apps.ask.question.before_after import split_anchor
from hippocam.apps.ask.question.description import statement
from hippocam.apps.ask.question.follow_up import complete
from hippocam.apps.ask.question.meaning import Anchor, Meaning, Turn
from hippocam.apps.ask.question.stream_names import names_of, plain, take_streams
from hippocam.apps.ask.question.time_words import take_time_words, take_whole
from hippocam.memory.filter import Filter
from hippocam.memory.records import StreamStatus
from hippocam.models.readers.question_kind import QuestionKind, kind_of
from hippocam.stream.timecode import Window


def understand(
    question: str, streams: Sequence[StreamStatus], *, at_s: float | None = None, before: Turn | None = None
) -> Meaning:
    """Say where, when and for what a question wants to look.

    Args:
        question: As it was asked.
        streams: Those that it may be about.
        at_s: The time of asking, where it is not the end: "the last minute" is the one before it.
        before: The last question of the conversation; a question that leans on it is completed.
    """
    question = " ".join(question.split())
    anchor: Anchor | None = None
    if before is not None:
        known = {plain(name) for stream in streams for name in names_of(stream.id)}
        question, anchor = complete(question, before, lambda name: plain(name) in known)
    rest, named = take_streams(question, [stream.id for stream in streams])
    rest, windows = take_time_words(rest, [s for s in streams if not named or s.id in named], at_s)
    rest, _ = take_whole(rest)
    kind, text = kind_of(rest), statement(rest)
    if not text:
        kind = QuestionKind.WHAT
    if anchor is None:
        text, kind, anchor = split_anchor(rest, text, kind)
    spans = tuple(
        Filter(stream=stream, after_s=after_s, before_s=before_s)
        for stream, (after_s, before_s) in _by_stream(windows, named).items()
    )
    return Meaning(question=question, kind=kind, text=text, spans=spans or (Filter(),), anchor=anchor)


def _by_stream(windows: dict[str | None, Window], named: Sequence[str]) -> dict[str | None, Window]:
    """Give each stream that was named its window of time; without names the windows stay as they are."""
    if not named:
        return windows
    return {stream: windows.get(stream, windows.get(None, (None, None))) for stream in named}
