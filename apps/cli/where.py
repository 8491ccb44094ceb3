"""The options that say in which memories, where and when to look."""

from __future__ import annotations

import argparse
import glob
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import parse_time

if TYPE_CHECKING:
    from hippocam.apps.ask.where import Where

SENSES = (
    "screen",
    "speech",
    "subtitle",
    "chapter",
    "mark",
)  # as in memory/provenance, which is not imported for --help


def add_provenance(command: argparse.ArgumentParser) -> None:
    """Add the options that say where something came from."""
    command.add_argument("--import", dest="import_id", metavar="ID", help="what came with this import")
    command.add_argument(
        "--sense", choices=SENSES, help="only notes: read, heard, given by the container, or marked by a robot"
    )


def add_times(command: argparse.ArgumentParser) -> None:
    """Add only streams and times to a command."""
    command.add_argument("--stream", metavar="ID", help="only this stream, or the cameras of this source")
    command.add_argument("--camera", metavar="NAME", help="only cameras of this name")
    command.add_argument(
        "--after", type=typed_time, metavar="T", help="only after this time: seconds, MM:SS or HH:MM:SS"
    )
    command.add_argument("--before", type=typed_time, metavar="T", help="only before this time")


def add_where(command: argparse.ArgumentParser) -> None:
    """Add all conditions to a command."""
    add_times(command)
    command.add_argument("--place-of", metavar="ENTRY", help="only the place of this entry")
    command.add_argument(
        "--near", type=_circle, metavar="X,Y,R", help="only where the robot was within R metres of X,Y"
    )
    command.add_argument("--at", type=typed_time, metavar="T", help="as if the stream ended here")
    command.add_argument(
        "--top", type=int, metavar="N", help="moments at most (default 5, or what the reader takes)"
    )
    command.add_argument(
        "--beside", type=int, default=0, metavar="N", help="of the N best also what came just before and after"
    )


_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def add_memories(command: argparse.ArgumentParser) -> None:
    """Let a command be asked of several memories."""
    command.add_argument(
        "--memories",
        nargs="+",
        metavar="DIR",
        help="read several memories of one encoder as one, in place of --memory; quoted patterns are welcome",
    )


def memory_of(options: argparse.Namespace, default: str) -> str | Sequence[Path]:
    """The memory that was chosen, or the memories.

    Args:
        options: What was typed.
        default: What stands for --memory where it was not typed.

    Raises:
        HippocamError: Both were chosen, or a pattern fits no memory.
    """
    memory: str = options.memory
    if not getattr(options, "memories", None):
        return memory
    if memory != default:
        raise HippocamError("give --memory DIR for one memory or --memories DIR ... for several, not both")
    return find_memories(options.memories)


def find_memories(patterns: Sequence[str]) -> list[Path]:
    """Folders of memories that names and quoted patterns ("archive/*") mean.

    A pattern means the folders that hold a memory.

    Raises:
        HippocamError: A pattern fits no memory.
    """
    from hippocam.memory.folder import has_memory

    found = list[Path]()
    for pattern in patterns:
        folders = [Path(pattern).expanduser()]
        if glob.has_magic(pattern) and not folders[0].exists():
            matches = sorted(map(Path, glob.glob(os.path.expanduser(pattern), recursive=True)))
            folders = [path for path in matches if path.is_dir() and has_memory(path)]
            if not folders:
                raise HippocamError(f"--memories {pattern}: fits no memory; quote the pattern, or name folders")
        found += folders
    return found


def where_of(options: argparse.Namespace) -> Where:
    """The conditions that were typed."""
    return {
        "stream": options.stream,
        "camera": options.camera,
        "place_of": options.place_of,
        "near": options.near,
        "after_s": options.after,
        "before_s": options.before,
        "at_s": options.at,
        "top": options.top,
        "beside": options.beside,
    }


def typed_time(text: str) -> float:
    """A time as it is typed, in seconds, as `parse_time` reads it; for argparse."""
    try:
        return parse_time(text)
    except HippocamError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def duration(text: str) -> float:
    """Seconds from "30", "30s", "5m" or "2h"; for argparse."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|min|h|)", text.strip())
    if match is None or not float(match[1]) > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time: write 30s, 5m or 2h")
    return float(match[1]) * _UNITS[match[2]]


def _circle(text: str) -> tuple[float, float, float]:
    try:
        x, y, radius = map(float, text.split(","))
    except ValueError:
        x = y = radius = math.nan
    if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(radius) and radius > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no X,Y,R: write metres, as --near=1.5,-2,0.5")
    return x, y, radius
