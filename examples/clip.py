"""Draw a clip to watch: some seconds of one colour, then of the next."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

COLOURS = {"blue": (40, 70, 220), "red": (220, 30, 30), "green": (40, 170, 60), "white": (250, 250, 250)}
_FPS = 10


def draw(path: Path, colours: Sequence[str], seconds_each: int) -> None:
    """Write an H.264 clip that shows each colour for some seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_FPS)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.time_base = Fraction(1, _FPS)
        for index in range(len(colours) * seconds_each * _FPS):
            picture = np.empty((180, 320, 3), np.uint8)
            picture[:] = COLOURS[colours[index // (seconds_each * _FPS)]]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
