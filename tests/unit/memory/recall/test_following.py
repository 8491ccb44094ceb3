"""An index that is followed between questions, in a thread."""

from __future__ import annotations

import gc
import sqlite3
import threading
from pathlib import Path

import numpy as np

from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.memory.recall.following import Following
from hippocam.memory.recall.fresh_index import FreshIndex
from hippocam.memory.store.database import Store
from hippocam.stream.records import Embedding, EncoderSpec

D = 8
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
WAIT_S = 60.0


class Counts:
    """Something that follows: says when it did, and fails from some time on."""

    def __init__(self, fails: bool = False) -> None:
        self.came, self.fails = threading.Semaphore(0), fails

    def follow(self) -> None:
        self.came.release()
        if self.fails:
            raise sqlite3.ProgrammingError("closed")


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "following"]


def ended() -> bool:
    for thread in threads():
        thread.join(WAIT_S)
    return not threads()


def test_it_follows_from_the_first_question_on_and_never_beside_one() -> None:
    lock, counts = threading.RLock(), Counts()
    following = Following(lock, counts.follow, every_s=0.001)
    assert not threads()
    with lock:
        following.asked()
        following.asked()
        assert len(threads()) == 1
        assert not counts.came.acquire(timeout=0.05)
    assert all(counts.came.acquire(timeout=WAIT_S) for _ in range(3))
    following.close()
    assert ended()


def test_it_ends_without_questions_and_begins_with_the_next() -> None:
    lock, counts = threading.RLock(), Counts()
    following = Following(lock, counts.follow, every_s=0.001, idle_s=0.0)
    for _ in range(2):
        with lock:
            following.asked()
        assert ended()


def test_it_ends_with_what_it_follows_and_where_that_fails() -> None:
    lock, counts = threading.RLock(), Counts(fails=True)
    following = Following(lock, counts.follow, every_s=0.001)
    with lock:
        following.asked()
    assert ended()
    counts = Counts()
    following = Following(lock, counts.follow, every_s=0.001)
    with lock:
        following.asked()
    del counts
    gc.collect()
    assert ended()


def test_what_was_written_is_in_the_index_before_anybody_asks(tmp_path: Path) -> None:
    """And what was written an instant before a question is in its answer, thread or not: see test_fresh_index."""
    lock, read = threading.RLock(), threading.Semaphore(0)

    def rows(ids):  # type: ignore[no-untyped-def]
        read.release()
        return np.hstack(store.entries.vectors(ids))

    config = MemoryConfig(budget_bytes=1_000_000)
    with Memory.open_writer(tmp_path / "m", encoder="test", spec=SPEC, config=config) as memory:
        memory.begin("cam", uri="cam")
        write(memory, 0)
        store = Store(tmp_path / "m" / "memory.db", writable=False)
        index = FreshIndex(store, rows, lock)
        with lock, store.snapshot():
            before = len(index.now(2 * D))
        while read.acquire(blocking=False):
            pass
        write(memory, 1)
        assert read.acquire(timeout=WAIT_S)  # nobody has asked
        with lock, store.snapshot():
            assert len(index.now(2 * D)) > before
        index.close()
        with lock:
            store.close()
    assert ended()


def write(memory: Memory, part: int) -> None:
    """Twenty frames of four different things."""
    kinds = np.random.default_rng(part).normal(size=(4, D)).astype(np.float32)
    for k in range(20):
        seq = 20 * part + k
        vector = kinds[k // 5] / np.linalg.norm(kinds[k // 5])
        memory.write([Embedding(stream="cam", seq=seq, time_s=30.0 * seq, vector=vector, jpeg=b"j" * 900)])
