"""When a recording was made, by its path or by what its file says; and which camera made it, by its path.

A path tells by a pattern that a user gives, or by how cameras, recorders and phones name what they write:

    front_2026-11-02_14-05-00.mp4           NVR_ch1_main_20261102140500_20261102150000.mp4
    PXL_20261102_140500123.mp4              front-1793628300.mp4         (seconds since 1970)
    2026-11-02/front/14-05-00.mp4           front/2026/11/02/14/05.mp4
    2026-11-02/14/front/05.00.mp4           (Frigate's, in UTC; all others are local times, unless a Z follows)

A day without a time of day counts from its midnight. What no name tells, the container's own field may.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from hippocam.stream.errors import HippocamError, SourceError
from hippocam.stream.sources.files import open_container
from hippocam.stream.sources.naming import natural_key
from hippocam.stream.sources.pictures.kinds import IMAGE_SUFFIXES
from hippocam.stream.sources.pictures.stamps import since_1970
from hippocam.stream.timecode import DATES_FROM_S

By = Literal["pattern", "name", "container", "memory"]

_DAY = (
    r"(?<![0-9])(?P<Y>(?:19|20)[0-9]{2})(?P<sep>[-_.]?)(?P<m>0[1-9]|1[0-2])(?P=sep)(?P<d>0[1-9]|[12][0-9]|3[01])"
)
_OF_DAY = (
    r"[-_ T.]*(?P<H>[01][0-9]|2[0-3])[-_.:h]?(?P<M>[0-5][0-9])"
    r"(?:[-_.:m]?(?P<S>[0-5][0-9]))?(?:[.,]?(?P<f>[0-9]{1,9}))?"
)
_DATE = re.compile(rf"{_DAY}(?:{_OF_DAY}(?P<z>Z)?)?(?![0-9])", re.IGNORECASE)
# What folders are named below a day or a year, as a part of a date or a time of day.
_YEAR, _TWO = (
    re.compile(r"(?:19|20)[0-9]{2}(?:[-_.]?(?:0[1-9]|1[0-2]))?"),
    re.compile(r"[0-9]{2}(?:[-_.][0-9]{2})*h?"),
)
# Words of a file's name that are a number of a piece, an end, or a time of day.
_DIGITS = re.compile(r"[0-9]+(?:T[0-9]+)?Z?", re.IGNORECASE)
_FRIGATE = re.compile(
    r"(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})/(?P<H>[0-9]{2})/[^/]+/(?P<M>[0-9]{2})\.(?P<S>[0-9]{2})\.\w+$"
)
_FIELDS = ("creation_time", "com.apple.quicktime.creationdate", "date")
# What a pattern may hold beside plain characters, and what it stands for.
_CODES = {
    "%Y": r"(?P<Y>[0-9]{4})",
    "%m": r"(?P<m>[0-9]{1,2})",
    "%d": r"(?P<d>[0-9]{1,2})",
    "%H": r"(?P<H>[0-9]{1,2})",
    "%M": r"(?P<M>[0-9]{1,2})",
    "%S": r"(?P<S>[0-9]{1,2})",
    "%f": r"(?P<f>[0-9]{1,9})",
    "%s": r"(?P<s>[0-9]{9,10}(?:\.[0-9]+)?)",
    "%z": r"(?P<z>Z|[+-][0-9]{2}:?[0-9]{2})",
    "%%": "%",
    "{camera}": r"(?P<camera>[^/]+?)",
    "*": r"[^/]*?",
    "?": r"[^/]",
}
_CODE = re.compile("|".join(map(re.escape, sorted(_CODES, key=len, reverse=True))) + "|%.")
# How far ahead of this machine's clock a camera's may be, in seconds.
_AHEAD_S = 86400.0


class Recorded(NamedTuple):
    """When a recording begins.

    Attributes:
        start_s: Seconds since 1970.
        by: What told it: a user's pattern, a name, the file's own field, or the memory in which it was begun.
    """

    start_s: float
    by: By


class PathPattern:
    """What of a path is a date or a camera, as a user writes it: `*/%Y-%m-%d/{camera}_%H%M.mp4`.

    Codes are those of `strftime` for numbers (%Y %m %d %H %M %S %f %z) and %s for seconds since 1970; `{camera}`
    is a camera's name, `*` any characters but "/", `?` one of them. It is compared with the end of the path, with
    or without the file's suffix.

    Args:
        text: The pattern.

    Raises:
        HippocamError: A code is not known, or stands twice.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        parts, end = list[str](), 0
        for found in _CODE.finditer(text):
            if found[0] not in _CODES:
                known = " ".join(code for code in _CODES if code[0] in "%{")
                raise HippocamError(f"pattern {text!r}: {found[0]!r} is not known; it may hold {known} * ?")
            parts += re.escape(text[end : found.start()]), _CODES[found[0]]
            end = found.end()
        parts.append(re.escape(text[end:]))
        try:
            self._regex = re.compile(rf"(?:^|(?<=/)){''.join(parts)}(?:\.\w{{1,5}})?$")
        except re.error as error:
            raise HippocamError(f"pattern {text!r}: a code stands twice in it") from error

    def start_s(self, path: Path) -> float | None:
        """Seconds since 1970 that a path tells; None where it does not match."""
        found = self._regex.search(path.as_posix())
        return None if found is None else _seconds(found.groupdict())

    def camera(self, path: Path) -> str | None:
        """The camera that a path tells; None where it does not match."""
        found = self._regex.search(path.as_posix())
        return None if found is None else found.groupdict().get("camera")


def recorded_at(path: Path, pattern: PathPattern | None = None) -> Recorded | None:
    """When a recording begins; None where nothing tells.

    Args:
        path: A video file, or a folder of images.
        pattern: What a user said of such paths; it is asked first.
    """
    for by, start_of in _TELLERS:
        start_s = start_of(path, pattern)
        if start_s is not None and DATES_FROM_S <= start_s <= time.time() + _AHEAD_S:
            return Recorded(start_s, by)
    return None


def camera_at(path: Path, pattern: PathPattern | None = None) -> tuple[str, Path]:
    """The camera that made a recording, by its path: a word of the file's name, or the folder it is in.

    Args:
        path: A video file, or a folder of images.
        pattern: What a user said of such paths; it is asked first.

    Returns:
        The camera's name, "" where no name tells; and the folder in which its days lie, which tells it from
        another camera of that name, "." where a user has named it.
    """
    if pattern is not None and (named := pattern.camera(path)) is not None:
        return named, Path()
    folders, dated = _without_days(path.parent)
    stem = path.stem if path.suffix and not path.is_dir() else path.name
    name = "-".join(_words(stem, dated)) or (folders[-1] if len(folders) > 1 else "")
    return name, Path(*folders)


def _without_days(folder: Path) -> tuple[list[str], bool]:
    """The folders of a path that are not named by a date or a time of day; and whether some are."""
    kept, below = list[str](), False
    for name in folder.parts:
        if _YEAR.fullmatch(name) or (_DATE.search(name) and not re.sub(r"[-_. ]", "", _DATE.sub("", name))):
            below = True
        elif not (below and _TWO.fullmatch(name)):
            kept.append(name)
    return kept, below


def _words(stem: str, in_days: bool) -> list[str]:
    """The words of a file's name that are no date, no time of day and no number of a piece.

    Args:
        stem: The name without suffix.
        in_days: Whether a folder above is named by a date: then numbers of two digits are a time of day.
    """
    kept, dated = list[str](), in_days
    for word in re.split(r"[-_. ]+", _DATE.sub("-00000000-", stem)):
        if _DIGITS.fullmatch(word) and (dated or len(word) >= 4):
            dated = True
        elif word and not (dated and word == "at"):
            kept.append(word)
            dated = in_days
    return kept


def start_of_name(path: Path) -> float | None:
    """Seconds since 1970 that a path's own names tell, read as cameras, recorders and phones write them."""
    stem = path.stem
    if (tick := since_1970(stem)) is not None:
        return tick / 1e9
    found = _DATE.search(stem)
    if found is not None and found["H"] is not None:
        return _seconds(found.groupdict())
    if (frigate := _FRIGATE.search(path.as_posix())) is not None:
        return _seconds({**frigate.groupdict(), "z": "Z"})
    day = found
    after = [stem[found.end() :]] if found is not None else [stem]
    folders = list(path.parent.parts)
    while day is None and folders:
        # a date may be spread over three folders
        day = next((whole for n in (1, 2, 3) if (whole := _DATE.fullmatch("-".join(folders[-n:])))), None)
        if day is None:
            after.insert(0, folders.pop())
    return None if day is None else _seconds({**day.groupdict(), **_time_of_day(after)})


def _time_of_day(names: Sequence[str]) -> dict[str, str]:
    """Hour, minute and second that the names of folders below a day and of a file tell, as far as they do."""
    numbers = list[str]()
    for name in names:
        words = [word.rstrip("hms") for word in re.split(r"[-_. :]+", name)]
        words = [word for word in words if word.isdigit()]
        if not words or len(words[0]) not in (2, 4, 6):
            continue
        numbers += [pair for word in words for pair in re.findall("..", word)]
    told = dict(zip("HMS", numbers, strict=False))
    if int(told.get("H", 0)) < 24 and all(int(told.get(unit, 0)) < 60 for unit in "MS"):
        return told
    return {}


def _seconds(said: Mapping[str, str | None]) -> float | None:
    """Seconds since 1970 of what a path says; None where there is no such day."""
    if since := said.get("s"):
        return float(since)
    try:
        year, month, day, hour, minute, second = (int(said.get(unit) or 0) for unit in "YmdHMS")
        moment = datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None
    fraction_s = float(f"0.{said.get('f') or 0}")
    if zone := said.get("z"):
        moment = datetime.fromisoformat(moment.isoformat() + zone.upper())
    return moment.timestamp() + fraction_s


def _of_pattern(path: Path, pattern: PathPattern | None) -> float | None:
    return None if pattern is None else pattern.start_s(path)


def _of_name(path: Path, pattern: PathPattern | None) -> float | None:
    if not path.is_dir():
        return start_of_name(path)
    try:
        names = sorted((entry.name for entry in path.iterdir() if not entry.name.startswith(".")), key=natural_key)
    except OSError:
        return None  # reading it tells why
    first = next((path / name for name in names if Path(name).suffix.casefold() in IMAGE_SUFFIXES), None)
    return None if first is None else start_of_name(first)


def _of_container(path: Path, pattern: PathPattern | None) -> float | None:
    """What the file's own field says."""
    if path.is_dir():
        return None
    try:
        with open_container(path, str(path)) as container:
            fields = dict(container.metadata)
    except (SourceError, OSError, ValueError):
        return None  # reading it tells why
    for name in _FIELDS:
        try:
            return datetime.fromisoformat(fields[name].strip()).timestamp()
        except (KeyError, ValueError, OverflowError):
            continue
    return None


_TELLERS: tuple[tuple[By, Callable[[Path, PathPattern | None], float | None]], ...] = (
    ("pattern", _of_pattern),
    ("name", _of_name),
    ("container", _of_container),
)
