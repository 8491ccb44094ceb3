"""OpenCV, loaded when the first of its functions is called; a machine that cannot load it is told in one line.

Everything of ours takes it from here: `from hippocam.stream import opencv as cv2`. Servers without a screen often
lack the libraries of X that the package `opencv-python` is linked with; whoever only asks does not need it at all.
"""

from __future__ import annotations

import os
from typing import Any

from hippocam.stream.errors import MissingLibraryError

# Most pixels of one picture that is decoded: 16,384 x 8,192. Some bytes can claim to be many gigabytes.
MOST_PIXELS = 1 << 27

_FIX = "pip uninstall -y opencv-python && pip install opencv-python-headless"


def prepare_opencv() -> None:
    """Have OpenCV refuse larger pictures and print nothing, whoever loads it, which is when it looks.

    What is wrong with a picture is told by whoever reads it, by its name. A user's own settings stay.
    """
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MOST_PIXELS))
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")


def __getattr__(name: str) -> Any:
    """Get an attribute of `cv2`, and keep it here for the next time."""
    if name.startswith("__"):  # what the import system looks for
        raise AttributeError(name)
    globals()[name] = found = getattr(load(), name)
    return found


def load() -> Any:
    """Load OpenCV now, so that what needs it fails before anything is fetched or written.

    Raises:
        MissingLibraryError: It cannot be loaded.
    """
    try:
        import cv2
    except ImportError as error:
        raise MissingLibraryError("OpenCV", reason=str(error), fix=_FIX) from error
    return cv2
