"""Finds what is wrong with a memory's folder; nothing is changed."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from hippocam.memory.errors import (
    LockedError,
    NewerFormatError,
    NoMemoryError,
    NoPermissionError,
    NotAMemoryError,
    OlderFormatError,
)
from hippocam.memory.folder import DATABASE, EXEMPLARS, LOCK, folder_bytes, has_memory
from hippocam.memory.forget import pending_in
from hippocam.memory.lock import WriterLock
from hippocam.memory.questions import NAME as QUESTIONS
from hippocam.memory.records import Level, format_id
from hippocam.memory.store import sums
from hippocam.memory.store.meta import MetaTable
from hippocam.memory.store.migrations import READABLE
from hippocam.memory.store.schema import (
    APPLICATION_ID,
    FORMAT,
    SCHEMA_4,
    SCHEMA_5,
    SCHEMA_6,
    SUMMED,
    full_texts,
    schema_of,
    unfinished,
)
from hippocam.memory.verify.problems import GIVEN_UP, Kind, Problem
from hippocam.memory.verify.rebuild import is_ours
from hippocam.memory.verify.types import mistyped
from hippocam.stream.jpeg import decode_jpeg

# Most lines of SQLite's own check.
_LINES = 20
# What older formats whose rows have checksums were made of; None for what the present one is.
_SCHEMAS = {4: SCHEMA_4, 5: SCHEMA_5, 6: SCHEMA_6, 7: None, 8: None}
_REBUILT = "the database is made anew of all rows that can be read"
_COUNTED_ANEW = "what is missing is lost; the rows that are there are counted anew"
_LEFT = {DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", EXEMPLARS, LOCK, QUESTIONS}


def verify(folder: Path) -> list[Problem]:
    """Say what is wrong with a memory: database, rows, vectors, full text, pictures, budget, what is unfinished.

    A writer may work on it meanwhile; then what could be its work of this moment is not looked at: files that
    belong to nothing, and the full text.

    Raises:
        NoMemoryError: There is none in the folder, not even the beginning of one.
        NoPermissionError: It may not be read.
        NotAMemoryError: Another program's file is in its place.
        FormatError: It is of a format that is not read here.
    """
    begun = [path for path in unfinished(folder / DATABASE) if path.exists()]
    if not begun and not has_memory(folder):
        raise NoMemoryError(folder)
    with ExitStack() as held:
        alone = True
        try:
            held.callback(WriterLock(folder / LOCK).release)
        except (LockedError, OSError):  # somebody writes, or nobody may
            alone = False
        if not has_memory(folder):
            return [Problem(kind=Kind.LEFTOVER, what="the making of the memory was cut short", repair="deleted")]
        if not os.access(folder / DATABASE, os.R_OK):
            raise NoPermissionError(folder, f"no permission to read its {DATABASE}; change its owner or mode")
        problems = list(_of(folder, alone=alone))
        damaged = any(problem.kind is Kind.DATABASE for problem in problems)
        if damaged and alone and not is_ours(folder / DATABASE):
            raise NotAMemoryError(folder, f"not a hippocam memory: no row of its {DATABASE} is of one")
        return problems


def _of(folder: Path, *, alone: bool) -> Iterator[Problem]:
    try:
        with _opened(folder / DATABASE) as db:
            yield from _of_database(db, folder)
            yield from _of_rows(db)
            if alone:
                yield from _of_words(folder / DATABASE)
            found = list(_of_pictures(db, folder / EXEMPLARS, alone=alone))
            if found and not alone:  # one may have been given up meanwhile
                db.execute("ROLLBACK")
                again = set(_of_pictures(db, folder / EXEMPLARS, alone=alone))
                found = [problem for problem in found if problem in again]
            yield from found
            yield from _of_folder(db, folder)
    except (sqlite3.DatabaseError, UnicodeError) as error:
        yield Problem(kind=Kind.DATABASE, what=f"cannot be read ({error})", repair=_REBUILT)
    if alone:
        for path in sorted(folder.iterdir()):
            if path.name not in _LEFT:
                known = path in unfinished(folder / DATABASE)
                repair = "deleted" if known else "stays: it is none of ours"
                yield Problem(kind=Kind.LEFTOVER, what=path.name, repair=repair)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    frozen = not os.access(path.parent, os.W_OK)  # a log cannot be opened there
    uri = f"{path.absolute().as_uri()}?{'mode=ro&immutable=1' if frozen else 'mode=rw'}"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10)) as db:
        db.execute("PRAGMA query_only = ON")
        sums.lenient(db).execute("BEGIN")
        yield db


def _of_database(db: sqlite3.Connection, folder: Path) -> Iterator[Problem]:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    known = {FORMAT, *READABLE}
    with_sums = sums.has_sums(db)
    if application == APPLICATION_ID and not with_sums and version not in known and 0 < version < FORMAT:
        raise OlderFormatError(folder, found=version, reads=FORMAT)
    if application == APPLICATION_ID and FORMAT < version < 2 * FORMAT and not with_sums:
        raise NewerFormatError(folder, found=version, reads=FORMAT)
    if application != APPLICATION_ID or version not in ({FORMAT, *_SCHEMAS} if with_sums else known):
        yield Problem(kind=Kind.DATABASE, what="its header is not a memory's", repair=_REBUILT)
    for (line,) in db.execute(f"PRAGMA integrity_check({_LINES})"):
        if line != "ok":
            yield Problem(kind=Kind.DATABASE, what=" ".join(str(line).split()), repair=_REBUILT)
    (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
    if with_sums and _schema(db) != _own_schema(_SCHEMAS.get(version) or schema_of(page_bytes)):
        yield Problem(kind=Kind.DATABASE, what="its tables are not as they were made", repair=_REBUILT)


def _schema(db: sqlite3.Connection) -> list[tuple[object, ...]]:
    return db.execute("SELECT type, name, tbl_name, sql FROM main.sqlite_schema ORDER BY type, name").fetchall()


def _own_schema(schema: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(schema)
        return _schema(db)


def _of_rows(db: sqlite3.Connection) -> Iterator[Problem]:
    """Compare each row's checksum, of which a vector is part, the types of its values, and each table's total."""
    with_sums, totals = sums.has_sums(db), sums.totals(db)
    for table in _tables(db):
        repair = "given up" if table in GIVEN_UP else "stays as it is now"
        changed = set(sums.wrong(db, table)) if with_sums else set()
        for key in sorted(changed, key=str):
            yield Problem(kind=Kind.ROW, what=f"{_named(table, key)} is not as it was written", repair=repair)
        for key in mistyped(db, table):
            if key not in changed:
                what = f"{_named(table, key)} has a value of another type than its column"
                yield Problem(kind=Kind.ROW, what=what, repair=repair)
        if totals is not None:
            wrong = total_fault(table, totals.get(table), sums.counted(db, table), changed=bool(changed))
            if wrong:
                yield Problem(kind=Kind.TOTAL, what=wrong, repair=_COUNTED_ANEW)


def total_fault(table: str, kept: sums.Total | None, found: sums.Total, *, changed: bool) -> str:
    """What is wrong with the total of a table, "" where nothing is.

    Args:
        table: Its name.
        kept: What was written of it; None where that is missing.
        found: What is there.
        changed: Whether rows of it are not as they were written, so that their checksums may not be either.
    """
    if kept == found:
        return ""
    # rows that come or go change both numbers
    if kept is None or (kept.rows != found.rows and kept.checksum == found.checksum and not changed):
        return f"the number of rows that is kept of {table} is damaged"
    if kept.rows > found.rows:
        each = " (each holds many entries)" if table == "entry_block" else ""
        return f"{kept.rows - found.rows} of {kept.rows} rows of {table}{each} are missing"
    if kept.rows < found.rows:
        return f"{found.rows - kept.rows} of {found.rows} rows of {table} are there that no writer added"
    return "" if changed else f"rows of {table} are missing, and as many are there that no writer added"


def _tables(db: sqlite3.Connection) -> list[str]:
    """The tables of ours that a database has; older formats have fewer."""
    there = {name for (name,) in db.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")}
    return [table for table in SUMMED if table in there]


def _named(table: str, key: Sequence[object]) -> str:
    """Name a row by its key."""
    first = key[0]
    named = format_id(first) if table == "entry" and isinstance(first, int) else ", ".join(map(str, key))
    return f"{table} {named}"


def _of_words(path: Path) -> Iterator[Problem]:
    """Compare the full text with the rows that it indexes; for this SQLite needs a connection that may write."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as db:
        for words in full_texts(db):
            try:
                db.execute(f"INSERT INTO {words} ({words}, rank) VALUES ('integrity-check', 1)")
            except sqlite3.DatabaseError as error:
                yield Problem(kind=Kind.WORDS, what=f"{words}: {error}", repair="made anew from the rows")


def _of_pictures(db: sqlite3.Connection, folder: Path, *, alone: bool) -> Iterator[Problem]:
    told = "jpeg_sum" if sums.has_sums(db) else "NULL"
    rows = db.execute(f"SELECT id, jpeg_bytes, {told} FROM entry WHERE level < ?", (Level.VECTORS,)).fetchall()
    for entry_id, jpeg_bytes, jpeg_sum in rows:
        wrong = picture_fault(folder / f"{format_id(entry_id)}.jpg", jpeg_bytes, jpeg_sum) if jpeg_bytes else ""
        if wrong:
            repair = "the entry goes on without it, and keeps its vectors"
            if is_locked(folder / f"{format_id(entry_id)}.jpg"):
                repair = "none: it is kept; let its owner read it (chmod u+r, chown)"
            yield Problem(kind=Kind.PICTURE, what=f"{format_id(entry_id)} {wrong}", repair=repair)
    if alone and folder.is_dir():
        named = {f"{format_id(entry_id)}.jpg" for entry_id, *_ in rows}
        for path in sorted(folder.iterdir()):
            if path.name not in named:
                what = f"{EXEMPLARS}/{path.name}: a picture of no entry"
                yield Problem(kind=Kind.LEFTOVER, what=what, repair="deleted")


def is_locked(path: Path) -> bool:
    """Whether there is a picture that this user may not read: nothing is wrong with it by itself."""
    try:
        path.lstat()
    except PermissionError:
        return True
    except OSError:
        return False
    return not os.access(path, os.R_OK)


def picture_fault(path: Path, jpeg_bytes: int, jpeg_sum: int | None) -> str:
    """What is wrong with a picture, "" where nothing is.

    Args:
        path: Its file.
        jpeg_bytes: The size that its row says.
        jpeg_sum: Its checksum, None where it is not known.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return "has a link or the like in the place of its picture"
        jpeg = path.read_bytes()
    except OSError as error:
        return f"has no picture that can be read ({error.strerror})"
    if len(jpeg) != jpeg_bytes:
        return f"has a picture of {len(jpeg)} bytes, and should have one of {jpeg_bytes}"
    if jpeg_sum is not None and sums.picture_sum(jpeg) != jpeg_sum:
        return "has a picture that is not as it was written"
    return "" if decode_jpeg(jpeg) is not None else "has a picture that cannot be decoded"


def _of_folder(db: sqlite3.Connection, folder: Path) -> Iterator[Problem]:
    meta = MetaTable(db)
    given, taken = meta.budget_bytes(), folder_bytes(folder)
    if taken > given:
        what = f"{taken} bytes are taken, and {given} may be"
        yield Problem(kind=Kind.BUDGET, what=what, repair="what is worth least is given up")
    begun = pending_in(meta)
    if begun is not None:
        yield Problem(kind=Kind.PENDING, what=f"forgetting {begun} was cut short", repair="finished")
