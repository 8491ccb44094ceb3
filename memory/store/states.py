"""Tables of states that only their owner can read: of a bank, of what follows the things of a stream."""

from __future__ import annotations

import sqlite3

from hippocam.memory.bank.packing import unpack_versions
from hippocam.memory.bank.state import (
    SCALE_BYTES,
    BankChange,
    BankState,
    Keys,
    Lesson,
    pack_keys,
    unpack_keys,
)
from hippocam.memory.store.schema import putting

# Names of what was learned.
_NUMBERS = "bank"
_SKETCHES = ("again", "all", "few")
# How many of the lessons still count, the first ones: later ones write over the others, so that pages need not be
# freed and taken again.
_LESSONS = "lessons"
_PUT_LESSON = putting("lesson", ("id", "again", "key"), ("id",))
_PUT_BLOCK = putting("bank", ("block", "columns"), ("block",))


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
        self._put = putting(table, (key, value), (key,))
        self._names = key, value
        self._get = f"SELECT {value} FROM {table} WHERE {key} = ?"
        self._has = f"SELECT length({value}) > 0 FROM {table} WHERE {key} = ?"
        self._delete = f"DELETE FROM {table} WHERE {key} = ?"

    def put(self, name: str, state: bytes) -> None:
        """Keep a state, replacing the one before."""
        self._db.execute(self._put, dict(zip(self._names, (name, state), strict=True)))

    def get(self, name: str) -> bytes | None:
        """The state of a name, None where none was kept."""
        row = self._db.execute(self._get, (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def has(self, name: str) -> bool:
        """Whether a state of a name was kept that is not empty."""
        row = self._db.execute(self._has, (name,)).fetchone()
        return row is not None and bool(row[0])

    def delete(self, name: str) -> None:
        """Delete the state of a name."""
        self._db.execute(self._delete, (name,))


class BankTable:
    """Reads and writes what a bank goes on from (bank/state.py); made by `Store`, in whose transactions it works.

    Args:
        db: The store's connection.
        learned: Keeps the numbers and the sketches.
    """

    def __init__(self, db: sqlite3.Connection, learned: StateTable) -> None:
        self._db = db
        self._learned = learned

    def state(self) -> BankState:
        """What was kept last; of a memory of an older format, which is only read, what that had."""
        sketches = {name: value for name in _SKETCHES if (value := self._learned.get(name)) is not None}
        numbers = self._learned.get(_NUMBERS)
        if not self._has_blocks():
            return BankState(numbers=numbers, sketches=sketches)
        lessons = self._db.execute(
            "SELECT id, key, again FROM lesson WHERE id <= ? ORDER BY id", (self._counted(),)
        ).fetchall()
        return BankState(
            numbers=numbers,
            sketches=sketches,
            lessons=[Lesson(_key(packed), bool(again), number) for number, packed, again in lessons],
            blocks=dict(self._db.execute("SELECT block, columns FROM bank")),
        )

    def versions(self) -> dict[int, int] | None:
        """A number for each entry that is another once its vectors have changed, by id; None where none is kept.

        Entries whose vectors were given up may be among them.
        """
        if not self._has_blocks():
            return None
        return unpack_versions(block for (block,) in self._db.execute("SELECT columns FROM bank"))

    def _has_blocks(self) -> bool:
        return bool(self._db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'bank'").fetchone())

    def replace(self, state: BankChange) -> None:
        """Keep a whole state, and nothing of what was kept before; versions begin anew, so a generation does."""
        (generation,) = self._db.execute("PRAGMA schema_version").fetchone()
        self._db.execute(f"PRAGMA schema_version = {generation + 1}")
        self._db.execute("DELETE FROM bank")
        self._db.execute("DELETE FROM lesson")
        for name in (_NUMBERS, _LESSONS, *_SKETCHES):
            self._learned.delete(name)
        self.put(state)

    def delete_lessons(self) -> None:
        """Delete all lessons, also those that no longer count."""
        self._db.execute("DELETE FROM lesson")
        self._learned.put(_LESSONS, _count(0))

    def _counted(self) -> int:
        """How many lessons count; of a memory of an older format all."""
        counted = self._learned.get(_LESSONS)
        if counted is None:
            (last,) = self._db.execute("SELECT coalesce(max(id), 0) FROM lesson").fetchone()
            return int(last)
        return int.from_bytes(counted, "little")

    def put(self, change: BankChange) -> None:
        """Keep what has changed."""
        if change.sketches is not None:
            for name, sketch in change.sketches.items():
                if not sketch:
                    self._learned.delete(name)
                elif self._learned.get(name) != sketch:
                    self._learned.put(name, sketch)
        self._db.executemany(
            _PUT_LESSON,
            [
                {"id": lesson.number, "again": lesson.again, "key": pack_keys(lesson.key)}
                for lesson in change.lessons
            ],
        )
        if change.sketches is not None or change.lessons:
            self._learned.put(_LESSONS, _count(change.counted))
        for block, columns in change.blocks.items():
            if columns:
                self._db.execute(_PUT_BLOCK, {"block": block, "columns": columns})
            else:
                self._db.execute("DELETE FROM bank WHERE block = ?", (block,))
        if change.numbers is not None:
            self._learned.put(_NUMBERS, change.numbers)


def _key(packed: bytes) -> Keys:
    return unpack_keys(packed, len(packed) - SCALE_BYTES)


def _count(count: int) -> bytes:
    return count.to_bytes(4, "little")
