"""A store of its own for each test, and plain SQL on its file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from hippocam.memory.records import Event
from hippocam.memory.store.database import Store

D = 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with closing(Store(folder / "memory.db", writable=True)) as store:
        yield store


@pytest.fixture
def sql(folder: Path) -> Callable[..., list[tuple]]:
    """Rows of the store's file by plain SQL, through another connection; what it changes is kept."""

    def rows(statement: str, values: Sequence[object] = ()) -> list[tuple]:
        with closing(sqlite3.connect(folder / "memory.db", isolation_level=None, timeout=10)) as db:
            return db.execute(statement, values).fetchall()

    return rows


@pytest.fixture(scope="session")
def format_1(load_helpers: Callable[[str], ModuleType]) -> ModuleType:
    """The helpers of format_1.py, which makes memories as the first hippocam did."""
    return load_helpers("unit/memory/store/format_1.py")


@pytest.fixture
def event() -> Callable[..., Event]:
    """Make an event of stream "cam" from `first_seq` on, five seconds long unless told otherwise."""

    def make(first_seq: int, **fields: object) -> Event:
        rng = np.random.default_rng(first_seq)
        key, scene = rng.normal(size=(2, D)).astype(np.float32)
        t0_s = float(fields.get("t0_s", first_seq))
        plain = {
            "stream": "cam",
            "first_seq": first_seq,
            "last_seq": first_seq + 4,
            "t0_s": t0_s,
            "t1_s": t0_s + 5,
            "known_s": t0_s + 4,
            "key": key,
            "scene": scene,
            "surprise": 0.25,
            "utility": 1.5,
            "frame_s": t0_s + 2,
            "jpeg": b"jpeg of %d" % first_seq,
        }
        return Event(**(plain | fields))

    return make
