"""A question into where, when and for what to look: time words, streams, before and after something, follow-ups.

Rules, not a model: they take the words that say when and where out of a question and leave the rest as it was, for
the encoder. What they do not know stays in the question and does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hippocam.apps.ask.before_after import beside_in
from hippocam.apps.ask.description import statement
from hippocam.apps.ask.follow_up import whole
from hippocam.apps.ask.meaning import Beside, LookIn, Turn, Understood
from hippocam.apps.ask.time_words import Window, tidy, windows_in
from hippocam.memory.records import StreamStatus
from hippocam.models.readers.question_kind import Asked, asked


def understand(
    question: str, streams: Sequence[StreamStatus], *, at_s: float | None = None, before: Turn | None = None
) -> Understood:
    """Take a question apart.

    Args:
        question: As it was asked.
        streams: That may be asked about.
        at_s: The time of asking, where it is not the end: "the last minute" is the one before it.
        before: The last question of the conversation; a question that leans on it is made whole.
    """
    question = " ".join(question.split())
    beside: Beside | None = None
    if before is not None:
        known = {_plain(name) for stream in streams for name in _names(stream.id)}
        question, beside = whole(question, before, lambda name: _plain(name) in known)
    rest, named = _streams_in(question, streams)
    rest, windows = windows_in(rest, [s for s in streams if not named or s.id in named], at_s)
    kind, text = asked(rest), statement(rest)
    if not text:
        kind = Asked.WHAT
    if beside is None:
        text, kind, beside = beside_in(rest, text, kind)
    spans = tuple(
        LookIn(stream=stream, after_s=after_s, before_s=before_s)
        for stream, (after_s, before_s) in _merged(windows, named).items()
    )
    return Understood(question=question, kind=kind, text=text, spans=spans or (LookIn(),), beside=beside)


def _merged(windows: dict[str | None, Window], named: Sequence[str]) -> dict[str | None, Window]:
    if not named:
        return windows
    return {stream: windows.get(stream, windows.get(None, (None, None))) for stream in named}


def _streams_in(question: str, streams: Sequence[StreamStatus]) -> tuple[str, list[str]]:
    """The question without the streams that it names, and these: "in cam1 and cam2", "on the driveway camera"."""
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
    """What a stream may be called: all of it, its camera, its source."""
    return {stream, stream.rpartition("/")[2], stream.partition("/")[0]}


def _plain(name: str) -> str:
    return " ".join(re.split(r"[ _\-/.]+", name.casefold())).strip()
