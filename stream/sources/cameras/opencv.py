"""A webcam into frames as they come, with OpenCV, which knows the cameras of this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from hippocam.stream import opencv as cv2
from hippocam.stream.errors import SourceError
from hippocam.stream.live.address import LiveAddress
from hippocam.stream.records import Image
from hippocam.stream.sources.cameras.pyav import Arrived
from hippocam.stream.sources.cameras.recorder import PictureRecorder
from hippocam.stream.sources.decode.packet_index import scaled_size


def read_device(address: LiveAddress, *, longest: int, recorder: PictureRecorder | None) -> Iterator[Arrived]:
    """Yield the frames of a webcam until it is pulled out.

    Args:
        address: Address of kind "device": its target is the camera's number (or whatever else OpenCV opens).
        longest: Longer side of the pictures in pixels, at most.
        recorder: Takes the pictures, compressed; None to keep none.

    Raises:
        SourceError: It cannot be opened, or broke off.
    """
    import av

    capture = cv2.VideoCapture(int(address.target) if address.target.isdigit() else address.target)
    try:
        if not capture.isOpened():
            raise SourceError(address.uri, "no such camera, or another program uses it")
        while True:
            ok, bgr = capture.read()
            arrived_s = time.monotonic()
            if not ok or bgr is None:
                raise SourceError(address.uri, "the camera gives no more pictures")
            if recorder is not None:
                recorder.take(av.VideoFrame.from_ndarray(bgr, format="bgr24"), arrived_s, time.time())

            def image(bgr: Image = bgr) -> Image:
                small = cv2.resize(bgr, scaled_size(bgr.shape[1::-1], longest), interpolation=cv2.INTER_AREA)
                return np.ascontiguousarray(small[:, :, ::-1], dtype=np.uint8)

            size = bgr.shape[1], bgr.shape[0]
            yield Arrived(pts_s=None, arrived_s=arrived_s, size=size, image=image, codec="raw", damaged=0)
    finally:
        capture.release()
