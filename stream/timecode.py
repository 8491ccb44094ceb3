"""Times as people write them into seconds, and back.

A recording's times count from its start, a live camera's from 1970 (UTC). No recording is 30 years long, so what
is beyond that is shown, and may be written, as date and time of day, in this machine's time zone. At the end of
summer time an hour comes twice: there the distance from UTC is shown too, and it may be written with any date.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from datetime import datetime, time, timedelta, tzinfo
from typing import Self

from hippocam.stream.errors import HippocamError

# From and to, in seconds; None for no condition.
Window = tuple[float | None, float | None]
# Times from here on are dates: 9 September 2001.
DATES_FROM_S = 1e9
# End of the year 9999, counted from 1970: the last time that a calendar can say.
LATEST_S = 253_402_300_799.0
# Two days less, for any distance from UTC.
LATEST_DATE_S = LATEST_S + 1 - 2 * 86_400
# How far a time of day is from UTC, as it may be written behind it.
OFFSET = r"(?:\s?[+-]\d\d:?\d\d|\s?(?:UTC|GMT)\s?[+-]\d{1,2}(?::?\d\d)?(?!\d)|\s?(?:Z|UTC|GMT)\b)"
# A time of day as it is said: 22:13, 22:13:40, 02:30+01:00, 4 pm, 4:15 pm, 10 o'clock, noon.
CLOCK = (
    r"(?:\d{1,2}(?::\d{2}){0,2}(?:\.\d+)?\s*(?:[ap]\.?m\b\.?|o'?clock\b(?: sharp)?)"
    rf"|\d{{1,2}}:\d{{2}}(?::\d{{2}}(?:\.\d+)?)?{OFFSET}?"
    r"|noon\b|midnight\b|midday\b)"
)
_CLOCK = re.compile(rf"(?:(\d+):)?(\d{{1,2}}):(\d{{1,2}}(?:\.\d+)?)({OFFSET})?")


class Clock(float):
    """Seconds as "16:49" or "16:49:50" says them: from a start, or of the day where a stream counts in dates.

    As a number it counts from a start: 16 minutes 49 s.

    Attributes:
        of_day_s: Seconds since midnight as a time of day has them: 16 hours 49 minutes.
        zone: How far it is from UTC where that was written behind it, which no time from a start has; else None.
    """

    of_day_s: float
    zone: tzinfo | None

    def __new__(cls, seconds: float, of_day_s: float, zone: tzinfo | None = None) -> Self:
        """Make one of both readings."""
        made = super().__new__(cls, seconds)
        made.of_day_s, made.zone = of_day_s, zone
        return made

    def __reduce__(self) -> tuple[type[Clock], tuple[float, float, tzinfo | None]]:
        """What a copy is made of, also one that goes to another process."""
        return Clock, (float(self), self.of_day_s, self.zone)


def parse_time(text: str) -> float:
    """Seconds from "83.5", "1:23.5" or "0:01:23.500"; since 1970 from "2026-11-21 13:05" (local; or with a zone).

    What may be a time of day is a `Clock`.

    Raises:
        HippocamError: The text is none of these, or a local time that comes twice.
    """
    match = _CLOCK.fullmatch(text.strip())
    if match:
        hours, minutes, seconds = int(match[1] or 0), int(match[2]), float(match[3])
        if seconds < 60 and (minutes < 60 or match[1] is None):
            total_s = hours * 3600 + minutes * 60 + seconds
            of_day_s = total_s if match[1] else 60 * total_s
            if of_day_s < 86400:
                with suppress(ValueError):  # no place is so far from UTC
                    return Clock(total_s, of_day_s, _zone(match[4]) if match[4] else None)
            elif match[4] is None and total_s < LATEST_DATE_S:
                return total_s
    else:
        try:
            value = float(text)
        except ValueError:
            value = _date(text.strip())
        if 0 <= value < LATEST_DATE_S:  # false for NaN as well
            return value
    raise HippocamError(
        f"time {text!r} is not understood: write seconds, MM:SS or HH:MM:SS.mmm, or YYYY-MM-DD HH:MM:SS"
    )


def _date(text: str) -> float:
    if not re.match(r"\d{4}-\d\d-\d\d", text):
        return math.nan
    if offset := re.search(rf"(?<=\d){OFFSET}$", text) if ":" in text else None:
        text = text[: offset.start()] + _plain(offset[0])
    try:
        when = datetime.fromisoformat(re.sub(r"(?<=[ T])(\d):", r"0\1:", text))
        return once_s(when) if ":" in text else when.timestamp()
    except (ValueError, OverflowError):
        return math.nan


def _plain(offset: str) -> str:
    """A distance from UTC as ISO 8601 has it."""
    found = re.fullmatch(r"(?:UTC|GMT)?\s?([+-])(\d{1,2}?):?(\d\d)?", offset.strip())
    return "Z" if found is None else f"{found[1]}{found[2]:0>2}:{found[3] or '00'}"


def _zone(offset: str) -> tzinfo | None:
    return datetime.fromisoformat("2000-01-01T00:00" + _plain(offset)).tzinfo


def format_time(time_s: float) -> str:
    """Write seconds as M:SS.s, from an hour on H:MM:SS.s, a date as YYYY-MM-DD HH:MM:SS.s; no tenths of zero.

    What is beyond all calendars is written as the last date that there is.
    """
    tenths = round(min(max(time_s, 0.0), LATEST_DATE_S) * 10)
    if tenths >= DATES_FROM_S * 10:
        when = datetime.fromtimestamp(tenths // 10)
        shown = when.replace(fold=0).isoformat(sep=" ") + (f".{tenths % 10}" if tenths % 10 else "")
        return shown + (when.astimezone().isoformat()[-len("+01:00") :] if _comes_twice(when) else "")
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{tenths // 10:02d}" + (f".{tenths % 10}" if tenths % 10 else "")
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"


def on_day(clock: Clock, *, of_s: float, days: int = 0) -> float:
    """Seconds since 1970 of a time of day, in its own distance from UTC, else in this machine's time zone.

    Args:
        clock: As a clock on the wall shows it.
        of_s: A time of the day that is meant.
        days: So many days later.

    Raises:
        HippocamError: It comes twice on that day.
    """
    day = datetime.fromtimestamp(of_s, clock.zone).date() + timedelta(days=days)
    return once_s(datetime.combine(day, time(), clock.zone) + timedelta(seconds=clock.of_day_s))


def _comes_twice(when: datetime) -> bool:
    """Whether a local time is one of an hour that comes twice, as at the end of summer time."""
    return _seconds_of(when, later=False) < _seconds_of(when, later=True)


def once_s(when: datetime) -> float:
    """Seconds since 1970 of a time.

    Raises:
        HippocamError: It is a local time that comes twice.
    """
    if when.tzinfo is None and _comes_twice(when):
        first, other = (format_time(_seconds_of(when, later=later)) for later in (False, True))
        raise HippocamError(f"{when.isoformat(sep=' ')} comes twice: write {first} or {other}")
    return when.timestamp()


def _seconds_of(when: datetime, *, later: bool) -> float:
    """Seconds since 1970 of a local time, of the second one of its name where it comes twice."""
    return when.replace(fold=int(later)).timestamp()


def clock_said(stream: str, time_s: float, said: str = "") -> str:
    """Say that a time is not on a stream's clock, and how to write one that is.

    Args:
        stream: The stream.
        time_s: The time, seconds.
        said: The words that mean it, "" for the time itself.
    """
    said = f"'{said}'" if said else format_time(time_s)
    if time_s < DATES_FROM_S:
        return f"{said} has no date, and {stream} counts in dates: write YYYY-MM-DD HH:MM:SS"
    return f"{said} is a date, and {stream} counts from its start: write MM:SS or HH:MM:SS"
