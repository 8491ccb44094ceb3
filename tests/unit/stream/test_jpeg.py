import cv2
import numpy as np

from hippocam.stream.jpeg import encode_jpeg


def test_a_picture_is_made_smaller_and_never_larger():
    def size(image):
        return cv2.imdecode(np.frombuffer(encode_jpeg(image, 64, 80), np.uint8), 1).shape[:2]

    assert size(np.full((90, 160, 3), 9, np.uint8)) == (36, 64)
    assert size(np.full((20, 30, 3), 9, np.uint8)) == (20, 30)
