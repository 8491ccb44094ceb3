import struct

import cv2
import numpy as np
import pytest

from hippocam.stream.jpeg import Scale, decode_jpeg, encode_jpeg

# A bitmap whose header claims a million by a million pixels.
VAST = (
    b"BM"
    + struct.pack("<IHHIIiiHHIIiiII", 1 << 20, 0, 0, 54, 40, 1 << 20, 1 << 20, 1, 24, 0, 0, 0, 0, 0, 0)
    + b"\0" * 99
)


def test_a_picture_is_made_smaller_and_never_larger():
    def size(image):
        return cv2.imdecode(np.frombuffer(encode_jpeg(image, 64, 80), np.uint8), 1).shape[:2]

    assert size(np.full((90, 160, 3), 9, np.uint8)) == (36, 64)
    assert size(np.full((20, 30, 3), 9, np.uint8)) == (20, 30)


@pytest.mark.parametrize(
    ("scale", "shape"), [(Scale.FULL, (40, 64)), (Scale.HALF, (20, 32)), (Scale.QUARTER, (10, 16))]
)
def test_a_picture_is_read_as_small_as_is_needed(scale, shape):
    jpeg = encode_jpeg(np.full((40, 64, 3), (200, 10, 10), np.uint8), 64, 80)
    picture = decode_jpeg(jpeg, scale)
    assert picture.shape == (*shape, 3)
    assert np.abs(picture.astype(int) - (10, 10, 200)).max() < 12


@pytest.mark.parametrize(
    "data", [b"", b"j" * 900, b"\xff\xd8\xff", VAST], ids=["none", "letters", "start", "vast"]
)
def test_what_is_no_picture_is_none(data):
    assert [decode_jpeg(data, scale) for scale in Scale] == [None] * 3
