"""A checksum of every row, and a total of every table: one shows a flipped bit, the other a row that is missing.

The writer's connection keeps both as rows change, in the same transaction, and whoever verifies compares them.
Only triggers of that connection do it, so no statement that changes a row has to think of it. Other programs can
change the database too; checksums and totals then show it.

A total is how many rows a table has, and the sum of their checksums. It does not depend on their order, so keeping
it costs the row that changes and no other.
"""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hippocam.memory.store.schema import SUMMED

# The greatest checksum of a row.
_MOST = 0xFFFF_FFFF


class Total(NamedTuple):
    """What a table has: how many rows, and the sum of their checksums."""

    rows: int
    checksum: int


def row_sum(*values: object) -> int:
    """CRC-32 of the values of a row. Whole numbers count alike in either type, as SQLite keeps them."""
    told = list[bytes]()
    for value in values:
        kind = type(value)  # as SQLite has them; this runs for each row that is written
        if kind is int or kind is float:
            whole = int(value)  # type: ignore[call-overload]
            told.append(b"i%d" % whole if value == whole else b"f" + struct.pack("<d", value))
        elif value is None:
            told.append(b"n")
        elif kind is str:
            text = value.encode("utf-8", "surrogatepass")  # type: ignore[attr-defined]
            told += (b"s%d:" % len(text), text)
        else:
            raw = bytes(value)  # type: ignore[call-overload]
            told += (b"b%d:" % len(raw), raw)
    return zlib.crc32(b"".join(told))


def picture_sum(jpeg: bytes) -> int | None:
    """CRC-32 of a picture; None where there is none."""
    return zlib.crc32(jpeg) if jpeg else None


def keep(db: sqlite3.Connection) -> None:
    """Keep the checksums and totals of rows that this connection inserts, updates and deletes from now on."""
    _define(db)
    db.execute("PRAGMA recursive_triggers = ON")  # or a row that is replaced would go without a trigger
    for table in SUMMED:
        names = columns(db, table)
        where = " AND ".join(f"{name} IS new.{name}" for name in key(db, table))
        summed = f"UPDATE {table} SET sum = row_sum({', '.join(f'new.{name}' for name in names)}) WHERE {where};"
        new, old = f"(SELECT sum FROM {table} WHERE {where})", "coalesce(old.sum, 0)"
        for when, first, rows, checksum in (
            ("INSERT", summed, "rows + 1", f"checksum + {new}"),
            (f"UPDATE OF {', '.join(names)}", summed, "rows", f"checksum + {new} - {old}"),
            ("DELETE", "", "rows - 1", f"checksum - {old}"),
        ):
            db.execute(
                f"CREATE TEMP TRIGGER sum_{table}_{when[:6].lower()} AFTER {when} ON main.{table} BEGIN {first} "
                f"UPDATE row_total SET rows = {rows}, checksum = {checksum} WHERE name = '{table}'; END"
            )


def lenient(db: sqlite3.Connection) -> sqlite3.Connection:
    """Let a connection read text that is damaged as text, so that its checksum can be compared."""
    db.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    return db


def fill(db: sqlite3.Connection) -> None:
    """Give every row its checksum; inside a transaction."""
    _define(db)
    for table in SUMMED:
        db.execute(f"UPDATE {table} SET sum = row_sum({', '.join(columns(db, table))})")


def fill_totals(db: sqlite3.Connection) -> None:
    """Give every table the total of what it holds now; inside a transaction."""
    db.executemany(
        "INSERT OR REPLACE INTO row_total (name, rows, checksum) VALUES (?, ?, ?)",
        [(table, *counted(db, table)) for table in SUMMED],
    )


def counted(db: sqlite3.Connection, table: str) -> Total:
    """The total of what a table holds.

    Raises:
        sqlite3.DatabaseError: The table cannot be read to its end.
    """
    told = f"SELECT count(*), coalesce(sum(sum & {_MOST}), 0) FROM {table} NOT INDEXED"
    return Total(*db.execute(told).fetchone())


def totals(db: sqlite3.Connection) -> dict[str, Total] | None:
    """The totals that were kept, by table, without damaged ones; None before format 7, which has none.

    Raises:
        sqlite3.DatabaseError: They cannot be read.
    """
    if not db.execute("SELECT 1 FROM main.sqlite_schema WHERE name = 'row_total'").fetchone():
        return None
    whole = "SELECT name, rows, checksum FROM row_total WHERE typeof(rows) || typeof(checksum) = 'integerinteger'"
    return {name: Total(rows, checksum) for name, rows, checksum in db.execute(whole)}


def right(db: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    """Keys of the rows of a table that are as they were written."""
    bad = set(wrong(db, table))
    rows = db.execute(f"SELECT {', '.join(key(db, table))} FROM {table}").fetchall()
    return [row for row in rows if row not in bad]


def fill_again(db: sqlite3.Connection, table: str, keys: Iterable[tuple[object, ...]]) -> None:
    """Give some rows of a table the checksums of what they are now; inside a transaction."""
    _define(db)
    told = ", ".join(columns(db, table))
    db.executemany(f"UPDATE {table} SET sum = row_sum({told}) WHERE {where_key(db, table)}", keys)


def wrong(db: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...]]:
    """Keys of the rows of a table that are not as they were written.

    Raises:
        sqlite3.DatabaseError: The table cannot be read to its end.
    """
    of_key, names = key(db, table), columns(db, table)
    for row in db.execute(f"SELECT {', '.join(of_key)}, sum, {', '.join(names)} FROM {table} NOT INDEXED"):
        if row_sum(*row[len(of_key) + 1 :]) != row[len(of_key)]:
            yield row[: len(of_key)]


def columns(db: sqlite3.Connection, table: str) -> list[str]:
    """Names of the columns of a table that its checksum covers."""
    return [name for name in stored(db, table) if name != "sum"]


def stored(db: sqlite3.Connection, table: str) -> list[str]:
    """Names of all columns of a table, as they are stored."""
    return [name for _, name, *_ in db.execute(f"PRAGMA main.table_info({table})")]


def where_key(db: sqlite3.Connection, table: str) -> str:
    """A condition that holds for the row of a key, with a parameter for each of its values."""
    return " AND ".join(f"{name} IS ?" for name in key(db, table))


def has_sums(db: sqlite3.Connection) -> bool:
    """Whether the rows of a database have checksums, which they have from format 4 on."""
    return any(name == "sum" for _, name, *_ in db.execute("PRAGMA main.table_info(entry)"))


def key(db: sqlite3.Connection, table: str) -> list[str]:
    """Names of the columns of a table's primary key."""
    rows = db.execute(f"PRAGMA main.table_info({table})").fetchall()
    return [name for _, name, *_, place in sorted(rows, key=lambda row: row[-1]) if place]


def _define(db: sqlite3.Connection) -> None:
    db.create_function("row_sum", -1, row_sum, deterministic=True)
