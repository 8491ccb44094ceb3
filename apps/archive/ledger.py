"""The ledger of an archive: what was given, what became of it, and into which memory it went.

A small database beside the memories. What was archived is recognised by its content, not by its name (see
apps/content.py): a moved file is the same recording, a changed one another. Every change is one transaction that
is on the disk before the next step begins.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from hippocam.apps.archive.layout import Home
from hippocam.apps.content import cheap_part, fingerprint_of, is_same, replaced
from hippocam.stream.errors import HippocamError
from hippocam.stream.private import open_file

LEDGER = "archive.db"
_APPLICATION_ID = 0x4869_7061  # "Hipa"
_FORMAT = 2
_SCHEMA = f"""
CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE memory (name TEXT PRIMARY KEY, what TEXT NOT NULL UNIQUE, unit INTEGER NOT NULL DEFAULT 0)
    WITHOUT ROWID;
CREATE TABLE recording (
    id INTEGER PRIMARY KEY, memory TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL,
    fingerprint TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
    seconds REAL NOT NULL DEFAULT 0, cpu_s REAL NOT NULL DEFAULT 0, changed_unix_s REAL NOT NULL, original INTEGER
);
CREATE INDEX recording_content ON recording (fingerprint);
CREATE INDEX recording_path ON recording (path);
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_FORMAT};
"""


class State(StrEnum):
    """What became of a recording."""

    WAITING = "waiting"
    BEGUN = "begun"  # some of it may be in its memory
    DONE = "done"
    QUARANTINED = "quarantined"
    DUPLICATE = "duplicate"  # of another one that is archived, or will be


class Row(NamedTuple):
    """A recording in the ledger.

    Attributes:
        id: Id of the row.
        memory: Name of the memory it goes into.
        name: Name of the recording in that memory; "" until it is claimed there.
        path: Where it was seen last.
        fingerprint: Fingerprint of its content, "" where that could not be told.
        state: What became of it.
        reason: Why it is quarantined, or what it is a duplicate of.
        seconds: Seconds of footage in the memory.
        cpu_s: Processor seconds that they took.
        original: Id of the recording of which it is a duplicate.
    """

    id: int
    memory: str
    name: str
    path: str
    fingerprint: str
    state: State
    reason: str
    seconds: float
    cpu_s: float
    original: int | None = None


_COLUMNS = "id, memory, name, path, fingerprint, state, reason, seconds, cpu_s, original"


class Ledger:
    """Opens the ledger of an archive, making it where there is none. A context manager.

    Args:
        path: The file; its folder must be there.
        clock: Seconds since 1970.

    Raises:
        HippocamError: The file is no ledger, or cannot be used.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock
        if not path.exists():
            with suppress(OSError):  # the database says what is wrong
                open_file(path, "ab").close()
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
        try:
            with self._told():
                self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        (found,) = self._db.execute("PRAGMA application_id").fetchone()
        (tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not found and not tables:
            self._db.executescript(f"BEGIN;{_SCHEMA}COMMIT;")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if found == _APPLICATION_ID and version == 1:  # of hippocam 0.2
            self._db.executescript(
                "BEGIN IMMEDIATE; ALTER TABLE recording ADD COLUMN original INTEGER;"
                "PRAGMA user_version = 2; COMMIT;"
            )
            version = _FORMAT
        if (found or _APPLICATION_ID, version) != (_APPLICATION_ID, _FORMAT):
            raise HippocamError(f"{self._path}: no ledger of this hippocam; give another --memories folder")

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is changed inside takes effect together, or not at all."""
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise HippocamError(
                f"{self._path}: the ledger cannot be used ({error}); see to its disk and permissions and archive "
                "again (without a ledger, what the memories hold is still recognised)"
            ) from error

    # settings ---------------------------------------------------------------------------------------------

    def setting(self, key: str) -> Any:
        """A setting of the last run, None where there is none."""
        row = self._db.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def set_setting(self, key: str, value: object) -> None:
        """Keep a setting (JSON values)."""
        self._db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (key, json.dumps(value)))

    # memories ---------------------------------------------------------------------------------------------

    def memory_for(self, home: Home) -> str:
        """Name of the memory of a folder or camera, a new one where it has none yet."""
        row = self._db.execute("SELECT name FROM memory WHERE what = ?", (home.what,)).fetchone()
        if row is not None:
            return str(row[0])
        taken = set(self.memories())
        name, number = home.name, 1
        while name in taken or name == LEDGER:
            number += 1
            name = f"{home.name}-{number}"
        self._db.execute("INSERT INTO memory (name, what) VALUES (?, ?)", (name, home.what))
        return name

    def memories(self) -> list[str]:
        """Names of all memories."""
        return [name for (name,) in self._db.execute("SELECT name FROM memory ORDER BY name")]

    def homes(self) -> dict[str, str]:
        """What each memory is of, by its name."""
        return dict(self._db.execute("SELECT name, what FROM memory"))

    def open_units(self) -> list[str]:
        """Memories that were being written when the last run ended."""
        return [name for (name,) in self._db.execute("SELECT name FROM memory WHERE unit ORDER BY name")]

    def set_unit(self, memory: str, *, is_open: bool) -> None:
        """Note that a memory is being written, or that all of it is safe."""
        self._db.execute("UPDATE memory SET unit = ? WHERE name = ?", (int(is_open), memory))

    # recordings -------------------------------------------------------------------------------------------

    def rows(self, *, memory: str | None = None, state: State | None = None) -> list[Row]:
        """Recordings, by age."""
        found = self._db.execute(
            f"SELECT {_COLUMNS} FROM recording WHERE memory = coalesce(?, memory) AND state = coalesce(?, state) "
            "ORDER BY id",
            (memory, state),
        )
        return [_row(row) for row in found]

    def match(self, given: Sequence[tuple[str, str]]) -> list[Row | None]:
        """Match paths with recordings, each with another one; None for those that are new.

        A path whose content is unchanged is the recording that it was. Any other is a recording with its content,
        if there is one that no other of the paths is; the whole content is compared before a path is skipped for
        that.

        Args:
            given: Path and fingerprint of each.
        """
        taken: set[int] = set()
        matched: list[Row | None] = []
        for path, fingerprint in given:
            rows = self._alike(fingerprint, "AND path = ?", path)
            rows = [row for row in rows if not replaced(row.fingerprint, path)]
            matched.append(next((row for row in rows if row.id not in taken), None))
            taken.update(row.id for row in matched[-1:] if row is not None)
        for index, (_, fingerprint) in enumerate(given):
            if matched[index] is None and fingerprint:
                rows = [row for row in self._alike(fingerprint) if row.id not in taken]
                rows.sort(key=_still_there)  # first one whose file is no longer there
                path = given[index][0]
                same = (
                    row for row in rows if _is_open(row) or is_same(row.path, row.fingerprint, path, fingerprint)
                )
                matched[index] = row = next(same, None)
                taken.update({row.id} if row is not None else ())
        return matched

    def _alike(self, fingerprint: str, where: str = "", *values: str) -> list[Row]:
        """Recordings whose fingerprint is this one, or this one with the content behind it."""
        same = "(fingerprint = ? OR (fingerprint > ? || ':' AND fingerprint < ? || ';'))"
        return self._find(f"{same} {where}", (fingerprint, fingerprint, fingerprint, *values))

    def _find(self, where: str, values: tuple[str, ...]) -> list[Row]:
        found = self._db.execute(f"SELECT {_COLUMNS} FROM recording WHERE {where} ORDER BY id DESC", values)
        return [_row(row) for row in found]

    def add(self, *, memory: str, path: str, fingerprint: str) -> Row:
        """Add a new recording."""
        cursor = self._db.execute(
            "INSERT INTO recording (memory, name, path, fingerprint, state, changed_unix_s) "
            "VALUES (?, '', ?, ?, ?, ?)",
            (memory, path, fingerprint, State.WAITING, self._clock()),
        )
        return _row(
            self._db.execute(f"SELECT {_COLUMNS} FROM recording WHERE id = ?", (cursor.lastrowid,)).fetchone()
        )

    def move(self, row: Row, *, path: str, memory: str) -> None:
        """Note where a recording is now, and which memory it goes into."""
        self._db.execute("UPDATE recording SET path = ?, memory = ? WHERE id = ?", (path, memory, row.id))

    def left_behind(self, path: str, fingerprint: str) -> list[Row]:
        """Recordings that were not finished, or not archived, when other content replaced them at their path."""
        rows = self._find("path = ? AND state IN (?, ?, ?)", (path, State.WAITING, State.BEGUN, State.DUPLICATE))
        return [row for row in rows if cheap_part(row.fingerprint) != fingerprint]

    def set_state(
        self,
        row: int,
        state: State,
        *,
        name: str | None = None,
        fingerprint: str | None = None,
        reason: str = "",
        seconds: float = 0,
        cpu_s: float = 0,
        original: int | None = None,
    ) -> None:
        """Note what became of a recording.

        Args:
            row: Its id in the ledger.
            state: Its state from now on.
            name: Its name in its memory; None leaves it as it is.
            fingerprint: Fingerprint of its content; None if no more is known of it.
            reason: Why it is quarantined, or what it is a duplicate of.
            seconds: Seconds of footage that were added.
            cpu_s: Processor seconds that they took.
            original: Id of the recording of which it is a duplicate.
        """
        self._db.execute(
            "UPDATE recording SET state = ?, name = coalesce(?, name), fingerprint = coalesce(?, fingerprint), "
            "reason = ?, seconds = seconds + ?, cpu_s = cpu_s + ?, changed_unix_s = ?, original = ? WHERE id = ?",
            (state, name, fingerprint, reason, seconds, cpu_s, self._clock(), original, row),
        )

    def delete(self, rows: Iterable[Row]) -> None:
        """Delete recordings whose content was gone from where it was before it could be archived."""
        self._db.executemany("DELETE FROM recording WHERE id = ?", [(row.id,) for row in rows])


def _row(values: tuple[Any, ...]) -> Row:
    row = Row(*values)
    return row._replace(state=State(row.state))


def _is_open(row: Row) -> bool:
    """Whether something of a recording is left to do, so that its memory compares what was watched."""
    return row.state in (State.WAITING, State.BEGUN)


def _still_there(row: Row) -> bool:
    return fingerprint_of(row.path) == cheap_part(row.fingerprint)
