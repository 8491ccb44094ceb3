"""The database's tables, and a new database made whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from hippocam.stream.private import replace_bytes

APPLICATION_ID = 0x4869_7063  # "Hipc", in the file's header: tells our databases from others
FORMAT = 9
# Bytes of a page; and which else there are in a small budget, which has so many pages at least or the smallest.
PAGE_BYTES = 4096
PAGE_SIZES = (PAGE_BYTES, 2048, 1024, 512)
_LEAST_PAGES = 2000
# Bytes of a database's header that tell which kind of log it is read and written with; 2 for a write-ahead log.
_LOG_FORMAT = slice(18, 20)
# Full text: what is deleted stays in these until they are merged.
_FULL_TEXTS = ("words", "words_noted")
# What a small budget's database has otherwise: words of entries have no full text on disk (blocks/words.py), where
# each is written several times over.
_SMALLER = """
DROP TRIGGER entry_words;
DROP TRIGGER entry_unwords;
DROP TABLE words;
"""
# Whether a row of a stream, with a start and an end, overlaps a stretch of time. If either has no length, touching
# is enough.
OVERLAPS = (
    "stream = :stream AND t1_s >= :t0 AND t0_s <= :t1 AND (t1_s > :t0 AND t0_s < :t1 OR t0_s = t1_s OR :t0 = :t1)"
)
# Pages of the log from which it is folded back; an event's transaction adds a few tens at most.
WAL_PAGES = 8

# What format 2 had.
SCHEMA_2 = """
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
    last_s REAL NOT NULL, spans BLOB,
    surprise REAL NOT NULL, utility REAL NOT NULL, strength REAL NOT NULL DEFAULT 1,
    met INTEGER NOT NULL DEFAULT 1, uses INTEGER NOT NULL DEFAULT 0, pinned INTEGER NOT NULL DEFAULT 0,
    level INTEGER NOT NULL DEFAULT 0, place INTEGER NOT NULL DEFAULT 0,
    labels TEXT NOT NULL, text TEXT NOT NULL,
    frames INTEGER NOT NULL, repeats INTEGER NOT NULL, jpeg_bytes INTEGER NOT NULL,
    key BLOB, scene BLOB, state BLOB, action BLOB, pose BLOB,
    slept INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX entry_time ON entry (stream, t0_s);
CREATE TABLE place (
    stream TEXT NOT NULL, id INTEGER NOT NULL, vector BLOB NOT NULL, seen INTEGER NOT NULL, last_s REAL NOT NULL,
    PRIMARY KEY (stream, id)
) WITHOUT ROWID;
CREATE TABLE summary (
    id INTEGER PRIMARY KEY, stream TEXT NOT NULL, kind INTEGER NOT NULL, parent INTEGER,
    first_seq INTEGER NOT NULL, t0_s REAL NOT NULL, t1_s REAL NOT NULL, known_s REAL NOT NULL,
    seconds REAL NOT NULL, events INTEGER NOT NULL, place INTEGER NOT NULL, exemplar INTEGER,
    vector BLOB NOT NULL, words TEXT NOT NULL, state BLOB
);
CREATE INDEX summary_tree ON summary (stream, kind, parent, first_seq);
CREATE TABLE journal (
    id INTEGER PRIMARY KEY, stream TEXT NOT NULL, time_s REAL NOT NULL, action TEXT NOT NULL,
    entry INTEGER NOT NULL, other INTEGER, why TEXT NOT NULL
);
CREATE TABLE probe (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, stream TEXT NOT NULL, t0_s REAL NOT NULL, t1_s REAL NOT NULL,
    vector BLOB NOT NULL, found INTEGER
);
CREATE TABLE tombstone (
    sleep INTEGER NOT NULL, id INTEGER NOT NULL, heir INTEGER NOT NULL, made_s REAL NOT NULL,
    stream TEXT NOT NULL, first_seq INTEGER NOT NULL,
    t0_s REAL NOT NULL, t1_s REAL NOT NULL, known_s REAL NOT NULL, frame_s REAL NOT NULL,
    last_s REAL NOT NULL, spans BLOB,
    surprise REAL NOT NULL, utility REAL NOT NULL, strength REAL NOT NULL, met INTEGER NOT NULL,
    uses INTEGER NOT NULL, pinned INTEGER NOT NULL, level INTEGER NOT NULL, place INTEGER NOT NULL,
    labels TEXT NOT NULL, text TEXT NOT NULL,
    frames INTEGER NOT NULL, repeats INTEGER NOT NULL, jpeg_bytes INTEGER NOT NULL,
    key BLOB, scene BLOB, state BLOB, action BLOB, pose BLOB, slept INTEGER NOT NULL,
    PRIMARY KEY (sleep, id)
);
CREATE INDEX tombstone_heir ON tombstone (heir);
CREATE TABLE learned (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE words
    USING fts5 (labels, text, content = 'entry', content_rowid = 'id', tokenize = 'porter');
CREATE TRIGGER entry_words AFTER INSERT ON entry BEGIN
    INSERT INTO words (rowid, labels, text) VALUES (new.id, new.labels, new.text);
END;
CREATE TRIGGER entry_unwords AFTER DELETE ON entry BEGIN
    INSERT INTO words (words, rowid, labels, text) VALUES ('delete', old.id, old.labels, old.text);
END;
"""
# Things and people: see entities/.
ENTITY_TABLES = (
    "CREATE TABLE IF NOT EXISTS entity (id INTEGER PRIMARY KEY, stream TEXT NOT NULL, label TEXT NOT NULL, "
    "earlier INTEGER NOT NULL DEFAULT 0, earlier_s REAL)",
    "CREATE TABLE IF NOT EXISTS visit (id INTEGER PRIMARY KEY, entity INTEGER NOT NULL, stream TEXT NOT NULL, "
    "label TEXT NOT NULL, t0_s REAL NOT NULL, t1_s REAL NOT NULL, first_s REAL NOT NULL, known_s REAL NOT NULL, "
    "linked_s REAL NOT NULL, gone_s REAL, from_start INTEGER NOT NULL, hits INTEGER NOT NULL, "
    "score REAL NOT NULL, frame_s REAL NOT NULL, box TEXT NOT NULL, gaps TEXT NOT NULL, look BLOB)",
    "CREATE INDEX IF NOT EXISTS visit_entity ON visit (entity)",
    "CREATE INDEX IF NOT EXISTS visit_stream ON visit (stream, t0_s)",
    "CREATE TABLE IF NOT EXISTS entity_change (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, "
    "into_id INTEGER NOT NULL, moved TEXT NOT NULL, undone INTEGER NOT NULL DEFAULT 0)",
    "CREATE TABLE IF NOT EXISTS entity_total (stream TEXT NOT NULL, label TEXT NOT NULL, "
    "entities INTEGER NOT NULL, visits INTEGER NOT NULL, known_s REAL NOT NULL, PRIMARY KEY (stream, label))",
)
# What format 3 adds.
ADDED_3 = """
CREATE TABLE note (
    id INTEGER PRIMARY KEY, stream TEXT NOT NULL, kind TEXT NOT NULL,
    t0_s REAL NOT NULL, t1_s REAL NOT NULL, known_s REAL NOT NULL, text TEXT NOT NULL
);
CREATE INDEX note_time ON note (stream, t0_s);
CREATE INDEX note_long ON note (stream, t0_s) WHERE t1_s - t0_s > 60;
CREATE VIRTUAL TABLE words_noted
    USING fts5 (text, content = 'note', content_rowid = 'id', tokenize = 'porter');
CREATE TRIGGER note_words AFTER INSERT ON note BEGIN
    INSERT INTO words_noted (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER note_unwords AFTER DELETE ON note BEGIN
    INSERT INTO words_noted (words_noted, rowid, text) VALUES ('delete', old.id, old.text);
END;
CREATE TRIGGER note_rewords AFTER UPDATE OF text ON note BEGIN
    INSERT INTO words_noted (words_noted, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO words_noted (rowid, text) VALUES (new.id, new.text);
END;
"""
ADDED_3 += "CREATE TABLE tracked (stream TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;\n"
ADDED_3 += "".join(f"{statement};\n" for statement in ENTITY_TABLES)
# The tables of format 4 whose rows have checksums: all of them.
SUMMED_4 = (
    "meta", "stream", "entry", "place", "summary", "journal", "probe", "tombstone", "learned", "note", "tracked",
    "entity", "visit", "entity_change", "entity_total",
)  # fmt: skip
# What format 4 has beside that: a checksum of each row (sums.py) and of each picture.
ADDED_4 = "".join(f"ALTER TABLE {table} ADD COLUMN sum INTEGER;\n" for table in SUMMED_4)
ADDED_4 += "ALTER TABLE entry ADD COLUMN jpeg_sum INTEGER;\n"
# What format 5 adds: to what is known of things where each went, in which colours, how the encoder sees it, and
# when which labels were detected; to notes in which order lines are read.
ENTITY_COLUMNS_5 = ("path BLOB", "colours TEXT", "portrait BLOB", "portrait_s REAL")
ENTITY_TABLES_5 = (
    "CREATE TABLE IF NOT EXISTS detected (id INTEGER PRIMARY KEY, stream TEXT NOT NULL, label TEXT NOT NULL, "
    "t0_s REAL NOT NULL, t1_s REAL NOT NULL, frames INTEGER NOT NULL, score REAL NOT NULL, sum INTEGER)",
    "CREATE INDEX IF NOT EXISTS detected_stream ON detected (stream, label, t0_s)",
)
ADDED_5 = "".join(f"ALTER TABLE visit ADD COLUMN {column};\n" for column in ENTITY_COLUMNS_5)
ADDED_5 += "".join(f"{statement};\n" for statement in ENTITY_TABLES_5)
ADDED_5 += "ALTER TABLE note ADD COLUMN line INTEGER NOT NULL DEFAULT 0;\n"
# What a robot did along an event.
ADDED_5 += "".join(f"ALTER TABLE {table} ADD COLUMN motion BLOB;\n" for table in ("entry", "tombstone"))
WITH_MOTION = 5
# Shows a reader the entries of a database of format 3 or 4 as if they had that column. Nothing is written.
OLDER_VIEWS = "CREATE TEMP VIEW entry AS SELECT *, NULL AS motion FROM main.entry;\n"
OLDER_VIEWS += "CREATE TEMP VIEW tombstone AS SELECT *, NULL AS motion FROM main.tombstone;\n"
# What a bank goes on from (bank/state.py): blocks of its rows, and lessons of single events.
ADDED_5 += """
CREATE TABLE bank (block INTEGER PRIMARY KEY, columns BLOB NOT NULL, sum INTEGER);
CREATE TABLE lesson (id INTEGER PRIMARY KEY, again INTEGER NOT NULL, key BLOB NOT NULL, sum INTEGER);
"""
# What format 6 adds: when each stream was looked at (asof/), entries many to a block (blocks/) and which rows of
# entries may move into one.
ADDED_6 = """
CREATE TABLE coverage (
    stream TEXT NOT NULL, t0_s REAL NOT NULL, t1_s REAL NOT NULL, looked_s REAL NOT NULL, looks INTEGER NOT NULL,
    looked_by TEXT NOT NULL, sum INTEGER, PRIMARY KEY (stream, t0_s)
) WITHOUT ROWID;
CREATE TABLE entry_block (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, packed BLOB NOT NULL, sum INTEGER);
CREATE INDEX entry_block_version ON entry_block (version);
CREATE INDEX entry_loose ON entry (id)
    WHERE level >= 3 AND pinned = 0 AND jpeg_bytes = 0 AND labels = '' AND text = '';
"""
# When each stream of a memory of an older format was looked at, as far as it can be told: one stretch a stream,
# perhaps with gaps.
COVERAGE_OF_OLDER = (
    "SELECT s.id AS stream, min(s.end_s, coalesce((SELECT min(t0_s) FROM entry WHERE stream = s.id), s.end_s), "
    "coalesce((SELECT min(t0_s) FROM summary WHERE stream = s.id), s.end_s)) AS t0_s, s.end_s AS t1_s, "
    "0.0 AS looked_s, s.frames_seen AS looks, '[]' AS looked_by FROM stream s WHERE s.last_seq >= 0"
)
# The tables whose rows have checksums now, and those of older formats to whose rows columns were added since.
SUMMED_5 = (*SUMMED_4, "detected", "bank", "lesson")
SUMMED = (*SUMMED_5, "coverage", "entry_block")
WIDENED = ("visit", "note", "entry", "tombstone")
# What format 7 has otherwise: entries with words move into blocks, too; each table with checksums has a total, of
# its rows and of their checksums (sums.py).
ADDED_7 = """
DROP INDEX entry_loose;
CREATE INDEX entry_loose ON entry (id) WHERE level >= 3 AND pinned = 0 AND jpeg_bytes = 0;
CREATE TABLE row_total (name TEXT PRIMARY KEY, rows INTEGER NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID;
"""
ADDED_7 += "".join(f"INSERT INTO row_total (name, rows, checksum) VALUES ('{table}', 0, 0);\n" for table in SUMMED)
SCHEMA_4 = SCHEMA_2 + ADDED_3 + ADDED_4
SCHEMA_5 = SCHEMA_4 + ADDED_5
SCHEMA_6 = SCHEMA_5 + ADDED_6
# Formats 8 and 9 have no other tables. Outlines of vectors in format 8 name what older versions do not know, and
# blocks of a bank in format 9 have a layout that they do not know.
SCHEMA = SCHEMA_6 + ADDED_7


def putting(table: str, columns: Sequence[str], key: Sequence[str]) -> str:
    """The statement that writes a row, over the one of its key where there is one.

    REPLACE would free that row's pages and take others, and the log gets all of them.

    Args:
        table: Its name.
        columns: Those that are written, each from a parameter of its name.
        key: Those of the primary key.
    """
    written = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in key)
    parameters = ", ".join(f":{name}" for name in columns)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({parameters}) "
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {written}"
    )


def schema_of(page_bytes: int) -> str:
    """What makes the tables of the present format in a database with pages of so many bytes."""
    return SCHEMA + (_SMALLER if page_bytes < PAGE_BYTES else "")


def full_texts(db: sqlite3.Connection) -> list[str]:
    """The tables of full text that a database has: with a small budget none of the entries' words."""
    there = {name for (name,) in db.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")}
    return [words for words in _FULL_TEXTS if words in there]


def page_bytes_of(budget_bytes: int) -> int:
    """Bytes of the pages of a database with a budget: 512 to 4096.

    Each table and each index has a page at least, and a transaction writes whole pages into the log: in a small
    budget small ones leave more to the entries.
    """
    fitting = (size for size in PAGE_SIZES if budget_bytes >= _LEAST_PAGES * size)
    return next(fitting, PAGE_SIZES[-1])


def create(path: Path, page_bytes: int = PAGE_BYTES) -> None:
    """Make an empty database, whole or not at all, for its owner alone.

    It is made in main memory and written as one file under another name: neither a kill nor a full disk leaves a
    database without its log.

    Args:
        path: Its file.
        page_bytes: Bytes of a page, a power of two from 512 on.

    Raises:
        OSError: The disk is full, or the folder cannot be written to.
    """
    for leftover in unfinished(path):
        leftover.unlink(missing_ok=True)
    replace_bytes(path, empty_database(page_bytes))


def empty_database(page_bytes: int = PAGE_BYTES) -> bytes:
    """The bytes of a database without any rows."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size = {page_bytes}")
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        statements = schema_of(page_bytes)
        statements += f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};"
        db.executescript("BEGIN;" + statements + "COMMIT;")
        content = bytearray(db.serialize())
    content[_LOG_FORMAT] = b"\x02\x02"  # a database in main memory has no log; one in a file is to have one
    return bytes(content)


def unfinished(path: Path) -> list[Path]:
    """What may be left beside a database's place where its making was cut short, by this or an older hippocam."""
    return [path.with_name(f"{path.name}.new{end}") for end in ("", "-journal", "-wal", "-shm")]
