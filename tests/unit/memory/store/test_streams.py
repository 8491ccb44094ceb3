"""Streams, against plain SQL."""

from __future__ import annotations

import pytest

from hippocam.memory.records import KEY_FRAMES
from hippocam.memory.store.streams import StreamRow


@pytest.fixture
def rig(store):
    """Two cameras of one recording, and a film."""
    store.streams.add("rig/left", "rig", "/logs/rig", "1:a", 2.0)
    store.streams.add("rig/right", "rig", "/logs/rig", "1:b", 2.0)
    store.streams.add("film", "film", "/films/film.mp4", "2:c", KEY_FRAMES)
    return store


def test_a_stream_that_is_added_again_keeps_its_progress(rig, sql):
    rig.streams.advance("film", last_seq=9, end_s=4.5, seen=10, encoded=3, events=2, state=b"state")
    rig.streams.add("film", "film", "/moved/film.mp4", "2:d", 1.0)
    assert sql("SELECT source, fingerprint, fps, last_seq, end_s, state FROM stream WHERE id = 'film'") == [
        ("/moved/film.mp4", "2:d", KEY_FRAMES, 9, 4.5, b"state")
    ]


def test_counters_add_up_and_the_end_never_falls(rig, sql):
    rig.streams.advance("film", last_seq=9, end_s=4.5, seen=10, encoded=3, events=2, state=b"one")
    rig.streams.advance("film", last_seq=12, end_s=4.0, seen=3, encoded=1, events=1, state=b"two")
    assert sql(
        "SELECT last_seq, end_s, frames_seen, frames_encoded, events, state FROM stream WHERE id = 'film'"
    ) == [(12, 4.5, 13, 4, 3, b"two")]
    assert rig.streams.end_s("film") == 4.5
    assert rig.streams.end_s("nothing") == 0.0
    assert sql("SELECT DISTINCT last_seq, frames_seen FROM stream WHERE id != 'film'") == [(-1, 0)]


def test_streams_are_asked_for_by_recording_or_by_content(rig):
    rig.streams.advance("rig/left", last_seq=9, end_s=4.5, seen=10, encoded=3, events=2, state=b"state")
    assert [tuple(row) for row in rig.streams.rows(recording="rig")] == [
        ("rig/left", "rig", "/logs/rig", "1:a", 2.0, 4.5, 9, False, 10, 3, 2, 0, None),
        ("rig/right", "rig", "/logs/rig", "1:b", 2.0, 0.0, -1, False, 0, 0, 0, 0, None),
    ]
    assert [rig.streams.state(name) for name in ("rig/left", "rig/right", "nothing")] == [b"state", None, None]
    assert [row.id for row in rig.streams.rows(fingerprint="2:c")] == ["film"]
    assert [row.id for row in rig.streams.rows()] == ["film", "rig/left", "rig/right"]
    rig.streams.relocate("rig", "/elsewhere")
    assert {row.source for row in rig.streams.rows(recording="rig")} == {"/elsewhere"}


def test_a_complete_recording_keeps_nothing_to_go_on_with(rig, sql):
    for stream in ("rig/left", "rig/right", "film"):
        rig.streams.advance(stream, last_seq=1, end_s=1.0, seen=1, encoded=1, events=1, state=b"state")
        rig.tracked.put(stream, b"tracks")
        sql("INSERT INTO place (stream, id, vector, seen, last_s) VALUES (?, 1, x'00', 1, 0.0)", (stream,))
    rig.streams.complete("rig")
    assert [row.complete for row in rig.streams.rows()] == [False, True, True]
    assert list(iter(rig.streams.leave, False)) != []
    assert sql("SELECT id, complete, state FROM stream ORDER BY id") == [
        ("film", 0, b"state"),
        ("rig/left", 1, None),
        ("rig/right", 1, None),
    ]
    assert sql("SELECT stream FROM place") == sql("SELECT stream FROM tracked") == [("film",)]


def test_of_finished_streams_without_entries_the_most_eventful_stay(store, sql, event):
    for k, events in enumerate([5, 9, 1, 7]):
        name = f"s{k}"
        store.streams.add(name, name, "/x", name, None)
        store.streams.advance(name, last_seq=1, end_s=1.0, seen=1, encoded=1, events=events, state=b"")
        if k != 3:
            store.streams.complete(name)
        sql(
            "INSERT INTO note (id, stream, kind, t0_s, t1_s, known_s, text) "
            "VALUES (?, ?, 'text', 0, 1, 0, 'words')",
            (k, name),
        )
    store.entries.insert(event(1, stream="s2"))  # the least eventful one, but it holds something
    assert store.streams.give_up(1) == 1
    assert sql("SELECT id FROM stream ORDER BY id") == [("s1",), ("s2",), ("s3",)]
    assert sql("SELECT stream FROM note ORDER BY id") == [("s1",), ("s2",), ("s3",)]
    assert store.streams.give_up(1) == 0
    assert store.streams.give_up(0) == 1
    assert sql("SELECT id FROM stream ORDER BY id") == [("s2",), ("s3",)]


def test_the_newest_entry_is_known_while_it_is_held(store, event):
    store.streams.add("cam", "cam", "/x", "f", None)
    assert store.streams.newest("cam") is None
    first, second = store.entries.insert(event(1)), store.entries.insert(event(2))
    assert store.streams.newest("cam") == second
    store.streams.move_newest(first, second)  # which `first` is not
    assert store.streams.newest("cam") == second
    store.streams.move_newest(second, first)
    assert store.streams.newest("cam") == first
    store.streams.set_newest("cam", second)
    store.entries.delete(second)
    assert store.streams.newest("cam") is None


def test_a_status_counts_what_is_held(store, event):
    store.streams.add("cam", "cam", "/x/cam.mp4", "f", 1.0)
    store.streams.add("empty", "empty", "/x/empty.mp4", "f", KEY_FRAMES)
    store.streams.advance("cam", last_seq=30, end_s=40.0, seen=31, encoded=12, events=3, state=b"")
    ids = [store.entries.insert(event(k, t0_s=10.0 * k, labels=("cat",), text="abc")) for k in (1, 2, 3)]
    store.entries.delete(ids[0])
    cam, empty = store.streams.statuses()
    assert (cam.id, cam.source, cam.fps, cam.duration_s, cam.complete) == ("cam", "/x/cam.mp4", 1.0, 40.0, False)
    assert (cam.frames_seen, cam.frames_encoded, cam.events, cam.entries, cam.evicted) == (31, 12, 3, 2, 1)
    assert (cam.t0_s, cam.t1_s) == (20.0, 35.0)
    assert cam.entry_bytes == 2 * (len(b"jpeg of 2") + 2 * (8 + 4) + len("cat") + len("abc") + 96)
    assert (empty.entries, empty.entry_bytes, empty.t0_s, empty.coarse) == (0, 0, None, True)
    assert store.streams.coarse() == {"empty"}


def test_a_stream_of_another_memory_is_settled_once(rig, sql):
    row = StreamRow("film", "film", "/x", "2:c", 1.0, 9.5, 99, True, 100, 40, 7, 2, 12345)
    rig.entries.delete(0)
    rig.streams.settle(row)
    rig.streams.settle(row)
    assert rig.streams.rows()[0] == row._replace(source="/films/film.mp4", fps=KEY_FRAMES)
    assert sql("SELECT complete FROM stream WHERE id = 'film'") == [(1,)]


def test_states_are_bytes_by_name(store, sql):
    assert store.tracked.get("cam") is None
    store.tracked.put("cam", b"one")
    store.tracked.put("cam", b"two")
    store.learned.put("cam", b"other")
    assert (store.tracked.get("cam"), store.learned.get("cam")) == (b"two", b"other")
    assert sql("SELECT stream, state FROM tracked") == [("cam", b"two")]
    store.tracked.delete("cam")
    assert sql("SELECT * FROM tracked") == []
    assert sql("SELECT name, value FROM learned") == [("cam", b"other")]
