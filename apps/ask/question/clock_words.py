"""Times of day as people say them into times: "22:13", "4:15 pm", "10 o'clock", "noon", "02:30 UTC+1".

What is said by the clock's twelve hours alone is one of two times of day, and at the end of summer time an hour
comes twice. Where nothing tells which is meant, it is refused with both written out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Protocol

from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import OFFSET, format_time, once_s, parse_time

_PARTS = re.compile(r"(\d{1,2})(?::(\d{2}))?(?::(\d{2}(?:\.\d+)?))?\s*(?:([ap])\.?m|(o'?clock))?", re.IGNORECASE)
# A zone by its letters, behind a time of day.
_LETTERS = re.compile(
    r"\d(?: ?[ap]\.?m\.?)?\s"
    r"(?P<zone>[WCE]ES?T|[ECMP][SD]T|A[EC][SD]T|AWST|NZ[SD]T|HST|AK[SD]T|BST|IST|JST|MSK)\b"
)
_DAY = timedelta(days=1)


class Days(Protocol):
    """Days that a question names.

    Attributes:
        start: Their start, without a zone: local time.
        end: Their end.
    """

    @property
    def start(self) -> datetime:
        """Their start."""

    @property
    def end(self) -> datetime:
        """Their end."""


def check_zone(question: str) -> None:
    """Refuse, with HippocamError, a zone that is named by letters, which stand for several in the world."""
    if found := _LETTERS.search(question):
        raise HippocamError(f"{found['zone']} is not understood: write how far it is from UTC, as 17:30 UTC+1")


def time_of_day_s(
    said: str,
    *,
    asked_s: float,
    start_s: float = 0.0,
    day: Days | None = None,
    late: bool = False,
    is_end: bool = False,
) -> float:
    """Seconds since 1970 of a time of day.

    Args:
        said: The time, as CLOCK.
        asked_s: The time of asking.
        start_s: When the stream begins: a time of day that was not reached today means yesterday's only where the
            stream reaches back so far.
        day: The days that are meant; None for the last that has it.
        late: Whether it is in the afternoon where it does not say: "between 4:15 and 4:20 pm".
        is_end: Whether it ends a time: "until midnight" of a day is its end.

    Raises:
        HippocamError: There is no such time of day, or it may be one of two.
    """
    clocks = _clocks(said, late=late)
    offset = re.search(rf"{OFFSET}$", said)
    if day is not None:
        if said.casefold() == "midnight":
            clocks = [_DAY] if is_end else [timedelta(), _DAY]
        found = _on_days(said, clocks, day)
    else:
        asked, start = datetime.fromtimestamp(asked_s), datetime.fromtimestamp(start_s)
        found = _last(clocks, asked, start)
    if offset is not None:
        return parse_time(found[0].isoformat() + offset[0])
    readings = [once_s(when) for when in found]
    if len(readings) > 1:
        first, other = map(format_time, sorted(readings))
        told = said if ":" not in said else said.partition(" ")[0]
        raise HippocamError(f"'{told}' may be {first} or {other}: say which")
    return readings[0]


def is_afternoon(said: str) -> bool:
    """Whether a time of day says "pm"."""
    return re.search(r"\dp\.?m|\d\s+p\.?m", said, re.IGNORECASE) is not None


def _clocks(said: str, *, late: bool) -> list[timedelta]:
    """How far into a day a time of day is; twelve hours later, too, where only a clock's face is told."""
    said = said.strip().casefold()
    if said in ("noon", "midday"):
        return [timedelta(hours=12)]
    if said == "midnight":
        return [timedelta()]
    found = _PARTS.match(said)
    assert found is not None, "CLOCK matches what this does"
    hours, minutes, seconds = int(found[1]), int(found[2] or 0), float(found[3] or 0)
    if hours > 24 or minutes > 59 or seconds >= 60 or (found[4] and not 1 <= hours <= 12):
        raise HippocamError(f"'{said}' is no time of day: write 16:15, or 4:15 pm")
    either = bool(found[5]) and 1 <= hours <= 12 and not late
    if found[4] or late:
        hours = hours % 12 + (12 if late or found[4] == "p" else 0)
    first = timedelta(hours=hours % 12 if either else hours, minutes=minutes, seconds=seconds)
    return [first, first + timedelta(hours=12)] if either else [first]


def _on_days(said: str, clocks: Iterable[timedelta], day: Days) -> list[datetime]:
    """When a time of day is within days; where it is in none of them, when it is on the first."""
    first, last = datetime.combine(day.start.date(), time()), datetime.combine(day.end.date(), time())
    midnights = [first + k * _DAY for k in range((last - first).days + 1)]
    every = sorted({midnight + clock for midnight in midnights for clock in clocks})
    within = [when for when in every if day.start <= when < day.end or (when == day.end and said == "midnight")]
    if len(within) > 2:
        raise HippocamError(f"'{said}' is on each of several days: say on which")
    return within or every[:1]


def _last(clocks: Iterable[timedelta], asked: datetime, start: datetime) -> list[datetime]:
    """When a time of day was last; readings before the stream's start count only where no other is there."""
    midnight = datetime.combine(asked.date(), time())
    found = []
    for clock in clocks:
        when = midnight + clock
        found.append(when - _DAY if when > asked and when - _DAY >= start else when)
    within = [when for when in found if start <= when <= asked]
    return within or found[:1]
