"""Times as people say them into the forms that the rules read: "half past four" into "4:30 o'clock".

Only words that can hardly mean anything else are replaced. What would be one of two dates is refused with both.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date

from hippocam.stream.errors import HippocamError

_HOURS = "one two three four five six seven eight nine ten eleven twelve".split()
_MINUTES = {"five": 5, "ten": 10, "quarter": 15, "twenty": 20, "twenty-five": 25, "twenty five": 25, "half": 30}
_COUNTS = {word: k for k, word in enumerate(_HOURS, start=1)} | {
    "a": 1, "an": 1, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40,
}  # fmt: skip
_O_CLOCK = "o'clock"
_HOUR = rf"(?:{'|'.join(_HOURS)}|1[0-2]|[1-9])"
_WHEN = r"(?:at|around|about|by|before|after|since|until|till|from|between|and|to)"
# What may follow a time, so that "between two and five people" stays what it is.
_OVER = (
    r"(?=\s*(?:$|[?!,;]|\.(?!\d)|(?:o'?clock|[ap]\.?m|in the|at night|on|yesterday|today|tonight|this|last|and|to"
    r"|until|till|was|were|did|is)\b))"
)
_UNIT = r"(?:second|minute|hour|day|week|month|year)s?"


def in_figures(question: str, *, dated: bool) -> str:
    """A question with its times in figures; one that says none comes back as it is.

    Args:
        question: In plain words.
        dated: Whether a stream counts in dates: else "at five" is no time of day.

    Raises:
        HippocamError: A date may be one of two.
    """
    for pattern, replaced in _ALWAYS + (_OF_DAY if dated else ()):
        question = pattern.sub(replaced, question)
    return question


def _hour(said: str) -> int:
    return _COUNTS[said.casefold()] if said.casefold() in _COUNTS else int(said)


def _clock(found: re.Match[str]) -> str:
    """What stands on a clock, "half past four", into "4:30", with "o'clock" where no half of the day is told."""
    minutes = found["minutes"].casefold().removesuffix(" minutes")
    past, hour = _MINUTES[minutes] if minutes in _MINUTES else int(minutes), _hour(found["hour"])
    if (found["side"] or "past").casefold() == "to":
        past, hour = 60 - past, hour - 1 or 12
    return f"{hour}:{past:02d}{found['half_of_day'] or f' {_O_CLOCK}'}"


def _two_hours(found: re.Match[str]) -> str:
    return f"{found['word']} {_hour(found['from'])} {_O_CLOCK} {found['to']} {_hour(found['hour'])} {_O_CLOCK}"


def _same_half(found: re.Match[str]) -> str:
    """From one time to another, "from 11 am to 2", into "from 11 am to 2 pm": the first such time after that."""
    first, hour, late = _hour(found["from"]), _hour(found["hour"]), found["half"].casefold() == "p"
    over = hour % 12 <= first % 12
    halves = ["pm" if late else "am", "pm" if late != over else "am"]
    return f"{found['word']} {first}{found['minutes'] or ''} {halves[0]} {found['to']} {hour} {halves[1]}"


def _one_hour(found: re.Match[str]) -> str:
    return f"{found['word']} {_hour(found['hour'])} {_O_CLOCK}"


def _half_of_day(found: re.Match[str]) -> str:
    """A part of the day, "4:30 in the afternoon", into "4:30 pm"; at night hours before six are after midnight."""
    hour, part = _hour(found["hour"]), found["part"].casefold()
    early = part.endswith("morning") or (part == "at night" and (hour < 6 or hour == 12))
    return f"{hour}{found['minutes'] or ''} {'am' if early else 'pm'}"


def _day_and_month(found: re.Match[str]) -> str:
    return f"{found[1]} {found[2]} {_MONTHS[int(found[3]) - 1]}"


def _date(found: re.Match[str]) -> str:
    """A date in figures into ISO 8601: day, month and year are told apart by their size, and by dots.

    Raises:
        HippocamError: It may be one of two, or none.
    """
    one, two = int(found["one"]), int(found["two"])
    year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)
    orders = [(two, one)] if found["mark"] == "." else [(two, one), (one, two)]
    readings = set[str]()
    for month, day in orders:
        with suppress(ValueError):
            readings.add(date(year, month, day).isoformat())
    if len(readings) == 1:
        return readings.pop()
    if not readings:
        raise HippocamError(f"no calendar has {found[0].strip()}: write YYYY-MM-DD")
    first, other = sorted(readings)
    raise HippocamError(f"'{found[0].strip()}' may be {first} or {other}: say which")


_MONTHS = "January February March April May June July August September October November December".split()
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third "
    "twenty-fourth twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
).split()

_Rules = tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]


def _rules(*rules: tuple[str, str | Callable[[re.Match[str]], str]]) -> _Rules:
    return tuple((re.compile(pattern, re.IGNORECASE), replaced) for pattern, replaced in rules)


_WORDS = "|".join(_HOURS)
_FACE = rf"(?P<hour>{_HOUR})(?: o'?clock)?(?P<half_of_day> ?[ap]\.?m\b)?"
_UNTOLD = r"(?! ?(?:o'?clock|[ap]\.?m)\b)"
_ANY_MONTH = "|".join(_MONTHS)
_FIGURES = r"(?P<one>\d{1,2})(?P<mark>[./-])(?P<two>\d{1,2})(?P=mark)"
_DATE_OVER = r"(?![\d./-]*\d)"

_ALWAYS = _rules(
    # lengths of time
    (rf"\ba couple of (?={_UNIT})", "2 "),
    (r"\b(?:an|one) (hour|day|week|month|year) and a half\b", r"1.5 \1s"),
    (rf"\b({'|'.join(_COUNTS)}|\d+) and a half (?={_UNIT})", lambda found: f"{_hour(found[1])}.5 "),
    (rf"\b(?:a|an|one) ({_UNIT}) or (?:two|so)\b", r"1.5 \1s"),
    (
        rf"\b({'|'.join(_COUNTS)}|\d+) hours? and (\d+|{'|'.join(_COUNTS)}) minutes? ago\b",
        lambda found: f"{60 * _hour(found[1]) + _hour(found[2])} minutes ago",
    ),
    (r"\ba moment ago\b", "now"),
    # dates
    (
        r"\b(\d{4})/(\d{1,2})/(\d{1,2})\b",
        lambda found: f"{found[1]}-{int(found[2]):02d}-{int(found[3]):02d}",
    ),
    (rf"(?<![\d./-]){_FIGURES}(?P<year>\d{{4}}){_DATE_OVER}", _date),
    (rf"(?<=\bon ){_FIGURES}(?P<year>\d\d){_DATE_OVER}", _date),  # "version 1.2.10" is none
    (r"\b(on|since|after|before|until|from|to|and) (\d{1,2})\.\s?(0?[1-9]|1[0-2])\.(?!\d)", _day_and_month),
    (
        rf"\bthe ({'|'.join(sorted(_ORDINALS, key=len, reverse=True))}) of (?={_ANY_MONTH})",
        lambda found: f"{_ORDINALS.index(found[1].casefold()) + 1} ",
    ),
    (rf"\b({_ANY_MONTH}|{'|'.join(name[:3] for name in _MONTHS)})\.? '(\d\d)\b", r"\1 20\2"),
)
_OF_DAY = _rules(
    # figures with other marks
    (rf"\b({_WHEN}) ([01]?\d|2[0-3])h([0-5]\d)?\b", lambda found: f"{found[1]} {found[2]}:{found[3] or '00'}"),
    (r"\b(\d{1,2})\.([0-5]\d)(?=\s*[ap]\.?m\b)", r"\1:\2"),
    (r"\b(at|around) (?!19|20)([01]\d|2[0-3])([0-5]\d)\b(?![.:]\d)", r"\1 \2:\3"),
    (rf"\b({_WHEN}) ([01]\d|2[0-3])([0-5]\d)(?: ?(?:hours|hrs|h))\b", r"\1 \2:\3"),
    (r"\b((?:1[3-9]|2[0-3]):[0-5]\d) (?:in the (?:afternoon|evening)|at night)\b", r"\1"),
    # the clock's face
    (rf"\b(?:a )?(?P<minutes>half|quarter) (?P<side>past|to) {_FACE}", _clock),
    (
        r"(?<=\bat )(?P<minutes>(?:five|ten|twenty(?:[- ]five)?|[1-5]?\d)(?: minutes)?) (?P<side>past|to) "
        rf"{_FACE}{_OVER}",
        _clock,
    ),
    (rf"(?<=\bat )(?P<minutes>half) (?P<side>)(?P<hour>{_WORDS})(?P<half_of_day> ?[ap]\.?m\b)?{_OVER}", _clock),
    (rf"\b({_WORDS})(?= ?(?:o'?clock|[ap]\.?m)\b)", lambda found: str(_hour(found[1]))),
    (
        rf"\b(?P<word>between|from) (?P<from>{_HOUR})(?P<minutes>:[0-5]\d)? ?(?P<half>[ap])\.?m\.? "
        rf"(?P<to>and|to|until|till) (?P<hour>{_HOUR}){_UNTOLD}{_OVER}",
        _same_half,
    ),
    (
        rf"\b(?P<word>between|from) (?P<from>{_HOUR}) (?P<to>and|to|until|till) (?P<hour>{_HOUR}){_UNTOLD}{_OVER}",
        _two_hours,
    ),
    (rf"\b(?P<word>at|around|by|before|after|since|until|till) (?P<hour>{_HOUR}){_UNTOLD}{_OVER}", _one_hour),
    (
        rf"\b(?P<hour>{_HOUR})(?P<minutes>:[0-5]\d)?(?: ?o'?clock)? "
        r"(?P<part>in the (?:early )?morning|in the afternoon|in the evening|at night)\b",
        _half_of_day,
    ),
    # how much of a day
    (
        r"\b(?:all day(?: long)?|earlier|so far|some ?time|first thing),? (?=today|yesterday|this|last|on )",
        "",
    ),
    (r"\blate (?=last night)", ""),
    (r"\blate yesterday\b", "yesterday evening"),
    (r"\bearly yesterday\b", "yesterday morning"),
    (r"\bovernight\b", "last night"),
)
