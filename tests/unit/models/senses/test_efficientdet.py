from __future__ import annotations

import numpy as np
import pytest

from hippocam.models.errors import WeightsError
from hippocam.models.senses.efficientdet import EfficientDetLite0
from hippocam.models.weights import fetch
from hippocam.stream.sources.opening import open_sources

JUST_BEFORE_S = 21.5  # the car is far down the driveway, and its whole back is seen
CAR = (0.544, 0.343, 0.697, 0.588)  # measured by eye, in shares of the picture


@pytest.fixture(scope="module")
def detector() -> EfficientDetLite0:
    try:
        return EfficientDetLite0(1)
    except WeightsError as error:
        pytest.skip(f"the detector cannot be fetched here: {error}")


@pytest.fixture(scope="module")
def driveway() -> np.ndarray:
    try:
        (source,) = open_sources([fetch("driveway-clip")]).sources
    except WeightsError as error:
        pytest.skip(f"the clip of a driveway cannot be fetched here: {error}")
    seen = (seen for seen in source.observations(fps=1.0) if seen.time_s > JUST_BEFORE_S)
    return next(iter(next(seen).images.values()))


def test_a_car_is_found_where_it_is(detector: EfficientDetLite0, driveway: np.ndarray) -> None:
    (car, *others) = detector.find(driveway, 0.6, 12)
    assert (car.label, others) == ("car", [])
    for low in (0, 1):
        assert (car.box[low] + car.box[low + 2]) / 2 == pytest.approx((CAR[low] + CAR[low + 2]) / 2, abs=0.02)
        assert car.box[low] < CAR[low] < CAR[low + 2] < car.box[low + 2]


def test_a_picture_keeps_its_proportions(detector: EfficientDetLite0, driveway: np.ndarray) -> None:
    (car,) = detector.find(driveway, 0.6, 12)
    grey = np.full((640 - 480, 640, 3), 127, np.uint8)  # what the network's square is filled with
    (again,) = detector.find(np.concatenate([driveway, grey]), 0.6, 12)
    assert np.array(again.box) * (1, 640 / 480, 1, 640 / 480) == pytest.approx(car.box, abs=1e-4)


def test_where_nothing_is_nothing_is_found(detector: EfficientDetLite0) -> None:
    assert detector.find(np.full((90, 160, 3), 127, np.uint8), 0.3, 12) == []


def test_what_the_runtime_notes_does_not_reach_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    try:
        EfficientDetLite0(1)
    except WeightsError as error:
        pytest.skip(f"the detector cannot be fetched here: {error}")
    assert capfd.readouterr() == ("", "")
