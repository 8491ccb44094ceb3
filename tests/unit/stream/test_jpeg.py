import struct
import subprocess
import sys

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


def test_whoever_loads_opencv_reads_no_picture_that_no_memory_has_room_for():
    """Which is looked at once, when it is loaded: any library may be the one that does."""
    code = (
        "import struct, hippocam, cv2, numpy\n"
        "def read(w, h):\n"
        "    size = struct.pack('<IHHIIiiHHIIiiII', 99, 0, 0, 54, 40, w, h, 1, 24, 0, 0, 0, 0, 0, 0)\n"
        "    return cv2.imdecode(numpy.frombuffer(b'BM' + size + bytes(w * h * 3 % 99999), numpy.uint8), 1)\n"
        "print(read(8, 8).shape)\n"
        "try:\n    read(16384, 8200)\nexcept cv2.error:\n    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["(8, 8, 3)", "refused"]
