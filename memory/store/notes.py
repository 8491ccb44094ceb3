"""Rows of the table of notes: words that were read, heard or given, with times of their own."""

from __future__ import annotations

import functools
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hippocam.memory.store.schema import OVERLAPS
from hippocam.stream.records import WORDLESS, Note

# About what a row takes beside its words and the name of its stream: numbers, two indexes, full text.
_ROW_BYTES = 200
# As in the schema's partial index: notes that last longer are few.
_LONG_S = 60.0
_COLUMNS = "id, stream, kind, t0_s, t1_s, known_s, text, line"
# Of an older format, which knew no lines: nobody can tell in which order they stood.
_COLUMNS_4 = "id, stream, kind, t0_s, t1_s, known_s, text, 0 AS line"
# By time, and as one reads where lines begin together.
_ORDER = "t0_s, line, t1_s, id"
SPEECH = "speech"
_MOST_CHARS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteRow:
    """A note as it is stored.

    Attributes:
        id: See note_id.
        note: What was noted.
        known_s: Time from which on it was known: what is said, at its end; what is shown, when it was read so.
    """

    id: int
    note: Note
    known_s: float


def note_id(stream: str, kind: str, t0_s: float, text: str) -> int:
    """Identity of a note by its content: positive, 63 bits. A replay is recognised by it."""
    told = json.dumps([stream, kind, round(t0_s, 3), text])
    digest = hashlib.blake2b(told.encode(), digest_size=8, person=b"note").digest()
    return int.from_bytes(digest, "big") >> 1


def row_of(note: Note) -> NoteRow:
    """A note as a row: speech is known once it was said, all else when it begins."""
    note = replace(note, text=note.text[:_MOST_CHARS])
    known_s = note.t1_s if note.kind == SPEECH else note.t0_s
    return NoteRow(id=note_id(note.stream, note.kind, note.t0_s, note.text), note=note, known_s=known_s)


def as_of(row: NoteRow, at_s: float | None) -> Note:
    """A note as it was known at a time, when it was known."""
    return row.note if at_s is None else replace(row.note, t1_s=min(row.note.t1_s, at_s))


def bytes_of(note: Note) -> int:
    """About how many bytes a note takes in the database, full text included."""
    return _ROW_BYTES + 3 * len(note.stream.encode()) + 3 * len(note.text.encode())


class NoteTable:
    """Reads and writes notes; made by `Store`, in whose transactions it works."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @functools.cached_property
    def _columns(self) -> str:
        """What is read of a row; a reader may have a database of an older format."""
        has_lines = any(name == "line" for _, name, *_ in self._db.execute("PRAGMA main.table_info(note)"))
        return _COLUMNS if has_lines else _COLUMNS_4

    def put(self, row: NoteRow) -> bool:
        """Keep a note; False if it is held already, when only a later end and other words are taken over."""
        note = row.note
        held = self._db.execute("SELECT t1_s, text, line FROM note WHERE id = ?", (row.id,)).fetchone()
        if held is None:
            self._db.execute(
                f"INSERT INTO note ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (row.id, note.stream, note.kind, note.t0_s, note.t1_s, row.known_s, note.text, note.line),
            )
            return True
        if note.t1_s > held[0]:
            self._db.execute("UPDATE note SET t1_s = ? WHERE id = ?", (note.t1_s, row.id))
        if note.text != held[1]:
            self._db.execute(
                "UPDATE note SET text = ?, known_s = ? WHERE id = ?", (note.text, row.known_s, row.id)
            )
        if note.line != held[2]:
            self._db.execute("UPDATE note SET line = ? WHERE id = ?", (note.line, row.id))
        return False

    def get(self, note_ids: Iterable[int]) -> list[NoteRow]:
        """Notes by their ids, by time; those that are not held are left out."""
        rows = self._db.execute(
            f"SELECT {self._columns} FROM note WHERE id IN (SELECT value FROM json_each(?)) ORDER BY {_ORDER}",
            (json.dumps(list(note_ids)),),
        )
        return [_row(*row) for row in rows]

    def of(self, stream: str) -> list[NoteRow]:
        """All notes of a stream, by time."""
        rows = self._db.execute(f"SELECT {self._columns} FROM note WHERE stream = ? ORDER BY {_ORDER}", (stream,))
        return [_row(*row) for row in rows]

    def newest(self, most: int) -> list[NoteRow]:
        """The notes of words that begin last, `most` at most, the latest first."""
        rows = self._db.execute(
            f"SELECT {self._columns} FROM note WHERE kind NOT IN (SELECT value FROM json_each(?)) "
            "ORDER BY t0_s DESC, id LIMIT ?",
            (json.dumps(WORDLESS), most),
        )
        return [_row(*row) for row in rows]

    def known(self, stream: str, t0_s: float, t1_s: float, at_s: float | None) -> list[Note]:
        """Read the words of a stream that touch a stretch of time, by time, as if the stream ended at `at_s`."""
        rows = [row for row in self.within(stream, t0_s, t1_s) if row.note.kind not in WORDLESS]
        return [as_of(row, at_s) for row in rows if at_s is None or row.known_s <= at_s]

    def wordless(self, stream: str, t0_s: float, t1_s: float, at_s: float | None) -> list[Note]:
        """Read the notes that nobody reads or hears of a stretch of time, as if the stream ended at `at_s`."""
        rows = [row for row in self.within(stream, t0_s, t1_s) if row.note.kind in WORDLESS]
        return [as_of(row, at_s) for row in rows if at_s is None or row.known_s <= at_s]

    def within(self, stream: str, t0_s: float, t1_s: float) -> list[NoteRow]:
        """The notes of a stream that overlap a stretch of time or touch it, by time."""
        values = {"stream": stream, "t0": t0_s, "t1": t1_s, "long": _LONG_S}
        rows = self._db.execute(
            f"SELECT {self._columns} FROM note WHERE stream = :stream AND t0_s BETWEEN :t0 - :long AND :t1 "
            f"AND t1_s >= :t0 UNION SELECT {self._columns} FROM note WHERE stream = :stream AND t0_s <= :t1 "
            f"AND t1_s - t0_s > 60 AND t1_s >= :t0 ORDER BY {_ORDER}",
            values,
        )
        return [_row(*row) for row in rows]

    def match(self, words: Sequence[str], most: int = 2000) -> dict[int, set[str]]:
        """Which of some words each note holds, in any of their forms; notes without any are left out.

        Args:
            words: What is looked for.
            most: A word that more notes than this hold tells little and is skipped.
        """
        found: dict[int, set[str]] = {}
        for word in words:
            rows = self._db.execute(
                "SELECT rowid FROM words_noted WHERE words_noted MATCH ? LIMIT ?", (f'"{word}"', most + 1)
            ).fetchall()
            for (note_id,) in rows if len(rows) <= most else ():
                found.setdefault(note_id, set()).add(word)
        return found

    def delete(self, note_ids: Iterable[int]) -> None:
        """Delete notes and their words."""
        self._db.executemany("DELETE FROM note WHERE id = ?", [(one,) for one in note_ids])

    def delete_within(self, stream: str, t0_s: float, t1_s: float) -> None:
        """Delete the notes of a stream that overlap a stretch of time, and their words."""
        self._db.execute(f"DELETE FROM note WHERE {OVERLAPS}", {"stream": stream, "t0": t0_s, "t1": t1_s})

    def delete_stream(self, stream: str) -> None:
        """Delete the notes of a stream, and their words."""
        self._db.execute("DELETE FROM note WHERE stream = ?", (stream,))

    def count(self) -> int:
        """Number of notes."""
        (count,) = self._db.execute("SELECT count(*) FROM note").fetchone()
        return int(count)

    def bytes(self) -> int:
        """About how many bytes all notes take, full text included."""
        (total,) = self._db.execute(
            "SELECT coalesce(sum(? + 3 * length(CAST(stream AS BLOB)) + 3 * length(CAST(text AS BLOB))), 0) "
            "FROM note",
            (_ROW_BYTES,),
        ).fetchone()
        return int(total)

    def least(self, most: int) -> list[int]:
        """Ids of the notes to give up first, `most` at most: those that are repeated later, else the oldest."""
        again = self._db.execute(
            "SELECT id FROM (SELECT id, t0_s, row_number() OVER (PARTITION BY stream, kind, text "
            "ORDER BY t0_s DESC, id) AS n FROM note) WHERE n > 1 ORDER BY t0_s, id LIMIT ?",
            (most,),
        ).fetchall()
        if again:
            return [note_id for (note_id,) in again]
        rows = self._db.execute(
            "SELECT n.id FROM note n LEFT JOIN stream s ON s.id = n.stream "
            "ORDER BY coalesce(s.end_s, 0) - n.t1_s DESC, n.id LIMIT ?",
            (most,),
        )
        return [note_id for (note_id,) in rows.fetchall()]


def _row(
    note_id: int, stream: str, kind: str, t0_s: float, t1_s: float, known_s: float, text: str, line: int
) -> NoteRow:
    note = Note(stream=stream, kind=kind, t0_s=t0_s, t1_s=t1_s, text=text, line=line)
    return NoteRow(id=note_id, note=note, known_s=known_s)
