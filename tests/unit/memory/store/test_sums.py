"""Checksums of rows: kept by every statement of a writer, and the same for what SQLite takes for the same."""

import re
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from hippocam.memory.store import sums
from hippocam.memory.store.database import Store
from hippocam.memory.store.schema import SUMMED

CODE = Path(sums.__file__).parents[1]


def test_whole_numbers_count_alike_in_either_type_and_all_else_differs():
    assert sums.row_sum(5, 2.0**70, None) == sums.row_sum(5.0, 2**70, None)
    alike = [(1, 2), (12,), (1, None, 2), ("1", 2), (b"1", 2), ("12",), (1.5, 2), (-1, 2), ("", "12"), ("12", "")]
    assert len({sums.row_sum(*values) for values in alike}) == len(alike)


def test_each_statement_of_a_writer_keeps_the_sum_of_what_it_changes(folder, store, event):
    db = store.connection
    store.entries.insert(event(1))
    store.meta.put(a=1)
    store.meta.put(a=2)  # replaced
    db.execute("UPDATE entry SET strength = 3, t1_s = t1_s + 0.5")  # a whole number in a column of reals
    db.execute("INSERT INTO stream (id, recording, source, fingerprint) VALUES ('a', 'a', '/x', '') ")
    db.execute("INSERT INTO stream (id, recording, source, fingerprint) VALUES ('a', 'a', '/y', '') "
               "ON CONFLICT (id) DO UPDATE SET source = excluded.source")  # fmt: skip
    assert [list(sums.wrong(db, table)) for table in SUMMED] == [[]] * len(SUMMED)
    with closing(sqlite3.connect(folder / "memory.db", isolation_level=None)) as other:
        other.execute("UPDATE stream SET end_s = 4")
    assert list(sums.wrong(db, "stream")) == [("a",)]
    with store.transaction():
        sums.fill(db)
    assert list(sums.wrong(db, "stream")) == []


def test_a_total_is_what_the_table_holds_after_each_kind_of_statement_and_of_what_was_rolled_back_nothing(
    store, event
):
    db = store.connection

    def true():
        return sums.totals(db) == {table: sums.counted(db, table) for table in SUMMED}

    for statement in (
        "INSERT INTO place (stream, id, vector, seen, last_s) VALUES ('a', 1, x'00', 1, 1), ('a', 2, x'01', 1, 1)",
        "INSERT OR REPLACE INTO place (stream, id, vector, seen, last_s) VALUES ('a', 2, x'02', 7, 1)",
        "INSERT OR IGNORE INTO place (stream, id, vector, seen, last_s) VALUES ('a', 2, x'03', 7, 1)",
        "INSERT INTO place (stream, id, vector, seen, last_s) VALUES ('a', 2, x'04', 7, 1) "
        "ON CONFLICT DO UPDATE SET seen = 9",
        "UPDATE place SET seen = seen + 1",
        "UPDATE OR REPLACE place SET id = 2 WHERE id = 1",
        "UPDATE place SET id = 5",
        "UPDATE place SET sum = sum WHERE id = 5",
        "DELETE FROM place",
    ):
        db.execute(statement)
        assert true(), statement
    with store.transaction():
        store.entries.insert(event(1))
    kept = sums.totals(db)
    with suppress(KeyError), store.transaction():
        store.entries.insert(event(2))
        assert sums.totals(db) != kept
        raise KeyError
    assert sums.totals(db) == kept
    assert kept["entry"].rows == 1
    assert true()


def test_a_reader_keeps_none(folder, store):
    kept = "SELECT count(*) FROM temp.sqlite_schema WHERE type = 'trigger'"
    with closing(Store(folder / "memory.db", writable=False)) as reader:
        assert reader.connection.execute(kept).fetchone() == (0,)
    assert store.connection.execute(kept).fetchone() == (3 * len(SUMMED),)


@pytest.mark.parametrize("table", SUMMED)
def test_every_insert_names_its_columns(table):
    for path in CODE.rglob("*.py"):
        if path.name != "migrations.py":
            assert not re.search(rf"INTO {table} (VALUES|SELECT)", path.read_text(encoding="utf-8")), path
