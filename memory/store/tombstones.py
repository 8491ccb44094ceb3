"""What sleep reads and writes in the database: entries with their vectors, probes, and tombstones.

A tombstone is the whole row of an entry as it was before it went into another asleep, without its picture: with
the sleep that it belongs to and its heir, the entry that it went into. The heir's own row as it was is one of
them, so a group can be taken back while its tombstones last. They count towards the budget and are the first to
go when room is needed; where the heir itself is given up, so are they.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping

import numpy as np

from hippocam.memory.codec import pack, unpack
from hippocam.memory.records import Level, Span
from hippocam.memory.sleep.replay import Held, Probe
from hippocam.stream.records import FloatArray

_HELD = (
    "id, stream, t0_s, t1_s, known_s, spans, utility, strength, met, pinned, level, place, text, slept, key, scene"
)
_ROW = (
    "id, stream, first_seq, t0_s, t1_s, known_s, frame_s, last_s, spans, surprise, utility, strength, met, uses, "
    "pinned, level, place, labels, text, frames, repeats, jpeg_bytes, key, scene, state, action, pose, slept"
)
# What of an heir is as it was once it is taken back: not its picture, its pin and its uses.
_TAKEN_BACK = "t0_s, t1_s, known_s, last_s, spans, strength, met, place, key, scene, slept"


class SleepRows:
    """Every change belongs into a transaction of the store.

    Args:
        db: The store's connection.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    # what sleep looks at --------------------------------------------------------------------------------

    def held(self, number: int | None = None) -> list[Held]:
        """All entries with vectors, or one of them; each stream in the order of its events."""
        rows = self._db.execute(
            f"SELECT {_HELD} FROM entry WHERE key IS NOT NULL AND id = coalesce(?, id) "
            "ORDER BY stream, first_seq, id",
            (number,),
        )
        return [_held(*row) for row in rows]

    def originals(self) -> list[Held]:
        """Entries that went into others and are remembered still, each as it last was."""
        rows = self._db.execute(
            f"SELECT {_HELD}, max(sleep) FROM tombstone "
            "WHERE id NOT IN (SELECT id FROM entry) AND key IS NOT NULL GROUP BY id ORDER BY stream, first_seq, id"
        )
        return [_held(*row[:-1]) for row in rows]

    def probes(self) -> list[Probe]:
        """What is kept to ask with, the oldest first."""
        rows = self._db.execute("SELECT kind, stream, t0_s, t1_s, vector, found, id FROM probe ORDER BY id")
        return [
            Probe(kind, stream, ((t0_s, t1_s),), unpack(vector), found, number)
            for kind, stream, t0_s, t1_s, vector, found, number in rows
        ]

    def note_found(self, found: Mapping[int, int]) -> None:
        """Keep what probes found when they were first asked."""
        self._db.executemany(
            "UPDATE probe SET found = ? WHERE id = ? AND found IS NULL", [(bits, n) for n, bits in found.items()]
        )

    def slept(self, number: int) -> int:
        """How many entries have gone into one asleep."""
        row = self._db.execute("SELECT slept FROM entry WHERE id = ?", (number,)).fetchone()
        return int(row[0]) if row else 0

    def slept_share(self) -> tuple[int, int]:
        """Entries with vectors, and how many there would be had none gone into another."""
        row = self._db.execute("SELECT count(*), coalesce(sum(1 + slept), 0) FROM entry WHERE key IS NOT NULL")
        count, ever = row.fetchone()
        return int(count), int(ever)

    # what it changes ------------------------------------------------------------------------------------

    def inherit(self, heir: int, *, slept: int, place: int, vectors: tuple[FloatArray, FloatArray] | None) -> None:
        """Note that so many entries more went into one, where they were, and which vectors stand for all."""
        self._db.execute("UPDATE entry SET slept = slept + ?, place = ? WHERE id = ?", (slept, place, heir))
        if vectors is not None:
            self._db.execute("UPDATE entry SET key = ?, scene = ? WHERE id = ?", (*map(pack, vectors), heir))

    def bury(self, number: int, *, heir: int, sleep: int, made_s: float) -> None:
        """Keep an entry's row as it is now; of one that this sleep has buried already, as it was then."""
        self._db.execute(
            f"INSERT OR IGNORE INTO tombstone (sleep, heir, made_s, {_ROW}) "
            f"SELECT ?, ?, ?, {_ROW} FROM entry WHERE id = ?",
            (sleep, heir, made_s, number),
        )

    def newest(self) -> int:
        """Number of the last sleep that can be taken back; 0 where none can."""
        (sleep,) = self._db.execute("SELECT coalesce(max(sleep), 0) FROM tombstone").fetchone()
        return int(sleep)

    def count(self) -> int:
        """How many tombstones there are."""
        (number,) = self._db.execute("SELECT count(*) FROM tombstone").fetchone()
        return int(number)

    def groups(self, sleep: int) -> Iterator[tuple[int, list[Held]]]:
        """Each heir of a sleep and all of its group as they were, itself among them."""
        heirs = self._db.execute("SELECT DISTINCT heir FROM tombstone WHERE sleep = ? ORDER BY heir", (sleep,))
        for (heir,) in heirs.fetchall():
            rows = self._db.execute(
                f"SELECT {_HELD} FROM tombstone WHERE sleep = ? AND heir = ? ORDER BY id", (sleep, heir)
            )
            yield int(heir), [_held(*row) for row in rows]

    def take_back(self, sleep: int, heir: int) -> None:
        """Make the entries of a group what they were; of those that were gone the pictures stay gone."""
        self._db.execute(
            f"UPDATE entry SET ({_TAKEN_BACK}) = "
            f"(SELECT {_TAKEN_BACK} FROM tombstone WHERE sleep = :sleep AND id = :heir) WHERE id = :heir",
            {"sleep": sleep, "heir": heir},
        )
        others = self._db.execute(
            "SELECT id FROM tombstone WHERE sleep = ? AND heir = ? AND id != heir", (sleep, heir)
        ).fetchall()
        for (number,) in others:
            self._db.execute(
                f"INSERT INTO entry ({_ROW}) SELECT {_ROW} FROM tombstone WHERE sleep = ? AND id = ?",
                (sleep, number),
            )
            self._db.execute(
                "UPDATE entry SET jpeg_bytes = 0, level = max(level, ?) WHERE id = ?", (int(Level.VECTORS), number)
            )
            self._db.execute(
                "UPDATE stream SET evicted = evicted - 1 WHERE id = (SELECT stream FROM entry WHERE id = ?)",
                (number,),
            )
        self._db.execute("DELETE FROM tombstone WHERE sleep = ? AND heir = ?", (sleep, heir))

    def remembers(self, sleep: int, heir: int) -> bool:
        """Whether a group of a sleep can be taken back."""
        row = self._db.execute("SELECT 1 FROM tombstone WHERE sleep = ? AND id = ? AND heir = id", (sleep, heir))
        return row.fetchone() is not None

    def drop(self, sleep: int, heir: int) -> None:
        """Drop a group of a sleep."""
        self._db.execute("DELETE FROM tombstone WHERE sleep = ? AND heir = ?", (sleep, heir))

    def forget(self, number: int) -> None:
        """Drop what went into an entry, and into what had gone into it."""
        self._db.execute(
            "WITH RECURSIVE gone (id) AS "
            "(SELECT ? UNION SELECT t.id FROM tombstone t JOIN gone ON t.heir = gone.id) "
            "DELETE FROM tombstone WHERE heir IN gone",
            (number,),
        )

    def drop_of(self, number: int) -> None:
        """Drop what an entry was before sleeps."""
        self._db.execute("DELETE FROM tombstone WHERE id = ?", (number,))

    def expire(self, before_s: float, groups: int) -> int:
        """Drop some groups that are older than a time, each as a whole; how many rows they were."""
        return self._drop("WHERE made_s < ?", (before_s, groups))

    def drop_oldest(self, groups: int) -> int:
        """Drop some of the oldest groups; how many rows they were."""
        return self._drop("", (groups,))

    def _drop(self, where: str, values: tuple[float | int, ...]) -> int:
        return self._db.execute(
            "DELETE FROM tombstone WHERE (sleep, heir) IN "
            f"(SELECT DISTINCT sleep, heir FROM tombstone {where} ORDER BY sleep, heir LIMIT ?)",
            values,
        ).rowcount


def _held(
    number: int,
    stream: str,
    t0_s: float,
    t1_s: float,
    known_s: float,
    spans: bytes | None,
    utility: float,
    strength: float,
    met: int,
    pinned: int,
    level: int,
    place: int,
    text: str,
    slept: int,
    key: bytes,
    scene: bytes,
) -> Held:
    further = np.frombuffer(spans or b"", "<f8").reshape(-1, 3).tolist()
    return Held(
        id=number,
        stream=stream,
        key_D=unpack(key),
        scene_D=unpack(scene),
        spans=tuple(Span(t0_s=a, t1_s=b, known_s=c) for a, b, c in [(t0_s, t1_s, known_s), *further]),
        utility=utility,
        strength=strength,
        met=met,
        pinned=bool(pinned),
        level=Level(level),
        place=place,
        text=text,
        slept=slept,
    )
