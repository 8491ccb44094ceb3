"""A question into where, when and for what to look: time words, streams, before and after, follow-ups.

Rules, not a model: they take the words that say when and where out of a question and leave the rest as it was, for
the encoder. Words that they do not know stay in the question and do no harm.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hippocam.apps.ask.question.before_after import split_anchor
from hippocam.apps.ask.question.follow_up import complete
from hippocam.apps.ask.question.kinds import Wanted, read_kind
from hippocam.apps.ask.question.meaning import Anchor, Meaning, Turn
from hippocam.apps.ask.question.stream_names import names_of, plain, stream_of_place, take_streams
from hippocam.apps.ask.question.time_words import take_time_words, take_whole
from hippocam.apps.ask.question.typed import as_meant
from hippocam.memory.filter import Filter
from hippocam.memory.records import StreamStatus
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.stream.timecode import Window

# What may be asked of a stream as a whole, so that its name is nothing to look for.
_OF_ALL = (
    QuestionKind.WHAT,
    QuestionKind.HAPPENED,
    QuestionKind.SUMMARY,
    QuestionKind.LENGTH,
    QuestionKind.WHO,
    QuestionKind.NOBODY,
    QuestionKind.COMPARE,
    QuestionKind.COUNT,
)


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
    question = as_meant(question)
    anchor: Anchor | None = None
    if before is not None:
        known = {plain(name) for stream in streams for name in names_of(stream.id)}
        question, anchor = complete(question, before, lambda name: plain(name) in known)
    names = take_streams(question, [stream.id for stream in streams])
    meant = [s for s in streams if not names.streams or s.id in names.streams]
    rest, windows = take_time_words(names.rest, meant, at_s)
    wanted = _wanted(question, take_whole(rest)[0], len(names.streams))
    if wanted.kind in _OF_ALL and (shown := stream_of_place(wanted.text, [stream.id for stream in meant])):
        wanted, names = wanted._replace(text=""), names._replace(streams=shown if len(streams) > 1 else [])
    if (wanted.text or wanted.kind not in _OF_ALL) and names.described != names.rest:
        described, _ = take_time_words(names.described, meant, at_s)
        wanted = wanted._replace(text=_wanted(question, take_whole(described)[0], len(names.streams)).text)
    split = split_anchor(take_whole(rest)[0]) if anchor is None else None
    if split is not None:
        what, anchor = split
        if what:
            wanted = read_kind(what)
        else:  # the event itself is looked for, and its neighbours are wanted
            wanted = Wanted(QuestionKind.BEFORE if anchor.side == "before" else QuestionKind.AFTER, anchor.text)
            anchor = None
    spans = tuple(
        Filter(stream=stream, after_s=after_s, before_s=before_s)
        for stream, (after_s, before_s) in _by_stream(windows, names.streams).items()
    )
    return Meaning(
        question=question,
        kind=wanted.kind,
        text=wanted.text,
        nth=wanted.nth,
        spans=spans or (Filter(),),
        anchor=anchor,
    )


def _wanted(question: str, rest: str, streams: int) -> Wanted:
    """What is wanted; "where in the film" asks when, once the film is taken out."""
    if re.match(r"where,? (?:in|on)\b", question, re.IGNORECASE) and re.match(
        r"where,? (?:do|does|did|is|are|was|were|can|has|have)\b", rest, re.IGNORECASE
    ):
        rest = "when" + rest[len("where") :]
    return read_kind(rest, streams=streams)


def _by_stream(windows: dict[str | None, Window], named: Sequence[str]) -> dict[str | None, Window]:
    """Give each stream that was named its window of time; without names the windows stay as they are."""
    if not named:
        return windows
    return {stream: windows.get(stream, windows.get(None, (None, None))) for stream in named}
