"""Colours that a description gives to things, and whether those that were recorded contradict it."""

from types import SimpleNamespace

import pytest

from hippocam.apps.ask.nouns import Coloured, coloured_in, contradicted, has_colour, only_coloured, only_there


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a red car", [(("car",), "red")]),
        ("a white sports car behind a gray bus", [(("car",), "white"), (("bus",), "grey")]),
        ("somebody in green", [(("person",), "green")]),
        ("a man wearing a yellow rain jacket", [(("person",), "yellow", 0)]),
        ("a woman in blue jeans", [(("person",), "blue", 1)]),
        ("a black coat", [(("person",), "black", 0)]),
        ("a white van", [(("car", "truck", "bus"), "white")]),
        ("a red door", []),
        ("a car on a red carpet", []),
        ("an orange", []),
        ("a dog", []),
    ],
)
def test_the_things_that_have_a_colour(text, found):
    assert coloured_in(text) == [Coloured(*each) for each in found]


def seen(*colours):
    return [SimpleNamespace(colours=each) for each in colours]


@pytest.mark.parametrize(
    ("colour", "recorded", "contradicts"),
    [
        ("red", [("blue",)], True),
        ("red", [("blue",), ("red",)], False),
        ("blue", [("grey", "black")], False),  # light confuses them
        ("green", [("", "red")], True),
        ("red", [("blue",), ()], False),  # of one the colour is not known
        ("red", [("", "")], False),
        ("red", [], False),
    ],
)
def test_only_colours_that_are_all_known_and_all_unlike_contradict(colour, recorded, contradicts):
    assert contradicted(Coloured(("car",), colour), seen(*recorded)) == contradicts


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("a red car", Coloured(("car",), "red")),
        ("the man in black come", Coloured(("person",), "black")),
        ("a woman in a white shirt", Coloured(("person",), "white", 0)),
        ("somebody in yellow", Coloured(("person",), "yellow")),
        ("a large red car", None),
        ("a red car at the gate of the yard", None),
        ("a man in black reading a book", None),
        ("a man", None),
    ],
)
def test_a_thing_of_which_nothing_but_its_colour_is_said(text, asked):
    assert only_coloured(text) == asked


def test_a_garment_has_its_colour_where_it_is_worn():
    (visit,) = seen(("white", "blue"))
    assert has_colour(Coloured(("person",), "blue"), visit)
    assert has_colour(Coloured(("person",), "blue", 1), visit)
    assert not has_colour(Coloured(("person",), "blue", 0), visit)


@pytest.mark.parametrize(
    ("words", "there"),
    [("in the background", True), ("come in the distance", True), ("in the bath", False), ("sleep", False)],
)
def test_words_that_say_no_more_than_that_it_was_there(words, there):
    assert only_there(words) == there
