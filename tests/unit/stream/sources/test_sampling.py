"""Which frames a sampling rate keeps."""

from __future__ import annotations

import numpy as np
import pytest

from hippocam.stream.sources.sampling import native_rate, pick_indices


def _times(*times_s: float) -> np.ndarray:
    return np.array(times_s, dtype=np.float64)


def test_the_first_frame_at_or_after_each_grid_point() -> None:
    assert pick_indices(_times(0, 0.4, 0.9, 1.1, 1.9, 2.0, 2.5), 1).tolist() == [0, 3, 5]


def test_a_frame_stands_for_several_grid_points_once() -> None:
    assert pick_indices(_times(0, 0.5, 7.3, 7.9, 8.0), 1).tolist() == [0, 2, 4]


def test_the_first_frame_is_kept_wherever_it_starts() -> None:
    assert pick_indices(_times(3.7, 3.8, 3.9, 4.0), 1).tolist() == [0, 3]
    assert pick_indices(_times(-0.5, 0.0, 0.5), 1).tolist() == [0, 1]


def test_times_rounded_to_milliseconds_do_not_lose_frames() -> None:
    times_s = np.round(np.arange(300) / 30, 3)
    assert pick_indices(times_s, 30).tolist() == list(range(300))
    assert pick_indices(times_s, 15).tolist() == list(range(0, 300, 2))
    assert pick_indices(times_s, 10).tolist() == list(range(0, 300, 3))


def test_a_rate_at_or_above_the_native_one_keeps_all() -> None:
    times_s = np.arange(100) * 1001 / 30000
    for fps in (None, 29.97, 30, 60, 1000):
        assert len(pick_indices(times_s, fps)) == 100


def test_time_that_jumps_back_starts_again() -> None:
    assert pick_indices(_times(0, 0.5, 1.0, 1.5, 0.2, 0.7, 1.2), 1).tolist() == [0, 2, 4, 6]


def test_few_frames() -> None:
    assert pick_indices(_times(), 1).tolist() == []
    assert pick_indices(_times(5.0), 1).tolist() == [0]
    assert native_rate(_times(1.0)) is None
    assert native_rate(_times(1.0, 1.0)) is None


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf")])
def test_a_senseless_rate_is_refused(fps: float) -> None:
    with pytest.raises(ValueError, match="fps must be above 0"):
        pick_indices(_times(0, 1), fps)
