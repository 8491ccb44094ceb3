"""Acts on the same entries are one note."""

import pytest

from hippocam.stream.records import Note
from hippocam.stream.robot.acts import MOST_IDS, ActLog, acted_on


def times(*acts):
    log = ActLog()
    return [(note.t0_s, note.t1_s) for act in acts if (note := log.add(*act)) is not None]


def test_acts_that_follow_each_other_are_one():
    assert times(("a", 1.0, [1]), ("a", 1.1, [1]), ("a", 1.2, [1])) == [(1.0, 1.0), (1.0, 1.1), (1.0, 1.2)]


@pytest.mark.parametrize(
    "between",
    [
        [("a", 1.1, [2])],  # on something else
        [("a", 1.1, [])],  # on nothing
        [("a", 8.0, [1])],  # long after
        [("a", 0.5, [1])],  # the clock went back
    ],
)
def test_else_another_one_begins(between):
    last = (between[0][1] + 1, between[0][1] + 1)
    assert times(("a", 1.0, [1]), *between, ("a", last[0], [7]))[-1] == last


def test_streams_are_apart():
    assert times(("a", 1.0, [1]), ("b", 1.1, [1]), ("a", 1.2, [1])) == [(1.0, 1.0), (1.1, 1.1), (1.0, 1.2)]


def test_what_was_acted_on_is_read_from_the_note():
    ids = [2**63 - 1, 0, 17]
    assert acted_on(ActLog().add("a", 1.0, ids)) == ids
    assert acted_on(ActLog().add("a", 1.0, list(range(100)))) == list(range(MOST_IDS))
    assert acted_on(Note(stream="a", kind="screen", t0_s=0, t1_s=1, text="acted on 0000000000000001")) == []
