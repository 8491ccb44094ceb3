"""`hippocam clip`: footage of a live camera, or of a recording, as it came: the newest, by time or by moment."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hippocam.apps.cli.where import duration, typed_time
from hippocam.apps.terminal import tell, tell_json
from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import format_time

if TYPE_CHECKING:
    from hippocam.apps.live.folder import LiveFolder
    from hippocam.apps.records import Status
    from hippocam.memory.explanation import Explanation
    from hippocam.memory.filter import Filter
    from hippocam.stream.clips.clip import Clip

# Seconds before and after a moment that its clip shows.
_ASIDE_S = 2.0


class Clipping(Protocol):
    """The part of a session that is needed."""

    def status(self) -> Status:
        """What is held."""

    def explain(self, entry: str) -> tuple[int, Explanation]:
        """An entry's id, and what is known of it."""


Opened = Callable[[argparse.Namespace], AbstractContextManager[Clipping]]


def add_clip(command: argparse.ArgumentParser, opened: Opened) -> None:
    """Add the arguments of `hippocam clip`.

    Args:
        command: The parser of `hippocam clip`.
        opened: Opens the memory that the options name.
    """
    command.add_argument("moment", nargs="?", metavar="MOMENT", help="id of a moment, as search shows it")
    command.add_argument("--last", type=duration, metavar="T", help="the newest 30s, 5m (default 30s)")
    command.add_argument(
        "--after", type=typed_time, metavar="T", help="from this time: 16:15, 0:24, 2026-11-21 13:05"
    )
    command.add_argument("--before", type=typed_time, metavar="T", help="until this time")
    command.add_argument("--stream", metavar="ID", help="of which stream; needed where there are several")
    command.add_argument("--out", type=Path, metavar="FILE", help=".mp4 or .mkv (default STREAM.mp4)")
    command.set_defaults(run=lambda options: run(options, opened))


def run(options: argparse.Namespace, opened: Opened) -> int:
    """Run the command.

    Raises:
        HippocamError: Nothing is kept of what is meant, or the clip cannot be written.
    """
    from hippocam.apps.api import clips_json

    by_time = options.after is not None or options.before is not None
    if sum((options.moment is not None, options.last is not None, by_time)) > 1:
        raise HippocamError("give a moment, or --last, or --after and --before")
    if by_time and (options.after is None or options.before is None):
        raise HippocamError("a stretch of time needs both --after and --before")
    stream, clips = _stretch(options, opened) if options.moment or by_time else _newest(options)
    if options.json:
        tell_json(clips_json(clips))
        return 0
    for clip in clips:
        spans = ", ".join(f"{format_time(t0_s)} to {format_time(t1_s)}" for t0_s, t1_s in clip.spans)
        tell(f"{clip.path}: {stream}, {spans}, {clip.frames} frames")
    return 0


def _newest(options: argparse.Namespace) -> tuple[str, Sequence[Clip]]:
    """The newest footage of a live camera; no memory is opened for it."""
    from hippocam.apps.live.folder import LiveFolder
    from hippocam.stream.clips.look_back import write_clips

    live_folder = LiveFolder(options.memory)
    stream = options.stream or _only_stream(live_folder)
    out = options.out or Path(f"{stream}.mp4")
    kept = live_folder.kept(stream)
    return stream, write_clips(live_folder.look_back(stream), out, options.last or 30.0, kept=kept)


def _stretch(options: argparse.Namespace, opened: Opened) -> tuple[str, Sequence[Clip]]:
    """What a moment shows, or what was between two times."""
    from hippocam.apps.ask.where import check_stream, on_clock
    from hippocam.apps.shown.clips import clip_of
    from hippocam.memory.filter import Filter

    with opened(options) as session:
        held = session.status().streams
        if options.moment:
            wanted = _of_moment(session.explain(options.moment)[1], options.moment)
        else:
            stream = options.stream or (held[0].id if len(held) == 1 else None)
            if stream is None:
                raise HippocamError(f"several streams; give --stream, one of {', '.join(one.id for one in held)}")
            check_stream(stream, held)
            wanted = on_clock(Filter(stream=stream, after_s=options.after, before_s=options.before), held)
        status = next((one for one in held if one.id == wanted.stream), None)
        if status is None:
            raise HippocamError(f"{wanted.stream} has several cameras; give --stream with one of them")
        t0_s, t1_s = status.in_source_s(wanted.after_s or 0.0), status.in_source_s(wanted.before_s or math.inf)
        out: Path = options.out or Path(f"{status.id.replace('/', '-')}.mp4")
        clips = clip_of(status, Path(options.memory), out.with_suffix(""), t0_s, t1_s, suffix=out.suffix)
    return status.id, clips


def _of_moment(found: Explanation, moment: str) -> Filter:
    from hippocam.memory.filter import Filter

    if found.entry is None:
        raise HippocamError(f"{moment}: its time was given up; explain {moment} tells why")
    span = found.entry.spans[0]
    return Filter(stream=found.entry.stream, after_s=max(0.0, span.t0_s - _ASIDE_S), before_s=span.t1_s + _ASIDE_S)


def _only_stream(live_folder: LiveFolder) -> str:
    folder = live_folder.path / "look-back"
    found = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if len(found) != 1:
        names = f"give --stream, one of {', '.join(found)}" if found else "it is kept while hippocam live add runs"
        raise HippocamError(f"{folder}: {'several cameras' if found else 'no footage'}; {names}")
    return found[0]
