"""A unit of an archive: about an hour of footage that a memory takes whole or not at all.

A recording that breaks off must leave nothing behind. The memory is therefore copied before each unit, and
restored from the copy if the unit was not finished. Pictures are hard links; SQLite copies the database. Changes
that somebody else has made since are never undone: then the memory stays as it is.
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
from hippocam.memory.store.streams import RECORDED
from hippocam.stream.private import make_folder, write_bytes

# Actions in the journal that an archive run never takes.
_OTHERS_DID = ("forgotten", "imported", "taken back")


def save(memory: Path, copy: Path) -> None:
    """Copy a memory that nobody is writing to, whole or not at all.

    Raises:
        MemoryFolderError: Somebody is writing to it, or a disk is full.
    """
    new = copy.with_name(copy.name + ".new")
    delete_copy(new)
    with memory_errors(memory):
        lock = WriterLock(memory / "writer.lock")
        try:
            make_folder(new)
            make_folder(new / "exemplars")
            copy_database(memory / "memory.db", new / "memory.db")
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
    """Restore a memory to its state before a unit; return False if it must stay as it is.

    Args:
        memory: The memory's folder.
        copy: What `save` made.
        recordings: Those of the unit. Only they, and what was given up for them, may have changed.

    Raises:
        MemoryFolderError: Somebody is writing to it, or a disk is full.
    """
    if not (copy / "memory.db").is_file() or not has_memory(memory):
        return False
    with memory_errors(memory):
        lock = WriterLock(memory / "writer.lock")
        try:
            if not _only(recordings, memory / "memory.db", copy / "memory.db"):
                return False
            # Pictures first: one without its row is deleted later, but a row without its picture is given up.
            for picture in (copy / "exemplars").iterdir():
                target = memory / "exemplars" / picture.name
                if not (target.exists() and target.samefile(picture)):
                    new = target.with_suffix(".new")
                    new.unlink(missing_ok=True)
                    _link(picture, new)
                    os.replace(new, target)
            copy_database(copy / "memory.db", memory / "memory.db")
        finally:
            lock.release()
    return True


def _only(recordings: Collection[str], now_path: Path, then_path: Path) -> bool:
    """Whether only these recordings were written since the copy."""
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


# Of the settings, the dates of the recordings are new with them.
_SAME = (
    f"SELECT key, value FROM meta WHERE substr(key, 1, {len(RECORDED)}) != '{RECORDED}' ORDER BY key",
    "SELECT id FROM entry WHERE pinned ORDER BY id",
)


def _rows(database: sqlite3.Connection, sql: str) -> list[tuple[object, ...]]:
    return database.execute(sql).fetchall()


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=10)


def copy_database(source: Path, target: Path) -> None:
    """Copy a database as it is now, with what is still in its log, into one file."""
    if not target.exists():
        write_bytes(target, b"")
    with closing(_connect(source)) as from_, closing(sqlite3.connect(target, isolation_level=None)) as to:
        from_.backup(to)
        to.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _link(picture: Path, new: Path) -> None:
    try:
        os.link(picture, new)
    except OSError:  # a file system without hard links
        shutil.copy2(picture, new)
