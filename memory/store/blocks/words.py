"""The words of entries as full text in main memory, made when somebody looks for words.

The full text on disk has the words of entries in rows; for those in blocks it would take more than they do. With a
small budget there is none on disk at all (schema.py). This one is brought up to date with the blocks that changed
since the last look, and there with the rows, too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

TABLES = """
CREATE VIRTUAL TABLE temp.words_unpacked USING fts5 (labels, text, tokenize = 'porter');
CREATE TEMP TABLE words_of (id INTEGER PRIMARY KEY, block INTEGER NOT NULL);
CREATE INDEX temp.words_of_block ON words_of (block);
CREATE TEMP TABLE words_block (id INTEGER PRIMARY KEY, version INTEGER NOT NULL);
"""
_WORDED = "(labels != '' OR text != '')"
# What stands for a block where an entry is in a row.
_ROW = 0
_MATCHING = "SELECT rowid FROM temp.words_unpacked WHERE words_unpacked MATCH :match"
_MATCHING_ON_DISK = "SELECT rowid FROM main.words WHERE words MATCH :match UNION ALL "

Change = Callable[..., None]


def matching(*, on_disk: bool) -> str:
    """The statement that finds entries by their words, those in rows by the full text on disk where that is."""
    return (_MATCHING_ON_DISK if on_disk else "") + _MATCHING


def follow(db: sqlite3.Connection, temporarily: Change, *, rows_too: bool) -> None:
    """Bring the full text up to date with the blocks that are unpacked.

    Args:
        db: The connection that holds them.
        temporarily: Runs a statement that changes a table in main memory, with values or many of them.
        rows_too: Whether also with the entries in rows.
    """
    gone, new = list[tuple[int]](), list[tuple[int]]()
    if rows_too:
        gone = db.execute(
            f"SELECT id FROM temp.words_of WHERE block = {_ROW} AND id NOT IN (SELECT id FROM main.entry)"
        ).fetchall()
        _forget(temporarily, gone)
    changed = db.execute(
        "SELECT id FROM temp.unpacked_block AS held "
        "WHERE version IS NOT (SELECT version FROM temp.words_block WHERE id = held.id) "
        "UNION SELECT id FROM temp.words_block WHERE id NOT IN (SELECT id FROM temp.unpacked_block)"
    ).fetchall()
    if changed:
        _follow_blocks(temporarily, changed)
    if rows_too:
        held = f"SELECT id FROM temp.words_of WHERE block = {_ROW}"
        new = db.execute(f"SELECT id FROM main.entry WHERE {_WORDED} AND id NOT IN ({held})").fetchall()
        if new:
            _add(temporarily, "main.entry", f"id = ? AND {_WORDED}", new, block=str(_ROW))
    if gone or changed or new:
        temporarily("SAVEPOINT followed")  # where FTS5 writes what it holds back: at the end of a transaction
        temporarily("RELEASE followed")  # a connection that only reads could not


def _follow_blocks(temporarily: Change, changed: list[tuple[int]]) -> None:
    in_blocks = "IN (SELECT id FROM temp.words_of WHERE block = ?)"
    temporarily(f"DELETE FROM temp.words_unpacked WHERE rowid {in_blocks}", many=changed)
    temporarily("DELETE FROM temp.words_of WHERE block = ?", many=changed)
    temporarily("DELETE FROM temp.words_block WHERE id = ?", many=changed)
    _add(temporarily, "temp.unpacked", f"block = ? AND {_WORDED}", changed, block="block")
    temporarily(
        "INSERT INTO temp.words_block SELECT id, version FROM temp.unpacked_block WHERE id = ?", many=changed
    )


def _add(temporarily: Change, table: str, where: str, values: list[tuple[int]], *, block: str) -> None:
    for into, columns in (
        ("words_unpacked (rowid, labels, text)", "id, labels, text"),
        ("words_of", f"id, {block}"),
    ):
        temporarily(f"INSERT INTO temp.{into} SELECT {columns} FROM {table} WHERE {where}", many=values)


def _forget(temporarily: Change, entry_ids: list[tuple[int]]) -> None:
    if entry_ids:
        temporarily("DELETE FROM temp.words_unpacked WHERE rowid = ?", many=entry_ids)
        temporarily("DELETE FROM temp.words_of WHERE id = ?", many=entry_ids)
