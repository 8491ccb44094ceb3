"""The table of tombstones: what entries were before a sleep merged them.

A tombstone is the whole row of an entry, without its picture, as it was before a sleep merged it into another: its
heir. It says which sleep and which heir. The heir's own row as it was is a tombstone too, so a group can be taken
back while its tombstones last. They count towards the budget and are the first to be given up when room is needed;
when the heir is given up, so are they.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from hippocam.memory.records import Held, Level
from hippocam.memory.store.columns import ENTRY_COLUMNS, HELD, held_from, listed

_ROW = listed(ENTRY_COLUMNS)
_HELD = listed(HELD)
# What an heir gets back as it was: everything but its picture, its pin and its uses. Whole vectors have come back
# to whoever kept their signs.
_TAKEN_BACK = "t0_s, t1_s, known_s, last_s, spans, strength, met, place, key, scene, slept"

_TOUCHES = "stream = :stream AND last_s >= :t0 AND t0_s <= :t1"


class Blocks(Protocol):
    """The entries that are in blocks."""

    def select(self, statement: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        """The rows of a statement that reads the view of all entries, `every_entry`."""

    def take_out(self, entry_id: int) -> bool:
        """Make an entry a row of its table again; False where it is in no block."""


class TombstoneTable:
    """Reads and writes tombstones; made by `Store`, in whose transactions it works.

    Args:
        db: The store's connection.
        blocks: An entry that becomes what it was leaves its block first.
    """

    def __init__(self, db: sqlite3.Connection, blocks: Blocks) -> None:
        self._db = db
        self._blocks = blocks

    def originals(self) -> list[Held]:
        """Entries that were merged into others and still have a tombstone, each as it last was."""
        rows = self._blocks.select(
            f"SELECT {_HELD}, max(sleep) FROM tombstone WHERE id NOT IN (SELECT id FROM every_entry) "
            "AND key IS NOT NULL GROUP BY id ORDER BY stream, first_seq, id"
        )
        return [held_from(row[:-1]) for row in rows]

    def bury(self, entry_id: int, *, heir: int, sleep: int, made_s: float) -> None:
        """Keep an entry's row as it is now, unless this sleep has kept an earlier one already."""
        self._db.execute(
            f"INSERT OR IGNORE INTO tombstone (sleep, heir, made_s, {_ROW}) "
            f"SELECT ?, ?, ?, {_ROW} FROM every_entry WHERE id = ?",
            (sleep, heir, made_s, entry_id),
        )

    def newest(self) -> int:
        """Number of the last sleep that can be taken back; 0 where none can."""
        (sleep,) = self._db.execute("SELECT coalesce(max(sleep), 0) FROM tombstone").fetchone()
        return int(sleep)

    def count(self) -> int:
        """How many tombstones there are."""
        (count,) = self._db.execute("SELECT count(*) FROM tombstone").fetchone()
        return int(count)

    def groups(self, sleep: int) -> Iterator[tuple[int, list[Held]]]:
        """Each heir of a sleep with all of its group as they were, itself among them."""
        heirs = self._db.execute("SELECT DISTINCT heir FROM tombstone WHERE sleep = ? ORDER BY heir", (sleep,))
        for (heir,) in heirs.fetchall():
            rows = self._db.execute(
                f"SELECT {_HELD} FROM tombstone WHERE sleep = ? AND heir = ? ORDER BY id", (sleep, heir)
            )
            yield int(heir), [held_from(row) for row in rows]

    def heirs_within(self, stream: str, t0_s: float, t1_s: float) -> list[int]:
        """Ids of the entries into which any sleep merged something of a stretch of a stream's time."""
        rows = self._blocks.select(
            f"WITH RECURSIVE up (id) AS (SELECT heir FROM tombstone WHERE {_TOUCHES} "
            "UNION SELECT t.heir FROM tombstone t JOIN up ON t.id = up.id) "
            "SELECT id FROM every_entry WHERE id IN up",
            {"stream": stream, "t0": t0_s, "t1": t1_s},
        )
        return [entry_id for (entry_id,) in rows]

    def has(self, sleep: int, heir: int) -> bool:
        """Whether a group of a sleep can be taken back."""
        row = self._db.execute("SELECT 1 FROM tombstone WHERE sleep = ? AND id = ? AND heir = id", (sleep, heir))
        return row.fetchone() is not None

    def take_back(self, sleep: int, heir: int) -> None:
        """Make the entries of a group what they were; those that were merged come back without their pictures."""
        self._blocks.take_out(heir)
        self._db.execute(
            f"UPDATE entry SET ({_TAKEN_BACK}, level) = (SELECT {_TAKEN_BACK}, "
            "CASE WHEN level < :signs THEN min(entry.level, :vectors) ELSE entry.level END "
            "FROM tombstone WHERE sleep = :sleep AND id = :heir) WHERE id = :heir",
            {"sleep": sleep, "heir": heir, "signs": int(Level.SIGNS), "vectors": int(Level.VECTORS)},
        )
        others = self._db.execute(
            "SELECT id FROM tombstone WHERE sleep = ? AND heir = ? AND id != heir", (sleep, heir)
        ).fetchall()
        for (entry_id,) in others:
            self._db.execute(
                f"INSERT INTO entry ({_ROW}) SELECT {_ROW} FROM tombstone WHERE sleep = ? AND id = ?",
                (sleep, entry_id),
            )
            self._db.execute(
                "UPDATE entry SET jpeg_bytes = 0, level = max(level, ?) WHERE id = ?",
                (int(Level.VECTORS), entry_id),
            )
            self._db.execute(
                "UPDATE stream SET evicted = evicted - 1 WHERE id = (SELECT stream FROM entry WHERE id = ?)",
                (entry_id,),
            )
        self.delete(sleep, heir)

    def delete(self, sleep: int, heir: int) -> None:
        """Delete a group of a sleep."""
        self._db.execute("DELETE FROM tombstone WHERE sleep = ? AND heir = ?", (sleep, heir))

    def delete_heirs(self, entry_id: int) -> None:
        """Delete the tombstones of what was merged into an entry, and into what was merged into that."""
        self._db.execute(
            "WITH RECURSIVE gone (id) AS "
            "(SELECT ? UNION SELECT t.id FROM tombstone t JOIN gone ON t.heir = gone.id) "
            "DELETE FROM tombstone WHERE heir IN gone",
            (entry_id,),
        )

    def delete_of(self, entry_id: int) -> None:
        """Delete the tombstones of an entry."""
        self._db.execute("DELETE FROM tombstone WHERE id = ?", (entry_id,))

    def delete_within(self, stream: str, t0_s: float, t1_s: float) -> None:
        """Delete the tombstones that touch a stretch of a stream's time."""
        self._db.execute(f"DELETE FROM tombstone WHERE {_TOUCHES}", {"stream": stream, "t0": t0_s, "t1": t1_s})

    def give_up_before(self, made_s: float, groups: int) -> int:
        """Give up some groups that are older than a time, each as a whole; return how many rows went with them."""
        return self._give_up("WHERE made_s < ?", (made_s, groups))

    def give_up_oldest(self, groups: int) -> int:
        """Give up some of the oldest groups; return how many rows went with them."""
        return self._give_up("", (groups,))

    def _give_up(self, where: str, values: tuple[float | int, ...]) -> int:
        return self._db.execute(
            "DELETE FROM tombstone WHERE (sleep, heir) IN "
            f"(SELECT DISTINCT sleep, heir FROM tombstone {where} ORDER BY sleep, heir LIMIT ?)",
            values,
        ).rowcount
