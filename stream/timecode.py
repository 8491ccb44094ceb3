"""Times as people write them into seconds, and back."""

from __future__ import annotations

import math
import re

from hippocam.stream.errors import HippocamError

_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)")


def parse_time(text: str) -> float:
    """Seconds from "83.5", "1:23.5" or "0:01:23.500".

    Raises:
        HippocamError: The text is none of these.
    """
    match = _CLOCK.fullmatch(text.strip())
    if match:
        hours, minutes, seconds = int(match[1] or 0), int(match[2]), float(match[3])
        if seconds < 60 and (minutes < 60 or match[1] is None):
            return hours * 3600 + minutes * 60 + seconds
    else:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if math.isfinite(value) and value >= 0:
            return value
    raise HippocamError(f"time {text!r} is not understood: write seconds, MM:SS or HH:MM:SS.mmm")


def format_time(time_s: float) -> str:
    """Write seconds as M:SS.s, or H:MM:SS.s from an hour on; tenths only where there are any."""
    tenths = round(max(time_s, 0.0) * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{tenths // 10:02d}" + (f".{tenths % 10}" if tenths % 10 else "")
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"
