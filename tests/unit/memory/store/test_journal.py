"""The journal and the probes, against plain SQL and lists kept beside them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hippocam.memory.store.journal import JournalRow


def test_the_newest_rows_stay(store, sql):
    for k in range(10):
        store.journal.add("cam", float(k), "kept", 100 + k, None, "{}", keep=4)
        assert sql("SELECT entry FROM journal ORDER BY id") == [(100 + n,) for n in range(max(0, k - 3), k + 1)]


def test_an_entry_is_told_of_also_where_it_had_part_in_another(store):
    store.journal.add("cam", 1.0, "kept", 1, None, '{"a":1}', keep=99)
    store.journal.add("cam", 2.0, "merged", 2, 1, "{}", keep=99)
    store.journal.add("cam", 3.0, "kept", 3, None, "{}", keep=99)
    assert store.journal.rows(1) == [
        JournalRow(id=1, stream="cam", time_s=1.0, action="kept", entry_id=1, other_id=None, why='{"a":1}'),
        JournalRow(id=2, stream="cam", time_s=2.0, action="merged", entry_id=2, other_id=1, why="{}"),
    ]
    assert [row.entry_id for row in store.journal.rows()] == [1, 2, 3]
    store.journal.delete_of(1)
    assert [row.entry_id for row in store.journal.rows() if row.entry_id > 0] == [3]


def test_who_remembers_a_row_learns_what_changed_since(store):
    assert store.journal.changed_since(0) == (0, None)
    for entry_id, action in ((1, "kept"), (2, "kept"), (1, "words only"), (2, "slept"), (3, "signs only")):
        store.journal.add("cam", 0.0, action, entry_id, None, "{}", keep=4)
    newest, changed = store.journal.changed_since(2)
    assert (newest, sorted(changed)) == (5, [1, 2, 3])
    assert store.journal.changed_since(5) == (5, [])
    assert store.journal.changed_since(1)[1] is not None  # row 2 is the oldest that is left
    assert store.journal.changed_since(0) == (5, None)  # row 1 is not there any more
    assert store.journal.changed_since(6) == (5, None)  # of another file


@pytest.mark.parametrize("delete", ["entry", "time", "stream"])
def test_who_remembers_a_row_learns_that_rows_were_deleted_and_no_id_is_given_twice(store, delete):
    for entry_id in (1, 2, 3):
        store.journal.add("cam", float(entry_id), "kept", entry_id, None, "{}", keep=99)
    store.journal.add("dog", 0.0, "kept", 4, None, "{}", keep=99)
    store.journal.add("cam", 5.0, "slept", 5, None, "{}", keep=99)
    remembered, _ = store.journal.changed_since(0)
    if delete == "entry":
        store.journal.delete_of(5)
    elif delete == "time":
        store.journal.delete_within("cam", 5.0, 6.0)
    else:
        store.journal.delete_stream("cam")
    newest, changed = store.journal.changed_since(remembered)
    assert newest > remembered
    assert changed is None
    for row_id in range(remembered + 1):
        assert store.journal.changed_since(row_id)[1] is None
    store.journal.add("cam", 6.0, "kept", 6, None, "{}", keep=99)
    assert store.journal.changed_since(newest) == (newest + 1, [6])
    told = {(row.stream, row.time_s, row.action, row.why) for row in store.journal.rows() if row.entry_id < 0}
    assert told == {("", 0.0, "forgotten", "{}")}
    store.journal.delete_within("nobody", 0.0, 9.0)
    assert store.journal.changed_since(newest) == (newest + 1, [6])


def test_a_time_is_deleted_with_what_rests_on_it(store):
    whys = [
        ("cam", 5.0, {}),
        ("cam", 15.0, {}),  # written then
        ("cam", 30.0, {"at_s": 12.0}),  # tells of then
        ("cam", 30.0, {"t0_s": 8.0, "t1_s": 10.0}),  # touches it
        ("cam", 30.0, {"t0_s": 21.0, "t1_s": 25.0}),
        ("dog", 15.0, {}),
    ]
    for entry_id, (stream, time_s, why) in enumerate(whys):
        store.journal.add(stream, time_s, "kept", entry_id, None, json.dumps(why), keep=99)
    assert store.journal.delete_within("cam", 10.0, 20.0) == {1, 2, 3}
    assert [row.entry_id for row in store.journal.rows() if row.stream] == [0, 4, 5]
    store.journal.delete_stream("cam")
    assert [row.entry_id for row in store.journal.rows() if row.stream] == [5]


@pytest.mark.parametrize("keep", [1, 5, 8])
def test_of_too_many_probes_every_second_one_of_a_kind_is_deleted(store, sql, keep):
    kept, vector = [], np.eye(8, dtype=np.float32)[0]
    store.probes.add("question", "cam", 0.0, 1.0, vector, keep=keep)
    for k in range(20):
        store.probes.add("view", "cam", float(k), k + 1.0, vector, keep=keep)
        kept.append(float(k))
        if len(kept) > keep:
            kept = kept[::2]
        assert [t0_s for (t0_s,) in sql("SELECT t0_s FROM probe WHERE kind = 'view' ORDER BY id")] == kept
    assert sql("SELECT count(*) FROM probe WHERE kind = 'question'") == [(1,)]


def test_a_probe_comes_back_with_what_it_first_found(store):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(2, 8)).astype(np.float32)
    store.probes.add("view", "cam", 1.0, 2.5, vectors[0], keep=9)
    store.probes.add("question", "dog", 4.0, 5.0, vectors[1], keep=9)
    first, second = store.probes.every()
    assert (first.kind, first.stream, first.times, first.found) == ("view", "cam", ((1.0, 2.5),), None)
    assert (second.kind, second.stream, second.times) == ("question", "dog", ((4.0, 5.0),))
    for probe, vector in zip((first, second), vectors, strict=True):
        assert np.abs(probe.vector_D - vector).max() <= np.abs(vector).max() / 127
    store.probes.set_found({second.id: 3})
    store.probes.set_found({first.id: 1, second.id: 0})  # what was found first stays
    assert [probe.found for probe in store.probes.every()] == [1, 3]


@pytest.mark.parametrize(
    ("t0_s", "t1_s", "left"),
    [
        (12.0, 13.0, ["b", "point"]),
        (20.0, 30.0, ["a", "point"]),  # a touch of a stretch is none
        (40.0, 40.0, ["a", "b"]),  # a moment is hit by itself
        (20.0, 20.0, ["point"]),  # and a moment hits what it touches
    ],
)
def test_probes_of_a_time_are_deleted(store, sql, t0_s, t1_s, left):
    for kind, start, end in (("a", 10.0, 20.0), ("b", 20.0, 30.0), ("point", 40.0, 40.0)):
        store.probes.add(kind, "cam", start, end, np.ones(8, np.float32), keep=9)
    store.probes.add("other", "dog", 0.0, 99.0, np.ones(8, np.float32), keep=9)
    store.probes.delete_within("cam", t0_s, t1_s)
    assert [kind for (kind,) in sql("SELECT kind FROM probe WHERE stream = 'cam' ORDER BY id")] == left
    assert sql("SELECT count(*) FROM probe WHERE stream = 'dog'") == [(1,)]
