"""The table of streams: where each comes from, how far it was watched, what is held of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from hippocam.memory.asof.table import CoverageTable
from hippocam.memory.provenance.table import IMPORT, ProvenanceTable
from hippocam.memory.records import KEY_FRAMES, StreamStatus

# Tables whose rows are deleted with their stream, by the column `stream`.
_OWNED = ("summary", "probe", "note", "visit", "entity", "entity_total", "detected", "tracked", "coverage")
# Deletes some of what is needed only to go on with a stream, once its recording is complete.
_LEAVE = (
    "DELETE FROM place WHERE (stream, id) IN "
    "(SELECT p.stream, p.id FROM place p JOIN stream s ON s.id = p.stream WHERE s.complete LIMIT 8)",
    "DELETE FROM tracked WHERE stream IN "
    "(SELECT t.stream FROM tracked t JOIN stream s ON s.id = t.stream WHERE s.complete LIMIT 1)",
    "UPDATE stream SET state = NULL WHERE id IN "
    "(SELECT id FROM stream WHERE complete AND state IS NOT NULL LIMIT 4)",
)
# Before a stream's name, the setting that it came with an import; its value is the path that the import named.
_IMPORTED = "imported "
# Before a stream's name, the setting that its times are dates; its value is when its recording begins, in seconds
# since 1970.
RECORDED = "recorded "
# Before a stream's name, the settings that are deleted with it.
_SETTINGS = (_IMPORTED, RECORDED, IMPORT)


class StreamRow(NamedTuple):
    """One stream, and how far it was watched; other fields as in StreamStatus.

    Attributes:
        id: Name of the stream.
        recording: The recording that it is a camera of, or all of.
        source: Where it was.
        fingerprint: Tells its content from another's.
        fps: Sampling rate.
        end_s: Time of the end of what was watched.
        last_seq: Position of the last frame that is in the memory; -1 where none is.
        complete: Whether its recording was watched to its end.
        newest: Id of the entry that holds its newest event.
    """

    id: str
    recording: str
    source: str
    fingerprint: str
    fps: float | None
    end_s: float
    last_seq: int
    complete: bool
    frames_seen: int
    frames_encoded: int
    events: int
    evicted: int
    newest: int | None


class Blocks(Protocol):
    """The entries that are in blocks."""

    def select(self, statement: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        """The rows of a statement that reads the view of all entries, `every_entry`."""


class StreamTable:
    """Reads and writes streams; made by `Store`, in whose transactions it works.

    Args:
        db: The store's connection.
        blocks: Reads the streams' entries, in rows or in blocks.
    """

    def __init__(self, db: sqlite3.Connection, blocks: Blocks) -> None:
        self._db = db
        self._blocks = blocks

    def add(self, stream: str, recording: str, source: str, fingerprint: str, fps: float | None) -> None:
        """Add a stream, or note where the recording of an existing one is now and what it holds."""
        self._db.execute(
            "INSERT INTO stream (id, recording, source, fingerprint, fps) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET source = excluded.source, fingerprint = excluded.fingerprint",
            (stream, recording, source, fingerprint, fps),
        )

    def settle(self, row: StreamRow) -> None:
        """Give a stream without progress that of another memory, adding what either gave up."""
        self._db.execute(
            "UPDATE stream SET end_s = ?, last_seq = ?, complete = ?, frames_seen = ?, frames_encoded = ?, "
            "events = ?, evicted = evicted + ?, newest = ? WHERE id = ? AND last_seq = -1",
            (*row[5:], row.id),
        )

    def relocate(self, recording: str, source: str, fingerprint: str | None = None) -> None:
        """Note where a recording is now and, unless None, what tells its content from another's."""
        self._db.execute(
            "UPDATE stream SET source = ?, fingerprint = coalesce(?, fingerprint) WHERE recording = ?",
            (source, fingerprint, recording),
        )

    def advance(
        self, stream: str, *, last_seq: int, end_s: float, seen: int, encoded: int, events: int, state: bytes
    ) -> None:
        """Move a stream on: counters are added up, position and state replaced."""
        self._db.execute(
            "UPDATE stream SET last_seq = ?, end_s = max(end_s, ?), frames_seen = frames_seen + ?, "
            "frames_encoded = frames_encoded + ?, events = events + ?, state = ? WHERE id = ?",
            (last_seq, end_s, seen, encoded, events, state, stream),
        )

    def complete(self, recording: str) -> None:
        """Note that a recording was watched to its end; see `leave`."""
        self._db.execute("UPDATE stream SET complete = 1 WHERE recording = ?", (recording,))

    def leave(self) -> bool:
        """Delete a few rows of what was kept to go on with complete recordings; False where none is left."""
        return any(self._db.execute(statement).rowcount > 0 for statement in _LEAVE)

    def give_up(self, most: int) -> int:
        """Delete finished streams without entries, keeping the `most` eventful; return how many were deleted."""
        empty = "complete AND id NOT IN (SELECT stream FROM every_entry)"
        given_up = self._blocks.select(
            f"SELECT id FROM stream WHERE {empty} ORDER BY events DESC, id LIMIT -1 OFFSET ?", (most,)
        )
        for table in _OWNED:
            self._db.executemany(f"DELETE FROM {table} WHERE stream = ?", given_up)
        for (stream,) in given_up:
            self.delete(stream)
        return len(given_up)

    def delete_state(self, stream: str) -> None:
        """Delete the working memory's state of a stream."""
        self._db.execute("UPDATE stream SET state = NULL WHERE id = ?", (stream,))

    def delete(self, stream: str) -> None:
        """Delete what is known of a stream; its entries and everything else of it are deleted elsewhere."""
        self._db.execute("DELETE FROM stream WHERE id = ?", (stream,))
        self._db.executemany("DELETE FROM meta WHERE key = ?", [(before + stream,) for before in _SETTINGS])

    def note_imported(self, stream: str, source: str) -> None:
        """Note that a stream came with an import, which names this path as its source."""
        self._db.execute(
            "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_IMPORTED + stream, json.dumps(source))
        )

    def note_recorded(self, stream: str, recorded_s: float) -> None:
        """Note when the recording of a stream begins, in seconds since 1970, from which its times count."""
        self._db.execute(
            "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (RECORDED + stream, json.dumps(recorded_s))
        )

    def recorded_s(self, recording: str) -> float | None:
        """When a recording begins, in seconds since 1970; None where its times count from its start."""
        row = self._db.execute(
            "SELECT value FROM meta WHERE key = "
            "(SELECT ? || id FROM stream WHERE recording = ? ORDER BY id LIMIT 1)",
            (RECORDED, recording),
        ).fetchone()
        return None if row is None else float(json.loads(row[0]))

    def _settings(self, before: str) -> dict[str, Any]:
        """The settings of streams that have one kind of them, by the stream's name."""
        rows = self._db.execute(
            "SELECT substr(key, ?), value FROM meta WHERE substr(key, 1, ?) = ?",
            (len(before) + 1, len(before), before),
        )
        return {stream: json.loads(value) for stream, value in rows}

    def set_newest(self, stream: str, entry_id: int) -> None:
        """Note which entry holds the newest event of a stream."""
        self._db.execute("UPDATE stream SET newest = ? WHERE id = ?", (entry_id, stream))

    def move_newest(self, entry_id: int, other_id: int) -> None:
        """If an entry holds the newest event of a stream, note that another does from now on."""
        self._db.execute("UPDATE stream SET newest = ? WHERE newest = ?", (other_id, entry_id))

    def newest(self, stream: str) -> int | None:
        """Id of the entry that holds the newest event of a stream; None where it is no longer held."""
        rows = self._blocks.select(
            "SELECT id FROM every_entry WHERE id = (SELECT newest FROM stream WHERE id = ?)", (stream,)
        )
        return int(rows[0][0]) if rows else None

    def under_way(self) -> set[int]:
        """Ids of the entries that hold the newest events of streams under way; these may still be prolonged."""
        rows = self._db.execute("SELECT newest FROM stream WHERE NOT complete AND newest IS NOT NULL")
        return {entry_id for (entry_id,) in rows}

    def ends(self, streams: Sequence[str]) -> dict[str, float]:
        """Up to when each of some streams was watched; seconds."""
        rows = self._db.execute(
            "SELECT id, end_s FROM stream WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(streams)),),
        )
        return {stream: float(end_s) for stream, end_s in rows}

    def ends_s(self) -> dict[str, float]:
        """Time of the end of what was watched of each stream."""
        return dict(self._db.execute("SELECT id, end_s FROM stream WHERE last_seq >= 0"))

    def end_s(self, stream: str) -> float:
        """Time of the end of what was watched of a stream."""
        row = self._db.execute("SELECT end_s FROM stream WHERE id = ?", (stream,)).fetchone()
        return float(row[0]) if row else 0.0

    def rows(self, *, recording: str | None = None, fingerprint: str | None = None) -> list[StreamRow]:
        """All streams, those of a recording, or those whose fingerprint is or begins with one, by name."""
        rows = self._db.execute(
            f"SELECT {', '.join(StreamRow._fields)} FROM stream "
            "WHERE (?1 IS NULL OR recording = ?1) AND (?2 IS NULL OR fingerprint = ?2 "
            "OR substr(fingerprint, 1, length(?2) + 1) = ?2 || ':') ORDER BY id",
            (recording, fingerprint),
        ).fetchall()
        return [StreamRow._make(row)._replace(complete=bool(row[7])) for row in rows]

    def state(self, stream: str) -> bytes | None:
        """The working memory's state of a stream, None where there is none to go on with."""
        row = self._db.execute("SELECT state FROM stream WHERE id = ?", (stream,)).fetchone()
        return None if row is None else row[0]

    def statuses(self) -> list[StreamStatus]:
        """What is held of each stream, by name."""
        imported, recorded = self._settings(_IMPORTED), self._settings(RECORDED)
        apart = ProvenanceTable(self._db).quarantine()
        looked = CoverageTable(self._db).every()
        rows = self._blocks.select(
            "SELECT s.id, s.source, s.fps, s.end_s, s.complete, s.frames_seen, s.frames_encoded, "
            "s.events, s.evicted, "
            "count(e.id), coalesce(sum(e.jpeg_bytes + coalesce(length(e.key) + length(e.scene), 0) "
            "+ length(e.labels) + length(e.text) + 96), 0), min(e.t0_s), max(e.last_s), s.last_seq "
            "FROM stream s LEFT JOIN every_entry e ON e.stream = s.id GROUP BY s.id ORDER BY s.id"
        )
        return [
            StreamStatus(
                id=row[0],
                source=row[1],
                fps=row[2],
                duration_s=row[3],
                complete=bool(row[4]),
                frames_seen=row[5],
                frames_encoded=row[6],
                events=row[7],
                evicted=row[8],
                entries=row[9],
                entry_bytes=row[10],
                t0_s=row[11],
                t1_s=row[12],
                recorded_s=recorded.get(row[0]),
                imported=imported.get(row[0]) == row[1],  # else it was watched here since, from a path of our own
                quarantined=apart.share_of(row[0], row[13]),
                looked=looked[row[0]].spans if row[0] in looked else (),
                senses=looked[row[0]].senses if row[0] in looked else (),
            )
            for row in rows
        ]

    def coarse(self) -> frozenset[str]:
        """Names of the streams that were previewed by their key frames alone."""
        rows = self._db.execute("SELECT id FROM stream WHERE fps = ?", (KEY_FRAMES,))
        return frozenset(name for (name,) in rows)
