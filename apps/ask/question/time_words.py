"""Time words into windows of time: "in the first minute", "between 1:00 and 2:30", "at the end"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import NamedTuple

from hippocam.memory.records import StreamStatus
from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import DATES_FROM_S, Window, clock_said, parse_time

# How far "at 1:23" looks to both sides.
_AT_S = 5.0
# How far "around 1:23" looks to both sides.
_AROUND_S = 15.0
# How far "now" looks back.
_NOW_S = 10.0
# The share of a recording that "at the end" and "at the start" mean.
_END_SHARE = 0.1
_NUMBERS = {
    word: number
    for number, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
} | {"a": 1, "an": 1, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "half a": 0.5, "half an": 0.5}
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_UNIT = r"(?P<unit>seconds?|secs?|s|minutes?|mins?|hours?|h|days?)\b"
_COUNT = rf"(?:(?P<count>\d+(?:\.\d+)?|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})\s+)?{_UNIT}"
_CLOCK = r"(?:\d+:)?\d{1,2}:\d{2}(?:\.\d+)?"
_DATE = r"\d{4}-\d\d-\d\d"
_TIME = (
    rf"(?:{_DATE}(?:[ T]\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?)?|{_CLOCK}|"
    r"\d+(?:\.\d+)?\s*(?:seconds?|secs?|s|minutes?|mins?|hours?|h)\b)"
)
_ASIDE = r"(?:,\s*)?(?:in |within |during |of |over )?(?:the )?"


class TimeWords(NamedTuple):
    """Words that say when.

    Attributes:
        said: The words.
        rest: The question without them.
        window: A stream's start and end, in seconds, into the window that they mean.
    """

    said: str
    rest: str
    window: Callable[[float, float], Window]


def take_time_words(
    question: str, streams: Sequence[StreamStatus], at_s: float | None
) -> tuple[str, dict[str | None, Window]]:
    """Split a question from its time words.

    Args:
        question: In plain words.
        streams: Those that it may be about: "the last minute" is before the end of each.
        at_s: The time of asking; None for the end.

    Returns:
        The rest of the question, and the window of each stream by its id, or of all of them by None; no window
        where the question says no time.

    Raises:
        HippocamError: A time of day has no date where all streams count from 1970, or a date is said where none
            does.
    """
    found = find_time_words(question)
    if found is None:
        return question, {}
    windows: dict[str | None, Window] = {}
    others = list[str]()
    for stream in streams:
        start_s, end_s = start_and_end_s(stream, at_s)
        windows[stream.id] = found.window(start_s, end_s)
        if unclear := on_other_clock(windows[stream.id], dated=start_s > 0):
            others.append(clock_said(stream.id, unclear, found.said))
            windows[stream.id] = end_s, end_s  # there is nothing of it
    if others and len(others) == len(streams):
        raise HippocamError(others[0])
    if len(set(windows.values())) == 1:
        return found.rest, {None: next(iter(windows.values()))}
    return found.rest, windows


def find_time_words(question: str, *, moments: bool = True) -> TimeWords | None:
    """The first words of a question that say when; None where there are none.

    Args:
        question: In plain words.
        moments: Whether words that mean one point of time count too: "now", "at 1:23".
    """
    for pattern, window in _WINDOWS:
        if not moments and window in (_now, _at):
            continue
        found = pattern.search(question)
        if found is not None:
            rest = tidy(question[: found.start()] + " " + question[found.end() :])
            return TimeWords(found[0].strip(), rest, partial(window, found))
    return None


def start_and_end_s(stream: StreamStatus, at_s: float | None) -> tuple[float, float]:
    """When a stream begins and ends for whoever asks at a time: a recording at 0, a live one whenever it began."""
    start_s = stream.t0_s if stream.t0_s is not None and stream.t0_s >= DATES_FROM_S else 0.0
    end_s = max(stream.duration_s, stream.t1_s or 0.0)
    return start_s, end_s if at_s is None else min(at_s, end_s)


def on_other_clock(window: Window, *, dated: bool) -> float | None:
    """A time of a window that is a date where the stream's are not, or none where they are; else None."""
    return next((time_s for time_s in window if time_s is not None and (time_s >= DATES_FROM_S) != dated), None)


def _length_s(found: re.Match[str]) -> float:
    count = (found["count"] or "a").casefold()
    number = _NUMBERS[count] if count in _NUMBERS else float(count)
    return float(number) * _UNITS[found["unit"][0].casefold()]


def _clock_s(text: str) -> float:
    if ":" in text or re.match(_DATE, text):
        return parse_time(text)
    number, unit = re.fullmatch(r"([\d.]+)\s*([a-z])[a-z]*", text, re.IGNORECASE).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit.casefold()]


def _first(found: re.Match[str], start_s: float, end_s: float) -> Window:
    return None, start_s + _length_s(found)


def _last(found: re.Match[str], start_s: float, end_s: float) -> Window:
    return end_s - _length_s(found), None


def _half(found: re.Match[str], start_s: float, end_s: float) -> Window:
    middle = (start_s + end_s) / 2
    return (None, middle) if found["which"].casefold() == "first" else (middle, None)


def _edge(found: re.Match[str], start_s: float, end_s: float) -> Window:
    share = _END_SHARE * (end_s - start_s)
    return (end_s - share, None) if found["edge"].casefold() in ("end", "close") else (None, start_s + share)


def _between(found: re.Match[str], start_s: float, end_s: float) -> Window:
    return _clock_s(found["from"]), _clock_s(found["to"])


def _now(found: re.Match[str], start_s: float, end_s: float) -> Window:
    return max(start_s, end_s - _NOW_S), None


def _since(found: re.Match[str], start_s: float, end_s: float) -> Window:
    return _clock_s(found["at"]), None


def _until(found: re.Match[str], start_s: float, end_s: float) -> Window:
    return None, _clock_s(found["at"])


def _day(found: re.Match[str], start_s: float, end_s: float) -> Window:
    day = date.fromisoformat(found["day"])
    return parse_time(str(day)), parse_time(str(day + timedelta(days=1)))


def _at(found: re.Match[str], start_s: float, end_s: float) -> Window:
    wide_s = _AT_S if found["how"].casefold() == "at" else _AROUND_S
    at_s = _clock_s(found["at"])
    return max(0.0, at_s - wide_s), at_s + wide_s


_WINDOWS = tuple(
    (re.compile(pattern, re.IGNORECASE), window)
    for pattern, window in (
        (rf"{_ASIDE}\b(?:between|from) (?P<from>{_TIME}) (?:and|to|until) (?P<to>{_TIME})", _between),
        (rf"{_ASIDE}\bfirst {_COUNT}", _first),
        (rf"{_ASIDE}\b(?:last|past) {_COUNT}", _last),
        (rf"{_ASIDE}\b(?P<which>first|second) half\b(?: of the \w+)?", _half),
        (
            r"(?:,\s*)?\b(?:at|in|towards?|near) the (?:very )?(?P<edge>beginning|start|end|close)\b"
            r"(?: of the \w+)?",
            _edge,
        ),
        (r"(?:,\s*)?\b(?:right now|now|currently|at the moment|at present)\b", _now),
        (rf"\b(?:after|since|from) (?P<at>{_TIME})(?: on(?:wards)?)?", _since),
        (rf"\b(?:before|until|up to) (?P<at>{_TIME})", _until),
        (rf"(?:,\s*)?\b(?:on|at) (?P<day>{_DATE})(?!\d|[ T]\d)", _day),
        (rf"\b(?P<how>at|around|about|near) (?P<at>{_TIME})", _at),
    )
)  # fmt: skip


_WHOLE = re.compile(
    r"(?:,\s*)?\b(?:in|of|during|on|from|throughout|anywhere in) (?:the|this|that) (?:whole |entire |full )?"
    r"(?:video|film|movie|clip|recording|footage)s?\b"
    r"(?=\s*(?:[?!.,]|$|(?:and|or|at|when|while|before|after|between|with|right|now|currently|that|who)\b))",
    re.IGNORECASE,
)


def take_whole(question: str) -> tuple[str, bool]:
    """Split a question from words that mean all of a recording, as "in the video" does; and whether it had some.

    They say no time: what is in the video is not what is there now, at its end.
    """
    rest = tidy(_WHOLE.sub("", question))
    return rest, rest != tidy(question)


def tidy(text: str) -> str:
    """Repair spaces and commas where words were taken out of a question."""
    text = " ".join(text.split())
    return re.sub(r"\s+([?!.,])", r"\1", text).strip(" ,")
