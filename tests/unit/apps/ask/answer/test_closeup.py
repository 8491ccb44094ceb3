"""What is named, found in a part of a picture: where it is and which colour it has."""

import numpy as np
import pytest

from hippocam.apps.ask.answer.closeup import Pictures
from hippocam.memory.records import Evidence
from hippocam.models.encoders.palette import PaletteEncoder
from hippocam.stream import opencv as cv2

# A white wall, a red sofa at the lower right.
WALL, SOFA = (245, 245, 245), (200, 20, 20)


@pytest.fixture
def moment(tmp_path):
    image = np.full((180, 320, 3), WALL, np.uint8)
    image[120:, 220:] = SOFA
    path = tmp_path / "room.png"
    cv2.imwrite(str(path), image[..., ::-1])
    return Evidence(
        id="a", stream="room", t0_s=0, t1_s=4, score=0.9, why="", image=str(path), frame_s=1, sentence="a room"
    )


class Sofa(PaletteEncoder):
    """Knows that the sofa is what is red."""

    def encode_texts(self, texts):
        return super().encode_texts([text.replace("sofa", "red") for text in texts])


def test_the_nearest_piece_tells_place_and_colour(moment):
    found = Pictures(Sofa()).find(moment, "the sofa", fills=False)
    assert found.colour == "red"
    assert str(found.where) == "on the right, in front"


def test_the_background_is_what_is_at_the_border(moment):
    assert Pictures(Sofa()).background(moment) == "white"


def test_a_part_of_a_thing_has_a_colour_of_its_own(moment):
    assert Pictures(Sofa()).part(moment, (0.6, 0.0, 1.0, 1.0), (0.4, 0.75, 0.9, 1.0)) == "red"
    assert Pictures(Sofa()).part(moment, (0.6, 0.0, 1.0, 1.0), (0.2, 0.0, 0.8, 0.2)) == "white"


@pytest.mark.parametrize("image", ["", "/nowhere/gone.jpg"])
def test_without_a_picture_nothing_is_told(image):
    gone = Evidence(id="a", stream="room", t0_s=0, t1_s=4, score=0.9, why="", image=image, frame_s=1)
    pictures = Pictures(Sofa())
    assert pictures.find(gone, "the sofa", fills=False) is None
    assert pictures.background(gone) == pictures.part(gone, (0, 0, 1, 1), (0, 0, 1, 1)) == ""
