import dataclasses
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest

from hippocam.memory.config import MemoryConfig
from hippocam.memory.errors import EncoderMismatchError, MemoryFolderError, NotAMemoryError
from hippocam.memory.memory import Memory, MemoryWriter
from hippocam.memory.recall.query import Query
from hippocam.memory.records import Level, format_id, id_of
from hippocam.memory.store.database import Store
from hippocam.stream.records import EncoderSpec, Sensors

D = 16
SPEC = EncoderSpec(id="test:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
AXES = np.eye(D, dtype=np.float32)


def writer(folder, budget=None, spec=SPEC):
    return Memory.open_writer(folder, encoder="test", spec=spec, config=MemoryConfig(budget_bytes=budget))


def watch(memory, items, source="cam", uri="/x/cam.mp4", *, complete=True):
    memory.begin(source, uri=uri)
    memory.write(items)
    memory.finish(source, complete=complete)


def scenes(frames_of, order, seconds=5, stream="cam", **kwargs):
    seen = [(k * seconds + t, AXES[axis]) for k, axis in enumerate(order) for t in range(seconds)]
    return frames_of(stream, seen, **kwargs)


def du(folder: Path) -> int:
    """What `du -sb` says, which is the measure that the budget is stated in."""
    return int(subprocess.run(["du", "-sb", folder], capture_output=True, check=True).stdout.split()[0])


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_scene_is_found_at_its_true_time_with_its_true_frame(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        watch(memory, scenes(frames_of, [0, 1, 2, 3, 4]))
    with Memory.open_reader(tmp_path / "m") as memory:
        best = memory.recall(Query(text="", vector=AXES[3]))[0]
        assert (best.entry.t0_s, best.entry.t1_s) == (15, 20)
        assert best.score > 0.9
        assert memory.image(best.entry.id).read_bytes() == f"cam@{best.entry.frame_s:.3f}".encode()


def test_filters_by_time_and_stream(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        watch(memory, scenes(frames_of, [1, 2, 1, 3, 1]))
        watch(memory, scenes(frames_of, [1, 4], stream="rig/left"), "rig", "/x/rig")

    def spans(**kwargs):
        with Memory.open_reader(tmp_path / "m") as memory:
            found = memory.recall(Query(text="", vector=AXES[1], **kwargs))
        return sorted((c.entry.stream, c.entry.t0_s) for c in found if c.score > 0.5)

    assert spans() == [("cam", 0), ("cam", 10), ("cam", 20), ("rig/left", 0)]
    assert spans(stream="rig") == [("rig/left", 0)]
    assert spans(stream="cam", after_s=6) == [("cam", 10), ("cam", 20)]
    assert spans(stream="cam", before_s=10) == [("cam", 0)]
    # asked at 13 s nothing of the event from 10 to 15 s may be used, since its key rests on frames up to 14 s
    assert spans(stream="cam", at_s=13) == [("cam", 0)]
    assert spans(stream="cam", at_s=14) == [("cam", 0), ("cam", 10)]


def test_nothing_alike_gets_a_low_belief_and_an_empty_memory_gives_none(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        assert memory.recall(Query(text="", vector=AXES[0])) == []
        watch(memory, scenes(frames_of, [0, 1, 2]))
        assert memory.recall(Query(text="", vector=AXES[9]))[0].score < 0.01


def test_words_of_the_source_are_found(tmp_path, frames_of):
    items = scenes(frames_of, [0, 1, 2])
    import dataclasses

    items = [
        dataclasses.replace(i, text="pick up the Yellow bottles" if 5 <= i.time_s < 10 else "") for i in items
    ]
    with writer(tmp_path / "m") as memory:
        watch(memory, items)
        best = memory.recall(Query(text="a yellow bottle", vector=AXES[9]))[0]
    assert best.entry.t0_s == 5
    assert best.score > 0.8
    assert best.words == ("yellow",)


def test_reading_leaves_every_byte_as_it_was(tmp_path, frames_of):
    folder = tmp_path / "m"
    with writer(folder) as memory:
        watch(memory, scenes(frames_of, range(6)))
    before = tree(folder)
    with Memory.open_reader(folder) as memory:
        first = memory.recall(Query(text="pick", vector=AXES[2], stream="cam"))
        assert memory.recall(Query(text="pick", vector=AXES[2], stream="cam")) == first
        memory.streams(), memory.tiers(), memory.bytes()
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            memory.store.meta.put(x=1)
    assert tree(folder) == before


def test_cutting_a_stream_into_other_chunks_gives_the_same_memory(tmp_path, frames_of):
    items = scenes(frames_of, [0, 3, 1, 1, 2, 0], seconds=7)
    answers = []
    for size in (1, 5, len(items)):
        with writer(tmp_path / f"m{size}") as memory:
            memory.begin("cam", uri="/x/cam.mp4")
            for k in range(0, len(items), size):
                memory.write(items[k : k + size])
            memory.finish("cam")
            answers.append(memory.recall(Query(text="", vector=AXES[1], top=50)))
    assert answers[0] == answers[1] == answers[2]


def test_watching_again_adds_nothing(tmp_path, frames_of):
    items = scenes(frames_of, [0, 1, 2])
    with writer(tmp_path / "m") as memory:
        watch(memory, items)
        before = memory.streams()
        watch(memory, items)
        assert memory.streams() == before


def test_an_interrupted_watch_goes_on_where_it_was(tmp_path, frames_of):
    items = scenes(frames_of, [0, 1, 2, 3, 1, 0, 2], seconds=6)
    with writer(tmp_path / "whole") as memory:
        watch(memory, items)
        whole = memory.recall(Query(text="", vector=AXES[1], top=50))
    with writer(tmp_path / "cut") as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        memory.write(items[:20])  # and the process is gone: the open event is lost, no more
    with writer(tmp_path / "cut") as memory:
        after = memory.begin("cam", uri="/x/cam.mp4")
        assert 12 <= after < 20
        memory.write([i for i in items if i.seq > after])
        memory.finish("cam")
        assert memory.recall(Query(text="", vector=AXES[1], top=50)) == whole


def test_sensors_are_kept_beside_the_frame(tmp_path, frames_of):
    sensors = [
        Sensors(
            state=np.array([t, 2.0], np.float32),
            action=np.array([-t], np.float32),
            pose=np.full(7, t, np.float32),
        )
        for t in range(4)
    ]
    items = [dataclasses.replace(i, sensors=s) for i, s in zip(scenes(frames_of, [0], 4), sensors, strict=True)]
    with writer(tmp_path / "m") as memory:
        watch(memory, items)
        entry = memory.recall(Query(text="", vector=AXES[0]))[0].entry
    true = sensors[int(entry.frame_s)]
    for name in ("state", "action", "pose"):
        np.testing.assert_array_equal(getattr(entry.sensors, name), getattr(true, name))


@pytest.mark.parametrize("budget", [400_000, 1_000_000, 2_500_000])
def test_the_folder_never_exceeds_its_budget_while_a_long_stream_is_written(tmp_path, frames_of, budget):
    rng = np.random.default_rng(0)
    folder = tmp_path / "m"
    most = 0
    with writer(folder, budget) as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        for k in range(400):
            size = int(rng.integers(5_000, 40_000))
            seen = [(3 * k + t, rng.normal(size=D).astype(np.float32)) for t in range(3)]
            memory.write(frames_of("cam", seen, first_seq=3 * k, jpeg_bytes=size))
            most = max(most, du(folder))
        memory.finish("cam")
        (stream,) = memory.streams()
    assert most <= budget
    assert most > 0.6 * budget  # and it is made use of
    assert stream.entries + stream.evicted == stream.events
    with closing(Store(folder / "memory.db", writable=False)) as store:
        entries = [store.entries.get(number) for number in store.entries.ids()]
    pictures = {format_id(e.id) for e in entries if e.level < Level.VECTORS}
    assert {p.stem for p in (folder / "exemplars").iterdir()} == pictures
    assert 0 < len(pictures) < 0.6 * len(entries)  # pictures were given up before moments


def test_a_smaller_budget_is_met_when_the_memory_is_opened(tmp_path, frames_of):
    rng = np.random.default_rng(0)
    folder = tmp_path / "m"
    with writer(folder, 5_000_000) as memory:
        seen = [(t, rng.normal(size=D).astype(np.float32)) for t in range(900)]
        watch(memory, frames_of("cam", seen, jpeg_bytes=20_000))
    assert du(folder) > 3_000_000
    with writer(folder, 1_500_000) as memory:
        assert du(folder) <= 1_500_000
        assert memory.budget_bytes() == 1_500_000
    with writer(folder) as memory:
        assert memory.budget_bytes() == 1_500_000


def test_a_budget_below_the_smallest_is_refused():
    with pytest.raises(ValueError, match="budget must be 0.4 MB or more, found 0.2 MB"):
        MemoryConfig(budget_bytes=200_000)


def test_two_encoders_are_never_mixed(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        watch(memory, scenes(frames_of, [0]))
    other = EncoderSpec(id="other:1", dim=D, normalised=True, midpoint=0.5, slope=20.0)
    with pytest.raises(EncoderMismatchError, match="made with encoder test .*not test .other:1") as raised:
        writer(tmp_path / "m", spec=other)
    assert (raised.value.made_with_id, raised.value.asked_for_id) == (SPEC.id, "other:1")
    writer(tmp_path / "m").close()  # and the failed attempt left no lock


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        watch(memory, scenes(frames_of, [0, 1]))
        with pytest.raises(MemoryFolderError, match="another process is writing"):
            writer(tmp_path / "m")
        with Memory.open_reader(tmp_path / "m") as reader:
            assert len(reader.recall(Query(text="", vector=AXES[1]))) == 2
            watch(memory, scenes(frames_of, [5], stream="b"), "b", "/x/b")
            assert reader.recall(Query(text="", vector=AXES[5]))[0].entry.stream == "b"


def test_foreign_folders_and_files_are_left_alone(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "db").mkdir()
    database = sqlite3.connect(tmp_path / "db" / "memory.db")
    database.execute("CREATE TABLE t (x)")
    database.close()
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "memory.db").write_bytes(b"junk" * 400)
    for name in ("photos", "file", "db", "junk"):
        before = tree(tmp_path)
        with pytest.raises(NotAMemoryError) as raised:
            writer(tmp_path / name)
        assert raised.value.folder == tmp_path / name
        assert tree(tmp_path) == before
    with pytest.raises(MemoryFolderError, match="no memory here"):
        Memory.open_reader(tmp_path / "nothing")


def test_a_memory_of_a_newer_format_is_refused(tmp_path):
    writer(tmp_path / "m").close()
    database = sqlite3.connect(tmp_path / "m" / "memory.db")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(MemoryFolderError, match="format 99"):
        Memory.open_reader(tmp_path / "m")


def test_pictures_without_an_entry_are_swept(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        watch(memory, scenes(frames_of, [0, 1]))
    stray = tmp_path / "m" / "exemplars" / "00000000000000ff.jpg"
    stray.write_bytes(b"left by a crash")
    writer(tmp_path / "m").close()
    assert not stray.exists()
    assert len(list((tmp_path / "m" / "exemplars").iterdir())) == 2


def test_ids_depend_on_the_event_alone():
    assert id_of("cam", 5) == id_of("cam", 5) != id_of("cam", 6) != id_of("cam2", 6)
    assert 0 <= id_of("x", 0) < 2**63


_KILLED = """
import sys, os, numpy as np
from hippocam.memory.memory import Memory
from hippocam.memory.config import MemoryConfig
from hippocam.stream.records import Embedding, EncoderSpec
rng = np.random.default_rng(7)
spec = EncoderSpec(id="test:1", dim=16, normalised=True, midpoint=0.5, slope=20.0)
if os.path.exists(sys.argv[1] + "/memory.db"):
    reader = Memory.open_reader(sys.argv[1])  # as a session holds one while it watches
    reader.streams()
memory = Memory.open_writer(sys.argv[1], encoder="test", spec=spec, config=MemoryConfig(budget_bytes=1_000_000))
memory.begin("cam", uri="/x/cam.mp4")
for t in range(100_000):
    v = rng.normal(size=16).astype(np.float32)
    item = Embedding(stream="cam", seq=t, time_s=float(t), vector=v / np.linalg.norm(v), jpeg=b"j" * 20_000)
    memory.write([item])
    print(t, flush=True)
"""


@pytest.mark.parametrize("after", [7, 60, 333])
def test_killed_at_any_instant_loses_at_most_the_open_event(tmp_path, after):
    folder = tmp_path / "m"
    process = subprocess.Popen([sys.executable, "-c", _KILLED, folder], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == after:
            os.kill(process.pid, 9)
            break
    last = max([after, *(int(line) for line in process.stdout if line.strip().isdigit())])
    process.wait()
    process.stdout.close()
    with writer(folder) as memory:
        assert memory.store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (stream,) = memory.streams()
        assert stream.frames_seen >= last - 10  # an event is at most 10 s long
        held = (memory.store.entries.get(number) for number in memory.store.entries.ids())
        pictures = {format_id(entry.id) for entry in held if entry.level < Level.VECTORS}
        assert {p.stem for p in (folder / "exemplars").iterdir()} == pictures
        assert du(folder) <= 1_000_000


_ASKS = """
import sys, numpy as np
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query
while True:
    with Memory.open_reader(sys.argv[1]) as memory:
        memory.recall(Query(text="x", vector=np.ones(16, np.float32)))
        memory.streams()
    print("asked", flush=True)
"""


def test_a_writer_killed_while_others_ask_leaves_a_whole_memory(tmp_path):
    """A second opening, readers of other processes, SIGKILL: the log must never go from under the writer."""
    folder = tmp_path / "m"
    writer(folder).close()
    for _ in range(2):
        writing = subprocess.Popen([sys.executable, "-c", _KILLED, folder], stdout=subprocess.PIPE, text=True)
        asking = subprocess.Popen([sys.executable, "-c", _ASKS, folder], stdout=subprocess.PIPE, text=True)
        assert writing.stdout is not None
        assert asking.stdout is not None
        for _ in range(20):
            assert writing.stdout.readline().strip().isdigit()
        for _ in range(5):
            assert asking.stdout.readline() == "asked\n"
        held = [os.readlink(f"/proc/{writing.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{writing.pid}/fd")]
        assert any("memory.db-wal" in name for name in held), held
        assert not any("memory.db" in name and "deleted" in name for name in held), held
        for process in (writing, asking):
            assert process.poll() is None
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
        with writer(folder) as memory:
            assert memory.store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert memory.streams()[0].entries > 0


def fill(memory, frames_of, count, *, jpeg_bytes=20_000, stream="cam", start=0):
    rng = np.random.default_rng(start)
    memory.begin(stream, uri=f"/x/{stream}.mp4")
    seen = [(start + t, rng.normal(size=D).astype(np.float32)) for t in range(count)]
    memory.write(frames_of(stream, seen, first_seq=start, jpeg_bytes=jpeg_bytes))


def test_a_reader_that_holds_on_costs_no_entry(tmp_path, frames_of, monkeypatch):
    folder = tmp_path / "m"
    with writer(folder, 2_000_000) as memory:
        fill(memory, frames_of, 600)
        held = memory.streams()[0].entries
        memory.store.connection.execute("PRAGMA busy_timeout = 100")
        with Memory.open_reader(folder) as reader, reader.store.snapshot():
            assert reader.store.entries.count() > 0  # a stopped `ask`, say
            with pytest.raises(MemoryFolderError, match="keeps its log from being folded back"):
                fill(memory, frames_of, 5000, start=600)
        assert memory.streams()[0].entries > 0.8 * held


def test_what_can_never_fit_is_refused_before_anything_is_given_up(tmp_path, frames_of):
    with writer(tmp_path / "m", 1_000_000) as memory:
        fill(memory, frames_of, 60)
        assert memory.streams()[0].entries > 10
        with pytest.raises(MemoryFolderError, match="does not hold one more picture"):
            fill(memory, frames_of, 30, jpeg_bytes=1_200_000, start=60)
        assert memory.streams()[0].evicted == 0


def test_entries_without_a_picture_stay_within_the_budget(tmp_path, frames_of):
    folder = tmp_path / "m"
    with writer(folder, 400_000) as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        rng = np.random.default_rng(0)
        for t in range(3000):  # each frame an event of its own, across gaps
            (item,) = frames_of("cam", [(60.0 * t, rng.normal(size=D).astype(np.float32))], first_seq=t)
            memory.write([dataclasses.replace(item, jpeg=b"")])
        (stream,) = memory.streams()
        assert du(folder) <= 400_000
    assert stream.evicted > 0
    assert stream.entries > 500


def test_many_short_streams_leave_room_for_entries(tmp_path, frames_of):
    folder = tmp_path / "m"
    with writer(folder, 2_000_000) as memory:
        for episode in range(300):
            fill(memory, frames_of, 5, stream=f"e{episode}")
            memory.finish(f"e{episode}")
            assert memory.latest(f"e{episode}") == []
        assert sum(s.entries for s in memory.streams()) > 50
        assert du(folder) <= 2_000_000


def test_asking_from_another_thread_loses_no_stream(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        stop = threading.Event()

        def ask():
            while not stop.is_set():
                memory.recall(Query(text="x", vector=AXES[0]))

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            for n in range(60):
                watch(memory, scenes(frames_of, [n % D], stream=f"s{n}"), f"s{n}", f"/x/s{n}")
        finally:
            stop.set()
            asking.join()
        assert [s.entries for s in memory.streams()] == [1] * 60


def words_of(rng, count):
    """Words of a small language, some of them common: as those of a real one they deflate to about a half."""
    return " ".join(f"w{int(600 * x * x):03x}" for x in rng.random(count))


def test_the_index_follows_what_is_written_and_given_up(tmp_path, frames_of):
    rng = np.random.default_rng(1)
    actions = set[str]()  # the journal is bounded: old rows go
    with writer(tmp_path / "m", 400_000) as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        for start in range(0, 1800, 200):
            seen = [(start + t, rng.normal(size=D).astype(np.float32)) for t in range(200)]
            items = frames_of("cam", seen, first_seq=start, jpeg_bytes=20_000)
            memory.write([dataclasses.replace(item, text=words_of(rng, 60)) for item in items])
            vector = rng.normal(size=D).astype(np.float32)
            found = memory.recall(Query(text="", vector=vector, top=5))
            with Memory.open_reader(tmp_path / "m") as fresh:
                assert fresh.recall(Query(text="", vector=vector, top=5)) == found
            actions |= {row.action for row in memory.store.journal.rows()}
        assert memory.streams()[0].evicted > 0
        assert actions >= {"kept", "words only", "given up"}


def test_the_entry_at_a_time_is_the_one_that_covers_it(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        watch(memory, scenes(frames_of, [0, 1, 2, 3]))
        watch(memory, scenes(frames_of, [4], stream="cam/left"), "cam/left", "/x/left")

        def start(time_s):
            return memory.store.entries.get(memory.entry_at("cam", time_s)).t0_s

        assert [start(t) for t in (0, 4.9, 5, 12, 19.5, 99)] == [0, 0, 5, 10, 15, 15]
        assert memory.entry_at("nothing", 0) is None


def test_a_recording_is_not_mixed_up_with_one_whose_name_it_begins(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        memory.begin("rig", uri="/x/rig.mp4")
        memory.begin("rig/left", uri="/x/rig/left.mp4")
        memory.write(scenes(frames_of, [0], stream="rig") + scenes(frames_of, [1], stream="rig/left"))
        memory.finish("rig")
        assert [(s.id, s.complete) for s in memory.streams()] == [("rig", True), ("rig/left", False)]


def test_complete_is_noted_also_where_nothing_was_left_to_write(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        watch(memory, scenes(frames_of, [0, 1]), complete=False)
    with writer(tmp_path / "m") as memory:
        memory.begin("cam", uri="/x/cam.mp4")
        memory.finish("cam")
        assert memory.streams()[0].complete


def test_a_picture_that_somebody_removed_takes_its_entry_along(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        watch(memory, scenes(frames_of, [0, 1, 2]))
        gone = memory.image(memory.entry_at("cam", 7))
    gone.unlink()
    with writer(tmp_path / "m") as memory:
        assert [c.entry.t0_s for c in memory.recall(Query(text="", vector=AXES[0]))] == [0, 10]


@pytest.mark.parametrize(("first", "last"), [(0, 100), (8192, 10**9)])
def test_a_damaged_database_is_one_line(tmp_path, frames_of, first, last):
    with writer(tmp_path / "m") as memory:
        watch(memory, scenes(frames_of, range(8), jpeg_bytes=100))
    data = bytearray((tmp_path / "m" / "memory.db").read_bytes())
    last = min(last, len(data))
    data[first:last] = b"\xa5" * (last - first)
    (tmp_path / "m" / "memory.db").write_bytes(data)

    def ask():
        with Memory.open_reader(tmp_path / "m") as memory:
            memory.recall(Query(text="x", vector=AXES[0]))

    with pytest.raises(MemoryFolderError, match="damaged"):
        ask()


@pytest.mark.parametrize(
    ("whole", "damaged"),
    [
        (b"CREATE TABLE summary", b"CREATE TABLE summ\xed\xff "),  # SQLite names it in its message
        (b'{"id": "test:1"', b'{"id": "test\xa91"'),
        (b'{"id": "test:1"', b'["id": "test:1"'),
        (b"CREATE TABLE summary (", b'CREATE TABLE summary "'),  # quoted with the line breaks behind it
    ],
)
def test_text_that_is_damaged_is_one_line_to_readers_and_writers(tmp_path, frames_of, whole, damaged):
    with writer(tmp_path / "m") as memory:
        watch(memory, scenes(frames_of, range(8), jpeg_bytes=100))
    data = (tmp_path / "m" / "memory.db").read_bytes()
    assert whole in data
    (tmp_path / "m" / "memory.db").write_bytes(data.replace(whole, damaged))

    def ask():
        with Memory.open_reader(tmp_path / "m") as memory:
            memory.recall(Query(text="x", vector=AXES[0]))

    for use in (ask, lambda: writer(tmp_path / "m").close()):
        with pytest.raises(MemoryFolderError) as told:
            use()
        assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("column", "value"),
    [("place", ""), ("level", "x"), ("level", 9), ("met", b"1"), ("key", 7), ("key", b"\1"), ("scene", "text"),
     ("pose", 7), ("labels", b"\0"), ("t0_s", "a"), ("spans", b"123"), ("spans", 5), ("stream", b"\0\1")],
)  # fmt: skip
def test_a_row_that_holds_what_was_never_written_is_one_line(tmp_path, frames_of, column, value):
    with writer(tmp_path / "m") as memory:
        watch(memory, scenes(frames_of, range(8), jpeg_bytes=100))
        entry_id = max(memory.store.entries.ids())
        memory.store.connection.execute(f"UPDATE entry SET {column} = ? WHERE id = ?", (value, entry_id))

    def ask():
        with Memory.open_reader(tmp_path / "m") as memory:
            for axis in AXES:
                memory.recall(Query(text="x", vector=axis, top=9))
            memory.explain(entry_id)

    with pytest.raises(MemoryFolderError, match="damaged") as told:
        ask()
    assert "\n" not in str(told.value)
    with suppress(MemoryFolderError):  # a writer may not need what is damaged
        writer(tmp_path / "m").close()


def test_a_memory_whose_making_was_cut_short_is_made_anew(tmp_path, frames_of):
    folder = tmp_path / "m"
    (folder / "exemplars").mkdir(parents=True)
    (folder / "memory.db").touch()
    (folder / "memory.db.new").write_bytes(b"half")
    with pytest.raises(MemoryFolderError, match="no memory here"):
        Memory.open_reader(folder)
    with writer(folder) as memory:
        watch(memory, scenes(frames_of, [0]))
    assert sorted(p.name for p in folder.iterdir()) == ["exemplars", "memory.db", "writer.lock"]


def test_recordings_that_hold_nothing_any_more_take_a_small_share(tmp_path, frames_of):
    """Found here: the rows of thousands of short recordings filled a small memory, and nothing else was left."""
    rng = np.random.default_rng(0)
    text = " ".join(f"w{rng.integers(10**9)}" for _ in range(190))
    with writer(tmp_path / "m", 500_000) as memory:
        for number in range(300):
            name = f"clip{number:04d}"
            (item,) = frames_of(name, [(0, rng.normal(size=D))])
            watch(memory, [dataclasses.replace(item, text=f"{number} {text}")], name, f"/x/{name}.mp4")
        streams = memory.streams()
        held = [s for s in streams if s.entries]
        assert 20 < len(held) < 200
        assert 0 < len(streams) - len(held) <= 33
        assert {s.stream for s in memory.store.summaries.every()} <= {s.id for s in streams}
        with pytest.raises(ValueError, match="'clip0299' belongs to no recording"):
            memory.write(frames_of("clip0299", [(1, AXES[0])], first_seq=1))
        assert du(tmp_path / "m") <= 500_000


def test_a_recording_that_grew_gives_new_places_new_numbers(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        watch(memory, scenes(frames_of, [0, 1, 2, 3]))
        before = {row.place for row in memory.store.entries.slots()}
        watch(memory, [f for f in scenes(frames_of, [0, 1, 2, 3, 4, 5]) if f.seq >= 20])
        after = {slot.entry_id: slot.place for slot in memory.store.entries.slots()}
        new = {place for number, place in after.items() if number in (id_of("cam", 20), id_of("cam", 25))}
        assert new
        assert not new & before


def test_an_entry_is_read_without_the_bank(tmp_path, frames_of, monkeypatch):
    with writer(tmp_path / "m") as memory:
        watch(memory, scenes(frames_of, [0, 1, 2]))
        number = memory.entry_at("cam", 7.0)
        assert memory.entry(number) == memory.explain(number).entry
    with Memory.open_reader(tmp_path / "m") as memory:
        explained = memory.explain(number)
        assert explained.worth is not None

        def refuse(*args):
            raise AssertionError("the bank was built")

        monkeypatch.setattr("hippocam.memory.memory.open_bank", refuse)
        assert memory.entry(number) == explained.entry
        assert memory.entry(7) is None
        with pytest.raises(AssertionError, match="the bank was built"):
            memory.explain(number)


def test_a_reader_has_nothing_that_writes(tmp_path, frames_of):
    with writer(tmp_path / "m") as memory:
        watch(memory, scenes(frames_of, [0]))
        assert isinstance(memory, MemoryWriter)
    with Memory.open_reader(tmp_path / "m") as memory:
        assert not isinstance(memory, MemoryWriter)
        assert not {"write", "pin", "forget", "sleep", "wake", "change_entities"} & set(dir(memory))
