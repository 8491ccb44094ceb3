"""What the process that remembers tells the one that recalls; its memory and its encoder only pass things on."""

import numpy as np
import pytest

from hippocam.apps.robot.keeper import Keeper
from hippocam.apps.robot.records import Seen
from hippocam.stream.pipeline import PipelineConfig
from hippocam.stream.records import ACTED, Embedding, Note
from hippocam.stream.robot.shared_ring import SharedRing


class PassingIngest:
    """Every picture is a frame of its own, with a vector of four numbers."""

    config = PipelineConfig()

    def see(self, stream, seq, time_s, image, sensors, text):
        vector = np.full(4, 0.5, np.float32)
        return Embedding(stream=stream, seq=seq, time_s=time_s, vector=vector, sensors=sensors, text=text)

    def encode(self, items):
        return items


class ForgetfulMemory:
    """Takes everything and holds nothing but the notes that it was given."""

    def __init__(self):
        self.notes = []

    def begin(self, recording, *, uri, fps):
        pass

    def write(self, items):
        self.notes += [item for item in items if isinstance(item, Note)]


def seen(number, text):
    pose = np.array([number, 0, 0, 0, 0, 0, 1], np.float64)
    images = {"front": np.zeros((2, 2, 3), np.uint8)}
    return Seen(seq=number, env="", episode=0, time_s=float(number), images=images, pose=pose, text=text)


def told(ring):
    frames = []
    while (fresh := ring.take()) is not None:
        frames += fresh.frames
    return frames


@pytest.mark.parametrize("count", [1, 14, 15, 40])
def test_any_number_of_frames_with_long_words_is_told_in_order(count):
    ring = SharedRing(64, 20_000)
    keeper = Keeper(ForgetfulMemory(), PassingIngest(), ring)
    keeper.take([seen(number, f"{number} " + "words " * 500) for number in range(count)])
    assert [frame.time_s for frame in told(ring)] == list(range(count))
    keeper.tell_all()
    assert [frame.time_s for frame in told(ring)] == list(range(count))


def test_a_frame_that_is_too_large_by_itself_stops_nothing():
    ring = SharedRing(64, 20_000)
    keeper = Keeper(ForgetfulMemory(), PassingIngest(), ring)
    keeper.take([seen(0, "a"), seen(1, "words " * 5000), seen(2, "c")])
    assert [frame.time_s for frame in told(ring)] == [0, 2]


def test_what_was_acted_on_becomes_a_note_that_lasts_as_long():
    memory = ForgetfulMemory()
    keeper = Keeper(memory, PassingIngest(), SharedRing(64, 20_000))
    acts = [
        Seen(seq=9, env="", episode=0, time_s=time_s, acts=True, used=used)
        for time_s, used in [(1.1, (1, 2)), (1.2, (1, 2)), (1.3, (3,)), (1.4, ())]
    ]
    keeper.take([acts[0], seen(1, "a"), *acts])  # the first before any picture: of what, nobody can say
    told = [(note.stream, note.kind, note.t0_s, note.t1_s, note.text) for note in memory.notes]
    one, two, three = (f"{number:016x}" for number in (1, 2, 3))
    assert told == [
        ("robot/000000/front", ACTED, 1.1, 1.1, f"acted on {one}, {two}"),
        ("robot/000000/front", ACTED, 1.1, 1.2, f"acted on {one}, {two}"),
        ("robot/000000/front", ACTED, 1.3, 1.3, f"acted on {three}"),
    ]
