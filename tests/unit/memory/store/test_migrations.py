"""Memories of formats 1, 2, 4, 6 and 8, made here with their own SQL, brought to the present format."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType
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
def rows(format_1: ModuleType) -> list[tuple[Any, ...]]:
    return format_1.entry_rows({"door": 40, "rig/left": 9}, format_1.SPEC["dim"])  # type: ignore[arg-type]


def test_every_field_is_kept(tmp_path: Path, rows: list[tuple[Any, ...]], format_1: ModuleType) -> None:
    path = format_1.make(tmp_path / "m" / "memory.db", rows)
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


def test_the_layout_is_that_of_a_new_database(
    tmp_path: Path, rows: list[tuple[Any, ...]], format_1: ModuleType
) -> None:
    path = format_1.make(tmp_path / "memory.db", rows)
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


def test_format_2_gets_what_it_lacks_and_keeps_every_row(
    tmp_path: Path, rows: list[tuple[Any, ...]], format_1: ModuleType
) -> None:
    filled, path = format_1.make(tmp_path / "filled" / "memory.db", rows), tmp_path / "memory.db"
    migrate(filled)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA page_size = 4096")
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(SCHEMA_2 + f"PRAGMA application_id = {format_1.APPLICATION_ID}; PRAGMA user_version = 2;")
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


def test_a_writer_migrates_and_what_was_migrated_stays(
    tmp_path: Path, rows: list[tuple[Any, ...]], format_1: ModuleType
) -> None:
    path = format_1.make(tmp_path / "memory.db", rows)
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


def test_a_reader_is_told_both_formats(tmp_path: Path, rows: list[tuple[Any, ...]], format_1: ModuleType) -> None:
    path = format_1.make(tmp_path / "my memory" / "memory.db", rows)
    before = dump(path)
    with pytest.raises(OlderFormatError) as caught:
        Store(path, writable=False)
    assert (caught.value.folder, caught.value.found, caught.value.reads) == (path.parent, 1, FORMAT)
    assert len(str(caught.value).splitlines()) == 1
    assert dump(path) == before


def test_a_newer_format_is_refused(tmp_path: Path, rows: list[tuple[Any, ...]], format_1: ModuleType) -> None:
    path = format_1.make(tmp_path / "memory.db", rows, version=FORMAT + 1)
    before = dump(path)
    for attempt in (lambda: migrate(path), lambda: upgrade(tmp_path), lambda: Store(path, writable=True)):
        with pytest.raises(MemoryFolderError, match=f"memory format {FORMAT + 1}, .*; upgrade hippocam"):
            attempt()
    assert dump(path) == before


def test_what_fails_halfway_leaves_the_old_memory_whole(
    tmp_path: Path, rows: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch, format_1: ModuleType
) -> None:
    path = format_1.make(tmp_path / "memory.db", rows)
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


def test_a_damaged_row_is_named_and_nothing_changed(
    tmp_path: Path, rows: list[tuple[Any, ...]], format_1: ModuleType
) -> None:
    broken = [*rows[:-1], (*rows[-1][:14], b"odd", *rows[-1][15:])]
    path = format_1.make(tmp_path / "memory.db", broken)
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


def test_a_kill_halfway_leaves_the_old_memory_whole(tmp_path: Path, format_1: ModuleType) -> None:
    # More than SQLite's cache: much of the new table is in the log by then.
    rows = format_1.entry_rows({"door": 2500}, 512)
    path = format_1.make(tmp_path / "memory.db", rows)
    before = dump(path)
    done = subprocess.run([sys.executable, "-c", KILLED, path, "4800"], check=False, timeout=900)
    assert done.returncode == -signal.SIGKILL
    assert os.path.getsize(f"{path}-wal") > 1_000_000
    with pytest.raises(OlderFormatError):
        Store(path, writable=False)
    assert dump(path) == before
    assert upgrade(tmp_path) == 1
    assert len(dump(path)["entry"]) == len(rows)


def test_a_memory_that_somebody_writes_to_is_left_alone(
    tmp_path: Path, rows: list[tuple[Any, ...]], format_1: ModuleType
) -> None:
    from hippocam.memory.lock import WriterLock

    path = format_1.make(tmp_path / "memory.db", rows)
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


def make_format_4(path: Path, visits: int, format_1: ModuleType) -> Path:
    """A memory of format 4 with visits of things, checksums right."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as db:
        db.executescript(SCHEMA_2 + ADDED_3 + ADDED_4)
        db.executescript(f"PRAGMA application_id = {format_1.APPLICATION_ID}; PRAGMA user_version = 4;")
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


def test_format_4_gets_columns_and_a_damaged_row_stays_known_as_that(tmp_path: Path, format_1: ModuleType) -> None:
    path = make_format_4(tmp_path / "memory.db", 3, format_1)
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


def test_format_6_is_read_as_it_is_and_gets_its_totals_when_it_is_first_written_to(
    tmp_path: Path, format_1: ModuleType
) -> None:
    path = tmp_path / "memory.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(SCHEMA_6)
        db.executescript(f"PRAGMA application_id = {format_1.APPLICATION_ID}; PRAGMA user_version = 6;")
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


def test_format_8_is_read_as_it_is_and_keeps_all_but_its_number(tmp_path: Path, format_1: ModuleType) -> None:
    block = bytes.fromhex(  # of a bank, for three rows, as format 8 had it
        "02000001c000000000004001020363616d0968616c6c2f6c65667400000140000106014b400e00050070010007cd9400000001c0020008"
        "0001fe0bff070902f0ffbfe7cf080c13ff0000000227e780"
    )
    versions = {
        id_of("cam", 0): 7 * 256 + 1,
        id_of("hall/left", 40): 8 * 256 + 2,
        id_of("cam", 90): 31 * 256 + 255,
    }
    path = tmp_path / "memory.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(SCHEMA)
        db.executescript(f"PRAGMA application_id = {format_1.APPLICATION_ID}; PRAGMA user_version = 8;")
        db.execute("INSERT INTO bank (block, columns) VALUES (2, ?)", (block,))
        sums.fill(db)
        sums.fill_totals(db)
    db.close()
    before = path.read_bytes()
    for found in (8, FORMAT):
        assert format_of(path) == found
        assert [each for each in verify(tmp_path) if each.kind != Kind.BUDGET] == []
        reader = Store(path, writable=False)
        assert reader.bank.versions() == versions
        assert reader.bank.state().blocks == {2: block}
        reader.close()
        assert found == FORMAT or path.read_bytes() == before
        Store(path, writable=True).close()


def test_format_6_has_the_blocks_of_its_bank_packed_anew(tmp_path: Path, format_1: ModuleType) -> None:
    rng, expected = np.random.default_rng(0), {}
    path = tmp_path / "memory.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(SCHEMA_6)
        db.executescript(f"PRAGMA application_id = {format_1.APPLICATION_ID}; PRAGMA user_version = 6;")
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
