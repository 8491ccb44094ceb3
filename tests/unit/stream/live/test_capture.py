import numpy as np

from hippocam.stream.live.capture import sample
from hippocam.stream.live.messages import Beat, Captured, Opened
from hippocam.stream.sources.cameras.pyav import Arrived


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
