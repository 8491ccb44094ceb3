"""The full text of the words of entries: labels, and what their sources gave."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence


class EntryWords:
    """Finds entries by their words; triggers of the schema keep the full text as the entries are."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def match(self, words: Sequence[str], column: str, among: Sequence[int], most: int = 5000) -> dict[int, int]:
        """How many of the words each entry holds in its "labels" or its "text"; entries with none are left out.

        Args:
            words: What is looked for.
            column: "labels" or "text".
            among: Entries in which every word is counted.
            most: A word that more entries than this hold tells little: it is counted only in those of `among`.
        """
        found: dict[int, int] = {}
        ids = json.dumps(list(among))
        for word in words:
            match = f'{column} : "{word}"'
            rows = self._db.execute(
                "SELECT rowid FROM words WHERE words MATCH ? LIMIT ?", (match, most + 1)
            ).fetchall()
            if len(rows) > most:
                rows = self._db.execute(
                    "SELECT rowid FROM words WHERE words MATCH ? AND rowid IN (SELECT value FROM json_each(?))",
                    (match, ids),
                ).fetchall()
            for (entry_id,) in rows:
                found[entry_id] = found.get(entry_id, 0) + 1
        return found
