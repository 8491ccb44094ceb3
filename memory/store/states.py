"""Tables of states that only their owner can read: what was learned, and what follows the things of a stream."""

from __future__ import annotations

import sqlite3


class StateTable:
    """Keeps bytes by name; made by `Store`, in whose transactions it works.

    Args:
        db: The store's connection.
        table: Its name.
        key: The column of the names.
        value: The column of the bytes.
    """

    def __init__(self, db: sqlite3.Connection, table: str, *, key: str, value: str) -> None:
        self._db = db
        self._put = f"INSERT OR REPLACE INTO {table} ({key}, {value}) VALUES (?, ?)"
        self._get = f"SELECT {value} FROM {table} WHERE {key} = ?"
        self._delete = f"DELETE FROM {table} WHERE {key} = ?"

    def put(self, name: str, state: bytes) -> None:
        """Keep a state, replacing the one before."""
        self._db.execute(self._put, (name, state))

    def get(self, name: str) -> bytes | None:
        """The state of a name, None where none was kept."""
        row = self._db.execute(self._get, (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def delete(self, name: str) -> None:
        """Delete the state of a name."""
        self._db.execute(self._delete, (name,))
