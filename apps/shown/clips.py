"""A stretch of a stream as a video file, cut out of its own video or of a live camera's look-back footage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hippocam.apps.live.folder import LiveFolder
from hippocam.memory.records import StreamStatus
from hippocam.stream.clips.clip import Clip
from hippocam.stream.clips.cut import cut, suffix_of
from hippocam.stream.clips.look_back import write_stretch
from hippocam.stream.errors import ClipError, NoFootageError
from hippocam.stream.sources.folders import VIDEO_SUFFIXES
from hippocam.stream.sources.video import VideoSource

# The longest stretch that is written into one clip.
LONGEST_S = 600.0


def clip_of(
    stream: StreamStatus, memory: Path | None, out: Path, t0_s: float, t1_s: float, *, suffix: str = ""
) -> Sequence[Clip]:
    """Write a stretch of a stream into a file.

    Args:
        stream: Which stream.
        memory: Folder of its memory, beside which live footage lies; None for videos alone.
        out: The file, without the end of its name, which says how it is packed.
        t0_s: Start, in the stream's time.
        t1_s: End, at most LONGEST_S after it.
        suffix: ".mp4" or ".mkv"; "" for what takes the footage as it is.

    Returns:
        One clip; several where a live camera's picture changed its size on the way.

    Raises:
        NoFootageError: Nothing of that time is kept.
        SourceError: The video cannot be opened.
        ClipError: It cannot be written, or is too long.
    """
    if t1_s - t0_s > LONGEST_S:
        raise ClipError(f"a clip may have {LONGEST_S:g} seconds, found {t1_s - t0_s:g}")
    path = Path(stream.source)
    if path.suffix.casefold() in VIDEO_SUFFIXES and path.is_file():
        source = VideoSource(path)
        number = source.track_of(stream.id)
        name = out.name + (suffix or suffix_of(path, number))
        return (cut(path, out.with_name(name), t0_s, t1_s, number=number),)
    if memory is None:
        raise NoFootageError(path)
    live_folder = LiveFolder(memory)
    footage, kept = live_folder.look_back(stream.id), live_folder.kept(stream.id)
    return write_stretch(footage, out.with_name(out.name + (suffix or ".mkv")), t0_s, t1_s, kept=kept)
