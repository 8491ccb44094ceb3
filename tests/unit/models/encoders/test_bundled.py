"""What photographs show, by encoders that need no hub; they ship with gradio, and their names say what is seen."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from hippocam.apps.ask.belief.regions import RegionEncoder
from hippocam.models.errors import WeightsError
from hippocam.models.registry import make_encoder
from hippocam.models.training.captions import read_photo
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import Image

SHOWN = {
    "cheetah.jpg": ["a cheetah", "a cheetah running"],
    "lion.jpg": ["a lion", "a lion resting on a rock"],
    "tower.jpg": ["a tower", "the Eiffel tower"],
}


@pytest.fixture(scope="module")
def pictures() -> list[Image]:
    spec = importlib.util.find_spec("gradio")
    if spec is None or spec.origin is None:
        pytest.skip("gradio is not installed, and with it the pictures that it ships")
    folder = Path(spec.origin).parent / "media_assets" / "images"
    files = [folder / name for name in SHOWN]
    if not all(file.exists() for file in files):
        pytest.skip(f"this gradio does not ship the pictures in {folder}")
    return [read_photo(file) for file in files]


@pytest.fixture(scope="module", params=["conse", "bundled"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    made = make_encoder(request.param)
    try:
        made.encode_texts(["a dog"])
        made.encode_images([np.zeros((8, 8, 3), np.uint8)])
    except WeightsError as error:
        pytest.skip(f"{request.param} needs weights that cannot be fetched here: {error}")
    return made


def test_text_is_nearest_to_the_picture_that_shows_it(encoder: Encoder, pictures: list[Image]) -> None:
    vectors = encoder.encode_images(pictures).vectors_ND
    for index, texts in enumerate(SHOWN.values()):
        assert (encoder.encode_texts(texts) @ vectors.T).argmax(1).tolist() == [index] * len(texts), texts


def test_size_of_a_picture_does_not_decide_what_it_shows(encoder: Encoder, pictures: list[Image]) -> None:
    import cv2

    small = [np.asarray(cv2.resize(picture, (300, 200)), np.uint8) for picture in pictures]
    same = (encoder.encode_images(pictures).vectors_ND * encoder.encode_images(small).vectors_ND).sum(1)
    assert same.min() > 0.7


def test_labels_name_what_is_shown(encoder: Encoder, pictures: list[Image]) -> None:
    labels = encoder.encode_images(pictures).labels
    assert labels[0][0] == "cheetah"
    assert labels[1][0] == "lion"


def test_a_region_tells_what_is_small_in_the_whole(pictures: list[Image]) -> None:
    """A lion in a corner of a grey picture: nearer by its region than by the whole, and in that corner."""
    import cv2

    encoder = make_encoder("bundled")
    assert isinstance(encoder, RegionEncoder)
    try:
        (lion_D,) = encoder.encode_texts(["a lion"])
        corner = np.full((448, 448, 3), 128, np.uint8)
        corner[280:, 280:] = cv2.resize(pictures[1], (168, 168), interpolation=cv2.INTER_AREA)
        whole_D = encoder.encode_images([corner]).vectors_ND[0]
        regions_RD = encoder.encode_regions(corner)
    except WeightsError as error:
        pytest.skip(f"bundled needs weights that cannot be fetched here: {error}")
    assert np.linalg.norm(regions_RD, axis=1) == pytest.approx(1, abs=1e-4)
    cosines = (regions_RD @ lion_D).reshape(7, 7)
    assert cosines.max() > float(whole_D @ lion_D)
    row, column = np.unravel_index(cosines.argmax(), cosines.shape)
    assert min(row, column) >= 3
