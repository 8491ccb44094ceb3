"""The database's tables, and a new database made whole or not at all."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

APPLICATION_ID = 0x4869_7063  # "Hipc", in the file's header: tells our databases from others
FORMAT = 1
PAGE_BYTES = 4096
# One event's transaction touches a handful of pages; the log is folded back before it grows past this.
WAL_PAGES = 16

_SCHEMA = """
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


def create(path: Path) -> None:
    """Make an empty database beside its place and move it there, so that there is a whole one or none."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    db = sqlite3.connect(new, isolation_level=None)
    try:
        db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL")
        statements = _SCHEMA + f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};"
        db.executescript("BEGIN;" + statements + "COMMIT;")
    finally:
        db.close()
    os.replace(new, path)
