"""A damaged database into a new one of every row that can be read and is as it was written."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from hippocam.memory.store import sums
from hippocam.memory.store.schema import APPLICATION_ID, SCHEMA, SUMMED, empty_database, unfinished
from hippocam.memory.verify.pages import page_bytes_in, whole_rows
from hippocam.memory.verify.problems import GIVEN_UP
from hippocam.stream import private

# Parts of the header that all our databases share: how pages are read, and that they are ours.
_FIXED = (slice(0, 24), slice(44, 48), slice(56, 72))
# Where in the header it says whose a database is; a column that all our formats have, as the schema names it.
_APPLICATION = slice(68, 72)
_COLUMN = b"frames_encoded"


def is_ours(path: Path) -> bool:
    """Whether a damaged database was one of ours: its header or its schema says so, or a row of it is whole.

    Args:
        path: The file. Nobody else in this process may have it open: that would lose its locks.
    """
    content = path.read_bytes()
    if content[_APPLICATION] == APPLICATION_ID.to_bytes(4, "big") or _COLUMN in content:
        return True
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(SCHEMA)
        tables = _tables(db)
    return any(True for _ in whole_rows(content, tables, {}, page_bytes_in(content, tables)))


def mend_header(path: Path) -> None:
    """Overwrite the first bytes of a database with what all of ours begin with; nobody may have it open.

    Raises:
        OSError: It cannot be written.
    """
    own = empty_database(_page_bytes(path))
    with open(path, "r+b") as file:
        header = bytearray(file.read(100))
        for part in _FIXED:
            header[part] = own[part]
        file.seek(0)
        file.write(header)
        file.flush()
        os.fsync(file.fileno())


def rebuild(path: Path) -> dict[str, int]:
    """Make a database anew and replace the old one with it.

    Args:
        path: The file. Nobody else may have it open.

    Returns:
        How many rows each table has lost, as far as the old one still tells; those that lost none are left out.

    Raises:
        sqlite3.DatabaseError: Nothing of it can be read, or the disk is full; it stays as it is.
        OSError: The disk is full.
    """
    new, *logs = unfinished(path)
    for leftover in (new, *logs):
        leftover.unlink(missing_ok=True)
    page_bytes = _page_bytes(path)
    private.write_bytes(new, empty_database(page_bytes))
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        sums.lenient(old)
        with suppress(sqlite3.DatabaseError, UnicodeError):  # its message may hold any bytes
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        with closing(sqlite3.connect(new, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = DELETE")  # one file, whole when it is closed
            sums.keep(db)
            db.execute("BEGIN")
            _copy_whole(path, db, _roots(old), page_bytes)
            for table in SUMMED:
                _copy(old, db, table)
            db.execute("COMMIT")
            lost = _lost(_totals(old), sums.totals(db) or {})
            db.execute("PRAGMA journal_mode = WAL").fetchall()
    for end in ("-wal", "-shm"):  # the log of the old one is of no use to the new one
        path.with_name(path.name + end).unlink(missing_ok=True)
    os.replace(new, path)
    private.sync_folder(path.parent)
    return lost


def _roots(db: sqlite3.Connection) -> dict[str, int]:
    """The page with which each table begins, where that can be read."""
    with suppress(sqlite3.DatabaseError, UnicodeError):
        return dict(db.execute("SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'"))
    return {}


def _totals(db: sqlite3.Connection) -> dict[str, sums.Total]:
    """What is kept of how many rows each table has, where that can be read."""
    with suppress(sqlite3.DatabaseError, UnicodeError):
        return sums.totals(db) or {}
    return {}


def _lost(old: Mapping[str, sums.Total], new: Mapping[str, sums.Total]) -> dict[str, int]:
    lost = {table: old[table].rows - had.rows for table, had in new.items() if table in old}
    return {table: rows for table, rows in lost.items() if rows > 0}


def _copy_whole(path: Path, new: sqlite3.Connection, roots: Mapping[str, int], page_bytes: int) -> None:
    """Copy all rows that are as they were written, whatever leads to them."""
    tables = _tables(new)
    found = whole_rows(path.read_bytes(), tables, roots, page_bytes)
    for table, values in found:
        _insert(new, table, list(tables[table]), values)


def _page_bytes(path: Path) -> int:
    """Bytes of the pages of a database that may be damaged."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(SCHEMA)
        return page_bytes_in(path.read_bytes(), _tables(db))


def _tables(db: sqlite3.Connection) -> dict[str, dict[str, str]]:
    """The columns of each table that has checksums, with their types."""
    tables = dict[str, dict[str, str]]()
    for table in SUMMED:
        types = {name: kind for _, name, kind, *_ in db.execute(f"PRAGMA table_info({table})")}
        tables[table] = {name: types[name] for name in sums.stored(db, table)}
    return tables


def _insert(db: sqlite3.Connection, table: str, names: Sequence[str], values: Sequence[object]) -> None:
    """Insert a row, unless it is there; its checksum is made anew."""
    marks = ", ".join("?" * len(names))
    with suppress(sqlite3.IntegrityError, UnicodeError):  # a value is not what its column takes
        db.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({marks})", values)


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> None:
    """Copy the rows of a table that are not there yet; damaged ones only where they are not given up."""
    there = set(_columns(old, table))
    names = [name for name in sums.columns(new, table) if name in there]
    with_sum = "sum" in there and set(names) == set(sums.columns(new, table))
    for total, *values in _readable(old, table, names, with_sum=with_sum):
        if table in GIVEN_UP and with_sum and total != sums.row_sum(*values):
            continue
        _insert(new, table, names, values)


def _readable(
    db: sqlite3.Connection, table: str, names: list[str], *, with_sum: bool
) -> Iterator[tuple[object, ...]]:
    """The rows of a table from its first one on, and from its last one back, up to where it is damaged."""
    key = ", ".join(sums.key(db, table)) if names else ""
    listed = ", ".join(("sum" if with_sum else "NULL", *names))
    for order in ("", " DESC"):
        try:
            by = ", ".join(f"{name}{order}" for name in key.split(", "))
            yield from db.execute(f"SELECT {listed} FROM {table} NOT INDEXED ORDER BY {by}")
        except (sqlite3.DatabaseError, UnicodeError):
            continue
        return


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    with suppress(sqlite3.DatabaseError, UnicodeError):
        return [row[1] for row in db.execute(f"PRAGMA main.table_info({table})")]
    return []
