import numpy as np
import pytest

from hippocam.stream.live.capture import sample
from hippocam.stream.live.messages import Beat, Captured, Opened, Sound
from hippocam.stream.sources.cameras.pyav import Arrived
from hippocam.stream.sources.cameras.sound import ArrivedSound


def arrivals(count, rate, shown):
    def image():
        shown.append(1)
        return np.zeros((4, 6, 3), np.uint8)

    for i in range(count):
        yield Arrived(pts_s=i / rate, arrived_s=500 + i / rate, size=(6, 4), image=image, codec="h264", damaged=0)


def test_frames_are_sampled_at_the_rate_and_only_these_are_converted():
    shown = []
    messages = list(sample(arrivals(250, 25, shown), 2, trust_pts=True, monotonic=lambda: 0.0))
    taken = [m.taken_s for m in messages if isinstance(m, Captured)]
    assert isinstance(messages[0], Opened)
    assert len(taken) == len(shown) == 20
    assert np.allclose(np.diff(taken), 0.5, atol=0.05)


def test_heartbeats_come_about_once_a_second_also_between_samples():
    seconds = iter(range(10_000))
    messages = list(sample(arrivals(50, 25, []), 0.01, trust_pts=True, monotonic=lambda: next(seconds) / 25))
    beats = [m for m in messages if isinstance(m, Beat)]
    assert [b.frames for b in beats] == [1, 26]


def test_sound_has_the_times_of_the_frames_and_is_no_frame():
    def both():
        for i, frame in enumerate(arrivals(50, 25, [])):
            yield frame
            if i % 25 == 12:  # half a second of sound, which comes a third of a second later than a picture would
                yield ArrivedSound(i / 25, frame.arrived_s + 0.3, np.zeros(8000, np.int16))

    messages = list(sample(both(), 2, trust_pts=True, monotonic=lambda: 0.0))
    assert [m.taken_s for m in messages if isinstance(m, Sound)] == [500.48, 501.48]
    assert [b.frames for b in messages if isinstance(b, Beat)] == [1]
    untimed = list(sample(both(), 2, trust_pts=False, monotonic=lambda: 0.0))
    assert [m.taken_s for m in untimed if isinstance(m, Sound)] == pytest.approx([500.78, 501.78])


def test_sound_on_a_clock_of_its_own_has_the_times_at_which_it_came():
    def both():
        for frame in arrivals(50, 25, []):
            yield frame
            yield ArrivedSound(90_000.0, frame.arrived_s, np.zeros(640, np.int16))

    heard = [m.taken_s for m in sample(both(), 2, trust_pts=True, monotonic=lambda: 0.0) if isinstance(m, Sound)]
    assert heard == [500 + i / 25 for i in range(50)]
