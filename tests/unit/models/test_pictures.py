from __future__ import annotations

import numpy as np
import pytest

from hippocam.models.pictures import to_network, to_square, unit_rows


def test_whole_picture_is_squeezed_into_the_square() -> None:
    image = np.zeros((40, 120, 3), np.uint8)
    image[:, :60] = (200, 100, 0)  # the left half stays the left half: nothing is cropped
    square = to_square(image, 10)
    assert square.shape == (10, 10, 3)
    assert square[:, :4].mean((0, 1)).tolist() == [200, 100, 0]
    assert square[:, 6:].max() == 0


def test_shrinking_averages_areas() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    expected = image.reshape(8, 8, 8, 8, 3).mean((1, 3))
    assert np.abs(to_square(image, 8) - expected).max() <= 0.5


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (500, 1, 3), (333, 7, 3)])
def test_any_size_becomes_the_square(shape: tuple[int, int, int]) -> None:
    assert to_square(np.full(shape, 9, np.uint8), 32) == pytest.approx(9)


@pytest.mark.parametrize(
    "image", [np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)]
)
def test_what_is_no_picture_is_refused(image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be uint8"):
        to_square(image, 8)


def test_network_input_is_normalised_channels_first() -> None:
    image = np.full((5, 5, 3), (10, 20, 30), np.uint8)
    given = to_network(image, 4, np.array([10, 10, 10], np.float32), np.array([1, 2, 4], np.float32))
    assert given.shape == (1, 3, 4, 4)
    assert given[0, :, 0, 0].tolist() == [0, 5, 5]


def test_unit_rows_gives_zeros_a_direction_too() -> None:
    rows = unit_rows(np.array([[3, 4], [0, 0]], np.float32))
    assert rows.dtype == np.float32
    assert rows == pytest.approx(np.array([[0.6, 0.8], [1, 0]]))
