"""Text that OpenCV drew into pictures, read back."""

import pickle

import cv2
import numpy as np
import pytest

from hippocam.models.senses.ocr import Ocr, OcrConfig


@pytest.fixture(scope="module")
def ocr():
    return Ocr()


def page(lines, size=(360, 640), ink=(255, 255, 255), ground=(30, 60, 90), scale=1.2):
    image = np.full((*size, 3), ground, np.uint8)
    for text, at in lines:
        cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, 2, cv2.LINE_AA)
    return image


def letters(text):
    return "".join(c for c in text.casefold() if c.isalnum())


@pytest.mark.parametrize(
    ("ink", "ground"),
    [((255, 255, 255), (30, 60, 90)), ((10, 10, 10), (240, 240, 230)), ((230, 200, 40), (20, 20, 20))],
)
def test_lines_are_read_from_top_to_bottom(ocr, ink, ground):
    lines = [("Terms of use", (60, 80)), ("Section 42 begins", (60, 180)), ("All rights reserved", (60, 300))]
    found = ocr.look(page(lines, ink=ink, ground=ground)).screen
    assert [letters(text) for text in found] == [letters(text) for text, _ in lines]


def test_lines_of_one_row_are_read_from_left_to_right(ocr):
    found = ocr.look(page([("Right side", (400, 182)), ("Left side", (20, 178))], scale=1.0)).screen
    assert [letters(text) for text in found] == ["leftside", "rightside"]


def test_a_slanted_line_is_read(ocr):
    turned = cv2.getRotationMatrix2D((320, 180), 12, 1.0)
    image = cv2.warpAffine(page([("Mind the step", (140, 190))]), turned, (640, 360), borderValue=(30, 60, 90))
    assert [letters(text) for text in ocr.look(image).screen] == ["mindthestep"]


def test_pictures_of_any_size_are_read(ocr):
    small = cv2.resize(page([("HELLO", (60, 200))], scale=5), (213, 120), interpolation=cv2.INTER_AREA)
    assert [letters(text) for text in ocr.look(small).screen] == ["hello"]
    large = page([("Large picture", (200, 900))], size=(1440, 2560), scale=6)
    assert [letters(text) for text in ocr.look(large).screen] == ["largepicture"]


def test_a_picture_without_text_has_no_lines(ocr):
    rng = np.random.default_rng(0)
    blobs = cv2.resize(rng.integers(0, 255, (9, 16, 3), dtype=np.uint8), (640, 360), interpolation=cv2.INTER_CUBIC)
    for image in (np.zeros((360, 640, 3), np.uint8), blobs, np.full((1, 1, 3), 200, np.uint8)):
        assert ocr.look(image).screen == ()


def test_ordinary_footage_is_not_read_into(ocr, shared_data):
    """Static cameras without a word in them, a frame every 10 s."""
    from hippocam.stream.sources.video import VideoSource

    for name in ("intel_one_by_one_person_detection.mp4", "intel_car_detection.mp4"):
        for seen in VideoSource(shared_data / "video/cctv" / name).observations(fps=0.1):
            assert ocr.look(seen.images[""]).screen == ()


def test_a_road_sign_is_read_before_it_fills_the_picture(ocr, shared_data):
    """The truth is the sign itself, as it stands by the road 3 seconds into the drive."""
    from hippocam.stream.sources.video import VideoSource

    read = [
        letters(text)
        for seen in VideoSource(shared_data / "video/driving/udacity_challenge02.mp4").observations(fps=2)
        for text in ocr.look(seen.images[""]).screen
    ]
    assert {"fremontave", "losaltos"} <= set(read)
    assert read.count("fremontave") > 1


def test_small_credits_are_read(ocr, shared_data):
    """The truth is the film's own credits at 8:40, in letters of 7 pixels."""
    from hippocam.stream.sources.video import VideoSource

    frames = VideoSource(shared_data / "video/film/big_buck_bunny_full_360p.mp4").observations(fps=1 / 20)
    image = next(seen.images[""] for seen in frames if seen.time_s >= 519)
    read = {letters(text) for text in ocr.look(image).screen}
    assert {"andreasgoralczyk", "campbellbarton", "brechtvanlommel"} <= read


@pytest.mark.parametrize("at", [(10, 50), (1500, 60), (700, 540), (20, 1060), (1500, 1060)])
def test_one_line_anywhere_is_read_as_from_the_whole_picture(ocr, at):
    image = page([("Way out", at)], size=(1080, 1920), scale=2)
    assert [letters(text) for text in ocr.look(image).screen] == ["wayout"]
    assert ocr.look(image).screen == tuple(ocr.read(image))


def test_it_travels_without_its_weights_and_reads_the_same(ocr):
    image = page([("Terms of use", (60, 80))])
    ocr.look(image)
    data = pickle.dumps(ocr)
    assert len(data) < 1000
    assert pickle.loads(data).look(image) == ocr.look(image)


def test_settings_out_of_range_are_named():
    with pytest.raises(ValueError, match="ocr.glance_px must be"):
        OcrConfig(glance_px=1)
