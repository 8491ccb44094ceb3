"""Which entries are meant: against every entry looked at one by one."""

from __future__ import annotations

import numpy as np
import pytest

from hippocam.memory.filter import Filter
from hippocam.memory.records import Span
from hippocam.stream.records import Sensors

CONDITIONS = [
    Filter(stream="house"),
    Filter(camera="yard"),
    Filter(place=2),
    Filter(after_s=60.0),
    Filter(before_s=60.0),
    Filter(after_s=40.0, before_s=55.0),
    Filter(at_s=70.0),
    Filter(near=(0.0, 0.0, 2.0)),
    Filter(stream="house", place=1, after_s=20.0, near=(1.0, 1.0, 3.0)),
]


@pytest.fixture
def entries(store, event):
    """Forty entries in three streams, some of them seen again, some with a pose."""
    rng = np.random.default_rng(0)
    for k in range(40):
        stream = ("house/yard", "house/door", "yard")[k % 3]
        pose = rng.uniform(-3, 3, 7).astype(np.float32) if k % 2 else None
        sensors = Sensors(state=None, action=None, pose=pose)
        entry_id = store.entries.insert(event(k, stream=stream, place=k % 4, sensors=sensors, t0_s=3.0 * k))
        if k % 5 == 0:
            first = store.entries.get(entry_id).spans[0]
            again = [Span(t0_s=3.0 * k + 20, t1_s=3.0 * k + 24, known_s=3.0 * k + 24)]
            store.entries.set_spans(entry_id, first=first, further=again, met=2, strength=1.0)
    return [store.entries.get(slot.entry_id) for slot in store.entries.slots()]


@pytest.mark.parametrize("wanted", CONDITIONS)
def test_a_selection_is_what_a_look_at_each_entry_says(store, entries, wanted):
    truth = sorted(entry.id for entry in entries if wanted.passing_of(entry))
    assert 0 < len(truth) < len(entries)
    assert store.lookup.select(wanted) == truth


def test_no_condition_selects_all(store, entries):
    assert store.lookup.select(Filter()) == sorted(entry.id for entry in entries)


@pytest.mark.parametrize(("t0_s", "t1_s"), [(30.0, 31.0), (0.0, 0.0), (500.0, 600.0), (62.0, 62.0)])
def test_what_passed_by_overlaps_or_touches(store, entries, t0_s, t1_s):
    of_stream = [entry for entry in entries if entry.stream == "yard"]
    truth = [e.id for e in of_stream if e.t0_s <= t1_s and max(span.t1_s for span in e.spans) >= t0_s]
    found = store.lookup.passed_by("yard", t0_s, t1_s)
    assert sorted(found) == sorted(truth)
    starts = {entry.id: entry.t0_s for entry in entries}
    assert [starts[one] for one in found] == sorted((starts[one] for one in found), reverse=True)


def test_what_begins_within_a_time_is_in_order_and_its_end_is_not_in_it(store, entries):
    of_stream = sorted((e.t0_s, e.id) for e in entries if e.stream == "house/door")
    for t0_s, t1_s in ((9.0, 30.0), (12.0, 12.0), (3.0, 3.0), (-5.0, 500.0)):
        truth = [entry_id for start, entry_id in of_stream if t0_s <= start < t1_s or start == t0_s]
        assert store.lookup.begun_within("house/door", t0_s, t1_s) == truth


def test_beside_a_time_are_the_one_before_and_the_one_after(store, event):
    before, inside, after = (store.entries.insert(event(k, t0_s=10.0 * k)) for k in (1, 2, 3))
    assert store.lookup.beside("cam", 20.0, 25.0, gap_s=5.0) == [before, after]
    assert store.lookup.beside("cam", 20.0, 25.0, gap_s=4.9) == []
    assert store.lookup.beside("cam", 10.0, 15.0, gap_s=100.0) == [inside]
    assert store.lookup.beside("other", 20.0, 25.0, gap_s=100.0) == []


def test_the_pictured_entry_covers_the_time_or_is_the_nearest(store, event):
    one, bare, two = (store.entries.insert(event(k, t0_s=10.0 * k)) for k in (1, 2, 3))
    store.entries.demote([bare], 2)
    for time_s, truth in ((12.0, one), (0.0, one), (22.0, one), (23.0, two), (99.0, two)):
        assert store.lookup.pictured("cam", time_s) == truth
    assert store.lookup.pictured("nothing", 0.0) is None


def test_a_picture_that_was_taken_while_somebody_was_there_comes_first(store, event):
    one, two, three = (store.entries.insert(event(k, t0_s=10.0 * k)) for k in (1, 2, 3))
    taken = {entry_id: store.entries.get(entry_id).frame_s for entry_id in (one, two, three)}
    assert store.lookup.pictured("cam", 22.0) == two
    assert store.lookup.pictured("cam", 22.0, within=(taken[one], taken[one] + 1.0)) == one
    assert store.lookup.pictured("cam", 11.0, within=(taken[two], taken[three])) == two
    assert store.lookup.pictured("cam", 11.0, within=(90.0, 99.0)) == one


def test_ids_between_two_are_found_also_where_the_journal_alone_knows_them(store, event):
    ids = sorted(store.entries.insert(event(k)) for k in range(3))
    for entry_id in ids:
        store.journal.add("cam", 0.0, "kept", entry_id, None, "{}", keep=10)
    store.entries.delete(ids[1])
    assert store.lookup.between(ids[0], ids[2], 10) == ids
    assert store.lookup.between(ids[1], ids[2], 1) == [ids[1]]
    assert store.lookup.between(ids[0] + 1, ids[1] - 1, 10) == []


def test_words_are_counted_by_entry_and_column(store, event):
    a = store.entries.insert(event(1, labels=("dog",), text="a door opens"))
    b = store.entries.insert(event(2, labels=("door",), text="dogs bark"))
    assert store.words.match(["dog", "door"], "labels", []) == {a: 1, b: 1}
    assert store.words.match(["dog", "door", "bark"], "text", []) == {a: 1, b: 2}
    # a word that more than `most` hold is counted in those of interest alone
    c = store.entries.insert(event(3, text="the dog"))
    assert store.words.match(["dog"], "text", [c], most=1) == {c: 1}
