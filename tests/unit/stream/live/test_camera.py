"""A camera under its watchdog, with captures and clocks that the test moves."""

import random

import numpy as np
import pytest

from hippocam.stream.live.address import LiveAddress
from hippocam.stream.live.camera import Camera, CameraConfig, State
from hippocam.stream.live.messages import Beat, Captured, Ended, Failed, Opened, Sound
from hippocam.stream.live.retry import RetryConfig

ADDRESS = LiveAddress(kind="url", target="rtsp://me:secret@h/x", uri="rtsp://h/x", id="x")


class Now:
    def __init__(self):
        self.s = 0.0

    def __call__(self):
        return self.s


class FakeCapture:
    """Plays (seconds, message) pairs; after the last it is silent, or dies."""

    def __init__(self, now, script, dies=False):
        self.now, self.script, self.dies, self.killed = now, list(script), dies, False

    def receive(self, timeout_s):
        if not self.script:
            if self.dies:
                raise EOFError
            self.now.s += timeout_s
            return None
        after_s, message = self.script.pop(0)
        self.now.s += after_s
        return message

    def kill(self):
        self.killed = True


def frame(taken_s, size=(64, 48)):
    return Captured(taken_s=taken_s, image=np.zeros((48, 64, 3), np.uint8), size=size)


def watched(scripts, *, ring=8, budget=10, stop_after=None):
    """Run a camera over some captures; give it, its captures and the waits between them."""
    now, captures, waits = Now(), [], []
    retry = RetryConfig(first_s=1, most_s=4, jitter=0, budget=budget, well_s=60)
    config = CameraConfig(open_s=20, stall_s=5, ring=ring, retry=retry)

    def launch():
        script, dies = scripts[len(captures)]
        captures.append(FakeCapture(now, script, dies))
        return captures[-1]

    camera = Camera(ADDRESS, config, launch, monotonic=now, rng=random.Random(0))

    def wait(seconds):
        waits.append(seconds)
        now.s += seconds
        if len(captures) == (stop_after or len(scripts)):
            camera.stop()

    camera.run(wait)
    return camera, captures, waits, now


def test_a_file_that_ends_is_not_started_again():
    camera, captures, waits, _ = watched([([(0.1, Opened(codec="h264")), (0.1, frame(1)), (0, Ended())], False)])
    assert camera.state is State.ENDED
    assert (len(captures), waits, camera.status().codec) == (1, [], "h264")
    assert captures[0].killed


def test_silence_is_killed_after_the_stall_and_started_again():
    camera, captures, waits, now = watched([([(0.1, frame(1)), (0.1, frame(2))], False), ([(0, Ended())], False)])
    assert [c.killed for c in captures] == [True, True]
    assert waits == [1]
    status = camera.status()
    assert status.restarts == 1
    assert status.error == "no frame for 5 s"
    assert 5 < now.s < 7


def test_a_camera_that_never_opens_gets_longer():
    _, _, _, now = watched([([], False)])
    assert 20 < now.s - 1 < 21


def test_heartbeats_without_samples_keep_it_alive():
    beats = [(4.0, Beat(frames=100 * i, damaged=i, jumps=0, lag_s=0.1)) for i in range(1, 11)]
    camera, _, waits, _ = watched([([*beats, (0, Ended())], False)])
    assert not waits
    assert camera.status().damaged == 10
    assert camera._fps_in == pytest.approx(25)


def test_a_process_that_dies_is_started_again_and_tells_so():
    camera, _, waits, _ = watched([([(0.1, frame(1))], True), ([(0, Failed(reason="refused"))], False)])
    assert waits == [1, 2]
    assert camera.status().error == "refused"


def test_the_budget_ends_a_camera_for_good():
    camera, captures, waits, _ = watched([([(0, Failed(reason="refused"))], False)] * 9, budget=3)
    assert camera.state is State.GIVEN_UP
    assert len(captures) == 4
    assert waits == [1, 2, 4]


def test_a_good_run_gives_the_budget_back():
    good = [(1.0, frame(i)) for i in range(70)]
    bad = ([(0, Failed(reason="refused"))], False)
    _, captures, waits, _ = watched([bad, bad, (good, True), bad, bad, bad], budget=3, stop_after=6)
    assert waits == [1, 2, 1, 2, 4, *waits[5:]]
    assert len(captures) == 6


def test_a_full_ring_drops_the_oldest_frames():
    camera, *_ = watched([([*[(0.1, frame(i)) for i in range(20)], (0, Ended())], False)], ring=5)
    status = camera.status()
    assert (status.captured, status.queue, status.dropped) == (20, 5, 15)
    assert camera.ring.take().taken_s == 15


def test_a_change_of_the_picture_size_is_counted():
    sizes = [(64, 48), (64, 48), (32, 24), (64, 48)]
    camera, *_ = watched([([*[(0.1, frame(i, s)) for i, s in enumerate(sizes)], (0, Ended())], False)])
    assert camera.status().resizes == 2


def test_damage_and_jumps_add_up_over_restarts():
    run = ([(0.5, Beat(frames=5, damaged=2, jumps=1, lag_s=0))], True)
    camera, *_ = watched([run, run, run])
    assert (camera.status().damaged, camera.status().clock_jumps) == (6, 3)


@pytest.mark.parametrize("bad", [{"open_s": 0}, {"stall_s": -1}, {"ring": 0}])
def test_senseless_settings_are_refused(bad):
    with pytest.raises(ValueError, match="found"):
        CameraConfig(**bad)


def test_a_camera_that_is_heard_and_not_seen_hangs_too():
    heard, sound = [], Sound(taken_s=1.0, samples_N=np.zeros(8000, np.int16))
    now, captures = Now(), []

    def launch():
        captures.append(FakeCapture(now, [(0.1, frame(1)), *[(1.0, sound)] * 60]))
        return captures[-1]

    camera = Camera(ADDRESS, CameraConfig(stall_s=5), launch, monotonic=now, hear=heard.append)
    camera.run(lambda seconds: camera.stop())
    assert camera.status().error == "no frame for 5 s"
    assert len(heard) == 6  # a second each, until it is more than five without a frame


def test_a_capture_is_renewed_at_once_and_that_is_no_restart():
    now, captures = Now(), []

    def launch():
        script = [(0.1, frame(1)), (0.1, frame(2)), (0.1, Ended())]
        captures.append(FakeCapture(now, script))
        if len(captures) == 1:
            camera.renew()  # as from another thread, while it opens
        return captures[-1]

    waits = []
    camera = Camera(ADDRESS, CameraConfig(), launch, monotonic=now)
    camera.run(waits.append)
    assert [c.killed for c in captures] == [True, True]
    assert (waits, camera.status().restarts, camera.state) == ([], 0, State.ENDED)
