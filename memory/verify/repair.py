"""Repairs what is wrong with a memory as far as possible: nothing is made up, what is damaged is given up."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from hippocam.memory.folder import DATABASE, EXEMPLARS, LOCK, has_memory
from hippocam.memory.lock import WriterLock
from hippocam.memory.records import Level
from hippocam.memory.store import sums
from hippocam.memory.store.database import Store
from hippocam.memory.store.exemplars import Exemplars
from hippocam.memory.store.migrations import migrate
from hippocam.memory.store.schema import SUMMED, full_texts, unfinished
from hippocam.memory.verify.checks import is_locked, picture_fault, verify
from hippocam.memory.verify.problems import GIVEN_UP, Kind, Problem
from hippocam.memory.verify.rebuild import mend_header, rebuild
from hippocam.memory.verify.types import cast, mistyped


def repair(folder: Path) -> list[Problem]:
    """Repair what is wrong with a memory; an exceeded budget and pending work are left to the next writer.

    Returns:
        What was wrong, see `verify`; and where the database was made anew, how many rows of each table it lost.

    Raises:
        MemoryFolderError: There is no memory, or another program's file in its place, it is of a format that is
            not read here, or somebody writes to it.
        sqlite3.DatabaseError: Nothing can be saved.
    """
    problems = verify(folder)
    lock = WriterLock(folder / LOCK)
    try:
        kinds = {problem.kind for problem in problems}
        for leftover in unfinished(folder / DATABASE):
            leftover.unlink(missing_ok=True)
        if not has_memory(folder):
            return problems
        if Kind.DATABASE in kinds:
            if not _opens(folder / DATABASE):
                mend_header(folder / DATABASE)
            lost = rebuild(folder / DATABASE)
            problems += [_lost_rows(table, rows) for table, rows in lost.items()]
        elif problems:
            migrate(folder / DATABASE)
        if problems:
            _mend(folder)
    finally:
        lock.release()
    return problems


def _opens(path: Path) -> bool:
    """Whether a database opens as one of ours."""
    with suppress(sqlite3.DatabaseError, UnicodeError):
        with closing(sqlite3.connect(path)) as db:
            db.execute("SELECT count(*) FROM entry").fetchone()
        return True
    return False


def _lost_rows(table: str, rows: int) -> Problem:
    return Problem(kind=Kind.TOTAL, what=f"{rows} rows of {table} cannot be read", repair="they are lost")


def _mend_types(db: sqlite3.Connection, table: str, where: str, key: Sequence[object]) -> None:
    """Give up a row with a value of another type; where rows are not given up, set its values to their types."""
    if table not in GIVEN_UP:
        with suppress(sqlite3.OperationalError):  # what no type fits is a row of another table
            db.execute(f"UPDATE {table} SET {cast(db, table)} WHERE {where}", key)
            return
    db.execute(f"DELETE FROM {table} WHERE {where}", key)


def _mend(folder: Path) -> None:
    """Give up damaged rows, make the full text anew, and bring entries and pictures into line."""
    store, exemplars = Store(folder / DATABASE, writable=True), Exemplars(folder / EXEMPLARS)
    db = sums.lenient(store.connection)
    try:
        with store.transaction():
            for words in full_texts(db):  # first: a row whose words it has otherwise cannot be deleted
                db.execute(f"INSERT INTO {words} ({words}) VALUES ('rebuild')")
            for table in SUMMED:
                where = sums.where_key(db, table)
                for key in list(sums.wrong(db, table)):
                    if table in GIVEN_UP:
                        db.execute(f"DELETE FROM {table} WHERE {where}", key)
                    else:
                        names = ", ".join(sums.columns(db, table))
                        db.execute(f"UPDATE {table} SET sum = row_sum({names}) WHERE {where}", key)
                for key in list(mistyped(db, table)):
                    _mend_types(db, table, where, key)
            store.summaries.mend_parents()
            without = [
                (entry_id, max(level, Level.VECTORS))
                for entry_id, level, jpeg_bytes, jpeg_sum in db.execute(
                    "SELECT id, level, jpeg_bytes, jpeg_sum FROM entry WHERE jpeg_bytes > 0"
                ).fetchall()
                if picture_fault(exemplars.path(entry_id), jpeg_bytes, jpeg_sum)
                and not is_locked(exemplars.path(entry_id))
            ]
            for entry_id, level in without:
                store.entries.demote([entry_id], level)
            sums.fill_totals(db)
        for entry_id, _ in without:
            exemplars.delete(entry_id)
        if exemplars.folder.is_dir():
            exemplars.keep_only(store.entries.picture_bytes())
        store.fold_log()
    finally:
        store.close()
