"""Full text of long words: merged a little at a time, and never beyond the budget."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from hippocam.memory.config import MemoryConfig
from hippocam.memory.folder import folder_bytes
from hippocam.memory.memory import Memory
from hippocam.memory.store.database import Store
from hippocam.stream.records import Embedding, EncoderSpec

D = 192
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
BUDGET_BYTES = 1_000_000
LARGE_BYTES = 16_000_000


@pytest.mark.parametrize("words", [100, 280, 800])
def test_a_small_memory_of_long_texts_stays_within_its_budget_and_goes_on(tmp_path: Path, words: int) -> None:
    rng = np.random.default_rng(0)
    made = MemoryConfig(budget_bytes=LARGE_BYTES)  # a memory that is made small has no such full text
    with Memory.open_writer(tmp_path / "m", encoder="test", spec=SPEC, config=made):
        pass
    config = MemoryConfig(budget_bytes=BUDGET_BYTES)
    with Memory.open_writer(tmp_path / "m", encoder="test", spec=SPEC, config=config) as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        for k in range(200):
            vector = rng.normal(size=D).astype(np.float32)
            text = " ".join(f"w{int(600 * x * x):03x}" for x in rng.random(words))
            item = Embedding(
                stream="cam", seq=k, time_s=20.0 * k, vector=vector / np.linalg.norm(vector), jpeg=b"x" * 900,
                text=text,
            )  # fmt: skip
            memory.write([item])
            assert folder_bytes(tmp_path / "m") <= BUDGET_BYTES
        memory.finish("cam")
        assert memory.store.entries.count() >= 40
        memory.store.connection.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")


def test_a_database_that_merged_by_itself_no_longer_does(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    with Memory.open_writer(folder, encoder="test", spec=SPEC, config=MemoryConfig()):
        pass
    with closing(sqlite3.connect(folder / "memory.db")) as db:
        for words in ("words", "words_noted"):
            db.execute(f"INSERT INTO {words} ({words}, rank) VALUES ('automerge', 4)")
        db.commit()
    with Memory.open_writer(folder, encoder="test", spec=SPEC, config=MemoryConfig()):
        pass
    with closing(sqlite3.connect(folder / "memory.db")) as db:
        for words in ("words", "words_noted"):
            assert dict(db.execute(f"SELECT k, v FROM {words}_config"))["automerge"] == 0


def test_full_text_that_is_in_the_way_is_merged_a_little_or_to_the_end(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "memory.db", writable=True)) as store:

        def segments() -> int:
            (count,) = store.connection.execute("SELECT count(DISTINCT segid) FROM words_idx").fetchone()
            return int(count)

        rng = np.random.default_rng(0)
        for k in range(60):
            words = " ".join(f"w{x:05x}" for x in rng.integers(1 << 20, size=300))
            with store.transaction():
                store.connection.execute("INSERT INTO words (rowid, labels, text) VALUES (?, '', ?)", (k, words))
        before = segments()
        changes = store.connection.total_changes
        store.merge_words(steps=1)
        little = store.connection.total_changes - changes
        assert 1 < segments() <= before
        store.merge_words()
        assert segments() == 1
        assert 0 < little < (store.connection.total_changes - changes) / 2
