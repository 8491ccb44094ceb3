"""Dates and times of day as people say them into times: "yesterday", "on 2 November", "4:15 pm", "this morning".

All times are local. A day that names no year is the latest one that is not in the future of the question. A time
of day that names no day is on the last day that has it.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from hippocam.stream.timecode import OFFSET, Window, parse_time

_MONTHS = "january february march april may june july august september october november december".split()
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTH = rf"(?:{'|'.join(f'{name[:3]}(?:{name[3:]})?' if name != 'may' else 'may' for name in _MONTHS)}|sept)\.?"
_ISO = r"\d{4}-\d\d-\d\d"
_DAY_OF = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE = (
    rf"(?:{_ISO}|(?:the )?{_DAY_OF}(?: of)? {_MONTH}(?:,? \d{{4}})?|{_MONTH} {_DAY_OF}(?:,? \d{{4}})?)(?!\d|:\d)"
)
_WEEKDAY = rf"(?:{'|'.join(_DAYS)})"
_NUMBER = r"\d+|a|an|one|two|three|four|five|six|seven"
_PART = r"(?:early |late )?(?:morning|afternoon|evening|night)"
# From and to, in hours of the day; a night goes on into the next one.
_PARTS = {"morning": (5, 12), "afternoon": (12, 18), "evening": (17, 24), "night": (20, 30)}
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
# A time of day as it is said: 22:13, 22:13:40, 02:30+01:00, 4 pm, 4:15 pm, 10 o'clock, noon.
CLOCK = (
    r"(?:\d{1,2}(?::\d{2}){0,2}(?:\.\d+)?\s*(?:[ap]\.?m\b\.?|o'?clock\b(?: sharp)?)"
    rf"|\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?{OFFSET}?"
    r"|noon\b|midnight\b|midday\b)"
)
_CLOCK_PARTS = re.compile(r"(\d{1,2})(?::(\d{2}))?(?::(\d{2}(?:\.\d+)?))?\s*([ap])?", re.IGNORECASE)
_ASIDE = r"(?:,\s*)?"
_DAY_WORDS = re.compile(
    rf"{_ASIDE}(?:\b(?P<edge>since|after|before|until|up to) |\b(?P<before>(?:in|on|during) the {_PART} of "
    rf"|{_PART} (?:of|on) )|\b(?:on|from|of) )?\b"
    rf"(?:(?P<named>the day before yesterday|yesterday|today|tonight|last night|this week|last week)"
    rf"|(?P<ago>{_NUMBER}) days? ago|(?:last |this )?(?P<weekday>{_WEEKDAY})|(?P<date>{_DATE}))\b"
    rf"(?:,? (?:in the |at )?(?P<part>{_PART}))?",
    re.IGNORECASE,
)
_PART_WORDS = re.compile(
    rf"{_ASIDE}\b(?:early |late )?(?:(?:in|during) the |this |at )(?P<part>{_PART})\b", re.IGNORECASE
)


class Day(NamedTuple):
    """A day, or several in a row, that a question names.

    Attributes:
        said: The words.
        rest: The question without them.
        start: Its start, without a zone: local time.
        end: Its end.
        edge: "since", "after", "before" or "until" where it bounds the time; else "".
        vague: Whether the words may as well describe a picture: "in the morning", "on Sunday".
        current: Whether it is today, of which a recording without dates is taken to be.
    """

    said: str
    rest: str
    start: datetime
    end: datetime
    edge: str = ""
    vague: bool = False
    current: bool = False

    @property
    def window(self) -> Window:
        """From and to, in seconds since 1970."""
        start_s, end_s = self.start.timestamp(), self.end.timestamp()
        bounds: dict[str, Window] = {
            "since": (start_s, None),
            "after": (end_s, None),
            "before": (None, start_s),
            "until": (None, end_s),
            "up to": (None, end_s),
        }
        return bounds.get(self.edge, (start_s, end_s))


def find_day(question: str, asked_s: float) -> Day | None:
    """The first words of a question that name a day or a part of one; None where there are none.

    Args:
        question: In plain words.
        asked_s: The time of asking, seconds since 1970.
    """
    asked = datetime.fromtimestamp(asked_s)
    for found in _DAY_WORDS.finditer(question):
        days = _days_of(found, asked)
        if days is not None:
            part = found["part"] or re.sub(r"^(?:in|on|during) the | (?:of|on) $", "", found["before"] or "")
            if found["named"] and found["named"].casefold() in ("last night", "tonight"):
                part = "night"
            start, end = _part_of(days, part)
            named = (found["named"] or "").casefold()
            return Day(
                said=found[0].strip(", "),
                rest=_without(question, found),
                start=start,
                end=end,
                edge=(found["edge"] or "").casefold(),
                vague=found["weekday"] is not None,
                current=named in ("today", "tonight", "this week"),
            )
    bare = _PART_WORDS.search(question)
    if bare is None:
        return None
    today = datetime.combine(asked.date(), time())
    start, end = _part_of((today, today + timedelta(days=1)), bare["part"])
    if start > asked:
        start, end = start - timedelta(days=1), end - timedelta(days=1)
    rest = _without(question, bare)
    return Day(bare[0].strip(", "), rest, start, end, vague=True, current=True)


def time_of_day_s(
    said: str, *, asked_s: float, start_s: float = 0.0, day: Day | None = None, late: bool = False
) -> float:
    """Seconds since 1970 of a time of day.

    Args:
        said: The time, as CLOCK.
        asked_s: The time of asking.
        start_s: When the stream begins: a time of day that was not reached today means yesterday's only where the
            stream reaches back so far.
        day: The day that is meant; None for the last that has it.
        late: Whether it is in the afternoon where it does not say: "between 4:15 and 4:20 pm".
    """
    clock = _time_of(said, late=late)
    asked = datetime.fromtimestamp(asked_s)
    first = day.start if day is not None else datetime.combine(asked.date(), time())
    when = datetime.combine(first.date(), time()) + clock
    if day is None and when > asked and (when - timedelta(days=1)).timestamp() >= start_s:
        when -= timedelta(days=1)
    offset = re.search(rf"{OFFSET}$", said)
    return when.timestamp() if offset is None else parse_time(when.isoformat() + offset[0])


def is_afternoon(said: str) -> bool:
    """Whether a time of day says "pm"."""
    return re.search(r"\dp\.?m|\d\s+p\.?m", said, re.IGNORECASE) is not None


def _time_of(said: str, *, late: bool) -> timedelta:
    said = said.strip().casefold()
    if said in ("noon", "midday"):
        return timedelta(hours=12)
    if said == "midnight":
        return timedelta()
    found = _CLOCK_PARTS.match(said)
    assert found is not None, "CLOCK matches what this does"
    hours, minutes, seconds = int(found[1]), int(found[2] or 0), float(found[3] or 0)
    if found[4] or late:
        hours = hours % 12 + (12 if late or found[4].casefold() == "p" else 0)
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _days_of(found: re.Match[str], asked: datetime) -> tuple[datetime, datetime] | None:
    """Start and end of the days that were named; None for a date that no calendar has."""
    today, days = asked.date(), 1
    named = (found["named"] or "").casefold()
    if named.endswith("week"):
        first, days = today - timedelta(days=today.weekday() + (7 if named.startswith("last") else 0)), 7
    elif named:
        back = {"the day before yesterday": 2, "yesterday": 1, "last night": 1}.get(named, 0)
        first = today - timedelta(days=back)
    elif found["ago"]:
        ago = found["ago"].casefold()
        first = today - timedelta(days=_COUNTS[ago] if ago in _COUNTS else int(ago))
    elif found["weekday"]:
        first = today - timedelta(days=(today.weekday() - _DAYS.index(found["weekday"].casefold())) % 7)
    else:
        dated = _date_of(found["date"].casefold(), today)
        if dated is None:
            return None
        first = dated
    start = datetime.combine(first, time())
    return start, start + timedelta(days=days)


def _date_of(said: str, today: date) -> date | None:
    if re.fullmatch(_ISO, said):
        return date.fromtimestamp(parse_time(said))
    month = next(k for k, name in enumerate(_MONTHS, start=1) if re.search(rf"\b{name[:3]}", said))
    year = re.search(r"\b\d{4}\b", said)
    number = re.search(r"\b\d{1,2}(?=\D|$)", re.sub(r"\b\d{4}\b", "", said))
    assert number is not None, "the pattern of a date has a day"
    try:
        if year is not None:
            return date(int(year[0]), month, int(number[0]))
        this = date(today.year, month, int(number[0]))
        return this if this <= today else this.replace(year=today.year - 1)
    except ValueError:
        return None


def _part_of(days: tuple[datetime, datetime], part: str) -> tuple[datetime, datetime]:
    name = part.casefold().split()[-1] if part else ""
    if name not in _PARTS:
        return days
    from_h, to_h = _PARTS[name]
    return days[0] + timedelta(hours=from_h), days[0] + timedelta(hours=to_h)


def _without(question: str, found: re.Match[str]) -> str:
    return question[: found.start()] + " " + question[found.end() :]
