"""Sound into windows: no word cut in two, gaps kept apart, and never more waiting than is said."""

import itertools

import numpy as np
import pytest

from hippocam.apps.live.senses.windows import SoundWindows
from hippocam.stream.live.messages import Sound
from hippocam.stream.sources.sound import RATE


class Cameras:
    """Cameras that hear what the test says, on a clock that it moves."""

    def __init__(self):
        self.now_s = 100.0
        self.windows = SoundWindows(lambda: self.now_s)

    def hear(self, seconds, *, stream="door", quiet=None, from_s=None):
        """Hear a loud second after the other, in pieces of half a second; quiet between two times of the clock."""
        self.now_s = self.now_s if from_s is None else from_s
        for _ in range(round(seconds * 2)):
            times = self.now_s + np.arange(RATE // 2) / RATE
            loud = np.full(RATE // 2, 9000, np.int16)
            if quiet is not None:
                loud[(times >= quiet[0]) & (times < quiet[1])] = 0
            self.windows.put(stream, Sound(taken_s=self.now_s, samples_N=loud))
            self.now_s += 0.5

    def taken(self, **how):
        """The windows that are complete, from when to when each."""
        found = []
        while (window := self.windows.take(**how)) is not None:
            found.append((window.stream, window.taken_s, window.taken_s + window.length_s))
        return found


@pytest.fixture
def cameras():
    return Cameras()


def test_a_window_ends_where_it_is_quiet_and_the_next_begins_there(cameras):
    cameras.hear(40, quiet=(111.0, 112.0))
    windows = [(from_s, to_s) for _, from_s, to_s in (*cameras.taken(), *cameras.taken(last=True))]
    assert windows[0][0] == 100.0
    assert 111 < windows[0][1] < 112
    assert all(to_s == pytest.approx(from_s) for (_, to_s), (from_s, _) in itertools.pairwise(windows))
    assert all(10 <= to_s - from_s <= 15 for from_s, to_s in windows[:-1])
    assert windows[-1][1] == pytest.approx(140.0)


def test_a_gap_parts_windows_and_a_camera_that_is_quiet_for_seconds_is_heard(cameras):
    cameras.hear(5)
    cameras.hear(4, from_s=120.0)
    assert cameras.taken() == [("door", 100.0, 105.0)]
    cameras.now_s += 4
    assert cameras.taken() == [("door", 120.0, 124.0)]
    assert cameras.windows.waiting_s() == 0


def test_of_what_nobody_takes_the_newest_minute_waits_and_the_rest_is_counted_by_camera(cameras):
    cameras.hear(300)
    cameras.hear(10, stream="gate")
    found = cameras.taken(last=True)
    heard_s = sum(to_s - from_s for stream, from_s, to_s in found if stream == "door")
    assert 55 < heard_s < 75
    assert found[0][1] > 320  # the oldest is what was left out
    assert cameras.windows.left_out_s("door") == pytest.approx(300 - heard_s)
    assert cameras.windows.left_out_s("gate") == 0


def test_the_camera_whose_sound_has_waited_longest_comes_first(cameras):
    cameras.hear(20)
    cameras.hear(20, stream="gate", from_s=103.0)
    assert [stream for stream, _, _ in cameras.taken(last=True)] == ["door", "gate", "door", "gate"]


def test_what_is_forgotten_is_not_heard_later(cameras):
    cameras.hear(20)
    cameras.hear(20, stream="gate", from_s=100.0)
    cameras.windows.drop(lambda stream, from_s, to_s: stream == "door" and to_s > 112)
    assert [stream for stream, _, _ in cameras.taken(last=True)] == ["door", "gate", "gate"]
    cameras.hear(2, from_s=130.0)
    assert cameras.taken(last=True) == [("door", 130.0, 132.0)]
