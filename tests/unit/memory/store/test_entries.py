"""Entries, against what plain SQL and a decoder written here find in the file."""

from __future__ import annotations

import dataclasses
import struct

import numpy as np
import pytest

from hippocam.memory.bank.codes import codes_of
from hippocam.memory.bank.slots import Slots
from hippocam.memory.codec import pack
from hippocam.memory.records import Entry, Level, Slot, Span, id_of
from hippocam.memory.store.columns import ENTRY_COLUMNS
from hippocam.memory.store.entries import EntryRow
from hippocam.stream.records import Sensors

D = 8


def bytes_to_vector(blob: bytes) -> np.ndarray:
    """A scale as little-endian float32, then a signed byte a number."""
    (scale,) = struct.unpack("<f", blob[:4])
    return np.array(struct.unpack(f"{len(blob) - 4}b", blob[4:])) * scale


def span(t0_s: float, t1_s: float, known_s: float) -> Span:
    return Span(t0_s=t0_s, t1_s=t1_s, known_s=known_s)


@pytest.mark.parametrize("table", ["entry", "tombstone"])
def test_the_columns_are_those_of_the_tables(store, sql, table):
    own = {"sleep", "heir", "made_s"} if table == "tombstone" else set()
    assert {name for (_, name, *_) in sql(f"PRAGMA table_info({table})")} - own - {"sum", "jpeg_sum"} == set(
        ENTRY_COLUMNS
    )
    assert len(ENTRY_COLUMNS) == len(set(ENTRY_COLUMNS))


def test_an_event_is_stored_in_its_columns(store, sql, event):
    sensors = Sensors(state=np.float32([1, 2]), action=None, pose=np.float32(range(7)))
    one = event(7, labels=("cat", "mat"), text="on it", place=3, frames=4, repeats=2, sensors=sensors)
    entry_id = store.entries.insert(one)
    assert entry_id == id_of("cam", 7)
    ((*plain, key, scene, state, action, pose),) = sql(
        "SELECT id, stream, first_seq, t0_s, t1_s, known_s, frame_s, last_s, spans, surprise, utility, strength, "
        "met, uses, pinned, level, place, labels, text, frames, repeats, jpeg_bytes, slept, key, scene, state, "
        "action, pose FROM entry"
    )
    assert plain == [
        entry_id, "cam", 7, 7.0, 12.0, 11.0, 9.0, 12.0, None, 0.25, 1.5, 1.0,
        1, 0, 0, 0, 3, "cat, mat", "on it", 4, 2, len(b"jpeg of 7"), 0,
    ]  # fmt: skip
    for blob, vector in ((key, one.key), (scene, one.scene)):
        assert np.abs(bytes_to_vector(blob) - vector).max() <= np.abs(vector).max() / 127
    assert (state, action, pose) == (struct.pack("<2f", 1, 2), None, struct.pack("<7f", *range(7)))


def test_an_entry_comes_back_as_it_was_stored(store, event):
    entry = Entry(
        id=99,
        stream="cam",
        first_seq=12,
        t0_s=1.0,
        t1_s=2.0,
        known_s=1.5,
        spans=(span(1.0, 2.0, 1.5), span(8.0, 9.0, 8.5), span(20.0, 25.0, 24.0)),
        frame_s=8.25,
        surprise=0.1,
        utility=0.7,
        labels=("dog",),
        text="a word",
        frames=3,
        repeats=9,
        jpeg_bytes=1234,
        strength=2.5,
        met=17,
        uses=2,
        pinned=True,
        level=Level.SMALL,
        place=4,
    )
    store.entries.restore(EntryRow(entry, pack(np.ones(D, np.float32)), None))
    assert store.entries.get(99) == entry
    assert store.entries.get(98) is None


def test_the_same_event_again_changes_nothing(store, sql, event):
    store.entries.insert(event(1))
    before = sql("SELECT * FROM entry")
    store.entries.insert(event(1, text="other words", surprise=0.9))
    assert sql("SELECT * FROM entry") == before
    assert sql("SELECT rowid FROM words WHERE words MATCH 'other'") == []


def test_spans_are_kept_in_order_and_the_last_end_is_known(store, sql, event):
    entry_id = store.entries.insert(event(1))
    first, further = span(1, 2, 2), [span(30, 60, 55), span(40, 50, 50)]
    store.entries.set_spans(entry_id, first=first, further=further, met=5, strength=1.75)
    ((spans, *plain),) = sql("SELECT spans, t0_s, t1_s, known_s, last_s, met, strength FROM entry")
    assert struct.unpack("<6d", spans) == (30, 60, 55, 40, 50, 50)
    assert plain == [1, 2, 2, 60, 5, 1.75]
    assert store.entries.get(entry_id).spans == (first, *further)


def test_each_level_keeps_what_it_says(store, event):
    sensors = Sensors(state=np.float32([1]), action=np.float32([2]), pose=np.float32(range(7)))
    entry_id = store.entries.insert(event(1, sensors=sensors))
    key, scene = (row[0] for row in store.entries.vectors([entry_id]))
    columns = "SELECT level, jpeg_bytes, key, scene, state, action, pose FROM every_entry"

    def row():
        return store.connection.execute(columns).fetchone()

    before = row()
    store.entries.demote([entry_id], Level.VECTORS)
    assert row() == (Level.VECTORS, 0, *before[2:])
    store.entries.demote([entry_id], Level.SIGNS)
    for vector, reduced in zip((key, scene), store.entries.vectors([entry_id]), strict=True):
        assert (np.sign(reduced[0]) == np.where(vector > 0, 1, -1)).all()
        assert float(reduced[0] @ vector) == pytest.approx(float(vector @ vector), rel=2**-11)
    assert all(len(blob) < len(was) for blob, was in zip(row()[2:4], before[2:4], strict=True))
    store.entries.demote([entry_id], Level.WORDS)
    assert row() == (Level.WORDS, 0, None, None, None, None, before[6])
    assert store.entries.ids() == set()
    assert store.entries.held() == []


def test_deleting_takes_the_words_along_and_is_counted(store, sql, event):
    store.streams.add("cam", "cam", "/x/cam.mp4", "1:a", 1.0)
    kept, deleted = store.entries.insert(event(1, text="red door")), store.entries.insert(event(2, text="red car"))
    store.entries.delete(deleted)
    assert sql("SELECT id FROM entry") == [(kept,)]
    assert sql("SELECT rowid FROM words WHERE words MATCH 'red'") == [(kept,)]
    assert sql("SELECT evicted FROM stream") == [(1,)]
    store.entries.delete(12345)  # of no stream
    assert sql("SELECT evicted FROM stream") == [(1,)]


def test_vectors_come_in_the_order_asked_for(store, event):
    ids = [store.entries.insert(event(k)) for k in range(5)]
    asked = [ids[3], ids[0], ids[4]]
    keys_ND, scenes_ND = store.entries.vectors(asked)
    for row, k in enumerate((3, 0, 4)):
        assert np.abs(keys_ND[row] - event(k).key).max() < 0.03
        assert np.abs(scenes_ND[row] - event(k).scene).max() < 0.03
    assert store.entries.vectors([])[0].shape[0] == 0


def test_slots_and_held_entries_say_what_the_columns_say(store, sql, event):
    later, other = event(9, text="two words"), event(4, stream="a cam", labels=("é",))
    ids = [store.entries.insert(one) for one in (later, event(3), other)]
    store.entries.set_spans(ids[0], first=span(9, 14, 13), further=[span(90, 99, 99)], met=3, strength=2.0)
    store.entries.pin(ids[1], True)
    store.entries.count_use(ids[0], 2.0)
    slots = list(store.entries.slots())
    assert [slot.entry_id for slot in slots] == [ids[2], ids[1], ids[0]]  # by stream, then as events came
    values = dataclasses.asdict(slots[2])
    assert np.abs(values.pop("key_D") - later.key).max() < 0.03
    assert values == {
        "entry_id": ids[0], "stream": "cam", "place": 0, "utility": 1.5, "last_s": 99.0,
        "jpeg_bytes": len(b"jpeg of 9"), "words_bytes": 2 * len("two words"), "strength": 2.0, "met": 3,
        "uses": 1, "pinned": False, "level": Level.FULL, "short": False, "first_seq": 9,
    }  # fmt: skip
    assert slots[0].words_bytes == 2 * 2  # é is two bytes
    assert slots[1].pinned is True
    assert [slot.entry_id for slot in store.entries.slots([ids[1]])] == [ids[1]]
    assert all(isinstance(slot, Slot) for slot in slots)
    every, one_by_one = store.lookup.every_slot(), {slot.entry_id: slot for slot in slots}
    assert [every.entry_id[k] for k in every.by_stream()] == [ids[2], ids[1], ids[0]]
    again = Slots.of(one_by_one[entry_id] for entry_id in every.entry_id.tolist())
    for name in (field.name for field in dataclasses.fields(Slots)):
        assert np.array_equal(np.asarray(getattr(every, name)), np.asarray(getattr(again, name))), name
    (held,) = store.entries.held(ids[0])
    assert held.spans == (span(9, 14, 13), span(90, 99, 99))
    assert (held.id, held.met, held.strength, held.text, held.slept) == (ids[0], 3, 2.0, "two words", 0)
    assert np.array_equal(held.scene_D, store.entries.vectors([ids[0]])[1][0])
    assert [one.id for one in store.entries.held()] == [ids[2], ids[1], ids[0]]
    sql("UPDATE entry SET key = NULL WHERE id = ?", (ids[1],))
    assert [one.id for one in store.entries.held()] == [ids[2], ids[0]]
    assert store.entries.ids() == {ids[2], ids[0]}
    assert store.entries.ids([ids[1], ids[2]]) == {ids[2]}
    assert next(store.entries.slots([ids[1]])).key_D is None
    assert store.entries.count() == 3


def test_pins_uses_and_repeats_are_counted_where_the_entry_is(store, sql, event):
    entry_id = store.entries.insert(event(1))
    assert store.entries.pin(entry_id, True)
    assert not store.entries.pin(entry_id + 1, True)
    store.entries.count_use(entry_id, 1.5)
    store.entries.count_use(entry_id, 1.75)
    store.entries.add_repeats(entry_id, 3)
    store.entries.add_repeats(entry_id, 4)
    assert sql("SELECT pinned, uses, strength, repeats FROM entry") == [(1, 2, 1.75, 7)]


def test_rows_are_read_page_by_page_by_their_time(store, sql, event):
    for k, t0_s in enumerate([50.0, 10.0, 10.0, 30.0, 20.0]):
        store.entries.insert(event(k, t0_s=t0_s))
    store.entries.insert(event(0, stream="other"))
    read, after = [], (float("-inf"), -1)
    for size in (2, 2, 1, 0):
        page = store.entries.rows("cam", after, 2)
        assert len(page) == size
        if not page:
            break
        read += page
        after = (page[-1].entry.t0_s, page[-1].entry.id)
    assert [(row.entry.id, row.key, row.scene) for row in read] == sql(
        "SELECT id, key, scene FROM entry WHERE stream = 'cam' ORDER BY t0_s, id"
    )


CODES = codes_of("bundled:3", 385)


def unit(row):
    return (row / np.linalg.norm(row)).astype(np.float32)


def as_the_encoders_lie(rng):
    return unit(CODES.short.reduced(rng.normal(size=385).astype(np.float32)))


def test_outlines_are_read_from_row_and_block_alike_and_a_short_one_stands_for_both_vectors(store, sql, event):
    rng = np.random.default_rng(0)
    ids, whole = [], []
    for k in range(120):
        key, other = as_the_encoders_lie(rng), as_the_encoders_lie(rng)
        scene = unit(other + (2.0 if k % 2 else 0.1) * key)  # nearly the key, or far from it
        one = dataclasses.replace(event(k), key=key, scene=scene, jpeg=b"", text="", labels=(), view=None)
        ids.append(store.entries.insert(one))
        whole.append((key, scene))
    for entry_id in ids:
        store.entries.demote([entry_id], Level.SIGNS, code=CODES.first)
    assert len(sql("SELECT id FROM entry")) < len(ids)  # most have moved into blocks
    keys_ND, scenes_ND = store.entries.vectors(ids)
    assert [np.array_equal(*pair) for pair in zip(keys_ND, scenes_ND, strict=True)] == [False, True] * 60
    apart = [(k, whole[k]) for k in range(0, 120, 2)]
    assert min(keys_ND[k] @ key for k, (key, _) in apart) > 0.85
    assert min(scenes_ND[k] @ scene for k, (_, scene) in apart) > 0.85
    assert not any(slot.short for slot in store.entries.slots())
    for entry_id in ids:
        store.entries.demote([entry_id], Level.SIGNS, code=CODES.short, as_one=True)
    keys_ND, scenes_ND = store.entries.vectors(ids)
    np.testing.assert_array_equal(keys_ND, scenes_ND)
    assert all(slot.short and slot.level == Level.SIGNS for slot in store.entries.slots())
    store.entries.pin(ids[5], True)  # becomes a row again
    np.testing.assert_array_equal(store.entries.vectors([ids[5]])[0][0], keys_ND[5])


def test_signs_become_an_outline_later(store, event):
    vector = as_the_encoders_lie(np.random.default_rng(1))
    entry_id = store.entries.insert(dataclasses.replace(event(1), key=vector, scene=vector, jpeg=b"", view=None))
    store.entries.demote([entry_id], Level.SIGNS)
    assert [slot.short for slot in store.entries.slots()] == [False]
    store.entries.demote([entry_id], Level.SIGNS, code=CODES.short, as_one=True)
    assert [slot.short for slot in store.entries.slots()] == [True]
    (row,) = store.entries.vectors([entry_id])[0]
    assert row @ vector > 0.6


def steps_of(store, read):
    """Rough number of steps that SQLite takes for something."""
    steps = 0

    def count():
        nonlocal steps
        steps += 1

    store.connection.set_progress_handler(count, 100)
    try:
        read()
    finally:
        store.connection.set_progress_handler(None, 0)
    return 100 * steps


def test_entries_are_read_by_their_ids_without_going_through_all(store, event):
    with store.transaction():
        ids = [store.entries.insert(event(10 * k)) for k in range(3000)]
    few = ids[::300]
    everything = steps_of(store, store.entries.ids)
    for read in (store.entries.several, store.entries.vectors, store.entries.ids, store.entries.digests):
        assert steps_of(store, lambda read=read: read(few)) < everything / 20
    assert list(store.entries.several([*reversed(ids), 5])) == ids[::-1]
    assert store.entries.several(few) == {entry_id: store.entries.get(entry_id) for entry_id in few}
    assert store.entries.ids([*ids, 5]) == set(ids)
