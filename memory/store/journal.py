"""The journal: what happened to each entry, and why."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

# Stands for the entry of the row that says that rows were deleted; no entry has such an id.
_ROWS_DELETED = -1
_COLUMNS = "stream, time_s, action, entry, other, why"
# Rows of a stretch of time: written in it, or explained by times in it.
_OF_A_TIME = (
    "stream = :stream AND (time_s BETWEEN :t0 AND :t1 OR json_extract(why, '$.at_s') BETWEEN :t0 AND :t1 "
    "OR (json_extract(why, '$.t1_s') >= :t0 AND json_extract(why, '$.t0_s') <= :t1))"
)


# What a new row says: columns as in JournalRow, after its id.
NewRow = tuple[str, float, str, int, int | None, str]


class JournalRow(NamedTuple):
    """Why something happened to an entry.

    Attributes:
        id: Position in the journal, rising.
        stream: Stream of the entry.
        time_s: The stream's time when it happened.
        action: "kept", "seen again", "merged", "smaller picture", "no picture", "signs only", "outline only",
            "short outline only", "words only", "given up", ...
        entry_id: The entry that it happened to; it may not be held any more.
        other_id: Another entry that had part in it, such as the one merged into.
        why: The numbers behind it, as JSON.
    """

    id: int
    stream: str
    time_s: float
    action: str
    entry_id: int
    other_id: int | None
    why: str


class JournalTable:
    """Reads and writes the journal; made by `Store`, in whose transactions it works."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(
        self, stream: str, time_s: float, action: str, entry_id: int, other_id: int | None, why: str, *, keep: int
    ) -> None:
        """Write into the journal, of which the newest `keep` rows stay."""
        self.add_all([(stream, time_s, action, entry_id, other_id, why)], keep=keep)

    def add_all(self, rows: Sequence[NewRow], *, keep: int) -> None:
        """Write rows into the journal, of which the newest `keep` stay."""
        newest = 0
        for row in rows:
            put = self._db.execute(f"INSERT INTO journal ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", row)
            newest = put.lastrowid or 0
        if newest > keep:
            self._db.execute("DELETE FROM journal WHERE id <= ?", (newest - keep,))

    def rows(self, entry_id: int | None = None) -> list[JournalRow]:
        """What happened to an entry, or to all, the oldest first."""
        where = "" if entry_id is None else "WHERE entry = :id OR other = :id"
        rows = self._db.execute(f"SELECT id, {_COLUMNS} FROM journal {where} ORDER BY id", {"id": entry_id})
        return [JournalRow._make(row) for row in rows]

    def changed_since(self, row_id: int) -> tuple[int, list[int] | None]:
        """Entries that came, were deleted or got other vectors after a row of the journal.

        Returns:
            The journal's newest row, and the ids of these entries; None for the ids where the journal does not
            tell: it does not go back so far, or rows were deleted from it since.
        """
        oldest, newest = self._db.execute("SELECT min(id), max(id) FROM journal").fetchone()
        if newest is None or oldest > row_id + 1 or newest < row_id:
            return newest or 0, None
        rows = self._db.execute("SELECT DISTINCT entry FROM journal WHERE id > ?", (row_id,))
        changed = [entry_id for (entry_id,) in rows]
        return newest, None if _ROWS_DELETED in changed else changed

    def delete_of(self, entry_id: int) -> None:
        """Delete what the journal says of an entry."""
        self._delete("entry = :id OR other = :id", {"id": entry_id})

    def delete_within(self, stream: str, t0_s: float, t1_s: float) -> set[int]:
        """Delete what the journal says of a stretch of a stream's time; return ids of the entries it spoke of."""
        values = {"stream": stream, "t0": t0_s, "t1": t1_s}
        spoken = self._db.execute(f"SELECT DISTINCT entry FROM journal WHERE {_OF_A_TIME}", values).fetchall()
        self._delete(_OF_A_TIME, values)
        return {entry_id for (entry_id,) in spoken}

    def delete_stream(self, stream: str) -> None:
        """Delete what the journal says of a stream."""
        self._delete("stream = :stream", {"stream": stream})

    def _delete(self, where: str, values: Mapping[str, object]) -> None:
        """Delete rows, and leave one at the end that says so: it also keeps their ids from being given again."""
        (newest,) = self._db.execute("SELECT max(id) FROM journal").fetchone()
        if self._db.execute(f"DELETE FROM journal WHERE {where}", values).rowcount:
            self._db.execute("DELETE FROM journal WHERE entry = ?", (_ROWS_DELETED,))
            self._db.execute(
                f"INSERT INTO journal (id, {_COLUMNS}) VALUES (?, '', 0, 'forgotten', ?, NULL, '{{}}')",
                (newest + 1, _ROWS_DELETED),
            )
