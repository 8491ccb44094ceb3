"""Memories of formats 1, 2, 4 and 6, made here with their own SQL, brought to the present format."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hippocam.memory.entities import tables
from hippocam.memory.entities.bank import EntityMemory
from hippocam.memory.errors import DiskError, MemoryFolderError, OlderFormatError
from hippocam.memory.records import Level, Span, id_of
from hippocam.memory.store import migrations, sums
from hippocam.memory.store.database import Store
from hippocam.memory.store.migrations import format_of, migrate, upgrade
from hippocam.memory.store.schema import ADDED_3, ADDED_4, FORMAT, SCHEMA, SCHEMA_2, SCHEMA_6, SUMMED
from hippocam.memory.verify.checks import verify
from hippocam.memory.verify.problems import Kind

APPLICATION_ID = 0x48697063
FORMAT_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE stream (
    id TEXT PRIMARY KEY, recording TEXT NOT NULL, source TEXT NOT NULL, fingerprint TEXT NOT NULL, fps REAL,
    end_s REAL NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL DEFAULT -1, complete INTEGER NOT NULL DEFAULT 0,
    frames_seen INTEGER NOT NULL DEFAULT 0, frames_encoded INTEGER NOT NULL DEFAULT 0,
    events INTEGER NOT NULL DEFAULT 0, evicted INTEGER NOT NULL DEFAULT 0,
    newest INTEGER, state BLOB
) WITHOUT ROWID;
CREATE TABLE entry (
    id INTEGER PRIMARY KEY, stream TEXT NOT NULL, first_seq INTEGER NOT NULL,
    t0_s REAL NOT NULL, t1_s REAL NOT NULL, known_s REAL NOT NULL, frame_s REAL NOT NULL,
    surprise REAL NOT NULL, utility REAL NOT NULL, labels TEXT NOT NULL, text TEXT NOT NULL,
    frames INTEGER NOT NULL, repeats INTEGER NOT NULL, jpeg_bytes INTEGER NOT NULL,
    key BLOB NOT NULL, scene BLOB NOT NULL, state BLOB, action BLOB, pose BLOB
);
CREATE INDEX entry_time ON entry (stream, t0_s);
CREATE VIRTUAL TABLE words
    USING fts5 (labels, text, content = 'entry', content_rowid = 'id', tokenize = 'porter');
CREATE TRIGGER entry_words AFTER INSERT ON entry BEGIN
    INSERT INTO words (rowid, labels, text) VALUES (new.id, new.labels, new.text);
END;
CREATE TRIGGER entry_unwords AFTER DELETE ON entry BEGIN
    INSERT INTO words (words, rowid, labels, text) VALUES ('delete', old.id, old.labels, old.text);
END;
"""
INSERT_1 = f"INSERT INTO entry VALUES ({', '.join('?' * 19)})"
SPEC = {"id": "t:1", "dim": 32, "normalised": True, "midpoint": 0.5, "slope": 20.0, "growth": 0.0}
STREAMS = [
    # id, recording, source, fingerprint, fps, end_s, last_seq, complete, seen, encoded, events, evicted, newest,
    # state
    ("door", "door", "/films/door.mp4", "77:aa:bb", 1.0, 900.5, 899, 1, 900, 120, 41, 1, None, None),
    ("rig/left", "rig", "/logs/rig", "12:cc:dd", None, 40.0, 399, 0, 400, 400, 9, 0, None, b'{"dim": 0}\n'),
    ("rig/right", "rig", "/logs/rig", "12:cc:dd", None, 40.0, 399, 0, 400, 399, 0, 0, None, b"\x00\xff"),
]


def unit(rng: np.random.Generator, dim: int) -> np.ndarray[Any, Any]:
    vector = rng.normal(size=dim)
    return vector / np.linalg.norm(vector)


def blob(values: np.ndarray[Any, Any] | None, kind: str) -> bytes | None:
    return None if values is None else values.astype(kind).tobytes()


def entry_rows(counts: dict[str, int], dim: int) -> list[tuple[Any, ...]]:
    """Rows as `INSERT_1` takes them, with every field of its own."""
    rng = np.random.default_rng(7)
    rows = []
    for stream, count in counts.items():
        for k in range(count):
            t0_s = k * 21.625 + 0.1
            robot = stream != "door" and k % 2 == 0
            rows.append(
                (
                    id_of(stream, 3 * k), stream, 3 * k, t0_s, t0_s + 9.5, t0_s + 8.25, t0_s + 4.125,
                    float(rng.uniform(0, 2)), float(rng.uniform(0, 3)),
                    "car, red lorry" if k % 3 else "", f"task {k}: lift the bottles – ärmel" if robot else "",
                    k + 1, 2 * k, 900 + k, blob(unit(rng, dim), "<f2"), blob(unit(rng, dim), "<f2"),
                    blob(rng.normal(size=6), "<f4") if robot else None,
                    blob(rng.normal(size=4), "<f4") if robot else None,
                    blob(rng.normal(size=7), "<f4") if robot else None,
                )
            )  # fmt: skip
    return rows


def make_format_1(path: Path, rows: list[tuple[Any, ...]], version: int = 1) -> Path:
    """A database as the hippocam of format 1 made and filled it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA page_size = 4096")
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    ids = f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version};"
    db.executescript("BEGIN;" + FORMAT_1 + ids + "COMMIT;")
    db.execute("BEGIN")
    meta = {"encoder": "palette", "spec": SPEC, "created_unix_s": 1234.5, "budget_bytes": 5_000_000}
    db.executemany("INSERT INTO meta VALUES (?, ?)", [(k, json.dumps(v)) for k, v in meta.items()])
    db.executemany(f"INSERT INTO stream VALUES ({', '.join('?' * 14)})", STREAMS)
    db.executemany(INSERT_1, rows)
    for stream in {row[1] for row in rows}:
        newest = max((row[2], row[0]) for row in rows if row[1] == stream)[1]
        db.execute("UPDATE stream SET newest = ? WHERE id = ?", (newest, stream))
    db.execute("COMMIT")
    db.close()
    return path


def columns(db: sqlite3.Connection, table: str) -> str:
    names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    return ", ".join(name for name in names if name not in ("sum", "jpeg_sum", "motion"))


def dump(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All that is in a database but checksums, its layout included."""
    db = sqlite3.connect(path)
    layout = db.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    tables = ["meta", "stream", "entry", "words"]
    found = {table: db.execute(f"SELECT {columns(db, table)} FROM {table}").fetchall() for table in tables}
    version = db.execute("PRAGMA user_version").fetchall()
    db.close()
    return {"layout": layout, "version": version, **found}


def quantised(half: bytes) -> bytes:
    """A float16 vector as format 2 keeps it, computed from its definition: a scale, then signed bytes."""
    vector = np.frombuffer(half, "<f2").astype(np.float32)
    scale = np.float32(float(np.abs(vector).max()) / 127)
    return struct.pack("<f", scale) + bytes(round(float(v / scale)) & 0xFF for v in vector)


def matching(store: Store, query: str) -> set[int]:
    return {row[0] for row in store.connection.execute("SELECT rowid FROM words WHERE words MATCH ?", (query,))}


@pytest.fixture
def rows() -> list[tuple[Any, ...]]:
    return entry_rows({"door": 40, "rig/left": 9}, SPEC["dim"])  # type: ignore[arg-type]


def test_every_field_is_kept(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    path = make_format_1(tmp_path / "m" / "memory.db", rows)
    before = dump(path)
    migrate(path)
    after = dump(path)
    assert after["meta"] == before["meta"]
    assert after["version"] == [(FORMAT,)]
    assert after["stream"] == [(*row[:-1], None) for row in before["stream"]]  # all but the working memory's state
    assert sorted(after["words"]) == sorted(before["words"])
    store = Store(path, writable=False)
    assert store.meta.encoder() is not None
    assert store.entries.count() == len(rows)
    db = sqlite3.connect(path)
    vectors = {row[0]: row[1:] for row in db.execute("SELECT id, first_seq, last_s, key, scene FROM entry")}
    db.close()
    for row in rows:
        number, stream, _, t0_s, t1_s, known_s, frame_s, surprise, utility, labels, text = row[:11]
        frames, repeats, jpeg_bytes, key, scene, state, action, pose = row[11:]
        entry = store.entries.get(number)
        assert entry is not None
        assert (entry.stream, entry.t0_s, entry.t1_s, entry.known_s, entry.frame_s) == (
            stream, t0_s, t1_s, known_s, frame_s,
        )  # fmt: skip
        assert (entry.surprise, entry.utility) == (surprise, utility)
        assert (", ".join(entry.labels), entry.text) == (labels, text)
        assert (entry.frames, entry.repeats, entry.jpeg_bytes) == (frames, repeats, jpeg_bytes)
        sensors = (entry.sensors.state, entry.sensors.action, entry.sensors.pose)
        assert [None if part is None else part.tobytes() for part in sensors] == [state, action, pose]
        assert entry.spans == (Span(t0_s=t0_s, t1_s=t1_s, known_s=known_s),)
        assert (entry.strength, entry.met, entry.uses, entry.pinned, entry.place) == (1.0, 1, 0, False, 0)
        assert entry.level is Level.FULL
        assert vectors[number] == (row[2], t1_s, quantised(key), quantised(scene))
    assert matching(store, "text : bottle") == {row[0] for row in rows if "bottles" in row[10]}
    assert matching(store, "labels : lorries") == {row[0] for row in rows if "lorry" in row[9]}
    store.close()


def test_the_layout_is_that_of_a_new_database(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    path = make_format_1(tmp_path / "memory.db", rows)
    migrate(path)
    new = sqlite3.connect(":memory:")
    new.executescript(SCHEMA)
    wanted = new.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    assert dump(path)["layout"] == wanted
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert db.execute("PRAGMA freelist_count").fetchone() == (0,)
    db.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
    db.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["memory.db"]


def test_format_2_gets_what_it_lacks_and_keeps_every_row(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    filled, path = make_format_1(tmp_path / "filled" / "memory.db", rows), tmp_path / "memory.db"
    migrate(filled)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA page_size = 4096")
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(SCHEMA_2 + f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 2;")
    known = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
    db.execute("ATTACH ? AS filled", (str(filled),))
    for table in ("meta", "stream", "entry"):
        names = columns(db, table)
        db.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM filled.{table}")
    db.close()
    shutil.rmtree(filled.parent)
    before = dump(path)
    assert {name for name, _ in before["layout"]} == known
    with pytest.raises(OlderFormatError, match="memory format 2"):
        Store(path, writable=False)
    assert upgrade(tmp_path) == 2
    after = dump(path)
    assert {table: after[table] for table in ("meta", "stream", "entry", "words")} == {
        table: before[table] for table in ("meta", "stream", "entry", "words")
    }
    new = sqlite3.connect(":memory:")
    new.executescript(SCHEMA)
    assert after["layout"] == new.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    assert after["version"] == [(FORMAT,)]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["memory.db", "writer.lock"]


def test_a_writer_migrates_and_what_was_migrated_stays(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    path = make_format_1(tmp_path / "memory.db", rows)
    store = Store(path, writable=True)
    assert store.entries.count() == len(rows)
    gone = next(row for row in rows if "task" in row[10])
    store.entries.delete(gone[0])
    assert matching(store, "text : task") == {row[0] for row in rows if "task" in row[10]} - {gone[0]}
    store.close()
    migrate(path)
    store = Store(path, writable=False)
    assert store.entries.count() == len(rows) - 1
    store.close()


def test_a_reader_is_told_both_formats(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    path = make_format_1(tmp_path / "my memory" / "memory.db", rows)
    before = dump(path)
    with pytest.raises(OlderFormatError) as caught:
        Store(path, writable=False)
    assert (caught.value.folder, caught.value.found, caught.value.reads) == (path.parent, 1, FORMAT)
    assert len(str(caught.value).splitlines()) == 1
    assert dump(path) == before


def test_a_newer_format_is_refused(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    path = make_format_1(tmp_path / "memory.db", rows, version=FORMAT + 1)
    before = dump(path)
    for attempt in (lambda: migrate(path), lambda: upgrade(tmp_path), lambda: Store(path, writable=True)):
        with pytest.raises(MemoryFolderError, match=f"memory format {FORMAT + 1}, .*; upgrade hippocam"):
            attempt()
    assert dump(path) == before


def test_what_fails_halfway_leaves_the_old_memory_whole(
    tmp_path: Path, rows: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_format_1(tmp_path / "memory.db", rows)
    before, real, calls = dump(path), migrations.pack, 0

    def failing(vector: Any) -> bytes:
        nonlocal calls
        calls += 1
        if calls == len(rows):  # two a row: this is the middle
            raise sqlite3.OperationalError("database or disk is full")
        return real(vector)

    monkeypatch.setattr(migrations, "pack", failing)
    with pytest.raises(DiskError, match="full"):
        upgrade(tmp_path)
    assert dump(path) == before
    monkeypatch.undo()
    assert upgrade(tmp_path) == 1
    assert format_of(path) == FORMAT
    assert upgrade(tmp_path) == FORMAT


def test_a_damaged_row_is_named_and_nothing_changed(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    broken = [*rows[:-1], (*rows[-1][:14], b"odd", *rows[-1][15:])]
    path = make_format_1(tmp_path / "memory.db", broken)
    before = dump(path)
    with pytest.raises(MemoryFolderError, match=f"entry {rows[-1][0]:016x} is damaged"):
        Store(path, writable=True)
    assert dump(path) == before


KILLED = """
import os, signal, sys
from pathlib import Path
from hippocam.memory.store import migrations, sums
real, calls = migrations.pack, 0
def pack(vector):
    global calls
    calls += 1
    if calls == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(vector)
migrations.pack = pack
migrations.migrate(Path(sys.argv[1]))
"""


def test_a_kill_halfway_leaves_the_old_memory_whole(tmp_path: Path) -> None:
    rows = entry_rows({"door": 2500}, 512)  # more than SQLite's cache: much of the new table is in the log by then
    path = make_format_1(tmp_path / "memory.db", rows)
    before = dump(path)
    done = subprocess.run([sys.executable, "-c", KILLED, path, "4800"], check=False, timeout=900)
    assert done.returncode == -signal.SIGKILL
    assert os.path.getsize(f"{path}-wal") > 1_000_000
    with pytest.raises(OlderFormatError):
        Store(path, writable=False)
    assert dump(path) == before
    assert upgrade(tmp_path) == 1
    assert len(dump(path)["entry"]) == len(rows)


def test_a_memory_that_somebody_writes_to_is_left_alone(tmp_path: Path, rows: list[tuple[Any, ...]]) -> None:
    from hippocam.memory.lock import WriterLock

    path = make_format_1(tmp_path / "memory.db", rows)
    lock = WriterLock(tmp_path / "writer.lock")
    with pytest.raises(MemoryFolderError, match="another process is writing"):
        upgrade(tmp_path)
    lock.release()
    assert format_of(path) == 1


def test_a_folder_without_a_memory_is_named(tmp_path: Path) -> None:
    with pytest.raises(MemoryFolderError, match="no memory here"):
        upgrade(tmp_path)
    (tmp_path / "memory.db").write_text("not a database, but long enough to be taken for one" * 20)
    with pytest.raises(MemoryFolderError, match="damaged"):
        upgrade(tmp_path)


def make_format_4(path: Path, visits: int) -> Path:
    """A memory of format 4 with visits of things, checksums right."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as db:
        db.executescript(SCHEMA_2 + ADDED_3 + ADDED_4)
        db.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 4;")
        for number in range(1, visits + 1):
            db.execute(
                "INSERT INTO visit (id, entity, stream, label, t0_s, t1_s, first_s, known_s, linked_s, gone_s, "
                "from_start, hits, score, frame_s, box, gaps) VALUES (?1, ?1, 'cam', 'person', ?1, ?1 + 5, "
                "?1, ?1, ?1, ?1 + 6, 0, 5, 0.9, ?1, '[0.1, 0.2, 0.3, 0.4]', '[]')",
                (number,),
            )
        db.create_function("row_sum", -1, sums.row_sum, deterministic=True)
        db.execute(f"UPDATE visit SET sum = row_sum({', '.join(sums.columns(db, 'visit'))})")
    db.close()
    return path


def test_format_4_gets_columns_and_a_damaged_row_stays_known_as_that(tmp_path: Path) -> None:
    path = make_format_4(tmp_path / "memory.db", visits=3)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE visit SET hits = 99 WHERE id = 2")  # as a flipped bit would, without a new checksum
    db.close()
    reader = Store(path, writable=False)  # as it is
    assert [visit.id for visit in tables.visits(reader.connection)] == [1, 2, 3]
    assert reader.portraits.every()[0] == ()
    assert not EntityMemory(reader.connection).presence(["person"]).looked
    reader.close()
    (problem,) = [each for each in verify(tmp_path) if each.kind in (Kind.DATABASE, Kind.ROW)]
    assert "visit 2" in problem.what
    assert upgrade(tmp_path) == 4
    with sqlite3.connect(path) as db:
        assert [key for table in SUMMED for key in sums.wrong(db, table)] == [(2,)]
        assert [visit.path for visit in tables.visits(db)] == [(), (), ()]
    db.close()
    assert format_of(path) == FORMAT


def test_format_6_is_read_as_it_is_and_gets_its_totals_when_it_is_first_written_to(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(SCHEMA_6)
        db.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 6;")
        db.executemany("INSERT INTO meta (key, value) VALUES (?, '1')", [("a",), ("b",)])
        db.execute("INSERT INTO place (stream, id, vector, seen, last_s) VALUES ('cam', 1, x'00', 3, 9.5)")
        db.execute("INSERT INTO coverage VALUES ('cam', 0, 9, 9, 10, '[]', NULL)")
        db.execute(
            "INSERT INTO stream (id, recording, source, fingerprint, last_seq) VALUES ('cam', '', '', '', 9)"
        )
        sums.fill(db)
    db.close()
    before = path.read_bytes()
    Store(path, writable=False).close()
    assert verify(tmp_path) == []
    assert path.read_bytes() == before
    Store(path, writable=True).close()
    assert format_of(path) == FORMAT
    assert verify(tmp_path) == []
    with sqlite3.connect(path) as db:
        kept = {name: rows for name, rows in db.execute("SELECT name, rows FROM row_total") if rows}
        assert kept == {"meta": 2, "place": 1, "coverage": 1, "stream": 1}
        db.execute("DELETE FROM meta WHERE key = 'b'")
    db.close()
    assert [problem.what for problem in verify(tmp_path)] == ["1 of 2 rows of meta are missing"]


def test_format_6_has_the_blocks_of_its_bank_packed_anew(tmp_path: Path) -> None:
    rng, expected = np.random.default_rng(0), {}
    path = tmp_path / "memory.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(SCHEMA_6)
        db.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 6;")
        for block in (0, 1, 3):
            packed = b""
            for k in range(32):  # as format 6 had them: rows of 26 bytes each
                order, version = int(rng.integers(1, 1 << 20)), int(rng.integers(256))
                expected[32 * block + k + 1] = 256 * order + version
                packed += struct.pack("<qIiff?B", 32 * block + k + 1, order, -1, 0.5, 0.25, True, version)
            db.execute("INSERT INTO bank (block, columns) VALUES (?, ?)", (block, packed))
        sums.fill(db)
    db.close()
    reader = Store(path, writable=False)  # as it is
    assert reader.bank.versions() == expected
    reader.close()
    assert [each for each in verify(tmp_path) if each.kind != Kind.BUDGET] == []
    assert upgrade(tmp_path) == 6
    assert [each for each in verify(tmp_path) if each.kind != Kind.BUDGET] == []
    with sqlite3.connect(path) as db:
        lengths = db.execute("SELECT length(columns) FROM bank").fetchall()
    db.close()
    assert sum(length for (length,) in lengths) < 3 * 32 * 26
    reader = Store(path, writable=False)
    assert reader.bank.versions() == expected
    reader.close()
    assert format_of(path) == FORMAT
