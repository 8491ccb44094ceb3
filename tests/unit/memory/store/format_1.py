"""Memories of format 1, made with their own SQL."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np

from hippocam.memory.records import id_of

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


def make(path: Path, rows: list[tuple[Any, ...]], version: int = 1) -> Path:
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
