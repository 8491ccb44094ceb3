"""The memory's database: streams, entries, their text; one SQLite file in WAL mode, one writer.

Rows hold everything but the exemplars. Vectors are stored as scaled int8 (codec.py), sensors as float32;
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

from hippocam.memory.codec import pack, signs, unpack, unpack_many
from hippocam.memory.errors import (
    DiskError,
    MemoryFolderError,
    NewerFormatError,
    NotAMemoryError,
    OlderFormatError,
)
from hippocam.memory.filter import Filter, within
from hippocam.memory.records import KEY_FRAMES, Entry, Event, Level, Span, StreamStatus, entry_id
from hippocam.memory.store.migrations import OLDER, migrate
from hippocam.memory.store.notes import NoteRows
from hippocam.memory.store.schema import APPLICATION_ID, FORMAT, PAGE_BYTES, WAL_PAGES, create
from hippocam.memory.store.summaries import SummaryRows
from hippocam.memory.store.tombstones import SleepRows
from hippocam.stream.records import EncoderSpec, FloatArray, Sensors

_ENTRY_COLUMNS = (
    "id, stream, t0_s, t1_s, known_s, frame_s, surprise, utility, labels, text, frames, repeats, jpeg_bytes, "
    "state, action, pose, spans, strength, met, uses, pinned, level, place, first_seq"
)


class SlotRow(NamedTuple):
    """One entry as consolidation sees it: what decides whether it is kept, without words and pictures."""

    id: int
    stream: str
    t0_s: float
    last_s: float
    utility: float
    strength: float
    met: int
    pinned: int
    level: int
    place: int
    jpeg_bytes: int
    words_bytes: int
    key_D: FloatArray | None


class JournalRow(NamedTuple):
    """Why something happened to an entry.

    Attributes:
        id: Position in the journal, rising.
        stream: Of the entry.
        time_s: The stream's time when it happened.
        action: "kept", "seen again", "merged", "smaller picture", "no picture", "signs only", "words only",
            "given up", ...
        entry: Id of the entry that it happened to; its row may be gone.
        other: Id of the entry that had part in it, as the one merged into.
        why: The numbers behind it, as JSON.
    """

    id: int
    stream: str
    time_s: float
    action: str
    entry: int
    other: int | None
    why: str


class Progress(NamedTuple):
    """How far a stream was watched: of which recording, the last stored position, the working memory's state."""

    stream: str
    recording: str
    source: str
    fingerprint: str
    last_seq: int
    complete: bool
    state: bytes | None


def _pack(vector: FloatArray | None) -> bytes | None:
    return None if vector is None else vector.astype("<f4").tobytes()


def _unpack(blob: bytes | None) -> FloatArray | None:
    return None if blob is None else np.frombuffer(blob, "<f4").astype(np.float32)


def _pack_spans(spans: Sequence[Span]) -> bytes | None:
    flat = [value for span in spans for value in (span.t0_s, span.t1_s, span.known_s)]
    return np.asarray(flat, "<f8").tobytes() if flat else None


def _unpack_spans(blob: bytes | None) -> list[Span]:
    rows = np.frombuffer(blob or b"", "<f8").reshape(-1, 3).tolist()
    return [Span(t0_s=t0_s, t1_s=t1_s, known_s=known_s) for t0_s, t1_s, known_s in rows]


class Store:
    """Opens, checks, reads and writes the database of one memory.

    Args:
        path: The database file; it is made, with its schema, where writable and missing.
        writable: False opens for reading only: no statement can then change the file.

    Raises:
        MemoryFolderError: The file is no database of ours, or of a newer format, or damaged; or it is of an older
            format and is only to be read. A writer brings it to the present one (migrations.py).
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        if writable and not (path.exists() and path.stat().st_size):
            create(path)
        frozen = not writable and not os.access(path.parent, os.W_OK)  # a log cannot be opened there
        uri = f"{path.absolute().as_uri()}?{'mode=ro&immutable=1' if frozen else 'mode=rw'}"
        self._db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10, check_same_thread=False)
        self.summaries = SummaryRows(self._db)
        self.sleep = SleepRows(self._db)
        self.notes = NoteRows(self._db)
        try:
            self._prepare(writable)
        except sqlite3.OperationalError as error:
            self._db.close()
            raise DiskError(
                path.parent,
                f"{path.name} cannot be opened ({error}); check the folder's permissions and the room on its disk",
            ) from error
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise NotAMemoryError(path.parent, f"not a hippocam memory, or damaged ({error})") from error
        except MemoryFolderError:
            self._db.close()
            raise

    def _prepare(self, writable: bool) -> None:
        db = self._db
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            raise NotAMemoryError(self.path.parent, "not a hippocam memory")
        if version in OLDER:
            if not writable:
                raise OlderFormatError(self.path.parent, found=version, reads=FORMAT)
            migrate(self.path)
        elif version != FORMAT:
            raise NewerFormatError(self.path.parent, found=version, reads=FORMAT)
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

    @property
    def connection(self) -> sqlite3.Connection:
        """What archive.py reads and writes whole rows through."""
        return self._db

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
            self._db.executescript(
                f"PRAGMA incremental_vacuum({WAL_PAGES})"
            )  # `execute` would free one page a call
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
        """Note that a recording was watched to its end: its entries keep the numbers of its places."""
        self.drop_places(recording)
        self._db.execute(
            "DELETE FROM tracked WHERE stream IN (SELECT id FROM stream WHERE recording = ?)", (recording,)
        )
        self._db.execute("UPDATE stream SET complete = 1, state = NULL WHERE recording = ?", (recording,))

    def forget_streams(self, most: int) -> int:
        """Of recordings at their end that hold nothing any more, keep the most eventful ones; how many went."""
        empty = "complete AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.stream = stream.id)"
        gone = self._db.execute(
            f"SELECT id FROM stream WHERE {empty} ORDER BY events DESC, id LIMIT -1 OFFSET ?", (most,)
        ).fetchall()
        for table in ("summary", "probe", "note", "visit", "entity", "entity_total", "tracked"):
            self._db.executemany(f"DELETE FROM {table} WHERE stream = ?", gone)
        self._db.executemany("DELETE FROM stream WHERE id = ?", gone)
        return len(gone)

    def last_place(self, stream: str) -> int:
        """The greatest number of a place among the entries of a stream; 0 without one."""
        (number,) = self._db.execute(
            "SELECT coalesce(max(place), 0) FROM entry WHERE stream = ?", (stream,)
        ).fetchone()
        return int(number)

    def streams(self) -> list[StreamStatus]:
        """What is held of each stream, by name."""
        rows = self._db.execute(
            "SELECT s.id, s.source, s.fps, s.end_s, s.complete, s.frames_seen, s.frames_encoded, "
            "s.events, s.evicted, "
            "count(e.id), coalesce(sum(e.jpeg_bytes + coalesce(length(e.key) + length(e.scene), 0) "
            "+ length(e.labels) + length(e.text) + 96), 0), min(e.t0_s), max(e.last_s) "
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

    def coarse_streams(self) -> frozenset[str]:
        """Names of the streams that were previewed by their key frames alone."""
        rows = self._db.execute("SELECT id FROM stream WHERE fps = ?", (KEY_FRAMES,))
        return frozenset(name for (name,) in rows)

    # entries ---------------------------------------------------------------------------------------------

    def insert(self, event: Event) -> int:
        """Store an event as an entry and return its id; the same event again is a no-op."""
        number = entry_id(event.stream, event.first_seq)
        sensors = event.sensors
        self._db.execute(
            "INSERT OR IGNORE INTO entry (id, stream, first_seq, t0_s, t1_s, known_s, frame_s, last_s, surprise, "
            "utility, place, labels, text, frames, repeats, jpeg_bytes, key, scene, state, action, pose) "
            f"VALUES ({', '.join('?' * 21)})",
            (
                number, event.stream, event.first_seq, event.t0_s, event.t1_s, event.known_s, event.frame_s,
                event.t1_s, event.surprise, event.utility, event.place,
                ", ".join(event.labels), event.text, event.frames, event.repeats, len(event.jpeg),
                pack(event.key), pack(event.scene),
                _pack(sensors.state), _pack(sensors.action), _pack(sensors.pose),
            ),
        )  # fmt: skip
        self._db.execute("UPDATE stream SET newest = ? WHERE id = ?", (number, event.stream))
        return number

    def restore(self, entry: Entry, key: FloatArray | None, scene: FloatArray | None) -> None:
        """Store an entry as it was in another memory."""
        sensors, last_s = entry.sensors, max(span.t1_s for span in entry.spans)
        self._db.execute(
            "INSERT INTO entry (id, stream, first_seq, t0_s, t1_s, known_s, frame_s, last_s, spans, surprise, "
            "utility, strength, met, uses, pinned, level, place, labels, text, frames, repeats, jpeg_bytes, key, "
            f"scene, state, action, pose) VALUES ({', '.join('?' * 27)})",
            (
                entry.id, entry.stream, entry.first_seq, entry.t0_s, entry.t1_s, entry.known_s, entry.frame_s,
                last_s, _pack_spans(entry.spans[1:]), entry.surprise, entry.utility, entry.strength, entry.met,
                entry.uses, entry.pinned, int(entry.level), entry.place, ", ".join(entry.labels), entry.text,
                entry.frames, entry.repeats, entry.jpeg_bytes, None if key is None else pack(key),
                None if scene is None else pack(scene), _pack(sensors.state), _pack(sensors.action),
                _pack(sensors.pose),
            ),
        )  # fmt: skip

    def newest(self, stream: str) -> int | None:
        """Id of the entry that the newest event of a stream went into; None where that is no longer held."""
        row = self._db.execute(
            "SELECT e.id FROM stream s JOIN entry e ON e.id = s.newest WHERE s.id = ?", (stream,)
        ).fetchone()
        return None if row is None else int(row[0])

    def repeat(self, number: int, repeats: int) -> None:
        """Count unchanged frames of an entry."""
        self._db.execute("UPDATE entry SET repeats = repeats + ? WHERE id = ?", (repeats, number))

    def touch(self, number: int, *, first: Span, further: Sequence[Span], met: int, strength: float) -> None:
        """Give an entry other spans, and how often it was met."""
        last_s = max(span.t1_s for span in (first, *further))
        self._db.execute(
            "UPDATE entry SET t0_s = ?, t1_s = ?, known_s = ?, spans = ?, met = ?, strength = ?, last_s = ? "
            "WHERE id = ?",
            (first.t0_s, first.t1_s, first.known_s, _pack_spans(further), met, strength, last_s, number),
        )

    def set_newest(self, stream: str, number: int) -> None:
        """Note which entry the newest event of a stream went into."""
        self._db.execute("UPDATE stream SET newest = ? WHERE id = ?", (number, stream))

    def move_newest(self, number: int, other: int) -> None:
        """Where an entry held the newest event of a stream, another does now."""
        self._db.execute("UPDATE stream SET newest = ? WHERE newest = ?", (other, number))

    def end_s(self, stream: str) -> float:
        """Time of the end of what was watched of a stream."""
        row = self._db.execute("SELECT end_s FROM stream WHERE id = ?", (stream,)).fetchone()
        return float(row[0]) if row else 0.0

    def demote(self, number: int, level: int, jpeg_bytes: int) -> None:
        """Note that an entry keeps less of its evidence: see `Level`. Vectors are dropped at the last level."""
        self._db.execute("UPDATE entry SET level = ?, jpeg_bytes = ? WHERE id = ?", (level, jpeg_bytes, number))
        if level == Level.SIGNS:
            key, scene = self._db.execute("SELECT key, scene FROM entry WHERE id = ?", (number,)).fetchone()
            packed = (pack(signs(unpack(blob))) for blob in (key, scene))
            self._db.execute("UPDATE entry SET key = ?, scene = ? WHERE id = ?", (*packed, number))
        if level == Level.WORDS:
            self._db.execute(
                "UPDATE entry SET key = NULL, scene = NULL, state = NULL, action = NULL WHERE id = ?", (number,)
            )

    def pin(self, number: int, pinned: bool) -> bool:
        """Keep an entry whatever comes, or no longer; False where it is not held."""
        return self._db.execute("UPDATE entry SET pinned = ? WHERE id = ?", (pinned, number)).rowcount == 1

    def use(self, number: int, strength: float) -> None:
        """Count that an entry was used as evidence."""
        self._db.execute("UPDATE entry SET uses = uses + 1, strength = ? WHERE id = ?", (strength, number))

    def delete(self, number: int) -> None:
        """Delete an entry and its words, and count it as given up."""
        self._db.execute(
            "UPDATE stream SET evicted = evicted + 1 WHERE id = (SELECT stream FROM entry WHERE id = ?)",
            (number,),
        )
        self._db.execute("DELETE FROM entry WHERE id = ?", (number,))

    def rekeyed_since(self, place: int) -> set[int]:
        """Entries that have other vectors than at a place in the journal."""
        rows = self._db.execute(
            "SELECT DISTINCT entry FROM journal WHERE id > ? AND action IN ('slept', 'taken back', 'signs only')",
            (place,),
        )
        return {number for (number,) in rows}

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
            spans=(Span(t0_s=row[2], t1_s=row[3], known_s=row[4]), *_unpack_spans(row[16])),
            strength=row[17],
            met=row[18],
            uses=row[19],
            pinned=bool(row[20]),
            level=Level(row[21]),
            place=row[22],
            first_seq=row[23],
        )

    def count(self) -> int:
        """Number of entries."""
        (number,) = self._db.execute("SELECT count(*) FROM entry").fetchone()
        return int(number)

    def find(self, first: int, last: int, limit: int) -> list[int]:
        """Ids from first to last, rising: of entries, and of those that only the journal remembers."""
        rows = self._db.execute(
            "SELECT id FROM entry WHERE id BETWEEN :first AND :last "
            "UNION SELECT entry FROM journal WHERE entry BETWEEN :first AND :last ORDER BY 1 LIMIT :limit",
            {"first": first, "last": last, "limit": limit},
        )
        return [row[0] for row in rows.fetchall()]

    def nearest(self, stream: str, time_s: float) -> int | None:
        """Id of the entry with a picture that covers a time of a stream, else of the nearest; None without one."""
        row = self._db.execute(
            "SELECT id FROM entry WHERE stream = ? AND jpeg_bytes > 0 "
            "ORDER BY max(t0_s - ?, ? - t1_s, 0), t0_s DESC LIMIT 1",
            (stream, time_s, time_s),
        ).fetchone()
        return None if row is None else int(row[0])

    def ids(self, among: Sequence[int] | None = None) -> set[int]:
        """Ids of all entries that still have vectors, or of those among some."""
        if among is None:
            return {row[0] for row in self._db.execute("SELECT id FROM entry WHERE key IS NOT NULL")}
        rows = self._db.execute(
            "SELECT id FROM entry WHERE id IN (SELECT value FROM json_each(?)) AND key IS NOT NULL",
            (json.dumps(list(among)),),
        )
        return {row[0] for row in rows}

    def vectors(self, numbers: Sequence[int]) -> tuple[FloatArray, FloatArray]:
        """Keys and scenes of entries that have them, float32 [N, D] each, in the order given."""
        rows = self._db.execute(
            "SELECT id, key, scene FROM entry WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(numbers)),),
        ).fetchall()
        if not rows:
            return np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32)
        place = {number: k for k, (number, _, _) in enumerate(rows)}
        order = [place[number] for number in numbers]
        return unpack_many([row[1] for row in rows])[order], unpack_many([row[2] for row in rows])[order]

    def slots(self, number: int | None = None) -> Iterator[SlotRow]:
        """What consolidation holds in memory of each entry or of one, each stream in the order of its events."""
        for row in self._db.execute(
            "SELECT id, stream, t0_s, last_s, utility, strength, met, pinned, level, place, jpeg_bytes, "
            "2 * (length(CAST(text AS BLOB)) + length(CAST(labels AS BLOB))), key "
            f"FROM entry {'' if number is None else 'WHERE id = :number'} ORDER BY stream, first_seq",
            {"number": number},
        ):
            yield SlotRow._make([*row[:-1], None if row[-1] is None else unpack(row[-1])])

    def passed_by(self, stream: str, t0_s: float, t1_s: float, most: int = 64) -> list[int]:
        """Ids of the entries of a stream that overlap a stretch of time or touch it, the latest first.

        Looked for among the `most` newest that begin before its end.
        """
        rows = self._db.execute(
            "SELECT id, last_s FROM entry WHERE stream = ? AND t0_s <= ? ORDER BY t0_s DESC, id LIMIT ?",
            (stream, t1_s, most),
        )
        return [number for number, last_s in rows if last_s >= t0_s]

    def select(self, wanted: Filter) -> list[int]:
        """Ids of the entries that meet some conditions."""
        clauses, values = ["1"], list[object]()
        if wanted.stream is not None:
            clauses.append("(stream = ? OR substr(stream, 1, ?) = ?)")
            values += [wanted.stream, len(wanted.stream) + 1, wanted.stream + "/"]
        if wanted.camera is not None:
            clauses.append("(stream = ? OR substr(stream, ?) = ?)")
            values += [wanted.camera, -len(wanted.camera) - 1, "/" + wanted.camera]
        for clause, value in (
            ("place = ?", wanted.place),
            ("last_s > ?", wanted.after_s),
            ("t0_s < ?", wanted.before_s),
            ("max(known_s, frame_s) <= ?", wanted.at_s),
        ):
            if value is not None:
                clauses.append(clause)
                values.append(value)
        rows = self._db.execute(
            f"SELECT id, spans, t0_s, t1_s, known_s, frame_s{', pose' if wanted.near else ''} FROM entry "
            f"WHERE {' AND '.join(clauses)} ORDER BY id",
            values,
        )
        found = []
        for number, packed, t0_s, t1_s, known_s, frame_s, *rest in rows:
            if wanted.near is not None:
                pose = _unpack(rest[0])
                if pose is None or not within(float(pose[0]), float(pose[1]), wanted.near):
                    continue
            if packed is not None:  # SQL knows of the first span and of the end of the last
                spans = (Span(t0_s=t0_s, t1_s=t1_s, known_s=known_s), *_unpack_spans(packed))
                if not wanted.passing(spans, frame_s):
                    continue
            found.append(number)
        return found

    def changed_since(self, place: int) -> tuple[int, list[int] | None]:
        """Entries that came, went or lost their vectors since a place in the journal.

        Returns:
            The journal's newest place, and their ids; None for these where the journal does not go back so far.
        """
        oldest, newest = self._db.execute("SELECT min(id), max(id) FROM journal").fetchone()
        if newest is None or oldest > place + 1 or newest < place:
            return newest or 0, None
        rows = self._db.execute("SELECT DISTINCT entry FROM journal WHERE id > ?", (place,))
        return newest, [row[0] for row in rows]

    def beside(self, stream: str, t0_s: float, t1_s: float, gap_s: float) -> list[int]:
        """Ids of the entries of a stream just before and just after a stretch of time, no further than a gap."""
        before = self._db.execute(
            "SELECT id, t1_s FROM entry WHERE stream = ? AND t0_s < ? ORDER BY t0_s DESC, id LIMIT 1",
            (stream, t0_s),
        ).fetchall()
        after = self._db.execute(
            "SELECT id FROM entry WHERE stream = ? AND t0_s >= ? AND t0_s > ? AND t0_s <= ? "
            "ORDER BY t0_s, id LIMIT 1",
            (stream, t1_s, t0_s, t1_s + gap_s),
        ).fetchall()
        return [number for number, end_s in before if end_s >= t0_s - gap_s] + [number for (number,) in after]

    def begun_within(self, stream: str, t0_s: float, t1_s: float) -> list[int]:
        """Ids of the entries of a stream that begin in a stretch of time (at its end no more), in order."""
        rows = self._db.execute(
            "SELECT id FROM entry WHERE stream = :stream AND t0_s >= :t0 AND (t0_s < :t1 OR t0_s = :t0) "
            "ORDER BY t0_s, id",
            {"stream": stream, "t0": t0_s, "t1": t1_s},
        )
        return [row[0] for row in rows]

    # places, journal, probes, what was learned -------------------------------------------------------------

    def set_tracked(self, stream: str, state: bytes) -> None:
        """Keep the state of what follows the things of a stream."""
        self._db.execute("INSERT OR REPLACE INTO tracked VALUES (?, ?)", (stream, state))

    def tracked(self, stream: str) -> bytes:
        """The state that was kept for a stream; empty where none was."""
        row = self._db.execute("SELECT state FROM tracked WHERE stream = ?", (stream,)).fetchone()
        return b"" if row is None else bytes(row[0])

    def set_place(self, stream: str, number: int, vector: FloatArray, seen: int, last_s: float) -> None:
        """Keep a place of a stream as it is now."""
        self._db.execute(
            "INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?, ?)", (stream, number, pack(vector), seen, last_s)
        )

    def places(self, stream: str) -> list[tuple[int, FloatArray, int, float]]:
        """Number, vector [D], times seen and last time of each place of a stream."""
        rows = self._db.execute(
            "SELECT id, vector, seen, last_s FROM place WHERE stream = ? ORDER BY id", (stream,)
        )
        return [(number, unpack(vector), seen, last_s) for number, vector, seen, last_s in rows]

    def drop_place(self, stream: str, number: int) -> None:
        """Drop a place of a stream."""
        self._db.execute("DELETE FROM place WHERE stream = ? AND id = ?", (stream, number))

    def drop_places(self, recording: str) -> None:
        """Drop the places of a recording."""
        self._db.execute(
            "DELETE FROM place WHERE stream IN (SELECT id FROM stream WHERE recording = ?)", (recording,)
        )

    def note(
        self, stream: str, time_s: float, action: str, entry: int, other: int | None, why: str, *, keep: int
    ) -> None:
        """Write into the journal, of which the newest `keep` rows stay."""
        cursor = self._db.execute(
            "INSERT INTO journal (stream, time_s, action, entry, other, why) VALUES (?, ?, ?, ?, ?, ?)",
            (stream, time_s, action, entry, other, why),
        )
        self._db.execute("DELETE FROM journal WHERE id <= ?", ((cursor.lastrowid or 0) - keep,))

    def journal(self, entry: int | None = None) -> list[JournalRow]:
        """What happened to an entry, or to all, the oldest first."""
        where = "" if entry is None else "WHERE entry = :entry OR other = :entry"
        rows = self._db.execute(
            f"SELECT id, stream, time_s, action, entry, other, why FROM journal {where} ORDER BY id",
            {"entry": entry},
        )
        return [JournalRow(*row) for row in rows]

    def forget_journal(self, number: int) -> None:
        """Delete what the journal says of an entry."""
        self._db.execute("DELETE FROM journal WHERE entry = ? OR other = ?", (number, number))

    def add_probe(
        self, kind: str, stream: str, t0_s: float, t1_s: float, vector: FloatArray, *, keep: int
    ) -> None:
        """Keep something to ask with later, and where its answer is; every second of a kind goes when too many."""
        self._db.execute(
            "INSERT INTO probe (kind, stream, t0_s, t1_s, vector) VALUES (?, ?, ?, ?, ?)",
            (kind, stream, t0_s, t1_s, pack(vector)),
        )
        (count,) = self._db.execute("SELECT count(*) FROM probe WHERE kind = ?", (kind,)).fetchone()
        if count > keep:
            self._db.execute(
                "DELETE FROM probe WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n "
                "FROM probe WHERE kind = ?) WHERE n % 2 = 0)",
                (kind,),
            )

    def probes(self) -> list[tuple[str, str, float, float, FloatArray]]:
        """Kind, stream, t0_s, t1_s and vector [D] of what is kept to ask with."""
        rows = self._db.execute("SELECT kind, stream, t0_s, t1_s, vector FROM probe ORDER BY id")
        return [(kind, stream, t0_s, t1_s, unpack(vector)) for kind, stream, t0_s, t1_s, vector in rows]

    def set_learned(self, name: str, value: bytes) -> None:
        """Keep what was learned from this memory's own streams."""
        self._db.execute("INSERT OR REPLACE INTO learned VALUES (?, ?)", (name, value))

    def learned(self, name: str) -> bytes | None:
        """What was kept under a name, None where nothing was."""
        row = self._db.execute("SELECT value FROM learned WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def match_words(
        self, words: Sequence[str], column: str, among: Sequence[int], most: int = 5000
    ) -> dict[int, int]:
        """How many of the words each entry holds in its "labels" or its "text"; those with none are left out.

        Args:
            words: What is looked for.
            column: Where.
            among: Entries in which every word is counted.
            most: A word that more entries than this hold tells little: it is counted in those of `among` alone.
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
            for (number,) in rows:
                found[number] = found.get(number, 0) + 1
        return found
