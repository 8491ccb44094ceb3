"""Days as people say them into times: "yesterday", "on the 2nd", "this morning", "between 2 and 5 November".

All times are local. A day that names no year, and none or half of its month, is the latest one that is not in the
future of the question.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import CLOCK, Window, parse_time

_MONTHS = "january february march april may june july august september october november december".split()
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTH = rf"(?:{'|'.join(f'{name[:3]}(?:{name[3:]})?' if name != 'may' else 'may' for name in _MONTHS)}|sept)\.?"
_ISO = r"\d{4}-\d\d-\d\d"
DAY_OF = r"\d{1,2}(?:st|nd|rd|th)?"
DATE = rf"(?:{_ISO}|(?:the )?{DAY_OF}(?: of)? {_MONTH}(?:,? \d{{4}})?|{_MONTH} {DAY_OF}(?:,? \d{{4}})?)(?!\d|:\d)"
# A day of the month by its number alone; "on the 2nd floor" is none.
NUMBERED = (
    r"the \d{1,2}(?:st|nd|rd|th)"
    r"(?=\s*(?:$|[?!.,;]|\b(?:at|around|about|between|from|after|before|until|to|and|in the)\b))"
)
WEEKDAY = rf"(?:{'|'.join(_DAYS)})"
_SHORT = rf"(?:{'|'.join(f'{name[:3]}' for name in _DAYS)}|tues|thurs?)\b\.?"
_NUMBER = r"\d+|a|an|one|two|three|four|five|six|seven"
_HOURS = r"(?:early|small) hours"
PART = rf"(?:(?:early |late )?(?:morning|afternoon|evening|night)|{_HOURS}|lunchtime|lunch time)"
# From and to, in hours of the day; a night goes on into the next one.
_PARTS = {
    "morning": (5, 12), "afternoon": (12, 18), "evening": (17, 24), "night": (20, 30), "hours": (0, 6),
    "lunchtime": (11.5, 14), "time": (11.5, 14),
}  # fmt: skip
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
# Parts of a month, and the days on which they begin and end.
_PARTS_OF_MONTH = {
    "first week": (1, 7), "second week": (8, 14), "third week": (15, 21), "fourth week": (22, 28),
    "first half": (1, 15), "second half": (16, 31), "first day": (1, 1), "early": (1, 10), "beginning": (1, 10),
    "start": (1, 10), "mid": (11, 20), "middle": (11, 20), "late": (21, 31), "end": (21, 31),
}  # fmt: skip
_NAMED = (
    "the day before yesterday|yesterday|today|tomorrow|tonight|the night before last|last night"
    "|the (?:week|weekend|month) before last|(?<!the )(?:this|last|next) (?:week|weekend|month|year)|the weekend"
)
# Within so many years back lies the last 29 February, and one of each date on each day of the week.
_YEARS = 12
_ASIDE = r"(?:,\s*)?"
_DAY_WORDS = re.compile(
    rf"{_ASIDE}(?:\b(?P<edge>since|after|before|until|till|up to) |\b(?P<before>(?:in|on|during) the {PART} of "
    rf"|{PART} (?:of|on) )|\b(?P<on>on|from|of|over|during|at) )?\b"
    rf"(?:(?P<named>{_NAMED})|(?P<ago>{_NUMBER}) days? ago|(?:(?P<stated>{WEEKDAY}|{_SHORT}),? )?(?P<date>{DATE})"
    rf"|(?:(?P<which>last|this) )?(?P<weekday>{WEEKDAY})|(?P<numbered>{NUMBERED}))"
    rf"(?<=\w)\b(?:,? (?:in the |at )?(?P<part>{PART}))?",
    re.IGNORECASE,
)
_PART_WORDS = re.compile(
    rf"{_ASIDE}\b(?:early |late )?(?:(?:in|during) the |this |at )(?P<part>{PART})\b", re.IGNORECASE
)
_MONTH_WORDS = re.compile(
    rf"{_ASIDE}\b(?:(?P<edge>since|after|before|until|up to)|in|on|during|throughout|at|towards?) (?:the )?"
    rf"(?:(?P<stretch>{'|'.join(_PARTS_OF_MONTH)})(?: of |[ -]))?"
    rf"(?:(?P<month>{_MONTH})(?:,? (?P<year>\d{{4}}))?|(?P<year_alone>(?:19|20)\d\d))(?![\w:-])",
    re.IGNORECASE,
)

# From one day to another.
_RELATIVE = "the day before yesterday|yesterday|today|last night|tonight"
_ONE_DAY = rf"(?:{_RELATIVE}|{DATE}|(?:last |this )?{WEEKDAY}|{NUMBERED})"
_END = rf"(?:{_ONE_DAY}(?:,? (?:at )?{CLOCK}|,? (?:in the |at )?{PART})?|{CLOCK},? (?:on )?{_ONE_DAY}|this {PART})"
# A day whose month the end tells.
_BARE = rf"(?:the )?{DAY_OF}"
_TO = r"(?:(?:and|or)(?: on)?\b|to\b|until\b|till\b|through\b|/|-|–)"
_RANGE = re.compile(
    rf"(?:,\s*)?\b(?P<night>(?:(?:in|on|during|over) )?the night (?:of|from) |night of )?(?:between|from)? ?"
    rf"(?P<start>{_END}|{_BARE}(?=\s*{_TO}\s*(?:{DATE}|{NUMBERED})))"
    rf"\s*(?P<to>{_TO})\s*(?P<end>{_END})",
    re.IGNORECASE,
)
# What names two days, and not from one to the other: "on Monday and Tuesday".
_LISTED = re.compile(r"(?!.*\b(?:between|from|night of)\b).*\s(?:and|or)\b|.*\sor\b", re.IGNORECASE)
_DAY, _NIGHT_H = timedelta(days=1), (20, 30)


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
        start_clock: A time of the first day at which it begins, as it is said; "" for the start.
        end_clock: A time of the last day at which it ends; "" for the end.
        apart: Whether two days are named, and not from one to the other: "on Monday and Friday".
    """

    said: str
    rest: str
    start: datetime
    end: datetime
    edge: str = ""
    vague: bool = False
    current: bool = False
    start_clock: str = ""
    end_clock: str = ""
    apart: bool = False

    @property
    def window(self) -> Window:
        """From and to, in seconds since 1970."""
        start_s, end_s = self.start.timestamp(), self.end.timestamp()
        bounds: dict[str, Window] = {
            "since": (start_s, None),
            "after": (end_s, None),
            "before": (None, start_s),
            "until": (None, end_s),
            "till": (None, end_s),
            "up to": (None, end_s),
        }
        return bounds.get(self.edge, (start_s, end_s))


def find_days(question: str, asked_s: float) -> Day | None:
    """The words of a question that name days, a day or a part of one; None where there are none.

    Args:
        question: In plain words.
        asked_s: The time of asking, seconds since 1970.

    Raises:
        HippocamError: No calendar has such a day, or not on that day of the week.
    """
    found = _RANGE.search(question)
    if found is None:
        return _day(question, asked_s)
    return _range(question, found, asked_s)._replace(
        vague=not re.search(rf"{_RELATIVE}|{DATE}", found[0], re.IGNORECASE),
        apart=_LISTED.match(found[0]) is not None,
    )


def _range(question: str, found: re.Match[str], asked_s: float) -> Day:
    """From one day to another. The end comes first: a day of the week at the start is the last one before it."""
    last = _day(f"on {found['end']}", asked_s)
    assert last is not None, "the pattern has a day"
    if re.fullmatch(_BARE, found["start"], re.IGNORECASE):
        start = _last_numbered(found["start"], last.start)
        first = Day("", "", start, start + _DAY)
    else:
        named_s = asked_s if re.search(_RELATIVE, found["start"], re.IGNORECASE) else last.end.timestamp() - 1
        whole = _day(f"on {found['start']}", named_s)
        assert whole is not None, "the pattern has a day"
        first = whole
    said, rest = found[0].strip(", "), _without(question, found)
    if found["night"]:
        from_h, to_h = _NIGHT_H
        midnight = _midnight(first.start.date())
        return Day(said, rest, midnight + timedelta(hours=from_h), midnight + timedelta(hours=to_h))
    clocks = (re.search(CLOCK, found[side], re.IGNORECASE) for side in ("start", "end"))
    start_clock, end_clock = (clock[0] if clock else "" for clock in clocks)
    return Day(said, rest, first.start, last.end, start_clock=start_clock, end_clock=end_clock)


def _last_numbered(said: str, end: datetime) -> datetime:
    """The last day of this number before another one."""
    number, day = int(re.sub(r"\D", "", said)), _midnight(end.date()) - _DAY
    while day.day != number and end - day < 62 * _DAY:
        day -= _DAY
    return day


def _day(question: str, asked_s: float) -> Day | None:
    """The first words of a question that name a day, several or a part of one."""
    asked = datetime.fromtimestamp(asked_s)
    for found in _DAY_WORDS.finditer(question):
        if found["numbered"] and not (found["edge"] or (found["on"] or "").casefold() in ("on", "of", "from")):
            continue
        first, last = _days_of(found, asked.date())
        named = (found["named"] or "").casefold()
        part = found["part"] or re.sub(r"^(?:in|on|during) the | (?:of|on) $", "", found["before"] or "")
        if named in ("last night", "tonight", "the night before last"):
            part = "night"
        start, end = _part_of((_midnight(first), _midnight(last)), part)
        return Day(
            said=found[0].strip(", "),
            rest=_without(question, found),
            start=start,
            end=end,
            edge=(found["edge"] or "").casefold(),
            vague=bool(found["weekday"] or found["numbered"]) or named.endswith("weekend"),
            current=named in ("today", "tonight", "this week", "this month", "this year"),
        )
    return _part_of_today(question, asked) or _month(question, asked.date())


def _part_of_today(question: str, asked: datetime) -> Day | None:
    """A part of a day, "this morning": of today, or of yesterday where it has not come yet."""
    bare = _PART_WORDS.search(question)
    if bare is None:
        return None
    today = _midnight(asked.date())
    start, end = _part_of((today, today + timedelta(days=1)), bare["part"])
    if start > asked:
        start, end = start - timedelta(days=1), end - timedelta(days=1)
    return Day(bare[0].strip(", "), _without(question, bare), start, end, vague=True, current=True)


def _month(question: str, today: date) -> Day | None:
    """A month, a part of one or a year: "in November", "since early May 2025", "in 2025"."""
    found = _MONTH_WORDS.search(question)
    if found is None:
        return None
    if found["year_alone"]:
        first = date(int(found["year_alone"]), 1, 1)
        start, end = first, first.replace(year=first.year + 1)
    else:
        number = _month_of(found["month"])
        year = int(found["year"]) if found["year"] else today.year - (number > today.month)
        first = date(year, number, 1)
        from_day, to_day = _PARTS_OF_MONTH.get((found["stretch"] or "").casefold(), (1, 31))
        start = first.replace(day=from_day)
        end = min(first + timedelta(days=to_day), _months_later(first, 1))
    edge = (found["edge"] or "").casefold()
    rest = _without(question, found)
    return Day(found[0].strip(", "), rest, _midnight(start), _midnight(end), edge=edge, vague=True)


def _days_of(found: re.Match[str], today: date) -> tuple[date, date]:
    """The first of the days that were named, and the one after the last."""
    if found["named"]:
        return _named_days(found["named"].casefold(), today)
    if found["ago"]:
        ago = found["ago"].casefold()
        first = today - timedelta(days=_COUNTS[ago] if ago in _COUNTS else int(ago))
    elif found["weekday"]:
        back = (today.weekday() - _weekday_of(found["weekday"])) % 7
        first = today - timedelta(days=back or (7 if (found["which"] or "").casefold() == "last" else 0))
    elif found["numbered"]:
        first = _day_of_month(found["numbered"], today)
    else:
        first = _date_of(found["date"], today, found["stated"])
    return first, first + timedelta(days=1)


def _named_days(named: str, today: date) -> tuple[date, date]:
    back = {
        "tomorrow": -1, "today": 0, "tonight": 0, "yesterday": 1, "last night": 1,
        "the day before yesterday": 2, "the night before last": 2,
    }.get(named)  # fmt: skip
    if back is not None:
        first = today - timedelta(days=back)
        return first, first + timedelta(days=1)
    which = -2 if "before last" in named else {"last": -1, "next": 1}.get(named.split()[0], 0)
    monday = today - timedelta(days=today.weekday())
    if "weekend" in named:
        saturday = monday + timedelta(days=5 if today.weekday() >= 5 else -2)  # of the latest that has begun
        first = saturday + timedelta(days=7 * (which if today.weekday() >= 5 or which > 0 else min(0, which + 1)))
        return first, first + timedelta(days=2)
    if "week" in named:
        first = monday + timedelta(days=7 * which)
        return first, first + timedelta(days=7)
    if "month" in named:
        first = _months_later(today.replace(day=1), which)
        return first, _months_later(first, 1)
    first = date(today.year + which, 1, 1)
    return first, first.replace(year=first.year + 1)


def _months_later(first: date, count: int) -> date:
    years, months = divmod(first.month - 1 + count, 12)
    return date(first.year + years, months + 1, 1)


def _date_of(said: str, today: date, stated: str | None) -> date:
    """A date; where it names no year, the latest of it that is past, and on the day of the week that is stated."""
    if re.fullmatch(_ISO, said):
        return date.fromtimestamp(parse_time(said))
    year = re.search(r"\b\d{4}\b", said)
    number = re.search(r"\b\d{1,2}(?=\D|$)", re.sub(r"\b\d{4}\b", "", said))
    assert number is not None, "the pattern of a date has a day"
    wrong: date | None = None
    for each in [int(year[0])] if year is not None else range(today.year, today.year - _YEARS, -1):
        with suppress(ValueError):
            found = date(each, _month_of(said), int(number[0]))
            is_stated = stated is None or found.weekday() == _weekday_of(stated)
            if is_stated and (year is not None or found <= today):
                return found
            wrong = wrong or (None if is_stated else found)
    if wrong is not None:
        raise HippocamError(f"{wrong} is a {_DAYS[wrong.weekday()].capitalize()}, not a {stated}")
    raise HippocamError(f"no calendar has {said}")


def _day_of_month(said: str, today: date) -> date:
    """The latest day of this number that is not in the future."""
    number, first = int(re.sub(r"\D", "", said)), today.replace(day=1)
    for back in range(12):
        with suppress(ValueError):
            found = _months_later(first, -back).replace(day=number)
            if found <= today:
                return found
    raise HippocamError(f"no month has {said}")


def _month_of(said: str) -> int:
    return next(k for k, name in enumerate(_MONTHS, start=1) if re.search(rf"\b{name[:3]}", said, re.IGNORECASE))


def _weekday_of(said: str) -> int:
    return next(k for k, name in enumerate(_DAYS) if name[:3] == said[:3].casefold())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _part_of(days: tuple[datetime, datetime], part: str) -> tuple[datetime, datetime]:
    name = part.casefold().split()[-1] if part else ""
    if name not in _PARTS:
        return days
    from_h, to_h = _PARTS[name]
    return days[0] + timedelta(hours=from_h), days[0] + timedelta(hours=to_h)


def _without(question: str, found: re.Match[str]) -> str:
    return question[: found.start()] + " " + question[found.end() :]
