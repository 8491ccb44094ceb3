"""Times of live frames: true whatever the network does, rising whatever the clocks do."""

import itertools

import pytest

from hippocam.stream.live.clock import LiveClock, Wall


def test_a_late_frame_keeps_the_time_at_which_it_was_taken():
    clock = LiveClock()
    # sent every 0.1 s on the camera's own clock, 0.05 s under way; a stall of the network holds ten of them up
    arrived_s = [100.05 + i / 10 for i in range(50)]
    arrived_s[20:30] = [103.05] * 10
    times_s = [clock.time_s(7 + i / 10, at_s) for i, at_s in enumerate(arrived_s)]
    assert times_s == pytest.approx([100.05 + i / 10 for i in range(50)])
    assert clock.jumps == 0


def test_a_drifting_camera_clock_is_followed():
    clock = LiveClock()
    times_s = [clock.time_s(i / 10 * 1.001, i / 10) for i in range(36000)]  # an hour, 3.6 s too fast
    late_s = [i / 10 - time_s for i, time_s in enumerate(times_s)]
    assert max(map(abs, late_s)) < 0.05


@pytest.mark.parametrize("jump_s", [-3600.0, -5.0, 3600.0])
def test_a_jump_of_the_camera_clock_bends_no_time(jump_s):
    clock = LiveClock()
    pts_s = [10_000 + i / 10 + (jump_s if i >= 50 else 0) for i in range(100)]
    times_s = [clock.time_s(p, i / 10) for i, p in enumerate(pts_s)]
    assert times_s == pytest.approx([i / 10 for i in range(100)], abs=0.01)
    assert clock.jumps == 1


def test_without_presentation_times_the_arrival_counts_and_time_still_rises():
    clock = LiveClock()
    times_s = [clock.time_s(None, at_s) for at_s in (1.0, 1.0, 1.0, 0.5, 2.0)]
    assert all(a < b for a, b in itertools.pairwise(times_s))
    assert times_s[-1] == 2.0


class Clocks:
    def __init__(self):
        self.monotonic_s, self.wall_s = 50.0, 1_800_000_000.0

    def pass_s(self, seconds):
        self.monotonic_s += seconds
        self.wall_s += seconds


def test_the_wall_follows_a_clock_that_is_set_forward_at_once():
    clocks = Clocks()
    wall = Wall(lambda: clocks.wall_s, lambda: clocks.monotonic_s)
    clocks.wall_s += 3600
    wall.look()
    assert wall.now_s() == pytest.approx(clocks.wall_s)
    assert wall.jumps == 1


def test_the_wall_nears_a_clock_that_was_set_back_without_going_back():
    clocks = Clocks()
    wall = Wall(lambda: clocks.wall_s, lambda: clocks.monotonic_s)
    clocks.wall_s -= 60
    shown = []
    for _ in range(700):
        clocks.pass_s(1.0)
        wall.look()
        shown.append(wall.now_s())
    assert all(a < b for a, b in itertools.pairwise(shown))
    assert wall.now_s() == pytest.approx(clocks.wall_s, abs=0.6)
