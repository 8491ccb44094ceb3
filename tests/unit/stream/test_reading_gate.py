"""The reading gate: a slide is read once, a film now and then, and no card is missed."""

import numpy as np
import pytest

from hippocam.stream.gate import GateConfig, Glance
from hippocam.stream.gates import Gates, split
from hippocam.stream.reading_gate import ReadingConfig, ReadingGate
from hippocam.stream.records import Frame, Observation

rng = np.random.default_rng(3)
NOISE = [rng.integers(0, 255, (90, 160, 3), dtype=np.uint8) for _ in range(3)]


def card(level):
    return np.full((90, 160, 3), level, np.uint8)


def read_times(pictures, config=None, fps=1.0):
    """Times of the frames that are to be read, through both gates."""
    seen = (Observation(seq=k, time_s=k / fps, images={"": image}) for k, image in enumerate(pictures))
    items = split("cam", seen, Gates(GateConfig(), config or ReadingConfig()))
    return [item.time_s for item in items if isinstance(item, Frame) and item.read]


def test_a_still_slide_is_read_once():
    assert read_times([card(10)] * 50 + [card(200)] * 50) == [0.0, 50.0]


def test_a_film_is_read_now_and_then():
    times = read_times([NOISE[k % 3] for k in range(60)], ReadingConfig(every_s=4.0))
    assert len(times) == pytest.approx(60 / 4, abs=2)
    assert max(np.diff(times)) <= 4.0


def test_a_card_after_a_lively_scene_is_read_although_it_stands_still():
    lively = [NOISE[k % 3] for k in range(21)]
    times = read_times(lively + [card(240)] * 20, ReadingConfig(every_s=4.0))
    assert any(21 <= t <= 25 for t in times)
    assert sum(t >= 21 for t in times) == 1


def test_cards_that_stand_for_two_seconds_each_are_all_read():
    times = read_times([card(20 + 60 * (k // 2 % 4)) for k in range(40)])
    assert [t // 2 for t in times] == list(range(20))


def test_a_small_change_is_read_in_the_end():
    small = card(10)
    small[:6, :6] = 255  # 0.25 % of the picture
    times = read_times([card(10)] * 5 + [small if k % 2 else card(10) for k in range(60)])
    assert times[0] == 0.0
    assert times[1] == pytest.approx(30, abs=2)


def test_nothing_is_read_where_nobody_asks():
    seen = [Observation(seq=0, time_s=0.0, images={"": card(1)})]
    assert [item.read for item in split("cam", seen, Gates(GateConfig()))] == [False]


def test_a_stream_that_begins_anew_is_read_at_once():
    gate = ReadingGate(ReadingConfig())
    assert gate.due(Glance(card(0)), 100.0)
    assert gate.due(Glance(card(0)), 3.0)


@pytest.mark.parametrize("wrong", [{"area": 2.0}, {"every_s": -1.0}, {"least_s": 0.0}])
def test_values_out_of_range_are_named(wrong):
    with pytest.raises(ValueError, match=f"reading.{next(iter(wrong))} must be"):
        ReadingConfig(**wrong)
