"""Another program's SQLite database, read without writing a byte beside it."""

from __future__ import annotations

import functools
import json
import math
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hippocam.stream.errors import SourceError
from hippocam.stream.timecode import LATEST_DATE_S

_HEAD = b"SQLite format 3\0"


def is_database(path: Path) -> bool:
    """Whether a file is an SQLite database, by its first bytes."""
    try:
        with path.open("rb") as file:
            return file.read(len(_HEAD)) == _HEAD
    except OSError:
        return False


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database for reading, as it is now.

    SQLite would write beside a database that has a log (and its program may be at work), so one with a log is
    copied first, with its log.

    Raises:
        SourceError: It cannot be read.
    """
    log = path.with_name(path.name + "-wal")
    try:
        if not (log.is_file() and log.stat().st_size):
            with closing(_connected(path, "immutable=1")) as connection:
                yield connection
            return
        with tempfile.TemporaryDirectory(prefix="hippocam-import-") as folder:
            copy = Path(folder) / "copy.db"
            shutil.copyfile(path, copy)
            shutil.copyfile(log, copy.with_name("copy.db-wal"))
            with closing(_connected(copy, "mode=rw")) as connection:
                yield connection
    except (sqlite3.Error, UnicodeError) as error:  # SQLite's own message may hold any bytes
        raise SourceError(
            str(path), f"the database cannot be read ({error}); copy it while nobody writes"
        ) from error
    except OSError as error:
        raise SourceError(str(path), f"cannot be read ({error.strerror})") from error


def _connected(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.row_factory = sqlite3.Row
    connection.text_factory = functools.partial(str, encoding="utf-8", errors="replace")
    return connection


def columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """Names of a table's columns; none where there is no such table."""
    return frozenset(row["name"] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,)))


def since_1970(value: object) -> float | None:
    """Seconds since 1970 of a time as programs write it: a number, or a date with a zone or in UTC.

    None where it is neither, or beyond all calendars.
    """
    time_s = number(value)
    if time_s is None and isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.replace(" UTC", "+00:00"))
        except ValueError:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return time_s


def number(value: object) -> float | None:
    """A number, also one that stands as text, of which times are made; None where it is none, or too large."""
    try:
        found = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return found if abs(found) <= LATEST_DATE_S else None


def parsed(value: object) -> object:
    """A column that holds JSON as text; None where it does not."""
    try:
        return json.loads(value) if isinstance(value, str | bytes) else None
    except (ValueError, RecursionError):
        return None
