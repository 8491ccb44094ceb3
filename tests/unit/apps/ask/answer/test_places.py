"""Which of several things a text means by its place, and where each stands in a row."""

import pytest

from hippocam.apps.ask.answer.places import placed, row_of


@pytest.fixture(scope="module")
def made(load_helpers):
    """Makes a visit whose box begins at some share of the picture's width, with some side."""
    visit = load_helpers("unit/apps/ask/answer/records.py").visit

    def visit_at(number, x, side=0.1, t0_s=0.0, t1_s=10.0):
        return visit(number, "shelf", "cup", t0_s, t1_s, box=(x, 0.4, x + side, 0.4 + side))

    return visit_at


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("the cup on the left", {1}),
        ("the rightmost cup", {3}),
        ("a cup in the middle", {2}),
        ("the cup in the foreground", {3}),
        ("the cup in front", {3}),
        ("the cup in front of the jug", {1, 2, 3}),  # that is no place in the picture
        ("the cup in the background", {1}),
        ("the cup", {1, 2, 3}),
    ],
)
def test_which_are_meant_by_where_they_are(made, text, meant):
    visits = [made(1, 0.05, 0.05), made(2, 0.45), made(3, 0.75, 0.2)]
    assert {visit.id for visit in placed(visits, text)} == meant


def test_where_none_is_at_the_place_all_may_be_meant(made):
    assert len(placed([made(1, 0.7), made(2, 0.8)], "the left cup on the left")) == 2


def test_what_comes_back_takes_its_place_in_the_row(made):
    row = row_of([made(1, 0.1, t1_s=4), made(2, 0.5), made(3, 0.8), made(4, 0.12, t0_s=6)])
    assert {name: [visit.id for visit in own] for name, own in row.items()} == {
        "the left one": [1, 4], "the middle one": [2], "the right one": [3],
    }  # fmt: skip


@pytest.mark.parametrize("places", [(), (0.3,), (0.0, 0.2, 0.4, 0.6)])
def test_one_thing_or_many_are_no_row(made, places):
    assert row_of([made(k, x) for k, x in enumerate(places)]) == {}
