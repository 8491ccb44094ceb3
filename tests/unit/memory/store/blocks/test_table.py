"""Entries in blocks are found, changed and deleted like any other, by every connection; deleted bytes are gone."""

import random
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from hippocam.memory.filter import Filter
from hippocam.memory.records import Level, Span, id_of
from hippocam.memory.store.blocks.rows import COLUMNS
from hippocam.memory.store.blocks.table import GROUP
from hippocam.memory.store.database import Store
from hippocam.memory.store.entries import EntryTable

SPAN = Span(t0_s=1.0, t1_s=2.0, known_s=1.5)


def insert(store, event, first_seq, *, alike=0.0, **fields):
    """Insert an event of 385 numbers, whose key and scene are as much alike as is said."""
    rng = np.random.default_rng(first_seq)
    key, scene = rng.normal(size=(2, 385)).astype(np.float32)
    scene = np.float32(1 - alike) * scene + np.float32(alike) * key
    with store.transaction():
        return store.entries.insert(event(first_seq, jpeg=b"", key=key, scene=scene, **fields))


def demote(store, *entry_ids, level=Level.SIGNS):
    with store.transaction():
        store.entries.demote(entry_ids, level)


def fail(store, one, other):
    with store.transaction():
        store.entries.demote([one], Level.WORDS)
        store.entries.delete(other)
        raise ZeroDivisionError


class RowsOnly:
    """What a memory without blocks would be."""

    def __init__(self, store):
        self.store = store

    def select(self, statement, values=()):
        return self.store.connection.execute(statement, values).fetchall()

    def take_in(self):
        return 0

    def put(self, rows):
        setting = ", ".join(f"{name} = ?" for name in COLUMNS)
        for row in rows:
            self.store.connection.execute(f"UPDATE entry SET {setting} WHERE id = ?", (*row, row[0]))

    def take_out(self, entry_id):
        return False

    def delete(self, entry_id):
        return False


def held(store):
    """All that can be read of all entries."""
    ids = sorted(slot.entry_id for slot in store.entries.slots())
    slots = [replace(slot, key_D=None) for slot in store.entries.slots()]
    vectors = [part.tobytes() for part in store.entries.vectors(sorted(store.entries.ids()))]
    return repr((ids, [store.entries.get(one) for one in ids], slots, vectors, store.lookup.select(Filter())))


def sizes_of_blocks(sql):
    return [row[0] for row in sql("SELECT length(packed) FROM entry_block ORDER BY id")]


@pytest.fixture
def plain(tmp_path):
    """A store whose entries all stay rows."""
    with closing(Store(tmp_path / "plain.db", writable=True)) as store:
        store.entries = EntryTable(store.connection, RowsOnly(store))
        yield store


def test_entries_in_blocks_read_as_rows_do(store, plain, event, sql, folder):
    for one in (store, plain):
        for k in range(90):
            demote(one, insert(one, event, 10 * k, alike=0.7, stream="cam" if k % 3 else "hall"))
    assert sql("SELECT count(*) FROM entry")[0][0] < GROUP
    assert held(store) == held(plain)
    with closing(Store(folder / "memory.db", writable=False)) as reader:
        assert held(reader) == held(plain)


@pytest.mark.parametrize("seed", range(2))
def test_any_changes_leave_what_they_would_leave_of_rows(store, plain, event, folder, sql, seed):
    rng = random.Random(seed)
    with closing(Store(folder / "memory.db", writable=False)) as reader:
        for step in range(560):
            ids = sorted(slot.entry_id for slot in plain.entries.slots())
            what = rng.choice(
                ["insert"] * 4 + ["signs"] * 6 + ["words", "delete", "pin", "use", "repeats", "rolled", "many"]
            )
            levels = {slot.entry_id: slot.level for slot in plain.entries.slots()}
            vectored = [entry_id for entry_id in ids if levels[entry_id] < Level.WORDS]
            several = rng.sample(vectored, min(len(vectored), 3 if step % 4 == 0 else 12))
            whole = [entry_id for entry_id in ids if levels[entry_id] < Level.SIGNS]
            one = rng.choice(whole if what == "signs" and whole else ids or [0])
            for each in (store, plain):
                if what == "insert" or not ids:
                    insert(each, event, 10 * step, alike=0.9 * (step % 3 > 0))
                elif what == "signs" and levels[one] < Level.SIGNS:
                    demote(each, one)
                elif what == "words":
                    demote(each, one, level=Level.WORDS)
                elif what == "many":  # whole ones, in blocks and pinned ones
                    demote(each, *several, level=Level.WORDS if step % 4 == 0 else Level.SIGNS)
                elif what == "rolled":
                    with pytest.raises(ZeroDivisionError):
                        fail(each, one, ids[0])
                else:
                    with each.transaction():
                        if what == "delete":
                            each.entries.delete(one)
                        elif what == "pin":
                            each.entries.pin(one, True)
                        elif what == "use":
                            each.entries.count_use(one, 2.5)
                        elif what == "repeats":
                            each.entries.add_repeats(one, 3)
            if step % 20 == 0:
                assert held(reader) == held(plain), (step, what)
        assert held(store) == held(reader) == held(plain)
        assert len(sizes_of_blocks(sql)) >= 3
        assert min(sizes_of_blocks(sql)[:-1]) > 1200  # all are full but the last
        assert max(sizes_of_blocks(sql)) < 2030  # two on a page
        for entry_id in store.entries.ids():
            for each in (store, plain):
                with each.transaction():
                    each.entries.delete(entry_id)
        assert len(sizes_of_blocks(sql)) == 1  # as many go as entries do
        assert held(store) == held(reader) == held(plain)
        again = [insert(store, event, 9000 + k) for k in range(GROUP)]
        for entry_id in again:
            demote(store, entry_id)
        assert {slot.entry_id for slot in reader.entries.slots()} >= set(again)


def test_what_is_deleted_is_gone_from_the_bytes_of_its_block(store, event, folder):
    names = [f"cam {k} behind the green door" for k in range(40)]
    for k, name in enumerate(names):
        demote(store, insert(store, event, k, stream=name))
    gone = names[11]
    with store.transaction():
        store.entries.delete(id_of(gone, 11))
    store.scrub()
    content = (folder / "memory.db").read_bytes()
    assert gone.encode() not in content
    assert names[12].encode() in content


def test_words_of_entries_in_blocks_are_found_as_those_in_rows_are(store, plain, event, folder, sql):
    with closing(Store(folder / "memory.db", writable=False)) as reader:
        for each in (store, plain):
            for k in range(6 * GROUP):
                text, labels = ("two doors open", ("door",)) if k % 3 else ("", ())
                demote(each, insert(each, event, k, text=text, labels=labels))
        assert sql("SELECT count(*) FROM entry") == [(0,)]
        for change in ("none", "delete", "words", "rolled back"):
            ids = sorted(plain.entries.ids())
            for each in (store, plain):
                if change == "delete":
                    with each.transaction():
                        each.entries.delete(ids[1])
                elif change == "words":
                    demote(each, ids[2], level=Level.WORDS)
                elif change == "rolled back":
                    with pytest.raises(ZeroDivisionError):
                        fail(each, ids[3], ids[4])
            for word, column in (("door", "text"), ("door", "labels"), ("opened", "text"), ("two", "labels")):
                for most in (5000, 3):
                    found = plain.words.match([word], column, ids, most)
                    for each in (store, reader):
                        assert each.words.match([word], column, ids, most) == found, (change, word, column)
        assert store.words.match(["door"], "text", [])


def test_a_reader_finds_no_words_of_what_went_since_and_its_snapshot_ends_well(event, tmp_path):
    path = tmp_path / "small.db"
    with closing(Store(path, writable=True, new_page_bytes=512)) as store:
        ids = [store.entries.insert(event(k, text="a blue door")) for k in range(3)]
        with closing(Store(path, writable=False)) as reader:
            for gone in range(3):
                with reader.snapshot():
                    found = reader.words.match(["door"], "text", ids)
                assert set(found) == set(ids[gone:])
                store.entries.delete(ids[gone])


def test_words_of_a_small_memory_are_found_without_a_full_text_on_disk(plain, event, tmp_path):
    """In rows and in blocks, by the writer and by a reader, as entries come, move, change back and go."""
    with (
        closing(Store(tmp_path / "small.db", writable=True, new_page_bytes=512)) as small,
        closing(Store(tmp_path / "small.db", writable=False)) as reader,
    ):
        both = (small, plain)
        assert small.connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'words'").fetchone() == (
            0,
        )
        ids = []
        for k in range(5 * GROUP):
            text = f"two doors open{' again' * (k % 2)}" if k % 3 else ""
            ids = [insert(each, event, k, text=text, labels=("door",) if text else ()) for each in both][:1] + ids
            if k % 2:
                for each in both:
                    demote(each, ids[0])
            if k == 3 * GROUP:
                for each in both:
                    with pytest.raises(ZeroDivisionError):
                        fail(each, ids[1], ids[2])
                    with each.transaction():
                        each.entries.set_spans(ids[3], first=SPAN, further=[], met=2, strength=1.0)
                        each.entries.delete(ids[4])
                        each.entries.delete(ids[5])
            for word, column in (("door", "text"), ("door", "labels"), ("again", "text")):
                found = plain.words.match([word], column, ids)
                for each in (small, reader):
                    assert each.words.match([word], column, ids) == found, (k, word, column)
        assert {block for (block,) in small.connection.execute("SELECT block > 0 FROM temp.words_of")} == {0, 1}


def test_times_in_no_unit_are_rounded_to_ticks_and_known_no_earlier(store, event, sql):
    """Sums of real numbers: 17.610000000000003 s, say. A frame at 1/24 s is left as it is."""
    rng = np.random.default_rng(0)
    steps = np.cumsum(rng.random(3 * GROUP) * 7)
    for k, t0_s in enumerate(steps):
        later_s = {name: float(t0_s) + s for name, s in (("frame_s", 1 / 3), ("t1_s", 2.2), ("known_s", 1.7))}
        demote(store, insert(store, event, k, t0_s=float(t0_s), **later_s))
    exact = insert(store, event, 99, t0_s=500 / 24, frame_s=501 / 24, t1_s=505 / 24, known_s=503 / 24)
    demote(store, exact)
    for k in range(GROUP - 1):
        demote(store, insert(store, event, 200 + k))
    assert sql("SELECT count(*) FROM entry") == [(0,)]
    for k, t0_s in enumerate(steps):
        entry = store.entries.get(id_of("cam", k))
        assert entry.t0_s == pytest.approx(t0_s, abs=1 / 90_000)
        assert entry.t0_s * 90_000 == pytest.approx(round(entry.t0_s * 90_000), abs=1e-6)
        assert entry.known_s >= t0_s + 1.7 - 1e-6
        assert entry.t0_s <= entry.frame_s <= entry.t1_s
    kept = store.entries.get(exact)
    assert (kept.t0_s, kept.frame_s, kept.t1_s) == (500 / 24, 501 / 24, 505 / 24)


def test_an_entry_is_not_missed_as_it_moves(store, event, folder):
    ids = [insert(store, event, k) for k in range(2 * GROUP)]
    with closing(Store(folder / "memory.db", writable=False)) as reader:
        assert reader.entries.count() == len(ids)
        for entry_id in ids:
            demote(store, entry_id)
            assert {slot.entry_id for slot in reader.entries.slots()} == set(ids)
            with reader.snapshot():
                before = held(reader)
                assert held(reader) == before


def test_what_is_first_read_in_a_transaction_that_fails_is_read_again(store, event, folder):
    ids = [insert(store, event, k) for k in range(GROUP)]
    for entry_id in ids:
        demote(store, entry_id)
    store.close()
    with closing(Store(folder / "memory.db", writable=True)) as again:
        with pytest.raises(ZeroDivisionError):
            fail(again, ids[0], ids[1])
        assert again.entries.ids() == set(ids)
