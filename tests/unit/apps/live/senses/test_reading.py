"""Reading takes no more than its share of the time, whatever comes."""

import numpy as np
import pytest

from hippocam.apps.live.senses.reading import SharedReading
from hippocam.stream.records import Sensed

PICTURE = np.zeros((4, 4, 3), np.uint8)


class Reader:
    """A sense that takes half a second of a clock that it moves itself."""

    id = "reader:1"

    def __init__(self):
        self.now_s = 100.0

    def look(self, image):
        self.now_s += 0.5
        return Sensed(screen=("EXIT",))


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_of_many_pictures_as_many_are_read_as_fit_and_the_rest_is_told_as_unread(share):
    reader = Reader()
    reading = SharedReading(reader, share, lambda: reader.now_s)
    start_s, found = reader.now_s, []
    while reader.now_s < start_s + 3600:
        found.append(reading.look(PICTURE).screen)
        reader.now_s += 0.25
    status = reading.status()
    assert share <= status["used"] <= share * 1.01 + 1 / 3600  # with what was saved up at the start
    assert status["read"] == sum(screen == ("EXIT",) for screen in found)
    assert status["left_out"] == sum(screen is None for screen in found) > 0  # nobody tried: no empty screen


def test_where_little_comes_all_of_it_is_read_and_little_is_saved_up():
    reader = Reader()
    reading = SharedReading(reader, 0.1, lambda: reader.now_s)
    for _ in range(100):
        reader.now_s += 60
        assert reading.look(PICTURE).screen == ("EXIT",)
    at_once = [reading.look(PICTURE).screen for _ in range(20)]
    assert 5 <= sum(screen is not None for screen in at_once) <= 8  # three seconds' worth
