"""Where a thing was, how large, and which way it went, from paths that were drawn for it."""

from __future__ import annotations

import pytest

from hippocam.memory.entities.describing import box_at, matching, motion, near, position, size
from hippocam.memory.entities.records import Visit


def visit(*boxes, number=1, label="person", colours=(), stream="cam", from_s=0.0):
    path = tuple((from_s + at, box) for at, box in enumerate(boxes))
    return Visit(
        id=number, entity=number, stream=stream, label=label, t0_s=from_s, t1_s=from_s + len(boxes),
        first_s=from_s, known_s=from_s, linked_s=from_s, gone_s=None, from_start=False, hits=len(boxes), score=0.8,
        frame_s=from_s,
        box=boxes[0], path=path, colours=colours,
    )  # fmt: skip


def square(x: float, y: float, side: float = 0.1):
    return (x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def go(xs, ys=None, sides=None, **kwargs):
    ys, sides = ys or [0.5] * len(xs), sides or [0.1] * len(xs)
    return visit(*(square(*each) for each in zip(xs, ys, sides, strict=True)), **kwargs)


@pytest.mark.parametrize(
    ("seen", "way"),
    [
        (go([0.1, 0.3, 0.5, 0.7, 0.9]), "left to right"),
        (go([0.9, 0.7, 0.5, 0.3]), "right to left"),
        (go([0.5] * 6, [0.4, 0.42, 0.45, 0.5, 0.5, 0.5], [0.1, 0.12, 0.15, 0.2, 0.25, 0.3]), "comes nearer"),
        (go([0.5] * 6, sides=[0.3, 0.3, 0.2, 0.15, 0.1, 0.1]), "goes away"),
        (go([0.5, 0.505, 0.5, 0.51, 0.5]), "stands still"),
        (go([0.2, 0.4, 0.2, 0.4, 0.2, 0.4]), "moves about"),
        (go([0.2, 0.5, 0.5, 0.5, 0.5, 0.5, 0.2]), "stands still"),  # comes, stays and leaves the same way
        (go([0.5]), None),
    ],
)
def test_which_way_it_went(seen, way):
    assert motion(seen) == way


def test_a_thing_that_the_border_cuts_off_does_not_come_nearer():
    entering = [(0.0, 0.4, 0.02, 0.6), (0.0, 0.4, 0.1, 0.6), (0.0, 0.4, 0.2, 0.6), (0.1, 0.4, 0.3, 0.6)]
    crossing = [(x, 0.4, x + 0.2, 0.6) for x in (0.3, 0.5, 0.7)]
    assert motion(visit(*entering, *crossing)) == "left to right"


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [(0.1, 0.5, "on the left"), (0.5, 0.5, "in the middle"), (0.9, 0.1, "on the right, at the top")],
)
def test_where_it_was(x, y, words):
    assert str(position(go([x, x, x], [y, y, y]))) == words


def test_how_large_it_was():
    assert [size(visit(square(0.5, 0.5, side))) for side in (0.1, 0.3, 0.8)] == ["small", "medium", "large"]


def test_a_visit_without_a_path_is_described_by_its_best_box():
    old = visit(square(0.9, 0.5))
    assert position(old).across == "right"
    assert motion(old) is None
    assert box_at(old, old.frame_s) == old.box


def test_the_box_is_told_only_near_a_time_at_which_it_was_seen():
    seen = go([0.1, 0.5])
    assert box_at(seen, 0.9) == square(0.5, 0.5)
    assert box_at(seen, 3.0) is None


def test_near_needs_one_time_and_one_picture():
    man = go([0.5, 0.5])
    door = visit((0.4, 0.2, 0.6, 0.53), (0.4, 0.2, 0.6, 0.53), number=2, label="refrigerator")
    beside = go([0.6, 0.6], number=3, label="dog")
    far = go([0.95, 0.95], number=4, label="dog")
    later = go([0.5, 0.5], number=5, from_s=60.0)
    elsewhere = go([0.5, 0.5], number=6, stream="other")
    others = [man, door, beside, far, later, elsewhere]
    assert [other.id for other in near(man, others)] == [2, 3]


def test_visits_are_chosen_by_all_that_is_asked():
    red = go([0.1, 0.1, 0.1], colours=("red", "black"))
    blue = go([0.9, 0.6, 0.3], colours=("blue",), number=2)
    assert matching([red, blue], colours=["red"]) == [red]
    assert matching([red, blue], across="left") == [red]
    assert matching([red, blue], motion_is="right to left", size_is="small") == [blue]
    assert matching([red, blue], colours=["red"], motion_is="right to left") == []
    assert matching([red, blue]) == [red, blue]
