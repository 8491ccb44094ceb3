"""Boxes cut out of pictures, and which of two shows its thing better."""

from __future__ import annotations

import numpy as np

from hippocam.stream.portraits.cutting import cut, is_cut_off, quality, with_surroundings

PICTURE = np.random.default_rng(0).integers(0, 256, (100, 200, 3), np.uint8)


def test_a_box_is_cut_to_the_pixel_and_never_empty():
    assert np.array_equal(cut(PICTURE, (0.1, 0.2, 0.4, 0.5)), PICTURE[20:50, 20:80])
    assert cut(PICTURE, (0.9999, 0.9999, 1.0, 1.0)).shape == (1, 1, 3)


def test_surroundings_are_a_square_where_the_picture_has_room():
    height, width = with_surroundings(PICTURE, (0.4, 0.4, 0.5, 0.5), margin=0.5).shape[:2]
    assert abs(height - 30) <= 2
    assert abs(width - 30) <= 2
    height, width = with_surroundings(PICTURE, (0.0, 0.0, 0.1, 0.1), margin=0.5).shape[:2]
    assert height < 30
    assert width < 30


def test_sharp_large_whole_and_sure_things_are_shown_better():
    blurred = np.repeat(np.repeat(PICTURE[::10, ::10], 10, axis=0), 10, axis=1)
    flat = np.full_like(PICTURE, 128)
    box, at_border = (0.3, 0.3, 0.6, 0.9), (0.0, 0.3, 0.3, 0.9)
    assert quality(PICTURE, box, 0.9) > quality(PICTURE, box, 0.5)
    assert quality(PICTURE, box, 0.9) > quality(PICTURE, (0.4, 0.4, 0.5, 0.6), 0.9)
    assert quality(PICTURE, box, 0.9) > quality(PICTURE, at_border, 0.9)
    assert quality(PICTURE, box, 0.9) > quality(blurred, box, 0.9) > quality(flat, box, 0.9) == 0
    assert is_cut_off(at_border)
    assert not is_cut_off(box)
