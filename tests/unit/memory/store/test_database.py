"""The database as a whole: transactions, snapshots, its size, and what is left of what was deleted."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from hippocam.memory.errors import DiskError, MemoryFolderError
from hippocam.memory.store import database
from hippocam.memory.store.database import Store
from hippocam.stream.records import EncoderSpec


def test_a_transaction_takes_effect_as_a_whole_or_not_at_all(store, sql, event):
    with store.transaction():
        store.entries.insert(event(1))
        store.learned.put("a", b"1")
        assert sql("SELECT count(*) FROM entry") == [(0,)]  # nobody else sees it yet
    assert sql("SELECT count(*) FROM entry") == [(1,)]
    with pytest.raises(KeyboardInterrupt):
        _interrupted(store, event(2))
    assert sql("SELECT count(*) FROM entry") == [(1,)]
    assert store.learned.get("a") == b"1"
    with store.transaction():  # and the next one can begin
        store.learned.put("a", b"3")
    assert sql("SELECT value FROM learned") == [(b"3",)]


def _interrupted(store, event):
    with store.transaction():
        store.entries.insert(event)
        store.learned.put("a", b"2")
        raise KeyboardInterrupt


def test_a_snapshot_sees_one_state_whatever_a_writer_does(folder, store, event):
    store.entries.insert(event(1))
    with closing(Store(folder / "memory.db", writable=False)) as reader:
        with reader.snapshot():
            assert reader.entries.count() == 1
            store.entries.insert(event(2))
            assert reader.entries.count() == 1
        assert reader.entries.count() == 2


def test_the_version_differs_after_any_change(folder, store, event):
    with closing(Store(folder / "memory.db", writable=False)) as reader:
        seen = {(store.version(), reader.version())}
        assert (store.version(), reader.version()) in seen
        store.entries.insert(event(1))
        now = (store.version(), reader.version())
        assert all(now[0] != own and now[1] != other for own, other in seen)
        assert (store.version(), reader.version()) == now


def test_a_reader_can_change_nothing(folder, store):
    with (
        closing(Store(folder / "memory.db", writable=False)) as reader,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        reader.meta.put(x=1)


def test_live_bytes_are_those_of_pages_in_use_and_shrinking_frees_the_rest(folder, store, sql, event):
    path = folder / "memory.db"
    empty = store.live_bytes()
    for k in range(300):
        store.entries.insert(event(k, text="word " * 100))
    assert store.fold_log()
    assert path.stat().st_size == store.live_bytes() > empty + 300 * 500
    for (entry_id,) in sql("SELECT id FROM entry"):
        store.entries.delete(entry_id)
    store.scrub()
    ((page,),), ((pages,),) = sql("PRAGMA page_size"), sql("PRAGMA page_count")
    assert sql("PRAGMA freelist_count") == [(0,)]
    assert path.stat().st_size == page * pages == store.live_bytes()
    assert store.live_bytes() < empty + 20 * page
    assert path.with_name("memory.db-wal").stat().st_size == 0


def test_nothing_deleted_is_left_after_scrubbing(folder, store, event):
    secret = "xylophonic"
    ids = [store.entries.insert(event(k, text=f"{secret} {k}" if k == 5 else f"plain {k}")) for k in range(10)]

    def on_disk():
        return b"".join(path.read_bytes() for path in folder.iterdir())

    assert secret.encode() in on_disk()
    store.entries.delete(ids[5])
    assert secret.encode() in on_disk()
    store.scrub()
    assert secret.encode() not in on_disk()


def test_scrubbing_says_so_where_a_reader_keeps_the_log(folder, store, event, monkeypatch):
    monkeypatch.setattr(database, "WAIT_S", 0.05)
    with (
        closing(Store(folder / "memory.db", writable=True)) as impatient,
        closing(Store(folder / "memory.db", writable=False)) as reader,
        reader.snapshot(),
    ):
        assert reader.entries.count() == 0
        impatient.entries.insert(event(1))
        assert not impatient.fold_log()
        with pytest.raises(DiskError, match="keeps its log from being emptied"):
            impatient.scrub()


def test_settings_are_json_and_the_encoder_is_one_of_them(store, sql):
    assert store.meta.encoder() is None
    assert store.meta.get("budget_bytes") is None
    spec = EncoderSpec(id="t:1", dim=8, normalised=True, midpoint=0.5, slope=20.0)
    store.meta.set_encoder("test", spec)
    store.meta.put(budget_bytes=5, names=["a"])
    store.meta.put(budget_bytes=6)
    settings = {key: json.loads(value) for key, value in sql("SELECT key, value FROM meta")}
    assert (settings["encoder"], settings["spec"]["id"], settings["spec"]["dim"]) == ("test", "t:1", 8)
    assert (settings["budget_bytes"], settings["names"]) == (6, ["a"])
    assert store.meta.encoder() == ("test", spec)
    assert store.meta.get("budget_bytes") == 6


def test_what_is_no_memory_is_refused_and_left_alone(tmp_path):
    foreign, noise = tmp_path / "foreign.db", tmp_path / "noise.db"
    with closing(sqlite3.connect(foreign)) as db:
        db.execute("CREATE TABLE mine (x)")
    noise.write_bytes(b"no database at all " * 100)
    for path in (foreign, noise):
        before = path.read_bytes()
        for writable in (False, True):
            with pytest.raises(MemoryFolderError, match="not a hippocam memory"):
                Store(path, writable=writable)
        assert path.read_bytes() == before
