"""The memory's database: streams, entries, their text; one SQLite file in WAL mode, one writer.

Rows hold everything but the exemplars. Vectors are stored as little-endian float16, sensors as float32;
nothing that is stored is ever evaluated or unpickled.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.errors import DiskError, MemoryFolderError
from hippocam.memory.records import Entry, Event, StreamStatus, entry_id
from hippocam.memory.schema import APPLICATION_ID, FORMAT, PAGE_BYTES, WAL_PAGES, create
from hippocam.stream.records import EncoderSpec, FloatArray, Sensors

_ENTRY_COLUMNS = (
    "id, stream, t0_s, t1_s, known_s, frame_s, surprise, utility, labels, text, frames, repeats, jpeg_bytes, "
    "state, action, pose"
)


class SlotRow(NamedTuple):
    """One entry as eviction and the index see it; vectors_2D is float16, its key and its scene side by side."""

    id: int
    stream: str
    utility: float
    jpeg_bytes: int
    vectors_2D: NDArray[np.float16]


class Progress(NamedTuple):
    """How far a stream was watched: of which recording, the last stored position, the working memory's state."""

    stream: str
    recording: str
    source: str
    fingerprint: str
    last_seq: int
    complete: bool
    state: bytes | None


def _pack(vector: FloatArray | None, dtype: str) -> bytes | None:
    return None if vector is None else vector.astype(dtype).tobytes()


def _unpack(blob: bytes | None) -> FloatArray | None:
    return None if blob is None else np.frombuffer(blob, "<f4").astype(np.float32)


class Store:
    """Opens, checks, reads and writes the database of one memory.

    Args:
        path: The database file; it is made, with its schema, where writable and missing.
        writable: False opens for reading only: no statement can then change the file.

    Raises:
        MemoryFolderError: The file is no database of ours, or of a newer format, or damaged.
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        if writable and not (path.exists() and path.stat().st_size):
            create(path)
        frozen = not writable and not os.access(path.parent, os.W_OK)  # a log cannot be opened there
        uri = f"{path.absolute().as_uri()}?{'mode=ro&immutable=1' if frozen else 'mode=rw'}"
        self._db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10, check_same_thread=False)
        try:
            self._prepare(writable)
        except sqlite3.OperationalError as error:
            self._db.close()
            raise DiskError(
                f"{path}: cannot be opened ({error}); check the folder's permissions and the room on its disk"
            ) from error
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise MemoryFolderError(
                f"{path}: not a hippocam memory, or damaged ({error}); give another --memory folder"
            ) from error
        except MemoryFolderError:
            self._db.close()
            raise

    def _prepare(self, writable: bool) -> None:
        db = self._db
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            raise MemoryFolderError(f"{self.path}: not a hippocam memory; give another --memory folder")
        if version != FORMAT:
            raise MemoryFolderError(
                f"{self.path}: memory format {version}, this hippocam reads {FORMAT}; upgrade hippocam"
            )
        if writable:
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA secure_delete = ON")
            db.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
            db.execute(f"PRAGMA journal_size_limit = {WAL_PAGES * PAGE_BYTES}")
        else:
            db.execute("PRAGMA query_only = ON")

    def close(self) -> None:
        """Close the connection; the last one folds the log into the file and removes it."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements inside take effect together, or none."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reads inside see one state, whatever a writer does meanwhile."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    def version(self) -> int:
        """A number that differs after another connection has committed."""
        (number,) = self._db.execute("PRAGMA data_version").fetchone()
        return int(number)

    def live_bytes(self) -> int:
        """Bytes of the pages in use: what the file would take without its free pages."""
        (pages,) = self._db.execute("PRAGMA page_count").fetchone()
        (free,) = self._db.execute("PRAGMA freelist_count").fetchone()
        return int(pages - free) * PAGE_BYTES

    def shrink(self) -> None:
        """Give free pages back to the disk, a few at a time so that the log stays small."""
        while True:
            (free,) = self._db.execute("PRAGMA freelist_count").fetchone()
            if not free:
                break
            self._db.execute(f"PRAGMA incremental_vacuum({WAL_PAGES})").fetchall()
        self.fold_log()

    def fold_log(self) -> bool:
        """Fold the log into the file and empty it, waiting for readers; False where one did not let go in time."""
        (busy, *_) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    # meta ------------------------------------------------------------------------------------------------

    def set_meta(self, **values: object) -> None:
        """Keep settings of the memory, as JSON."""
        rows = [(key, json.dumps(value)) for key, value in values.items()]
        self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

    def meta(self, key: str) -> object:
        """A setting of the memory, None where it was never set."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def set_encoder(self, name: str, spec: EncoderSpec) -> None:
        """Keep which encoder made the vectors: the name to build it by, and its spec."""
        self.set_meta(encoder=name, spec=asdict(spec))

    def encoder(self) -> tuple[str, EncoderSpec] | None:
        """Name and spec of the encoder, None in a memory that has seen nothing yet."""
        name, spec = self.meta("encoder"), self.meta("spec")
        return (name, EncoderSpec(**spec)) if isinstance(name, str) and isinstance(spec, dict) else None

    # streams ---------------------------------------------------------------------------------------------

    def add_stream(self, stream: str, recording: str, source: str, fingerprint: str, fps: float | None) -> None:
        """Make a stream known; where it is, note where its recording is now and what it holds."""
        self._db.execute(
            "INSERT INTO stream (id, recording, source, fingerprint, fps) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET source = excluded.source, fingerprint = excluded.fingerprint",
            (stream, recording, source, fingerprint, fps),
        )

    def progress(self, *, recording: str | None = None, fingerprint: str | None = None) -> list[Progress]:
        """How far the streams of a recording, or those of the same content, were watched."""
        rows = self._db.execute(
            "SELECT id, recording, source, fingerprint, last_seq, complete, state FROM stream "
            "WHERE recording = coalesce(?, recording) AND fingerprint = coalesce(?, fingerprint) ORDER BY id",
            (recording, fingerprint),
        )
        return [Progress(*row) for row in rows.fetchall()]

    def relocate(self, recording: str, source: str) -> None:
        """Note where a recording is now."""
        self._db.execute("UPDATE stream SET source = ? WHERE recording = ?", (source, recording))

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
        """Note that a recording was watched to its end."""
        self._db.execute("UPDATE stream SET complete = 1, state = NULL WHERE recording = ?", (recording,))

    def streams(self) -> list[StreamStatus]:
        """What is held of each stream, by name."""
        rows = self._db.execute(
            "SELECT s.id, s.source, s.fps, s.end_s, s.complete, s.frames_seen, s.frames_encoded, "
            "s.events, s.evicted, "
            "count(e.id), coalesce(sum(e.jpeg_bytes + length(e.key) + length(e.scene) + length(e.labels) "
            "+ length(e.text) + 96), 0), min(e.t0_s), max(e.t1_s) "
            "FROM stream s LEFT JOIN entry e ON e.stream = s.id GROUP BY s.id ORDER BY s.id"
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
            )
            for row in rows
        ]

    # entries ---------------------------------------------------------------------------------------------

    def insert(self, event: Event) -> int:
        """Store an event as an entry and return its id; the same event again is a no-op."""
        number = entry_id(event.stream, event.first_seq)
        sensors = event.sensors
        self._db.execute(
            f"INSERT OR IGNORE INTO entry ({_ENTRY_COLUMNS}, first_seq, key, scene) "
            f"VALUES ({', '.join('?' * 19)})",
            (
                number, event.stream, event.t0_s, event.t1_s, event.known_s, event.frame_s,
                event.surprise, event.utility,
                ", ".join(event.labels), event.text, event.frames, event.repeats, len(event.jpeg),
                _pack(sensors.state, "<f4"), _pack(sensors.action, "<f4"), _pack(sensors.pose, "<f4"),
                event.first_seq, _pack(event.key, "<f2"), _pack(event.scene, "<f2"),
            ),
        )  # fmt: skip
        self._db.execute("UPDATE stream SET newest = ? WHERE id = ?", (number, event.stream))
        return number

    def extend(self, stream: str, t1_s: float, repeats: int) -> None:
        """Prolong the newest entry of a stream, if it is still held."""
        self._db.execute(
            "UPDATE entry SET t1_s = max(t1_s, ?), repeats = repeats + ? "
            "WHERE id = (SELECT newest FROM stream WHERE id = ?)",
            (t1_s, repeats, stream),
        )

    def delete(self, number: int) -> None:
        """Delete an entry and its words, and count it as given up."""
        self._db.execute(
            "UPDATE stream SET evicted = evicted + 1 WHERE id = (SELECT stream FROM entry WHERE id = ?)",
            (number,),
        )
        self._db.execute("DELETE FROM entry WHERE id = ?", (number,))

    def entry(self, number: int) -> Entry | None:
        """An entry by its id, None where it is not held."""
        row = self._db.execute(f"SELECT {_ENTRY_COLUMNS} FROM entry WHERE id = ?", (number,)).fetchone()
        if row is None:
            return None
        return Entry(
            id=row[0],
            stream=row[1],
            t0_s=row[2],
            t1_s=row[3],
            known_s=row[4],
            frame_s=row[5],
            surprise=row[6],
            utility=row[7],
            labels=tuple(row[8].split(", ")) if row[8] else (),
            text=row[9],
            frames=row[10],
            repeats=row[11],
            jpeg_bytes=row[12],
            sensors=Sensors(state=_unpack(row[13]), action=_unpack(row[14]), pose=_unpack(row[15])),
        )

    def count(self) -> int:
        """Number of entries."""
        (number,) = self._db.execute("SELECT count(*) FROM entry").fetchone()
        return int(number)

    def nearest(self, stream: str, time_s: float) -> int | None:
        """Id of the entry of a stream that covers a time, else of the nearest to it; None if there is none."""
        row = self._db.execute(
            "SELECT id FROM entry WHERE stream = ? ORDER BY max(t0_s - ?, ? - t1_s, 0), t0_s DESC LIMIT 1",
            (stream, time_s, time_s),
        ).fetchone()
        return None if row is None else int(row[0])

    def ids(self) -> set[int]:
        """Ids of all entries."""
        return {row[0] for row in self._db.execute("SELECT id FROM entry")}

    def vectors(self, numbers: Sequence[int]) -> NDArray[np.float32]:
        """Key and scene side by side of some entries, float32 [N, 2D], in the order given."""
        found = []
        for number in numbers:
            key, scene = self._db.execute("SELECT key, scene FROM entry WHERE id = ?", (number,)).fetchone()
            found.append(np.frombuffer(key + scene, "<f2"))
        return np.stack(found).astype(np.float32)

    def slots(self) -> Iterator[SlotRow]:
        """What long-term memory holds in memory of each entry, each stream in the order of its events."""
        for row in self._db.execute(
            "SELECT id, stream, utility, jpeg_bytes, key, scene FROM entry ORDER BY stream, first_seq"
        ):
            number, stream, utility, jpeg_bytes, key, scene = row
            yield SlotRow(number, stream, utility, jpeg_bytes, np.frombuffer(key + scene, "<f2"))

    def select(
        self, *, stream: str | None, after_s: float | None, before_s: float | None, known_by_s: float | None
    ) -> list[int]:
        """Ids of entries by time.

        Args:
            stream: Only of this stream, or of the cameras of this source.
            after_s: Only those that end after this.
            before_s: Only those that begin before this.
            known_by_s: Only those whose keys rest on nothing later than this.
        """
        clauses, values = ["1"], []
        if stream is not None:
            clauses.append("(stream = ? OR substr(stream, 1, ?) = ?)")
            values += [stream, len(stream) + 1, stream + "/"]
        for clause, value in (("t1_s > ?", after_s), ("t0_s < ?", before_s), ("known_s <= ?", known_by_s)):
            if value is not None:
                clauses.append(clause)
                values.append(value)
        rows = self._db.execute(f"SELECT id FROM entry WHERE {' AND '.join(clauses)} ORDER BY id", values)
        return [row[0] for row in rows]

    def match_words(self, words: Sequence[str], column: str) -> dict[int, int]:
        """How many of the words each entry holds in its "labels" or its "text"; those with none are left out."""
        found: dict[int, int] = {}
        for word in words:
            rows = self._db.execute("SELECT rowid FROM words WHERE words MATCH ?", (f'{column} : "{word}"',))
            for (number,) in rows:
                found[number] = found.get(number, 0) + 1
        return found
