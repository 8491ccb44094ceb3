"""A video into one that browsers play, as the memory saw it: upright, at the same times, all of its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from hippocam.stream import opencv as cv2
from hippocam.stream.errors import ClipError, SourceError
from hippocam.stream.records import Image
from hippocam.stream.sources.video import VideoSource

# Longest side of a converted picture, and how many pictures a second it has at most.
_SIDE_PX, _FPS = 1280, 30
# As H.264 is set up: quick, and good enough to look at.
_CODEC, _OPTIONS = "libx264", {"preset": "veryfast", "crf": "26", "threads": "2"}


def convert(source: Path, out: Path, *, on_time: Callable[[float], None] | None = None) -> None:
    """Write a video's pictures anew as H.264, without sound, whole or not at all; their times stay as they are.

    Args:
        source: The video; of several cameras in it the first is written.
        out: Where to: .mp4.
        on_time: Called with the time of each picture.

    Raises:
        ClipError: It cannot be written.
        SourceError: The video cannot be read. Of one that is damaged, what can be read is written.
    """
    import av

    unfinished = out.with_name(f".{out.name}.part")
    try:
        with av.open(str(unfinished), "w", format="mp4", options={"movflags": "+faststart"}) as written:
            _write(_pictures(source), written, on_time)
        unfinished.replace(out)
    except (av.FFmpegError, OSError) as error:
        raise ClipError(f"{out.name}: cannot be written ({getattr(error, 'strerror', None) or error})") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _pictures(source: Path) -> Iterator[tuple[float, Image]]:
    """Yield time and picture of a video as far as it can be read."""
    video = VideoSource(source, longest_px=_SIDE_PX, threads=0, decoder="pyav")
    camera, count = video.cameras[0], 0
    try:
        for seen in video.observations(fps=_FPS):
            if camera in seen.images:
                count += 1
                yield seen.time_s, seen.images[camera]
    except SourceError:
        if not count:
            raise


def _write(
    pictures: Iterator[tuple[float, Image]], container: Any, on_time: Callable[[float], None] | None
) -> None:
    """Encode pictures with their times; one of another size than the first is put into a frame of that size."""
    from av import VideoFrame

    stream = None
    for time_s, picture in pictures:
        if stream is None:
            height, width = picture.shape[:2]
            stream = container.add_stream(_CODEC, rate=_FPS, options=_OPTIONS)
            stream.width, stream.height, stream.pix_fmt = 2 * -(-width // 2), 2 * -(-height // 2), "yuv420p"
            stream.codec_context.time_base = Fraction(1, 1000)
        shown = VideoFrame.from_ndarray(_fitted(picture, (stream.width, stream.height)), format="rgb24")
        shown = shown.reformat(format="yuv420p")
        shown.pts, shown.time_base = round(time_s * 1000), Fraction(1, 1000)
        container.mux(stream.encode(shown))
        if on_time is not None:
            on_time(time_s)
    if stream is not None:
        container.mux(stream.encode(None))


def _fitted(picture: Image, size: tuple[int, int]) -> Image:
    """A picture in the midst of a black one of some width and height, scaled down where it is larger."""
    height, width = picture.shape[:2]
    scale = min(1.0, size[0] / width, size[1] / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    fitted: Image = np.zeros((size[1], size[0], 3), np.uint8)
    fitted[top : top + inner[1], left : left + inner[0]] = cv2.resize(picture, inner, interpolation=cv2.INTER_AREA)
    return fitted
