"""Names of picture files into the times that they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# Seconds since 1970 with a fraction (TUM, ROS, Frigate), or whole; or whole milli-, micro- or nanoseconds (EuRoC).
_SINCE = re.compile(r"^(?:.*[-_])?([1-9][0-9]{8,18})(?:\.([0-9]+))?(?:[-_][^0-9].*)?$")
_UNITS_PER_S = {10: 1, 13: 1_000, 16: 1_000_000, 19: 1_000_000_000}
_PER_S = 1_000_000_000
# A date and a time of day, as cameras and desktops write them ("Screenshot 2023-11-14 at 10.13.20 PM").
_DATE = re.compile(
    r"(?<![0-9])((?:19|20)[0-9]{2})[-_.]?([0-9]{2})[-_.]?([0-9]{2})(?: at |[-_ T.]*)"
    r"([0-9]{2}|[0-9](?=[.:]))[-_.:h]?([0-9]{2})[-_.:m]?([0-9]{2})(?:[.,]?([0-9]{1,9})|[-_]([0-9]{3}))?(?![0-9])"
    r"(?:[\s\u202f]?([AP])M\b)?"
)


def stamps_of(names: Sequence[str]) -> NDArray[np.float64] | None:
    """Return seconds from the first for file names that hold times of one kind in rising order, else None.

    Times are seconds since 1970, whole or with a fraction; milli-, micro- or nanoseconds since 1970 (13, 16 or 19
    digits); or a date with a time of day. What a camera puts before or behind them may differ.
    """
    stems = [Path(name).stem for name in names]
    for read in (since_1970, _date_and_time):
        ticks = [read(stem) for stem in stems]
        first = ticks[0] if ticks else None
        if first is None or None in ticks:
            continue
        since = np.array([tick - first for tick in ticks if tick is not None], dtype=np.int64)
        if bool(np.all(np.diff(since) >= 0)) and (len(since) == 1 or since[-1] > 0):
            return since / _PER_S
    return None


def since_1970(stem: str) -> int | None:
    """Nanoseconds, which a double of seconds would be off from; None where there is no such number."""
    match = _SINCE.match(stem)
    if match is None:
        return None
    whole, fraction = match.groups()
    if fraction is not None:
        return int(whole) * _PER_S + int(fraction.ljust(9, "0")[:9]) if len(whole) in (9, 10) else None
    return int(whole) * (_PER_S // _UNITS_PER_S[len(whole)]) if len(whole) in _UNITS_PER_S else None


def _date_and_time(stem: str) -> int | None:
    """Nanoseconds since some day, of names such as 2023-11-14_22-13-20 and PXL_20231114_221320123."""
    match = _DATE.search(stem)
    if match is None:
        return None
    *numbers, fraction, thousandths, half = match.groups()
    year, month, day, hour, minute, second = map(int, numbers)
    if half:  # of the day: 12 comes before 1
        hour = hour % 12 + 12 * (half == "P") if 1 <= hour <= 12 else 24
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return round(moment.timestamp()) * _PER_S + int((fraction or thousandths or "").ljust(9, "0")[:9])


def is_numbered(names: Sequence[str]) -> bool:
    """Tell whether file names look like a sequence: at least two, and nearly all with a number in them."""
    return len(names) > 1 and sum(bool(re.search("[0-9]", Path(name).stem)) for name in names) >= 0.9 * len(names)
