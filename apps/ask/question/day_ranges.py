"""From one day to another: "between 2 and 5 November", "from Monday to Wednesday", "yesterday 22:00 to today".

The end is found first: a day of the week or of a month at the start is the last one before it.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from hippocam.apps.ask.question.calendar import DATE, DAY_OF, NUMBERED, PART, WEEKDAY, Day, find_day
from hippocam.apps.ask.question.clock_words import CLOCK, time_of_day_s
from hippocam.stream.errors import HippocamError

_RELATIVE = "the day before yesterday|yesterday|today|last night|tonight"
_NAMED = rf"(?:{_RELATIVE}|{DATE}|(?:last |this )?{WEEKDAY}|{NUMBERED})"
_END = rf"(?:{_NAMED}(?:,? (?:at )?{CLOCK}|,? (?:in the |at )?{PART})?|{CLOCK},? (?:on )?{_NAMED}|this {PART})"
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
_NIGHT = timedelta(hours=20), timedelta(hours=30)


def find_days(question: str, asked_s: float, *, exact: bool = True) -> Day | None:
    """The words of a question that name days, from one to another or as `find_day`; None where there are none.

    Args:
        question: In plain words.
        asked_s: The time of asking, seconds since 1970.
        exact: Whether times of day at either end count; else the days are whole.

    Raises:
        HippocamError: No calendar has such a day, a time of day may be one of two, or two days are asked about.
    """
    found = _RANGE.search(question)
    if found is None:
        return find_day(question, asked_s)
    if _LISTED.match(found[0]):
        raise HippocamError(f"'{found[0].strip(', ')}': ask about one of them, or from one to the other")
    return _between(question, found, asked_s, exact=exact)


def _between(question: str, found: re.Match[str], asked_s: float, *, exact: bool) -> Day:
    last = find_day(f"on {found['end']}", asked_s)
    assert last is not None, "the pattern has a day"
    if re.fullmatch(_BARE, found["start"], re.IGNORECASE):
        number = int(re.sub(r"\D", "", found["start"]))
        back = (last.start - timedelta(days=1)).replace(hour=0, minute=0)
        while back.day != number and last.start - back < timedelta(days=62):
            back -= timedelta(days=1)
        start, end = back, back + timedelta(days=1)
    else:
        named_s = asked_s if re.search(_RELATIVE, found["start"], re.IGNORECASE) else last.end.timestamp() - 1
        first = find_day(f"on {found['start']}", named_s)
        assert first is not None, "the pattern has a day"
        start, end = first.start, first.end
    if found["night"]:
        midnight = start.replace(hour=0, minute=0)
        start, end = midnight + _NIGHT[0], midnight + _NIGHT[1]
    elif exact:
        start = _exact(found["start"], Day("", "", start, end), asked_s) or start
        end = _exact(found["end"], last, asked_s, is_end=True) or last.end
    else:
        end = last.end
    rest = question[: found.start()] + " " + question[found.end() :]
    return Day(said=found[0].strip(", "), rest=rest, start=start, end=end)


def _exact(said: str, day: Day, asked_s: float, *, is_end: bool = False) -> datetime | None:
    """The time of day that is said with a day; None where there is none."""
    clock = re.search(CLOCK, said, re.IGNORECASE)
    if clock is None:
        return None
    return datetime.fromtimestamp(time_of_day_s(clock[0], asked_s=asked_s, day=day, is_end=is_end))
