"""Pictures that a memory keeps, read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hippocam.stream.jpeg import decode_jpeg
from hippocam.stream.records import Image


def read_picture(path: Path) -> Image | None:
    """A picture as uint8 [H, W, 3], RGB; None where there is none."""
    try:
        image = decode_jpeg(path.read_bytes())
    except OSError:  # given up a moment ago
        return None
    return None if image is None else np.ascontiguousarray(image[..., ::-1])
