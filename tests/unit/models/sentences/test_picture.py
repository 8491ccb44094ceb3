import cv2
import numpy as np
import pytest

from hippocam.models.sentences.picture import look_of

RNG = np.random.default_rng(0)


def jpeg(image):
    """The JPEG of an RGB picture."""
    return cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def photograph():
    """Something with as many shades as a photograph: three smooth waves."""
    y, x = np.mgrid[0:240, 0:320] / 240
    waves = np.stack([np.sin(5 * x + 3 * y), np.cos(4 * y - x), np.sin(3 * x * y + 1)], axis=-1)
    return ((waves + 1) * 127.5).astype(np.uint8)


def drawing():
    """A red square on white."""
    image = np.full((240, 320, 3), 245, np.uint8)
    image[80:180, 60:200] = (220, 20, 20)
    return image


def test_colours_are_named_with_their_shares():
    (first, share), (second, _) = look_of(jpeg(drawing())).colours
    assert (first, second) == ("white", "red")
    assert share == pytest.approx(1 - 100 * 140 / (240 * 320), abs=0.03)


def test_a_drawing_is_plain_and_a_photograph_is_not_also_where_it_is_dark_or_faded():
    assert look_of(jpeg(drawing())).plainness > 0.9
    shown = photograph().astype(np.float32)
    for changed in (shown, shown * 0.25, 100 + shown * 0.3):
        assert look_of(jpeg(changed.astype(np.uint8))).plainness < 0.4


def test_what_is_all_of_one_shade_is_plain_in_spite_of_noise():
    noisy = RNG.integers(20, 28, (240, 320, 3), np.uint8)
    assert look_of(jpeg(noisy)).plainness == 1


def test_a_picture_without_colour_is_grey():
    grey = np.repeat(photograph()[:, :, :1], 3, axis=2)
    assert look_of(jpeg(grey)).grey
    assert not look_of(jpeg(photograph())).grey


def test_what_is_no_picture_has_no_look():
    assert look_of(b"") is None
    assert look_of(b"\xff\xd8 no picture") is None
