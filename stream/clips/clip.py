"""What a clip is, and what all that write one share."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hippocam.stream.errors import ClipError

# By the end of its name, what FFmpeg calls a clip's container.
FORMATS = {".mp4": "mp4", ".mkv": "matroska"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A written clip.

    Attributes:
        path: The file.
        spans: What it shows, [t0_s, t1_s] each, in the stream's own time; more than one where a camera was away.
        frames: How many.
    """

    path: Path
    spans: tuple[tuple[float, float], ...]
    frames: int


def check_name(out: Path) -> None:
    """Refuse a name whose end says no container that clips have.

    Raises:
        ClipError: It is such a one.
    """
    if out.suffix.casefold() not in FORMATS:
        raise ClipError(f"{out}: a clip's name must end in {' or '.join(FORMATS)}")


@contextmanager
def clip_errors(out: Path) -> Iterator[None]:
    """Tell as ClipError what goes wrong while a clip is written."""
    import av

    try:
        yield
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ClipError(f"{out}: cannot be written ({reason}); try a name that ends in .mkv") from error


@contextmanager
def unfinished(out: Path) -> Iterator[Any]:
    """A container to write to, under another name until it is whole."""
    import av

    part = out.with_name(f".{out.name}.part")
    try:
        with av.open(str(part), "w", format=FORMATS[out.suffix.casefold()]) as container:
            yield container
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)


def with_dts(packets: Iterator[Any]) -> Iterator[Any]:
    """Matroska holds no decoding times, and the first packets of a stream come without: a tick each is enough."""
    held = deque[Any]()  # in their order; one without a time waits for the next one of its stream that has one
    for packet in packets:
        if packet.pts is None or not packet.size:
            continue
        held.append(packet)
        if packet.dts is not None:
            _tick_up_to(packet.dts, [one for one in held if one.dts is None and one.stream is packet.stream])
        while held and held[0].dts is not None:
            yield held.popleft()
    for packet in held:
        if packet.dts is None:
            own = [one for one in held if one.dts is None and one.stream is packet.stream]
            _tick_up_to(packet.pts + 1, own)
        yield packet


def _tick_up_to(dts: int, packets: list[Any]) -> None:
    """Let packets be decoded a tick after another, before what is decoded at a time."""
    for back, packet in enumerate(reversed(packets), start=1):
        packet.dts = dts - back
