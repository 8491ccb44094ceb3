"""Conditions on place and heading, against every pose of every entry looked at by itself."""

import itertools
import math

import numpy as np
import pytest

from hippocam.memory.recall.rows import Condition, Rows, headings
from hippocam.memory.records import Entry, Span
from hippocam.stream.robot.motion import Motion

D = 4


def pose(x, y, heading):
    return [x, y, 0.3, 0, 0, math.sin(heading / 2), math.cos(heading / 2)]


def entry(number, ways):
    """An entry of a robot that was at these x, y and headings, one after the other."""
    motion = Motion(times_s=np.arange(float(len(ways))), poses=np.array([pose(*way) for way in ways]))
    return Entry(
        id=number,
        stream="robot",
        t0_s=0.0,
        t1_s=1.0,
        known_s=0.0,
        spans=(Span(t0_s=0.0, t1_s=1.0, known_s=0.0),),
        frame_s=0.0,
        surprise=0.5,
        utility=0.5,
        labels=(),
        text="",
        frames=1,
        repeats=0,
        jpeg_bytes=0,
        motion=motion if ways else None,
    )


def rows_of(every):
    return Rows.of([entry(k, ways) for k, ways in enumerate(every)], np.zeros((len(every), D), np.float32))


def off(angle, other):
    return abs((angle - other + math.pi) % (2 * math.pi) - math.pi)


def distance(begin, end, x, y):
    """From a point to the straight way between two others."""
    dx, dy = end[0] - begin[0], end[1] - begin[1]
    along = ((x - begin[0]) * dx + (y - begin[1]) * dy) / (dx * dx + dy * dy or 1.0)
    part = min(1.0, max(0.0, along))
    return math.hypot(begin[0] + part * dx - x, begin[1] + part * dy - y)


def met(ways, condition):
    """Whether one piece of a way meets all conditions: whoever turns on a piece looks both ways along it."""
    pieces = [*itertools.pairwise(ways), (ways[-1], ways[-1])] if ways else []
    for begin, end in pieces:
        near = condition.near is None or distance(begin, end, *condition.near[:2]) <= condition.near[2]
        looking = condition.heading is None or any(
            off(way[2], condition.heading[0]) <= condition.heading[1] for way in (begin, end)
        )
        if near and looking:
            return True
    return False


@pytest.mark.parametrize("seed", range(4))
def test_conditions_on_place_and_heading_are_those_of_the_poses(seed):
    rng = np.random.default_rng(seed)
    every = [[]]
    for _ in range(60):
        at, heading = rng.normal(0, 3, 2), rng.uniform(-4, 4)
        steps = rng.normal(0, 0.5, (rng.integers(1, 6), 3)).cumsum(0)
        every.append([(at[0] + dx, at[1] + dy, heading + turn) for dx, dy, turn in steps])
    rows = rows_of(every)
    for _ in range(20):
        near = (*rng.normal(0, 2, 2), rng.choice([0.3, 1.0, 3.0, 20.0]))
        heading = (rng.uniform(-7, 7), rng.choice([0.02, 0.3, math.pi / 4, 3.0]))
        for condition in (Condition(near=near), Condition(heading=heading), Condition(near=near, heading=heading)):
            expected = [met(ways, condition) for ways in every]
            assert rows.placed(condition).tolist() == expected, condition


def test_a_heading_at_the_very_edge_of_what_is_asked_for_meets_it():
    """Also where that lies on the border between two of the parts that a turn is looked up by."""
    angles = np.arange(-128, 128) * math.pi / 64
    rows = rows_of([[(0.0, 0.0, angle)] for angle in angles])
    exact = headings(np.array([pose(0, 0, angle) for angle in angles]))
    for asked in np.arange(-8, 8) * math.pi / 16 + 1e-12:
        tolerance = math.pi / 8
        away = np.abs(np.angle(np.exp(1j * (exact - asked))))
        clear = np.abs(away - tolerance) > 1e-9
        found = rows.placed(Condition(heading=(asked, tolerance)))
        assert (found == (away <= tolerance))[clear].all()


def test_a_tolerance_of_half_a_turn_or_more_is_met_by_every_heading():
    rows = rows_of([[(0.0, 0.0, angle)] for angle in np.linspace(-3.1, 3.1, 40)] + [[]])
    for tolerance in (math.pi, 4.0, 100.0):
        assert rows.placed(Condition(heading=(0.7, tolerance))).tolist() == [True] * 40 + [False]


@pytest.mark.parametrize("angle", [0.0, 0.5, 2.0, -2.0, 3.1])
def test_the_heading_is_that_of_the_rotated_x_axis(angle):
    assert headings(np.array([pose(1.0, 2.0, angle)]))[0] == pytest.approx(angle)


def test_parts_keep_what_they_know_of_place_and_heading_where_they_are_joined_and_thinned():
    first, second = rows_of([[(0.0, 0.0, 0.0)], [(5.0, 0.0, 1.5)]]), rows_of([[(0.0, 5.0, 3.0)]])
    joined = Rows.joined([first, second]).only(np.array([False, True, True]))
    assert joined.placed(Condition(heading=(1.5, 0.1))).tolist() == [True, False]
    assert joined.placed(Condition(near=(0.0, 5.0, 0.1), heading=(3.0, 0.1))).tolist() == [False, True]
