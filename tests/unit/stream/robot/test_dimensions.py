"""Names of a state's numbers survive their notes."""

import pytest

from hippocam.stream.records import ACTION_NAMES, STATE_NAMES
from hippocam.stream.robot.dimensions import named, names_in


@pytest.mark.parametrize("count", [0, 1, 26, 200])
def test_names_come_back_in_their_order(count):
    names = [f"joint_{k}.pos" for k in range(count)]
    notes = named(STATE_NAMES, names, stream="a/front", time_s=2.0)
    notes += named(ACTION_NAMES, ["other"], stream="a/front", time_s=2.0)
    assert names_in(reversed(notes), STATE_NAMES) == names
    assert all(len(note.text) <= 1000 for note in notes)


def test_the_newest_names_count():
    notes = named(STATE_NAMES, ["old", "older"], stream="a", time_s=0.0)
    notes += named(STATE_NAMES, ["new"], stream="a", time_s=9.0)
    assert names_in(notes, STATE_NAMES) == ["new"]


def test_names_with_commas_stay_one_name():
    notes = named(STATE_NAMES, ["left, upper", "  ", 7], stream="a", time_s=0.0)
    assert names_in(notes, STATE_NAMES) == ["left upper", "?", "7"]


def test_only_states_and_actions_have_names():
    with pytest.raises(ValueError, match="names are of"):
        named("screen", ["a"], stream="a", time_s=0.0)
