"""Values of other programs' databases, which anything may have written."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hippocam.stream.errors import SourceError
from hippocam.stream.sources.libraries.database import number, opened, parsed, since_1970


@pytest.mark.parametrize(
    ("value", "time_s"),
    [
        (1_762_088_405, 1_762_088_405.0),
        ("1762088405.5", 1_762_088_405.5),
        ("2025-11-02T13:00:05", 1_762_088_405.0),
        ("2025-11-02 14:00:05+01:00", 1_762_088_405.0),
        ("2025-11-02 13:00:05 UTC", 1_762_088_405.0),
    ],
)
def test_times_are_read_in_each_form(value: object, time_s: float) -> None:
    assert since_1970(value) == time_s


@pytest.mark.parametrize(
    "value", [None, "", "soon", b"1", math.inf, -math.inf, math.nan, 2**62, 10**400, "inf", "1e300", "2025-13-45"]
)
def test_what_is_no_time_is_none(value: object) -> None:
    assert since_1970(value) is None
    assert number(value) is None


def test_text_that_is_none_is_read_with_marks(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as db:
        db.execute("CREATE TABLE said (text TEXT)")
        db.execute("INSERT INTO said VALUES (CAST(X'63616690' AS TEXT))")
        db.commit()
    with opened(tmp_path / "a.db") as db:
        assert [row["text"] for row in db.execute("SELECT text FROM said")] == ["caf\ufffd"]


def test_a_message_that_is_no_text_is_the_databases_error(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "a.db").close()
    with pytest.raises(SourceError, match="the database cannot be read"), opened(tmp_path / "a.db"):
        b"\x90".decode()  # as SQLite's own does, of a schema that is damaged


def test_what_is_no_json_is_nothing() -> None:
    assert parsed("[" * 100_000) is None
    assert parsed("{") is None
