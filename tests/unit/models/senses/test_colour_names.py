"""Names of colours: of pixels that everybody names alike, and of things before a background, in coloured light."""

from __future__ import annotations

import numpy as np
import pytest

from hippocam.models.senses.colour_names import COLOURS, SceneLight, names_of

PLAIN = {
    "black": (10, 10, 12), "white": (245, 245, 240), "grey": (120, 122, 120), "red": (200, 20, 25),
    "orange": (240, 140, 20), "brown": (100, 60, 30), "yellow": (240, 220, 30), "green": (30, 140, 50),
    "blue": (40, 80, 190), "purple": (120, 40, 170), "pink": (240, 130, 190),
}  # fmt: skip


@pytest.mark.parametrize("name", COLOURS)
def test_plain_colours_have_their_names(name):
    pixel = np.array([PLAIN[name]], np.float32) / 255
    assert COLOURS[names_of(pixel)[0]] == name


def scene(above, below, behind=(150, 150, 150), light=(1.0, 1.0, 1.0)):
    """Somebody in the middle of a picture who fills half of the box's width."""
    rng = np.random.default_rng(0)
    picture = np.tile(np.array(behind, np.float32), (200, 300, 1))
    picture[40:100, 130:170] = above
    picture[100:170, 135:165] = below
    picture += rng.normal(0, 3, picture.shape)
    return np.clip(picture * light, 0, 255).astype(np.uint8), (110 / 300, 30 / 200, 190 / 300, 175 / 200)


def test_clothes_are_named_above_and_below_and_the_background_does_not_count():
    picture, box = scene(PLAIN["red"], PLAIN["blue"], behind=PLAIN["green"])
    assert SceneLight(picture).colours("person", box) == ("red", "blue")


def test_anything_but_a_person_has_one_colour():
    picture, box = scene(PLAIN["yellow"], PLAIN["yellow"])
    assert SceneLight(picture).colours("car", box) == ("yellow",)


def test_white_in_yellow_light_is_white():
    picture, box = scene(PLAIN["white"], PLAIN["black"], light=(1.0, 0.9, 0.72))
    assert SceneLight(picture).colours("person", box) == ("white", "black")


def test_a_picture_of_one_colour_tells_that_colour():
    picture = np.full((60, 80, 3), 12, np.uint8)
    assert SceneLight(picture).colours("cat", (0.2, 0.2, 0.8, 0.8)) == ("black",)


def test_boxes_at_the_border_and_of_one_pixel_are_borne():
    picture, _ = scene(PLAIN["red"], PLAIN["blue"])
    for box in ((0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 0.003, 0.003), (0.997, 0.997, 1.0, 1.0)):
        assert all(name in ("", *COLOURS) for name in SceneLight(picture).colours("person", box))
