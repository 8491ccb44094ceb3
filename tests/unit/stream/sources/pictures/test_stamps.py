"""Names of pictures that hold times, as cameras, desktops and other programs write them."""

from __future__ import annotations

import pytest

from hippocam.stream.sources.pictures.stamps import stamps_of


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["1628069033.759604.png", "1628069034.223968.png"], [0.0, 0.464364]),
        (["1403636579763555584.png", "1403636579813555456.png"], [0.0, 0.049999872]),
        (["1600000000000.jpg", "1600000000250.jpg"], [0.0, 0.25]),
        (["1600000000000000.jpg", "1600000000250000.jpg"], [0.0, 0.25]),
        (["000001.jpg", "000002.jpg"], None),
        (["0000000001.png", "0000000002.png"], None),  # a running number of ten digits
        (["1700000000.jpg", "1700000005.jpg", "1700000005.png"], [0.0, 5.0, 5.0]),
        (["cam_1700000000.jpg", "cam_1700000060.jpg"], [0.0, 60.0]),
        (["2023-11-14_22-13-20.jpg", "2023-11-15_00-13-20.jpg"], [0.0, 7200.0]),
        (["IMG_20231114_221320.jpg", "IMG_20231114_221325.jpg"], [0.0, 5.0]),
        (["PXL_20231114_221320123.jpg", "PXL_20231114_221320623.jpg"], [0.0, 0.5]),
        (["Screenshot 2023-11-14 22.13.20.png", "Screenshot 2023-11-14 22.14.20.png"], [0.0, 60.0]),
        (["2023-11-14T22:13:20.jpg", "2023-11-14T22:13:21.jpg"], [0.0, 1.0]),
        (["front_door-1604001234.25-abc12.jpg", "front_door-1604001236.5-zz.jpg"], [0.0, 2.25]),  # Frigate
        (["Screenshot 2023-11-14 at 22.13.20.png", "Screenshot 2023-11-14 at 22.13.25.png"], [0.0, 5.0]),  # macOS
        (
            ["Screenshot 2023-11-14 at 9.59.59\u202fAM.png", "Screenshot 2023-11-14 at 12.00.01\u202fPM.png"],
            [0, 7202],
        ),
        (
            ["WhatsApp Image 2023-11-14 at 22.13.20.jpeg", "WhatsApp Image 2023-11-14 at 22.14.20.jpeg"],
            [0.0, 60.0],
        ),
        (["cam1_2023-11-14-22-13-20-123.jpg", "cam1_2023-11-14-22-13-20-623.jpg"], [0.0, 0.5]),
        (["IMG_20231114_221320_1.jpg", "IMG_20231114_221325_2.jpg"], [0.0, 5.0]),  # a number behind it
        (["20231114_12345.jpg", "20231114_12346.jpg"], None),  # a date and a running number
        (["2023-02-30_22-13-20.jpg", "2023-02-31_22-13-20.jpg"], None),  # no such days
        (["2023-11-14_22-13-20.jpg", "1.jpg"], None),
        (["2023-11-14_22-13-20.jpg", "2023-11-14_22-13-10.jpg"], None),  # falling
        (["20231114.jpg", "20231115.jpg"], None),  # a date without a time
        (["20240101.5.jpg", "20240102.5.jpg"], None),
        (["1628069033.7.png", "1628069033.7.jpg"], None),
    ],
)
def test_names_that_are_timestamps(names: list[str], expected: list[float] | None) -> None:
    stamps = stamps_of(names)
    assert (None if stamps is None else stamps.tolist()) == expected
