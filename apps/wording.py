"""How times, sizes and words of a memory are written for people, on the terminal and on the page alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hippocam.stream.timecode import format_time

if TYPE_CHECKING:  # the command line reads arguments by these words before it loads anything heavy
    from hippocam.memory.records import Evidence
    from hippocam.models.readers.surety import Surety

# What bytes that are no UTF-8 become in Python's strings; no encoder, database or server takes it.
_NO_TEXT = re.compile("[\ud800-\udfff]")
# What a spreadsheet begins a formula with, in the full width of Asian scripts too, and what it skips before one.
_FORMULA = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
# Shown instead of a picture that is no longer kept.
NO_PICTURE = "picture given up for the budget"


def megabytes(count: int) -> str:
    """Write a number of bytes as "1.5 MB"."""
    return f"{count / 1e6:.1f} MB"


def cell(text: str) -> str:
    """Write words so that a spreadsheet which opens a table takes them for no formula, whoever chose them.

    See OWASP's "CSV Injection".
    """
    return f"'{text}" if text.lstrip(" \n\v\f\u00a0\ufeff\u3000")[:1] in _FORMULA else text


def moment_time(moment: Evidence, time_s: float) -> str:
    """Write a time of a moment as "0:12", or as "~0:12" if it is that of a key frame."""
    return ("~" if moment.coarse else "") + format_time(time_s)


def surety_of(moment: Evidence) -> Surety:
    """How sure it is that a moment shows what was asked for."""
    from hippocam.models.readers.surety import Surety, of_picture

    if moment.noted or moment.recorded:
        return Surety.of(moment.score)
    return of_picture(moment.score, detected=moment.detected)


def other_spans(moment: Evidence) -> list[tuple[float, float]]:
    """Return the other spans in which a moment's thing was seen, by time."""
    own = moment.t0_s, moment.t1_s
    shares = (
        span[0] <= own[1] and own[0] <= span[1] for span in moment.spans
    )  # a noted moment is widened by its notes
    return [
        span
        for span, shared in zip(moment.spans, shares, strict=True)
        if span != own and not (moment.noted and shared)
    ]


def one_line(text: str) -> str:
    """Put text from outside on one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def legible(text: str) -> str:
    """Replace what is no text, as bytes of another encoding on the command line, by the replacement character."""
    return _NO_TEXT.sub("\ufffd", text)
