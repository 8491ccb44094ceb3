"""A unit of an archive: about an hour of footage that a memory takes whole, or not at all.

A memory learns while it is written, and what it learned is on its disk only now and then; a run that is killed in
between could not go on exactly. So the memory is copied aside before a unit, and put back as it was when the unit
was not finished. Pictures are hard links, the database is copied by SQLite. Somebody else's changes since are
never undone: then the memory goes on from where it is.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from hippocam.memory.errors import memory_errors
from hippocam.memory.folder import has_memory
from hippocam.memory.lock import WriterLock

# What only others do to a memory, as its journal calls it.
_OTHERS_DID = ("forgotten", "imported", "taken back")


def save(memory: Path, copy: Path) -> None:
    """Copy a memory that nobody writes, whole or not at all.

    Raises:
        MemoryFolderError: Somebody writes it, or a disk is full.
    """
    new = copy.with_name(copy.name + ".new")
    delete_copy(new)
    with memory_errors(memory):
        lock = WriterLock(memory / "writer.lock")
        try:
            (new / "exemplars").mkdir(parents=True)
            _copy_database(memory / "memory.db", new / "memory.db")
            for picture in (memory / "exemplars").iterdir():
                _link(picture, new / "exemplars" / picture.name)
        finally:
            lock.release()
        delete_copy(copy)
        os.replace(new, copy)


def delete_copy(copy: Path) -> None:
    """Delete a copy."""
    shutil.rmtree(copy, ignore_errors=True)


def put_back(memory: Path, copy: Path, recordings: Collection[str]) -> bool:
    """Make a memory what it was before a unit; False where it must stay as it is.

    Args:
        memory: The memory's folder.
        copy: What `save` made.
        recordings: Of the unit; only they, and what had to go for them, may have changed.

    Raises:
        MemoryFolderError: Somebody writes it, or a disk is full.
    """
    if not (copy / "memory.db").is_file() or not has_memory(memory):
        return False
    with memory_errors(memory):
        lock = WriterLock(memory / "writer.lock")
        try:
            if not _only(recordings, memory / "memory.db", copy / "memory.db"):
                return False
            # pictures first: a row without its picture would be given up, a picture without its row is deleted
            for picture in (copy / "exemplars").iterdir():
                target = memory / "exemplars" / picture.name
                if not (target.exists() and target.samefile(picture)):
                    new = target.with_suffix(".new")
                    new.unlink(missing_ok=True)
                    _link(picture, new)
                    os.replace(new, target)
            _copy_database(copy / "memory.db", memory / "memory.db")
        finally:
            lock.release()
    return True


def _only(recordings: Collection[str], now_path: Path, then_path: Path) -> bool:
    """Whether nothing but these recordings was written in between."""
    with closing(_connect(now_path)) as now, closing(_connect(then_path)) as then:
        if any(_rows(now, sql) != _rows(then, sql) for sql in _SAME):
            return False
        (newest,) = then.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()
        marks = ", ".join("?" * len(_OTHERS_DID))
        others = now.execute(
            f"SELECT 1 FROM journal WHERE id > ? AND action IN ({marks})", (newest, *_OTHERS_DID)
        ).fetchone()
        if others is not None:
            return False
        streams = "SELECT id, recording, last_seq, complete FROM stream"
        before = set(_rows(then, streams))
        return all(row in before or row[1] in recordings for row in _rows(now, streams))


_SAME = ("SELECT key, value FROM meta ORDER BY key", "SELECT id FROM entry WHERE pinned ORDER BY id")


def _rows(database: sqlite3.Connection, sql: str) -> list[tuple[object, ...]]:
    return database.execute(sql).fetchall()


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=10)


def _copy_database(source: Path, target: Path) -> None:
    with closing(_connect(source)) as from_, closing(sqlite3.connect(target, isolation_level=None)) as to:
        from_.backup(to)
        to.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _link(picture: Path, new: Path) -> None:
    try:
        os.link(picture, new)
    except OSError:  # a file system without hard links
        shutil.copy2(picture, new)
