import threading

import numpy as np
import pytest

from hippocam.memory.filter import Filter
from hippocam.memory.records import KEY_FRAMES, Event
from hippocam.memory.store.database import Store
from hippocam.memory.streams import OpenStreams, Recording, tiers_of
from hippocam.memory.working.working import WorkingConfig
from hippocam.stream.records import Note

AXES = np.eye(8, dtype=np.float32)


class Keeper:
    """Writes down what it is told to keep, in order."""

    def __init__(self):
        self.told = []
        self.quiet = 0

    def add(self, event, state):
        self.told.append(event)

    def extend(self, more, state):
        self.told.append(more)

    def keep_notes(self, rows):
        self.told.append([row.note.text for row in rows])
        return len(rows)

    def keep_things(self, stream):
        self.told.append(f"things of {stream}")

    def make_ready(self):
        self.quiet += 1


class Follower:
    """Sees something before the background from a certain frame on."""

    def __init__(self, from_seq=10**9):
        self.from_seq, self.seen, self.calls = from_seq, -1, []

    def restore(self, stream, state):
        self.calls.append(("restore", stream, state))

    def push(self, item):
        self.seen = item.seq

    def occupied(self, stream):
        return self.seen >= self.from_seq

    def flush(self, stream, *, cut_off):
        self.calls.append(("flush", stream))


@pytest.fixture
def open_streams(tmp_path):
    store = Store(tmp_path / "memory.db", writable=True)

    def make(config=None, follower=None):
        keeper = Keeper()
        return keeper, OpenStreams(
            store, keeper, follower or Follower(), config or WorkingConfig(), threading.RLock()
        )

    yield make
    store.close()


def recording(name="cam", fps=None):
    return Recording(name, f"/x/{name}.mp4", "", fps)


def events(keeper):
    return [told for told in keeper.told if isinstance(told, Event)]


def test_an_event_is_kept_after_the_notes_and_the_things_of_its_time(open_streams, frames_of):
    keeper, streams = open_streams()
    streams.announce(recording())
    one, two, three = frames_of("cam", [(0, AXES[0]), (1, AXES[0]), (2, AXES[1])])
    for item in (one, two, Note(stream="cam", kind="speech", t0_s=0, t1_s=1, text="hello"), three):
        streams.write(item)
    notes, things, event = keeper.told
    assert (notes, things) == (["hello"], "things of cam")
    assert (event.t0_s, event.last_seq) == (0, 1)


def test_a_frame_that_closes_no_event_leaves_time_for_what_the_next_asks_for(open_streams, frames_of):
    keeper, streams = open_streams()
    streams.announce(recording())
    quiet = []
    for item in frames_of("cam", [(0, AXES[0]), (1, AXES[0]), (2, AXES[1]), (3, AXES[1])]):
        before = keeper.quiet
        streams.write(item)
        quiet.append(keeper.quiet - before)
    assert quiet == [1, 1, 0, 1]


def test_frames_that_were_pushed_are_passed_over(open_streams, frames_of):
    keeper, streams = open_streams()
    streams.announce(recording())
    frames = frames_of("cam", [(k, AXES[0]) for k in range(4)])
    for item in [*frames, *frames]:
        streams.write(item)
    streams.finish("cam")
    assert [event.frames for event in events(keeper)] == [4]


def test_many_notes_wait_for_no_event(open_streams):
    keeper, streams = open_streams()
    streams.announce(recording())
    for k in range(64):
        streams.write(Note(stream="cam", kind="speech", t0_s=k, t1_s=k + 1, text=f"word {k}"))
    assert keeper.told == [[f"word {k}" for k in range(64)]]


def test_a_stream_is_of_the_longest_recording_that_its_name_begins_with(open_streams, frames_of):
    _, streams = open_streams()
    streams.announce(recording("robot"))
    streams.announce(recording("robot/left"))
    for name in ("robot/left/rgb", "robot/right", "robot"):
        streams.write(frames_of(name, [(0, AXES[0])])[0])
    assert {stream.name: stream.recording for stream in streams} == {
        "robot/left/rgb": "robot/left",
        "robot/right": "robot",
        "robot": "robot",
    }
    assert streams.finish("robot") == ["robot/right", "robot"]
    assert [stream.name for stream in streams] == ["robot/left/rgb"]


def test_a_stream_that_nobody_announced_or_that_is_finished_is_refused(open_streams, frames_of):
    _, streams = open_streams()
    streams.announce(recording())
    first, second = frames_of("cam", [(0, AXES[0]), (1, AXES[0])])
    streams.write(first)
    streams.finish("cam")
    with pytest.raises(ValueError, match="'cam' belongs to no recording"):
        streams.write(second)
    with pytest.raises(ValueError, match="'cam2' belongs to no recording"):
        streams.write(frames_of("cam2", [(0, AXES[0])])[0])


def test_an_event_ends_where_something_comes_before_a_still_camera(open_streams, frames_of):
    config = WorkingConfig(by_change=True)
    keeper, streams = open_streams(config, Follower(from_seq=3))
    streams.announce(recording())
    for item in frames_of("cam", [(k, AXES[0]) for k in range(6)]):
        streams.write(item)
    streams.finish("cam")
    assert [(event.cut, event.frames) for event in events(keeper)] == [("something came", 3), ("end", 3)]


def test_things_are_followed_to_the_end_but_not_in_a_preview(open_streams, frames_of):
    follower = Follower()
    keeper, streams = open_streams(follower=follower)
    for name, fps in (("cam", None), ("preview", KEY_FRAMES)):
        streams.announce(recording(name, fps))
        streams.write(frames_of(name, [(0, AXES[0])])[0])
        streams.finish(name)
    assert follower.calls == [("restore", "cam", b""), ("flush", "cam")]
    assert [told for told in keeper.told if not isinstance(told, Event)] == ["things of cam", "things of cam"]
    assert [event.stream for event in events(keeper)] == ["cam", "preview"]


def test_what_is_deleted_while_it_is_open_is_not_kept(open_streams, frames_of):
    keeper, streams = open_streams()
    for name in ("cam", "yard"):
        streams.announce(recording(name))
        streams.write(frames_of(name, [(0, AXES[0])])[0])
    streams.delete(Filter(stream="cam"))
    streams.finish("cam")
    streams.finish("yard")
    assert [event.stream for event in events(keeper)] == ["yard"]


def test_the_newest_frames_and_the_open_event_are_told_by_tier(open_streams, frames_of):
    _, streams = open_streams()
    streams.announce(recording())
    for item in frames_of("cam", [(k, AXES[0]) for k in range(12)], jpeg_bytes=100):
        streams.write(item)
    sensory, working = tiers_of(streams)
    assert (sensory.entries, sensory.bytes, sensory.budget_bytes) == (8, 800, 1 << 20)
    assert (working.entries, working.bytes) == (2, 2 * (100 + AXES[0].nbytes))  # 10 seconds are an event
    assert [frame.seq for frame in streams.get("cam").ring.frames()] == list(range(4, 12))
