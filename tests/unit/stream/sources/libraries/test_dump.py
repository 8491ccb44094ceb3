"""Rows of a PostgreSQL dump, as pg_dump writes them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.sources.libraries.dump import has_table, rows

DUMP = (
    "-- PostgreSQL database dump\n"
    'COPY public."user" (id, name) FROM stdin;\n'
    "1\tAnna\n"
    "\\.\n"
    'COPY public.asset (id, "originalPath", note, gone) FROM stdin;\n'
    "a\t/data/x.jpg\tone\\ntwo\\tthree \\\\ four\t\\N\n"
    "b\t\\\\.\t\t1\n"
    "\\.\n"
    "SELECT 1;\n"
)


@pytest.mark.parametrize("packed", [False, True])
def test_values_are_plain_and_what_is_null_is_left_out(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / ("d.sql.gz" if packed else "d.sql")
    path.write_bytes(gzip.compress(DUMP.encode()) if packed else DUMP.encode())
    assert has_table(path, frozenset({"asset"}))
    assert not has_table(path, frozenset({"assets"}))
    assert list(rows(path, frozenset({"asset"}))) == [
        ("asset", {"id": "a", "originalPath": "/data/x.jpg", "note": "one\ntwo\tthree \\ four"}),
        ("asset", {"id": "b", "originalPath": "\\.", "note": "", "gone": "1"}),
    ]


def test_a_packed_dump_that_is_damaged_is_told(tmp_path: Path) -> None:
    path, whole = tmp_path / "d.sql.gz", gzip.compress(DUMP.encode())
    for at in range(10, len(whole) - 8):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        has_table(path, frozenset({"asset"}))
        with pytest.raises(SourceError, match="to its end"):
            list(rows(path, frozenset({"asset"})))


def test_a_dump_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "d.sql.gz"
    path.write_bytes(gzip.compress(DUMP.encode())[:-20])
    with pytest.raises(SourceError, match="to its end"):
        list(rows(path, frozenset({"asset"})))
    assert not has_table(tmp_path / "missing.sql", frozenset({"asset"}))
