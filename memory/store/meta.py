"""The table of settings of a memory: its budget, and which encoder made its vectors."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict

from hippocam.stream.records import EncoderSpec

# What a memory may take where nobody said.
DEFAULT_BUDGET_BYTES = 256_000_000


class MetaTable:
    """Reads and writes settings; made by `Store`, in whose transactions it works."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def put(self, **values: object) -> None:
        """Keep settings, as JSON."""
        rows = [(key, json.dumps(value)) for key, value in values.items()]
        self._db.executemany("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", rows)

    def get(self, key: str) -> object:
        """A setting, None where it was never set.

        Raises:
            sqlite3.DatabaseError: It is damaged.
        """
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        try:
            return None if row is None else json.loads(row[0])
        except (ValueError, TypeError) as error:
            raise sqlite3.DatabaseError(f"the setting {key!r} is damaged") from error

    def delete(self, key: str) -> None:
        """Delete a setting."""
        self._db.execute("DELETE FROM meta WHERE key = ?", (key,))

    def budget_bytes(self) -> int:
        """What the memory's folder may take."""
        budget = self.get("budget_bytes")
        return budget if isinstance(budget, int) else DEFAULT_BUDGET_BYTES

    def set_encoder(self, name: str, spec: EncoderSpec) -> None:
        """Keep which encoder made the vectors: the name to build it by, and its spec."""
        self.put(encoder=name, spec=asdict(spec))

    def encoder(self) -> tuple[str, EncoderSpec] | None:
        """Name and spec of the encoder, None in a memory that has seen nothing yet."""
        name, spec = self.get("encoder"), self.get("spec")
        return (name, EncoderSpec(**spec)) if isinstance(name, str) and isinstance(spec, dict) else None
