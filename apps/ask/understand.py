"""A question into where, when and for what to look: time words, streams, before and after, follow-ups.

Rules, not a model: they take the words that say when and where out of a question and leave the rest as it was, for
the encoder. Words that they do not know stay in the question and do no harm.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hippocam.apps.ask.before_after import split_anchor
from hippocam.apps.ask.description import statement
from hippocam.apps.ask.follow_up import complete
from hippocam.apps.ask.meaning import Anchor, Meaning, Turn
from hippocam.apps.ask.time_words import Window, take_time_words, tidy
from hippocam.memory.filter import Filter
from hippocam.memory.records import StreamStatus
from hippocam.models.readers.question_kind import QuestionKind, kind_of


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
        known = {_plain(name) for stream in streams for name in _names(stream.id)}
        question, anchor = complete(question, before, lambda name: _plain(name) in known)
    rest, named = _take_streams(question, streams)
    rest, windows = take_time_words(rest, [s for s in streams if not named or s.id in named], at_s)
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


def _take_streams(question: str, streams: Sequence[StreamStatus]) -> tuple[str, list[str]]:
    """Split a question from the streams that it names: "in cam1 and cam2", "on the driveway camera"."""
    names: dict[str, list[str]] = {}
    for stream in streams:
        for name in _names(stream.id):
            names.setdefault(_plain(name), []).append(stream.id)
    if len(streams) < 2:
        return question, []
    words = sorted((re.escape(name).replace(r"\ ", r"[ _\-/.]+") for name in names if name), key=len, reverse=True)
    name = rf"(?:{'|'.join(words)})"
    kinds = r"(?:camera|cam|video|clip|stream|file|recording)s?"
    listed = rf"(?:the )?(?:{kinds} )?{name}(?: {kinds})?"
    found = re.search(
        rf"\b(?:in|on|from|at|by) (?P<list>{listed}(?:(?:,| and| or|, and|, or) {listed})*)(?![\w-])",
        question,
        re.IGNORECASE,
    )
    if found is None:
        return question, []
    named = [
        stream for each in re.findall(name, found["list"], re.IGNORECASE) for stream in names.get(_plain(each), [])
    ]
    # a name that is also a word of what is there ("in the kitchen") may stay in the description
    explicit = re.search(rf"\b{kinds}\b|[\d_/]", found["list"], re.IGNORECASE)
    rest = question[: found.start()] + question[found.end() :] if explicit else question
    return tidy(rest), list(dict.fromkeys(named))


def _names(stream: str) -> set[str]:
    """What people may call a stream: by its whole id, its camera, its source."""
    return {stream, stream.rpartition("/")[2], stream.partition("/")[0]}


def _plain(name: str) -> str:
    return " ".join(re.split(r"[ _\-/.]+", name.casefold())).strip()
