"""A video into one that browsers play."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from hippocam.stream.errors import ClipError
from hippocam.stream.sources.files import open_container

# Longest side of a converted picture, and how many pictures a second it has at most.
_SIDE_PX, _FPS = 1280, 30
# As H.264 is set up: quick, and good enough to look at.
_CODEC, _OPTIONS = "libx264", {"preset": "veryfast", "crf": "26", "threads": "2"}


def convert(source: Path, out: Path, *, on_time: Callable[[float], None] | None = None) -> None:
    """Write a video's pictures anew as H.264, without sound, whole or not at all; their times stay as they are.

    Args:
        source: The video.
        out: Where to: .mp4.
        on_time: Called with the time of each picture.

    Raises:
        ClipError: There is no picture in it, or it cannot be written.
        SourceError: The video cannot be opened.
    """
    import av

    unfinished = out.with_name(f".{out.name}.part")
    try:
        with (
            open_container(source, source.name) as read,
            av.open(str(unfinished), "w", format="mp4", options={"movflags": "+faststart"}) as written,
        ):
            frames = _frames(read)
            count = _write(frames, written, on_time)
        if not count:
            raise ClipError(f"{source.name}: there is no picture in it")
        unfinished.replace(out)
    except (av.FFmpegError, OSError) as error:
        raise ClipError(f"{out.name}: cannot be written ({getattr(error, 'strerror', None) or error})") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _frames(container: Any) -> Any:
    """Yield the pictures of a video, each with its time."""
    video = container.streams.video[0]
    video.thread_type = "AUTO"
    start_s = float(video.start_time * video.time_base) if video.start_time is not None else 0.0
    least_s = -1.0
    for frame in container.decode(video):
        if frame.pts is None:
            continue
        time_s = float(frame.pts * video.time_base) - start_s
        if time_s - least_s >= 0.9 / _FPS:
            least_s = time_s
            yield frame, max(0.0, time_s)


def _write(frames: Any, container: Any, on_time: Callable[[float], None] | None) -> int:
    """Encode pictures with their times; gives how many."""
    stream, count = None, 0
    for frame, time_s in frames:
        if stream is None:
            width, height = _size(frame.width, frame.height)
            stream = container.add_stream(_CODEC, rate=_FPS, options=_OPTIONS)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.codec_context.time_base = Fraction(1, 1000)
        shown = frame.reformat(stream.width, stream.height, "yuv420p")
        shown.pts, shown.time_base = round(time_s * 1000), Fraction(1, 1000)
        shown.pict_type = 0
        container.mux(stream.encode(shown))
        count += 1
        if on_time is not None:
            on_time(time_s)
    if stream is not None:
        container.mux(stream.encode(None))
    return count


def _size(width: int, height: int) -> tuple[int, int]:
    """Width and height that H.264 can have: even, and not too large."""
    scale = min(1.0, _SIDE_PX / max(width, height))
    return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))
