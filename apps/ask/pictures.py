"""Pictures that a memory keeps, read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hippocam.stream import opencv as cv2
from hippocam.stream.records import Image


def read_picture(path: Path) -> Image | None:
    """A picture as uint8 [H, W, 3], RGB; None where there is none."""
    try:
        jpeg = path.read_bytes()
        image: Image | None = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
    except (OSError, cv2.error):  # given up a moment ago; larger than OpenCV takes
        return None
    return None if image is None else np.ascontiguousarray(image[..., ::-1])
