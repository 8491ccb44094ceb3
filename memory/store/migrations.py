"""An older memory's database into one of the present format: all of it or none, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from hippocam.memory.bank.packing import repacked
from hippocam.memory.codec import pack
from hippocam.memory.errors import DamagedError, NewerFormatError, NoMemoryError, NotAMemoryError, memory_errors
from hippocam.memory.lock import WriterLock
from hippocam.memory.store import sums
from hippocam.memory.store.schema import (
    ADDED_3,
    ADDED_4,
    ADDED_5,
    ADDED_6,
    ADDED_7,
    APPLICATION_ID,
    COVERAGE_OF_OLDER,
    FORMAT,
    SCHEMA,
    WIDENED,
)
from hippocam.stream.private import FILE_MODE, FOLDER_MODE

# Formats that can be brought to the present one.
OLDER = frozenset({1, 2, 3, 4, 5, 6, 7, 8})
# Those of them that can be read as they are.
READABLE = frozenset({3, 4, 5, 6, 7, 8})

# Moves format 1 out of the new tables' way. What `words` holds follows from the entries: triggers refill it.
_MAKE_WAY = """
DROP TRIGGER entry_words;
DROP TRIGGER entry_unwords;
DROP TABLE words;
DROP INDEX entry_time;
ALTER TABLE meta RENAME TO meta_1;
ALTER TABLE stream RENAME TO stream_1;
ALTER TABLE entry RENAME TO entry_1;
"""
_PLAIN = (
    "id, stream, first_seq, t0_s, t1_s, known_s, frame_s, surprise, utility, labels, text, frames, repeats, "
    "jpeg_bytes, state, action, pose"
)
_STREAM = (
    "id, recording, source, fingerprint, fps, end_s, last_seq, complete, frames_seen, frames_encoded, events, "
    "evicted, newest"
)
_TIDY = """
INSERT INTO meta (key, value) SELECT key, value FROM meta_1;
DROP TABLE meta_1;
DROP TABLE stream_1;
DROP TABLE entry_1;
"""


def format_of(path: Path) -> int:
    """The format of a memory's database; 0 where the file is none of ours.

    Raises:
        sqlite3.Error: It cannot be read, or is no database.
    """
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
    try:
        return _format(db)
    finally:
        db.close()


def upgrade(folder: Path) -> int:
    """Bring the memory of a folder to the present format, unless it is there already.

    Returns:
        The format that it had.

    Raises:
        MemoryFolderError: There is no memory, it is of a newer format or damaged, or somebody writes to it.
        DiskError: The disk is full; the memory is as it was.
    """
    database = folder / "memory.db"
    with memory_errors(folder):
        if not (database.is_file() and database.stat().st_size):
            raise NoMemoryError(folder)
        found = format_of(database)
        if found == FORMAT:
            return found
        lock = WriterLock(folder / "writer.lock")
        try:
            migrate(database)
        finally:
            lock.release()
    return found


def migrate(path: Path) -> None:
    """Bring a database of an older format to the present one; one of the present format stays as it is.

    Formats 7 and 8 have the same tables, and stay as they are but for the number: blocks of their banks are packed
    anew as they change. Formats 2 to 6 get the tables and columns
    that they lack, empty, and keep all others as they are, but for the bank's blocks, which are packed anew. Rows
    and pictures that had no checksum, and tables that had no total, get those of what they are now; a row of
    format 4 that was damaged stays known as that. Folder and files become their owner's alone.

    From format 1, streams with their progress, entries and settings are kept; vectors become scaled int8
    (memory/codec.py), and an entry's times its first span. The working memory's state of streams that were not
    watched to their end is not kept: its layout has changed. They can be gone on with, from the last event that
    was kept, with a new background.

    Rows are copied one at a time, so the memory that it takes is bounded. Until the transaction ends, the log
    beside the file holds the new database beside the old one: the disk must have room for that beyond the budget.
    Afterwards both are folded together and free pages given back; if the new tables are larger than the old ones,
    the next writer that opens the memory makes room within its budget. A kill at any time leaves the old database
    or the new one, whole.

    Args:
        path: The database file. Nobody else may write to it meanwhile (memory/lock.py).

    Raises:
        MemoryFolderError: It is none of ours, of another format, or a row of it is damaged.
        sqlite3.Error: The disk is full, or the file damaged; it is as it was.
    """
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=10)
    try:
        db.execute("PRAGMA secure_delete = ON")
        db.execute("BEGIN IMMEDIATE")
        found = _format(db)
        if found == FORMAT:
            return
        if found not in OLDER:
            if found:
                raise NewerFormatError(path.parent, found=found, reads=FORMAT)
            raise NotAMemoryError(path.parent, "not a hippocam memory")
        if found < 7:
            _to_7(db, path, found)
        db.execute(f"PRAGMA user_version = {FORMAT}")
        db.execute("COMMIT")
        db.executescript("PRAGMA incremental_vacuum")  # `execute` would take one step of it: one page
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        _make_private(path.parent)
    finally:
        db.close()  # rolls back what was not committed


def _to_7(db: sqlite3.Connection, path: Path, found: int) -> None:
    """Add what a format before 7 lacks."""
    if found == 6:
        _add(db, ADDED_7)
    elif found == 5:
        _add(db, ADDED_6 + ADDED_7)
    elif found == 4:
        _from_4(db)
    else:
        if found == 1:
            _from_1(db, path)
        else:
            _add(db, (ADDED_3 if found == 2 else "") + ADDED_4 + ADDED_5 + ADDED_6 + ADDED_7)
        _add_picture_sums(db, path.parent / "exemplars")
        sums.fill(db)
    if found < 6:
        _add_coverage(db)
    _repack_bank(db)
    sums.fill_totals(db)


def _make_private(folder: Path) -> None:
    """Give what an older hippocam made readable for all to its owner alone, where it is ours."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            with suppress(OSError):
                path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)


def _from_1(db: sqlite3.Connection, path: Path) -> None:
    """Every row of format 1 into the present tables."""
    _add(db, _MAKE_WAY + SCHEMA)
    db.execute(f"INSERT INTO stream ({_STREAM}) SELECT {_STREAM} FROM stream_1")
    db.executemany(
        f"INSERT INTO entry ({_PLAIN}, last_s, key, scene) VALUES ({', '.join('?' * 20)})", _entries(db, path)
    )
    _add(db, _TIDY)


def _from_4(db: sqlite3.Connection) -> None:
    """Add what format 4 lacks; the checksums of rows that get columns are made anew where they were right."""
    right = {table: sums.right(db, table) for table in WIDENED}
    _add(db, ADDED_5 + ADDED_6 + ADDED_7)
    for table, keys in right.items():
        sums.fill_again(db, table, keys)


def _add(db: sqlite3.Connection, script: str) -> None:
    for statement in _statements(script):
        db.execute(statement)


def _add_coverage(db: sqlite3.Connection) -> None:
    """Note when each stream was looked at, as far as an older memory tells."""
    db.execute(
        "INSERT INTO coverage (stream, t0_s, t1_s, looked_s, looks, looked_by) "
        f"SELECT stream, t0_s, t1_s, looked_s, looks, looked_by FROM ({COVERAGE_OF_OLDER})"
    )
    sums.fill_again(db, "coverage", db.execute("SELECT stream, t0_s FROM coverage").fetchall())


def _repack_bank(db: sqlite3.Connection) -> None:
    """Lay the blocks of a bank out anew; a damaged one is left out with all, and the bank is measured anew."""
    blocks = repacked(dict(db.execute("SELECT block, columns FROM bank")))
    db.execute("DELETE FROM bank")
    db.executemany("INSERT INTO bank (block, columns) VALUES (?, ?)", blocks.items())
    sums.fill_again(db, "bank", [(block,) for block in blocks])


def _add_picture_sums(db: sqlite3.Connection, pictures: Path) -> None:
    """Take the pictures as they are now for what they should be."""
    for (entry_id,) in db.execute("SELECT id FROM entry WHERE jpeg_bytes > 0").fetchall():
        with suppress(OSError):  # one that is missing, or cannot be read
            jpeg = (pictures / f"{entry_id:016x}.jpg").read_bytes()
            db.execute("UPDATE entry SET jpeg_sum = ? WHERE id = ?", (sums.picture_sum(jpeg), entry_id))


def _format(db: sqlite3.Connection) -> int:
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version) if application == APPLICATION_ID else 0


def _entries(db: sqlite3.Connection, path: Path) -> Iterator[tuple[object, ...]]:
    """The rows of the old table as the new one has them."""
    for *plain, t1_s, key, scene in db.execute(f"SELECT {_PLAIN}, t1_s, key, scene FROM entry_1 ORDER BY id"):
        try:
            yield (*plain, t1_s, _packed(key), _packed(scene))
        except (TypeError, ValueError) as error:
            raise DamagedError(path.parent, f"entry {plain[0]:016x} is damaged ({error})") from error


def _packed(half: bytes) -> bytes:
    """A vector of format 1 (little-endian float16 [D]) as the codec writes it."""
    return pack(np.frombuffer(half, "<f2").astype(np.float32))


def _statements(script: str) -> Iterator[str]:
    """The statements of a script: `executescript` would commit before it begins."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
