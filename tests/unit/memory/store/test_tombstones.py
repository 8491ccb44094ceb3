"""Tombstones: what a merge asleep leaves, and what taking it back restores, against plain SQL."""

from __future__ import annotations

import numpy as np
import pytest

from hippocam.memory.records import Level, Span

# All that an entry is, but for its picture, its pin and its uses.
WHAT_IT_WAS = (
    "SELECT id, stream, first_seq, t0_s, t1_s, known_s, last_s, spans, strength, met, place, key, scene, labels, "
    "text, slept FROM entry ORDER BY id"
)


@pytest.fixture
def three(store, event):
    """Ids of three entries of one stream."""
    store.streams.add("cam", "cam", "/x", "f", None)
    return [store.entries.insert(event(k, t0_s=10.0 * k, text=f"word{k}")) for k in (1, 2, 3)]


def merge(store, heir, others, *, sleep, made_s=0.0):
    """As sleep does it: bury all, let the heir have their times, delete the others."""
    for entry_id in (heir, *others):
        store.tombstones.bury(entry_id, heir=heir, sleep=sleep, made_s=made_s)
    vectors = np.full((2, 8), 0.5, np.float32)
    store.entries.inherit(heir, slept=len(others), place=7, vectors=(vectors[0], vectors[1]))
    first, more = Span(t0_s=0, t1_s=1, known_s=1), [Span(t0_s=2, t1_s=40, known_s=40)]
    store.entries.set_spans(heir, first=first, further=more, met=9, strength=3.0)
    for entry_id in others:
        store.entries.delete(entry_id)


def test_taking_back_restores_every_column_but_the_picture(store, sql, three):
    before = sql(WHAT_IT_WAS)
    merge(store, three[0], three[1:], sleep=1)
    assert [row[0] for row in sql(WHAT_IT_WAS)] == [three[0]]
    assert sql("SELECT slept, place, met, last_s FROM entry") == [(2, 7, 9, 40.0)]
    assert store.entries.slept(three[0]) == 2
    assert store.entries.slept_share() == (1, 3)
    assert sql("SELECT evicted FROM stream") == [(2,)]
    store.entries.pin(three[0], True)
    store.tombstones.take_back(1, three[0])
    assert sql(WHAT_IT_WAS) == before
    assert sql("SELECT id, level FROM entry WHERE jpeg_bytes = 0 ORDER BY id") == sorted(
        (entry_id, Level.VECTORS) for entry_id in three[1:]
    )
    assert sql("SELECT pinned, jpeg_bytes > 0 FROM entry WHERE id = ?", (three[0],)) == [(1, 1)]
    assert sql("SELECT evicted FROM stream") == [(0,)]
    assert sql("SELECT rowid FROM words WHERE words MATCH 'word2'") == [(three[1],)]
    assert sql("SELECT count(*) FROM tombstone") == [(0,)]


def test_an_entry_is_buried_as_it_was_first(store, sql, three):
    store.tombstones.bury(three[0], heir=three[0], sleep=1, made_s=5.0)
    store.entries.count_use(three[0], 2.0)
    store.tombstones.bury(three[0], heir=three[1], sleep=1, made_s=6.0)
    assert sql("SELECT heir, made_s, uses FROM tombstone") == [(three[0], 5.0, 0)]
    store.tombstones.bury(three[0], heir=three[0], sleep=2, made_s=7.0)
    assert sql("SELECT sleep, uses FROM tombstone ORDER BY sleep") == [(1, 0), (2, 1)]


def test_groups_and_originals_are_the_entries_as_they_were(store, three):
    texts = {entry_id: store.entries.get(entry_id).text for entry_id in three}
    assert store.tombstones.newest() == 0
    merge(store, three[0], three[1:], sleep=3)
    assert store.tombstones.newest() == 3
    assert store.tombstones.count() == 3
    ((heir, group),) = store.tombstones.groups(3)
    assert heir == three[0]
    assert {one.id: one.text for one in group} == texts
    assert {one.id: len(one.spans) for one in group} == dict.fromkeys(three, 1)
    assert [one.id for one in store.tombstones.originals()] == three[1:]  # the heir is held still
    assert list(store.tombstones.groups(2)) == []
    assert store.tombstones.has(3, three[0])
    assert not store.tombstones.has(3, three[1])
    store.tombstones.delete(3, three[0])
    assert not store.tombstones.has(3, three[0])


def test_with_an_heir_goes_what_went_into_what_went_into_it(store, sql, three):
    merge(store, three[1], [three[2]], sleep=1)
    merge(store, three[0], [three[1]], sleep=2)
    unrelated = sql("SELECT count(*) FROM tombstone")
    assert unrelated == [(4,)]
    assert set(store.tombstones.heirs_within("cam", 30.0, 30.0)) == {three[0]}  # by way of the second
    assert store.tombstones.heirs_within("dog", 0.0, 99.0) == []
    store.tombstones.delete_heirs(three[0])
    assert store.tombstones.count() == 0


def test_only_the_tombstones_of_a_time_are_deleted(store, sql, three):
    merge(store, three[0], three[1:], sleep=1)
    store.tombstones.delete_within("cam", 26.0, 29.0)  # between the second and the third
    assert store.tombstones.count() == 3
    store.tombstones.delete_within("cam", 25.0, 29.0)
    assert sql("SELECT id FROM tombstone ORDER BY t0_s") == [(three[0],), (three[2],)]
    store.tombstones.delete_of(three[2])
    assert sql("SELECT id FROM tombstone") == [(three[0],)]


def test_whole_groups_are_given_up_the_oldest_first(store, sql, event):
    ids = [store.entries.insert(event(k, t0_s=10.0 * k)) for k in range(6)]
    for sleep, k in ((1, 0), (1, 2), (2, 4)):
        merge(store, ids[k], [ids[k + 1]], sleep=sleep, made_s=100.0 * sleep)
    second = max(ids[0], ids[2])  # of one sleep, by heir
    assert store.tombstones.give_up_before(100.0, 9) == 0
    assert store.tombstones.give_up_before(101.0, 1) == 2
    assert sql("SELECT DISTINCT heir FROM tombstone ORDER BY sleep") == [(second,), (ids[4],)]
    assert store.tombstones.give_up_oldest(1) == 2
    assert sql("SELECT DISTINCT heir FROM tombstone") == [(ids[4],)]
    assert store.tombstones.give_up_oldest(5) == 2
    assert store.tombstones.give_up_oldest(5) == 0
