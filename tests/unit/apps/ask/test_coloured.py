"""Colours that a description gives to things, against those that were recorded."""

from types import SimpleNamespace

import pytest

from hippocam.apps.ask.coloured import Coloured, coloured_in, contradicted


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a red car", [("car", "red")]),
        ("a white sports car behind a gray bus", [("car", "white"), ("bus", "grey")]),
        ("somebody in green", [("person", "green")]),
        ("a man wearing a yellow rain jacket", [("person", "yellow")]),
        ("a black coat", [("person", "black")]),
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
    assert contradicted(Coloured("car", colour), seen(*recorded)) == contradicts
