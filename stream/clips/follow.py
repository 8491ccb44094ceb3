"""Footage of a look-back folder as one video that a browser plays while its camera goes on.

The files are joined (fragments.py), the newest one while it is still written to. Times in the video count from its
first picture and keep the pace of the clock on the wall.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, takewhile
from pathlib import Path
from typing import NamedTuple

from hippocam.stream.clips.fragments import PLAYED, Timed, fragments
from hippocam.stream.clips.look_back import packets_of
from hippocam.stream.errors import ClipError
from hippocam.stream.live.lookback import segments, start_of

# A pause between two files up to this long belongs to the same stretch; where a file's end is not known, it is
# taken to last until the next one begins, up to so long.
PAUSE_S, _LONGEST_FILE_S = 3.0, 15.0
# How long nothing may come before a video ends, and how often it is looked for.
_AWAY_S, _LOOK_S = 15.0, 0.3
# Times go through names of files and addresses, in milliseconds.
_EXACT_S = 0.002
# Files that a snippet has at most.
_SNIPPET_FILES = 3


class Stretch(NamedTuple):
    """A stretch of time of which there is footage, seconds since 1970."""

    t0_s: float
    t1_s: float


def stretches(folder: Path) -> list[Stretch]:
    """The stretches of time of which a look-back folder has footage, by time; its writer may be at work."""
    found: list[Stretch] = []
    files = segments(folder)
    for index, path in enumerate(files):
        t0_s = start_of(path)
        next_s = start_of(files[index + 1]) if index + 1 < len(files) else None
        t1_s = next_s if next_s is not None and next_s - t0_s <= _LONGEST_FILE_S else _end_s(path)
        if found and t0_s - found[-1].t1_s <= PAUSE_S:
            found[-1] = Stretch(found[-1].t0_s, max(found[-1].t1_s, t1_s))
        elif t1_s > t0_s:
            found.append(Stretch(t0_s, t1_s))
    return found


def start_before(folder: Path, time_s: float) -> float | None:
    """Where a video that shows a time begins: the key frame before it; None where there is no footage of it."""
    path = _file_of(folder, time_s)
    if path is None or not any(part.t0_s <= time_s <= part.t1_s + PAUSE_S for part in stretches(folder)):
        return None
    keys = [at_s for at_s, packet, _ in packets_of(path) if packet.is_keyframe and at_s <= time_s]
    return max(keys, default=None)


def follow(
    folder: Path, start_s: float, *, sleep: Callable[[float], None] = time.sleep, away_s: float = _AWAY_S
) -> Iterator[bytes]:
    """Give the footage from a key frame on, and what is added to it, as fragmented MP4 with its sound.

    It ends where nothing was filmed for a while, where the picture changes its size, and where nothing more comes.

    Args:
        folder: The camera's folder.
        start_s: When the key frame was taken, as `start_before` gives it.
        sleep: Waits.
        away_s: How long nothing may come.
    """
    yield from fragments(_without_pause(_files_from(folder, start_s, sleep, away_s)), start_s)


class Snippet(NamedTuple):
    """A short part of a camera's footage.

    Attributes:
        start_s: When its first picture was taken, seconds since 1970.
        newest_s: When the last of its files begins: the next snippet comes after that.
        content: Fragmented MP4 without sound.
    """

    start_s: float
    newest_s: float
    content: bytes


def plays_in_snippets(folder: Path) -> bool:
    """Whether there is a closed file, and browsers play it as it is."""
    return any(_codec(path) in PLAYED for path in segments(folder)[-2:-1])


def snippet_after(folder: Path, time_s: float) -> Snippet | None:
    """The footage of the files that begin after a time, as far as they are closed; None where there is none.

    Of what is longer ago than some seconds nothing is given: who looks on has fallen behind.

    Raises:
        ClipError: No browser plays it as it is.
    """
    closed = segments(folder)[:-1]
    codecs = {path: _codec(path) for path in closed[-_SNIPPET_FILES:] if start_of(path) > time_s + _EXACT_S}
    shown = [path for path, codec in codecs.items() if codec]  # a camera may go before its file has a picture
    if not shown:
        return None
    if (codec := codecs[shown[-1]]) not in PLAYED:
        raise ClipError(f"{codec}: no browser plays this as it is")
    # What is masked from now on is coded anew: older files may be of another codec.
    new = list(takewhile(lambda path: codecs[path] in PLAYED, reversed(shown)))[::-1]
    first_s = next(at_s for at_s, _, _ in packets_of(new[0]))
    content = b"".join(fragments(_without_pause(map(_read_silently, new)), first_s))
    return Snippet(first_s, start_of(new[-1]), content)


def _without_pause(files: Iterable[Iterator[Timed]]) -> Iterator[Timed]:
    """The packets of files, as far as one stretch of one picture size goes."""
    last_s, look = None, None
    for packets in files:
        for timed in packets:
            if timed.stream.type == "video":
                context = timed.stream.codec_context
                now = (context.name, context.width, context.height, timed.heard)
                if (last_s is not None and timed.time_s - last_s > PAUSE_S) or look not in (None, now):
                    return
                last_s, look = timed.time_s, now
            yield timed


def _read_silently(path: Path) -> Iterator[Timed]:
    return (Timed(time_s, packet, stream, heard=False) for time_s, packet, stream in packets_of(path))


def _files_from(
    folder: Path, start_s: float, sleep: Callable[[float], None], away_s: float
) -> Iterator[Iterator[Timed]]:
    """The packets of each file from that of a time on; those of the newest as they are written."""
    first, heard = _file_of(folder, start_s), None
    last_s, waited_s = (start_s if first is None else start_of(first)) - _EXACT_S, 0.0
    while waited_s < away_s:
        path = next((path for path in segments(folder) if start_of(path) > last_s), None)
        if path is None:
            sleep(_LOOK_S)
            waited_s += _LOOK_S
            continue
        heard = is_heard(path) if heard is None else heard
        yield _as_it_grows(folder, path, heard, sleep, away_s)
        if path in segments(folder)[-1:]:  # nobody goes on with it
            return
        last_s, waited_s = start_of(path), 0.0


def _as_it_grows(
    folder: Path, path: Path, heard: bool, sleep: Callable[[float], None], away_s: float
) -> Iterator[Timed]:
    """The packets of a file, until another one is there and so nobody writes to this one any more.

    Each look opens the file anew, and so its decoder, which then does not know the pictures before: what has to be
    decoded waits for its end, unless each picture stands for itself.
    """
    taken, waited_s = 0, 0.0
    while True:
        closed = any(start_of(other) > start_of(path) for other in segments(folder))
        before, here = taken, closed or _codec(path) in (*PLAYED, "mjpeg")
        for time_s, packet, stream in islice(packets_of(path, sound=heard), before, None) if here else ():
            taken += 1
            yield Timed(time_s, packet, stream, heard)
        waited_s = 0.0 if taken > before else waited_s + _LOOK_S
        if closed or waited_s >= away_s:
            return
        sleep(_LOOK_S)


def _codec(path: Path) -> str:
    """What the pictures of a file are coded in, "" before its first one is written."""
    return next((stream.codec_context.name for _, _, stream in packets_of(path)), "")


def is_heard(path: Path) -> bool:
    """Whether there is sound in a file: a camera may announce some and send none, for which players would wait."""
    return any(stream.type == "audio" for _, _, stream in packets_of(path, sound=True))


def _file_of(folder: Path, time_s: float) -> Path | None:
    """The last file that begins before a time."""
    return max(
        (path for path in segments(folder) if start_of(path) <= time_s + _EXACT_S), key=start_of, default=None
    )


def _end_s(path: Path) -> float:
    """When the last picture of a file was taken; its start where it cannot be read."""
    return max((time_s for time_s, _, _ in packets_of(path)), default=start_of(path))
