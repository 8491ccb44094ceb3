"""Finds values of another type than their columns take: SQLite itself keeps whatever it is given."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from hippocam.memory.store import sums

# What `typeof` says of the values in a column of each type; columns of reals keep whole numbers as such.
_HELD = {"INTEGER": ("integer",), "REAL": ("real", "integer"), "TEXT": ("text",), "BLOB": ("blob",)}


def mistyped(db: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...]]:
    """Yield the keys of the rows of a table in which a value is not of its column's type.

    Raises:
        sqlite3.DatabaseError: The table cannot be read to its end.
    """
    key = ", ".join(sums.key(db, table))
    yield from db.execute(f"SELECT {key} FROM {table} NOT INDEXED WHERE NOT ({well_typed(db, table)})")


def well_typed(db: sqlite3.Connection, table: str) -> str:
    """A condition that holds for the rows of a table in which every value is of its column's type."""
    columns = db.execute(f"PRAGMA main.table_info({table})").fetchall()
    return " AND ".join(
        f"typeof({name}) IN ({', '.join(repr(held) for held in _held(kind, required=required or bool(place)))})"
        for _, name, kind, required, _, place in columns
        if kind in _HELD
    )


def cast(db: sqlite3.Connection, table: str) -> str:
    """What sets every value of a row to its column's type, as SQLite understands the value."""
    columns = db.execute(f"PRAGMA main.table_info({table})").fetchall()
    return ", ".join(f"{name} = CAST({name} AS {kind})" for _, name, kind, *_ in columns if kind in _HELD)


def _held(kind: str, *, required: int | bool) -> tuple[str, ...]:
    return _HELD[kind] if required else (*_HELD[kind], "null")
