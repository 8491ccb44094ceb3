"""Forgetting deletes: from what is found, from what is told, and from the bytes on disk."""

import dataclasses
import json

import numpy as np
import pytest

from hippocam.memory.codec import pack
from hippocam.memory.config import MemoryConfig
from hippocam.memory.errors import DiskError
from hippocam.memory.filter import Filter
from hippocam.memory.forget import pending
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query
from hippocam.memory.records import Span, id_of
from hippocam.memory.store.database import Store
from hippocam.stream.records import EncoderSpec

D = 32
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
AXES = np.eye(D, dtype=np.float32)
SECRET = "zyxomma"


def writer(folder):
    config = MemoryConfig(budget_bytes=4_000_000)
    return Memory.open_writer(folder, encoder="test", spec=SPEC, config=config)


def scenes(frames_of, stream, axes, *, secret=()):
    """A scene of 5 s for each axis; the source's words of some say the secret."""
    items = frames_of(stream, [(5 * k + t, AXES[axis]) for k, axis in enumerate(axes) for t in range(5)])
    return [
        dataclasses.replace(
            item, text=f"{SECRET} of {axes[item.seq // 5]}" if item.seq // 5 in secret else "plain"
        )
        for item in items
    ]


def watch(memory, stream, items):
    memory.begin(stream, uri=f"/x/{stream}.mp4")
    memory.write(items)
    memory.finish(stream)


def on_disk(folder):
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


@pytest.fixture
def folder(tmp_path, frames_of):
    """Two streams; of "cam" the scenes 4 and 9 are secret."""
    folder = tmp_path / "m"
    with writer(folder) as memory:
        watch(memory, "cam", scenes(frames_of, "cam", [0, 1, 2, 3, 4, 5, 6, 7, 8, 2, 10], secret=(4, 9)))
        watch(memory, "other", scenes(frames_of, "other", [20, 21, 22]))
    return folder


def held(folder):
    with Memory.open_reader(folder) as memory:
        return {c.entry.id: c.entry for axis in AXES for c in memory.recall(Query(text="", vector=axis, top=50))}


def test_an_entry_goes_with_its_bytes(folder):
    number = id_of("cam", 20)
    store = Store(folder / "memory.db", writable=False)
    keys_ND, _ = store.entries.vectors([number])
    store.close()
    packed = pack(keys_ND[0])
    before = held(folder)
    assert packed in on_disk(folder)
    assert b"cam@20.000" in on_disk(folder)
    assert f"{SECRET} of 4".encode() in on_disk(folder)
    with writer(folder) as memory:
        assert memory.forget([number]).entries == 1
        raw = on_disk(folder)  # while the log is there still
        assert packed not in raw
        assert b"cam@20.000" not in raw
        assert f"{SECRET} of 4".encode() not in raw
        assert memory.recall(Query(text=f"{SECRET} of 4", vector=AXES[31]))[0].entry.id != number
        told = memory.explain(number)
        assert told.entry is None
        assert [(row.action, row.stream, row.time_s, row.why) for row in told.journal] == [
            ("forgotten", "", 0.0, "{}")
        ]
    assert set(held(folder)) == set(before) - {number}


def test_a_time_goes_from_entries_summaries_probes_and_journal(folder):
    with writer(folder) as memory:
        store, number = memory.store, id_of("cam", 10)
        with store.transaction():  # as one that was seen again
            first = store.entries.get(number).spans[0]
            again = Span(t0_s=46.0, t1_s=47.0, known_s=47.0)
            store.entries.set_spans(number, first=first, further=[again], met=2, strength=1.0)
        memory.forget(Filter(stream="cam", after_s=41.0, before_s=49.0))
        raw = on_disk(folder)
        assert SECRET.encode() in raw  # of scene 4
        assert f"{SECRET} of 2".encode() not in raw
        assert all(s.t1_s <= 41 or s.t0_s >= 49 for s in memory.store.summaries.every() if s.stream == "cam")
        for row in memory.store.journal.rows():
            why = json.loads(row.why)
            times = [why[name] for name in ("t0_s", "t1_s", "at_s") if name in why]
            assert not any(41 < time_s < 49 for time_s in times)
            assert row.stream != "cam" or not 41 < row.time_s < 49
    found = held(folder)
    assert all(s.t1_s <= 41 or s.t0_s >= 49 for e in found.values() if e.stream == "cam" for s in e.spans)
    assert number not in found  # seen then as well, so its vectors may be of that time
    assert {id_of("cam", 5 * k) for k in (0, 1, 3, 4)} < set(found)
    assert sum(e.stream == "other" for e in found.values()) == 3


def test_a_stream_goes_whole_and_is_watched_anew(folder, frames_of):
    with writer(folder) as memory:
        gone = memory.forget(Filter(stream="cam"))
        assert (gone.streams, [s.id for s in memory.streams()]) == (1, ["other"])
        assert {s.stream for s in memory.store.summaries.every()} <= {"other"}
        raw = on_disk(folder)
        assert SECRET.encode() not in raw
        assert b"/x/cam.mp4" not in raw
        watch(memory, "cam", scenes(frames_of, "cam", [3, 4]))
        assert [e.t0_s for e in held(folder).values() if e.stream == "cam"] == [0, 5]


def test_what_was_learned_is_learned_from_what_is_left(folder, tmp_path, frames_of):
    with writer(folder) as memory:
        memory.forget(Filter(stream="cam"))
        left = memory.longterm.bank.utility.all.dump()
    with writer(tmp_path / "never") as memory:
        watch(memory, "other", scenes(frames_of, "other", [20, 21, 22]))
        assert memory.longterm.bank.utility.all.dump() == left


def test_what_went_into_it_asleep_goes_too(folder):
    with writer(folder) as memory:
        memory.sleep(0.3, max_loss=1.0)
        buried = memory.store.connection.execute("SELECT id, heir FROM tombstone WHERE id != heir").fetchall()
        asleep = [(number, heir) for number, heir in buried if number != heir]
        assert asleep
        number, heir = asleep[0]
        row = memory.store.connection.execute("SELECT t0_s, last_s, stream FROM tombstone WHERE id = ?", (number,))
        t0_s, t1_s, stream = row.fetchone()
        memory.forget(Filter(stream=stream, after_s=t0_s, before_s=t1_s))
        left = memory.store.connection.execute("SELECT count(*) FROM tombstone WHERE id IN (?, ?)", (number, heir))
        assert left.fetchone() == (0,)
        assert memory.store.entries.get(heir) is None


def test_an_index_that_was_built_before_follows(folder):
    with Memory.open_reader(folder) as reader:
        assert reader.recall(Query(text="", vector=AXES[4]))[0].entry.id == id_of("cam", 20)
        with writer(folder) as memory:
            memory.forget([id_of("cam", 20)])
        assert all(c.entry.id != id_of("cam", 20) for c in reader.recall(Query(text="", vector=AXES[4], top=50)))
        assert id_of("cam", 20) not in reader._index.now(D)


def test_a_reader_that_keeps_the_log_is_told(folder):
    reader = Store(folder / "memory.db", writable=False)
    with writer(folder) as memory:
        reader.connection.execute("BEGIN")
        reader.entries.count()
        memory.store.connection.execute("PRAGMA busy_timeout = 50")
        with pytest.raises(DiskError, match="keeps its log from being"):
            memory.forget(Filter(stream="cam"))
        reader.connection.execute("ROLLBACK")
        memory.forget(Filter(stream="cam"))
        assert SECRET.encode() not in on_disk(folder)
    reader.close()


FORGET = """
import shutil
from hippocam.memory.config import MemoryConfig
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.records import id_of
from hippocam.stream.records import EncoderSpec

SPEC = EncoderSpec(id="test:1", dim=32, normalised=True, midpoint=0.5, slope=20.0)

def prepare(folder):
    shutil.copytree({template!r}, folder)

def act(folder):
    config = MemoryConfig(budget_bytes=4_000_000)
    with Memory.open_writer(folder, encoder="test", spec=SPEC, config=config) as memory:
        memory.forget({what})
"""


@pytest.mark.parametrize(
    ("what", "at", "stays"),
    [
        ('Filter(stream="cam")', None, 3),
        ('Filter(stream="cam", after_s=20.0, before_s=25.0)', 4, 13),
        ('[id_of("cam", 20)]', 4, 13),
    ],
)
def test_killed_anywhere_it_is_finished_by_the_next_writer(
    folder, tmp_path, load_helpers, monkeypatch, what, at, stays
):
    """Bytes that must be gone are searched for in all files; before it began, all is as it was."""
    vectors = packed_vectors(folder, "cam", range(11) if at is None else [at])
    words = [f"{SECRET} of {k}".encode() for k in ((4, 2) if at is None else (at,))]
    pictures = [b"cam@%.3f" % (5 * k) for k in (range(11) if at is None else [at])]
    runs, kills = load_helpers("kills.py").run(
        tmp_path, FORGET.format(template=str(folder), what=what), "steps", 11
    )
    assert kills >= 9
    begun = finished = 0
    for run in runs:
        with Memory.open_reader(run) as reader:
            told = pending(reader.store)
            count = reader.store.entries.count()
        with writer(run) as memory:
            finished += memory.finished is not None
            assert (told is None) == (memory.finished is None)
            if told is not None or count < 14:
                begun += 1
                raw = on_disk(run)
                assert not [part for part in (*vectors, *words, *pictures) if part in raw]
                assert memory.store.entries.count() == stays
                assert pending(memory.store) is None
            else:
                assert count == memory.store.entries.count() == 14
        with writer(run) as memory:
            assert memory.finished is None
    assert finished >= 9
    assert begun > finished  # the last one came to its end


def packed_vectors(folder, stream, scenes):
    """The keys of some scenes as they are stored."""
    store = Store(folder / "memory.db", writable=False)
    try:
        keys_ND, _ = store.entries.vectors([i for k in scenes if store.entries.get(i := id_of(stream, 5 * k))])
        return [pack(key) for key in keys_ND]
    finally:
        store.close()


def test_conditions_that_cannot_be_kept_are_refused(folder):
    with writer(folder) as memory, pytest.raises(ValueError, match="forget takes stream, camera"):
        memory.forget(Filter(place=1))
