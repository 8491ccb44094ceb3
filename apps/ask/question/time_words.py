"""Time words into windows of time: "in the first minute", "between 1:00 and 2:30", "at the end"."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from hippocam.apps.ask.count.words import ORDINALS
from hippocam.apps.ask.question import timeline
from hippocam.apps.ask.question.calendar import Day, find_days
from hippocam.apps.ask.question.clock_words import check_zone, is_afternoon, time_of_day_s
from hippocam.apps.ask.question.description import tidy
from hippocam.apps.ask.question.spoken_times import in_figures
from hippocam.memory.records import StreamStatus
from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import CLOCK, DATES_FROM_S, OFFSET, Window, clock_said, format_time, parse_time

# How far "at 1:23" looks to both sides.
_AT_S = 5.0
# How far "around 1:23" looks to both sides.
_AROUND_S = 15.0
# Of times of day: how far "around 16:00" looks to both sides, and "around 4 pm".
_MINUTE_WIDE_S = 300.0
_HOUR_WIDE_S = 1800.0
# How far "an hour ago" looks to both sides, as a share of the hour.
_AGO_SHARE = 0.2
# The same of "a few minutes ago": from one to five.
_FEW_SHARE = 2 / 3
_DAY_S = 86400.0
# How far "now" looks back.
_NOW_S = 10.0
# The share of a recording that "at the end" and "at the start" mean.
_END_SHARE = 0.1
_NUMBERS = {
    word: number
    for number, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
} | {
    "a": 1,
    "an": 1,
    "a few": 3,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "half a": 0.5,
    "half an": 0.5,
}
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0, "mo": 30.4 * 86400.0,
          "y": 365.25 * 86400.0, "f": 14 * 86400.0}  # fmt: skip
_UNIT = r"(?P<unit>seconds?|secs?|s|minutes?|mins?|hours?|h|days?|weeks?|fortnights?|months?|years?)\b"
_SPAN = rf"(?P<count>\d+(?:\.\d+)?|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))}) {_UNIT}"
_COUNT = rf"(?:(?P<count>\d+(?:\.\d+)?|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})\s+)?{_UNIT}"
_ISO = r"\d{4}-\d\d-\d\d"
_CLOCK = rf"(?:{CLOCK})"
_TIME = (
    rf"(?:{_ISO}(?:[ T]\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?{OFFSET}?)?|{_CLOCK}|"
    r"\d+(?:\.\d+)?\s*(?:seconds?|secs?|s|minutes?|mins?|hours?|h)\b)"
)
# What has a middle and an end and is not the recording: a place, or somebody's stay.
_OF_SOMETHING = (
    r"(?: of (?:the|this|that|an?|its|his|her|their|my|our|your) (?:[\w-]+ )?(?:stay|visit|corridor|hall(?:way)?"
    r"|room|street|road|driveway|lane|path|tunnel|bridge|table|counter|shelf|bench|row|line|queue|pool|garden"
    r"|stairs|branch)\b)"
)
_SHARES = {"half": 2, "third": 3, "quarter": 4}
_ASIDE = r"(?:,\s*)?(?:in |within |during |of |over )?(?:the )?"


class _Asked(NamedTuple):
    """What a window may depend on: when a stream begins and ends for whoever asks, and a day that was named."""

    start_s: float
    end_s: float
    day: Day | None = None

    @property
    def dated(self) -> bool:
        return self.start_s >= DATES_FROM_S


class TimeWords(NamedTuple):
    """Words that say when.

    Attributes:
        said: The words.
        rest: The question without them.
        window: A stream's `Timeline` into the window that they mean.
        with_date: Whether they say a day, or that they are a time of day: "16:15" may be one of a recording too.
    """

    said: str
    rest: str
    window: Callable[..., Window]
    with_date: bool = True


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
    ends = timeline.timelines(streams, at_s)
    found = find_time_words(question, dated=any(each.start_s for each in ends.values()))
    if found is None:
        return question, {}
    windows: dict[str | None, Window] = {}
    of_day = None if found.with_date else _of_day(found, ends)
    others = list[str]()
    for stream in streams:
        start_s, end_s, _ = ends[stream.id]
        windows[stream.id] = found.window(*ends[stream.id])
        if unclear := on_other_clock(windows[stream.id], dated=start_s > 0):
            others.append(clock_said(stream.id, unclear, found.said))
            windows[stream.id] = end_s, end_s  # there is nothing of it
        elif of_day is not None and of_day != (start_s >= DATES_FROM_S):
            windows[stream.id] = end_s, end_s
    if others and len(others) == len(streams):
        raise HippocamError(others[0])
    if len(set(windows.values())) == 1:
        return found.rest, {None: next(iter(windows.values()))}
    return found.rest, windows


def find_time_words(question: str, *, moments: bool = True, dated: bool = True) -> TimeWords | None:
    """The words of a question that say when: a window, a day, or both; None where there are none.

    Args:
        question: In plain words.
        moments: Whether words that mean one point of time count too: "now", "at 1:23".
        dated: Whether a stream has dates: else "at night" says what is shown, not when.

    Raises:
        HippocamError: A day or a time of day may be one of two, or there is none such.
    """
    check_zone(question)
    question = in_figures(question, dated=dated)
    found = _find_window(question, moments)
    if found is not None and re.search(rf"{_ISO}[ T]\d", found.said):
        return found
    day = find_days(question, timeline.clock_s())
    if day is None or (day.vague and not dated):
        return found
    if day.apart:
        raise HippocamError(f"'{day.said}': ask about one of them, or from one to the other")
    within = _find_window(tidy(day.rest), moments)
    said = day.said if within is None else f"{day.said} {within.said}"
    rest = tidy(day.rest) if within is None else within.rest

    def window(start_s: float, end_s: float, today_s: float | None = None) -> Window:
        has_dates = start_s >= DATES_FROM_S
        meant = find_days(question, (today_s or end_s) if has_dates else timeline.clock_s())
        assert meant is not None, "the words are the same"
        if not has_dates and meant.current:
            return (None, None) if within is None else within.window(start_s, end_s)
        if within is None:
            return _from_clock_to_clock(meant, end_s) if has_dates else meant.window
        exact = within.window(start_s, end_s, day=meant)
        if meant.edge and None not in exact:  # "since yesterday at 22:00"
            return (exact[0], None) if meant.edge in ("since", "after") else (None, exact[0])
        return both(exact, meant.window)

    return TimeWords(said, rest, window)


def _from_clock_to_clock(day: Day, asked_s: float) -> Window:
    """The window of days, from a time of the first to a time of the last where they are said."""
    after_s, before_s = day.window
    if day.start_clock:
        first = day._replace(end=day.start + timedelta(days=1))
        after_s = time_of_day_s(day.start_clock, asked_s=asked_s, day=first)
    if day.end_clock:
        last = day._replace(start=day.end - timedelta(days=1))
        before_s = time_of_day_s(day.end_clock, asked_s=asked_s, day=last, is_end=True)
    return after_s, before_s


def _find_window(question: str, moments: bool) -> TimeWords | None:
    for pattern, window in _WINDOWS:
        if not moments and window in (_now, _at):
            continue
        found = pattern.search(question)
        if found is not None:
            rest = tidy(question[: found.start()] + " " + question[found.end() :])
            said = found[0].strip(" ,")
            plain = re.search(r"\d:\d", said) and not re.search(
                rf"{_ISO}|[ap]\.?m\b|o'?clock", said, re.IGNORECASE
            )
            return TimeWords(said, rest, partial(_window, window, found), not plain)
    return None


def _window(
    window: Callable[[re.Match[str], _Asked], Window],
    found: re.Match[str],
    start_s: float,
    end_s: float,
    today_s: float | None = None,
    *,
    day: Day | None = None,
) -> Window:
    return window(found, _Asked(start_s, end_s, day))


def _of_day(found: TimeWords, ends: Mapping[str, timeline.Timeline]) -> bool | None:
    """Whether "16:15" is a time of day, where some streams have dates and some count from their start.

    Returns:
        None where all are alike, or none of them reaches that far.

    Raises:
        HippocamError: It may be either.
    """
    fits = dict[bool, tuple[str, float]]()
    for stream, (start_s, end_s, today_s) in ends.items():
        for edge_s in found.window(start_s, end_s, today_s):
            if edge_s is not None and start_s <= edge_s <= end_s:
                fits.setdefault(start_s >= DATES_FROM_S, (stream, edge_s))
    if len(fits) == 2:
        (film, film_s), (camera, camera_s) = fits[False], fits[True]
        raise HippocamError(
            f"'{found.said}' may be {format_time(film_s)} in {film} or {format_time(camera_s)} in {camera}: "
            "name the stream or the date"
        )
    return next(iter(fits), None)


def both(one: Window, other: Window) -> Window:
    """The time that two windows share."""
    after = [edge for edge in (one[0], other[0]) if edge is not None]
    before = [edge for edge in (one[1], other[1]) if edge is not None]
    return max(after, default=None), min(before, default=None)


def on_other_clock(window: Window, *, dated: bool) -> float | None:
    """A time of a window that is a date where the stream's are not, or none where they are; else None."""
    return next((time_s for time_s in window if time_s is not None and (time_s >= DATES_FROM_S) != dated), None)


def _length_s(found: re.Match[str]) -> float:
    count = (found["count"] or "a").casefold()
    number = _NUMBERS[count] if count in _NUMBERS else float(count)
    return float(number) * _unit_s(found["unit"])


def _unit_s(unit: str) -> float:
    unit = unit.casefold()
    return _UNITS["mo" if unit.startswith("mo") else unit[0]]


def _time_s(text: str, asked: _Asked, *, late: bool = False, is_end: bool = False) -> float:
    """A time as it is said into seconds on the stream's clock, or since 1970 where it is a time of day."""
    if re.match(_ISO, text):
        return parse_time(text)
    offset = re.fullmatch(r"([\d.]+)\s*([smh])[a-z]*", text, re.IGNORECASE)
    if offset is not None:
        seconds = float(offset[1]) * _UNITS[offset[2].casefold()]
        return asked.start_s + seconds if asked.dated else seconds
    if asked.dated or not re.fullmatch(r"[\d:.]+", text.strip()):
        asked_s = asked.end_s if asked.dated else timeline.clock_s()
        return time_of_day_s(text, asked_s=asked_s, start_s=asked.start_s, day=asked.day, late=late, is_end=is_end)
    return parse_time(text)


def _first(found: re.Match[str], asked: _Asked) -> Window:
    return None, asked.start_s + _length_s(found)


def _last(found: re.Match[str], asked: _Asked) -> Window:
    return asked.end_s - _length_s(found), None


def _ago(found: re.Match[str], asked: _Asked) -> Window:
    length_s = _length_s(found)
    wide_s = max(_AT_S, (_FEW_SHARE if found["count"].casefold() == "a few" else _AGO_SHARE) * length_s)
    return asked.end_s - length_s - wide_s, asked.end_s - length_s + wide_s


def _ago_between(found: re.Match[str], asked: _Asked) -> Window:
    """Ten to fifteen minutes ago."""
    unit_s = _unit_s(found["unit"])
    low, high = (float(_NUMBERS[n] if (n := found[k].casefold()) in _NUMBERS else n) for k in ("low", "count"))
    return asked.end_s - high * unit_s, asked.end_s - low * unit_s


def _part(found: re.Match[str], asked: _Asked) -> Window:
    """The first half, the last third."""
    parts, which = _SHARES[found["part"].casefold()], found["which"].casefold()
    index = parts - 1 if which in ("last", "final") else min(ORDINALS.index(which), parts - 1)
    step_s = (asked.end_s - asked.start_s) / parts
    after_s = None if index == 0 else asked.start_s + index * step_s
    return after_s, None if index == parts - 1 else asked.start_s + (index + 1) * step_s


def _middle(found: re.Match[str], asked: _Asked) -> Window:
    third_s = (asked.end_s - asked.start_s) / 3
    return asked.start_s + third_s, asked.end_s - third_s


def _edge(found: re.Match[str], asked: _Asked) -> Window:
    share_s = _END_SHARE * (asked.end_s - asked.start_s)
    return (
        (asked.end_s - share_s, None)
        if found["edge"].casefold().startswith(("end", "close", "finish"))
        else (None, asked.start_s + share_s)
    )


def _between(found: re.Match[str], asked: _Asked) -> Window:
    late = is_afternoon(found["to"]) and not re.search(r"[ap]\.?m", found["from"], re.IGNORECASE)
    from_s, to_s = _time_s(found["from"], asked, late=late), _time_s(found["to"], asked)
    if asked.dated and not re.match(_ISO, found["to"]):  # the first such time after the other one
        to_s += (
            _DAY_S * math.floor((from_s - to_s) / _DAY_S + 1) if to_s <= from_s or to_s - from_s >= _DAY_S else 0
        )
        if asked.day is None and from_s > asked.end_s >= from_s - _DAY_S >= asked.start_s:
            from_s, to_s = from_s - _DAY_S, to_s - _DAY_S
    return from_s, to_s


def _now(found: re.Match[str], asked: _Asked) -> Window:
    return max(asked.start_s, asked.end_s - _NOW_S), None


def _since(found: re.Match[str], asked: _Asked) -> Window:
    return _time_s(found["at"], asked), None


def _until(found: re.Match[str], asked: _Asked) -> Window:
    return None, _time_s(found["at"], asked, is_end=True)


def _nth(found: re.Match[str], asked: _Asked) -> Window:
    """The third minute; minute 3, which is the fourth."""
    unit_s = _UNITS[(found.groupdict().get("unit") or found["unit2"])[0].casefold()]
    index = ORDINALS.index(found["nth"].casefold()) if found["nth"] else int(found["number"])
    return asked.start_s + index * unit_s, asked.start_s + (index + 1) * unit_s


def _at(found: re.Match[str], asked: _Asked) -> Window:
    """About as wide as the time is exact: a second, a minute or an hour of the day."""
    said = found["at"]
    at_s, around = _time_s(said, asked), (found.groupdict().get("how") or "at").casefold() not in ("at", "on")
    of_day = at_s >= DATES_FROM_S and not re.match(_ISO, said)
    said = re.sub(rf"{OFFSET}$", "", said)
    if of_day and said.casefold() in ("noon", "midday", "midnight"):
        return at_s - _HOUR_WIDE_S, at_s + _HOUR_WIDE_S
    if of_day and said.count(":") < 2:
        if ":" in said and not around:
            return at_s, at_s + 60
        wide_s = _MINUTE_WIDE_S if ":" in said or not around else _HOUR_WIDE_S
        return at_s - wide_s, at_s + wide_s
    wide_s = _AROUND_S if around else _AT_S
    return max(0.0, at_s - wide_s), at_s + wide_s


_WINDOWS = tuple(
    (re.compile(pattern, re.IGNORECASE), window)
    for pattern, window in (
        (rf"{_ASIDE}\b(?:between|from) (?P<from>{_TIME}|\d{{1,2}}) (?:and|to|until"
            rf"|till) (?P<to>{_TIME})", _between),
        (rf"{_ASIDE}(?<![\d:])(?P<from>{_CLOCK}) ?(?:to|until|till|-|–) ?(?P<to>{_CLOCK})", _between),
        (rf"{_ASIDE}\bfirst {_COUNT}", _first),
        (rf"{_ASIDE}\b(?:last|past) {_COUNT}", _last),
        (rf"(?:,\s*)?\b(?:between )?(?P<low>\d+|{'|'.join(_NUMBERS)}) (?:to|or|and) {_SPAN} ago\b", _ago_between),
        (rf"(?:,\s*)?\b(?:about |around |some )?{_SPAN} ago\b", _ago),
        (
            rf"(?:,\s*)?\b(?:in|during|of) the (?P<nth>{'|'.join(ORDINALS[1:])})"
            r" (?P<unit>minute|hour)\b(?P<number>)",
            _nth,
        ),
        (r"(?:,\s*)?\b(?:in|at|during) (?P<unit2>minute|hour|second) (?P<number>\d+)\b(?P<nth>)", _nth),
        (
            rf"{_ASIDE}\b(?P<which>first|second|third|fourth|last|final) (?P<part>half|third"
            rf"|quarter)\b(?: of the \w+)?",
            _part,
        ),
        (rf"(?:,\s*)?\b(?:in|around|near) the middle\b(?!{_OF_SOMETHING})(?: of the \w+)?", _middle),
        (
            r"(?:,\s*)?\b(?:at|in|towards?|near) the (?:very )?(?P<edge>beginning|start|end|close)\b"
            rf"(?!{_OF_SOMETHING})(?: of the \w+)?",
            _edge,
        ),
        (
            r"(?:,\s*)?\b(?:when|as|while) (?:the|this) (?:\w+ )?(?:video|film|movie|clip|recording|footage|tour"
            r"|trailer|screencast) (?P<edge>begins?|starts?|opens?|ends?|finishes)\b(?= *$|[,?.!])",
            _edge,
        ),
        (r"(?:,\s*)?\b(?:right now|just now|now|currently|at the moment|at present)\b", _now),
        (rf"(?:,\s*)?\b(?:after|since|from) (?!{_ISO}(?![ T]\d))(?P<at>{_TIME})(?: on(?:wards)?)?", _since),
        (rf"(?:,\s*)?\b(?:before|until|till|up to) (?!{_ISO}(?![ T]\d))(?P<at>{_TIME})", _until),
        (rf"(?:,\s*)?\bby (?P<at>{_CLOCK})", _until),
        (rf"(?:,\s*)?\b(?P<how>at|around|about|near|on) (?!{_ISO}(?![ T]\d))(?P<at>{_TIME})(?![:\d])"
            r"(?: in(?=\s*(?:[?.!,]|$)))?", _at),
        (rf"^(?P<at>{_CLOCK})(?=\s*[:,])", _at),
    )
)  # fmt: skip


_WHOLE = re.compile(
    r"(?:,\s*)?\b(?:in|of|during|on|from|throughout|anywhere in) (?:the|this|that) (?:whole |entire |full )?"
    r"(?:video|film|movie|clip|recording|footage|screencast|trailer|documentary)s?\b"
    r"(?=\s*(?:[?!.,]|$|(?:do|does|did|is|are|was|were|can|has|have|and|or|at|when|while|before|after|between|with|right|now|currently|that|who)\b))",
    re.IGNORECASE,
)


def take_whole(question: str) -> tuple[str, bool]:
    """Split a question from words that mean all of a recording, as "in the video" does; and whether it had some.

    They say no time: what is in the video is not what is there now, at its end.
    """
    rest = tidy(_WHOLE.sub("", question))
    return rest, rest != tidy(question)
