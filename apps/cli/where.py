"""The options of search and ask that say where and when to look."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import parse_time

if TYPE_CHECKING:
    from hippocam.apps.ask.ask import Where
    from hippocam.apps.ask.federation import Federation


def add_times(command: argparse.ArgumentParser) -> None:
    """Add streams and times alone to a command."""
    command.add_argument("--stream", metavar="ID", help="only this stream, or the cameras of this source")
    command.add_argument("--camera", metavar="NAME", help="only cameras of this name")
    command.add_argument(
        "--after", type=_time, metavar="T", help="only after this time: seconds, MM:SS or HH:MM:SS"
    )
    command.add_argument("--before", type=_time, metavar="T", help="only before this time")


def add_where(command: argparse.ArgumentParser) -> None:
    """Add all of them to a command."""
    add_times(command)
    command.add_argument("--place-of", metavar="ENTRY", help="only the place of this entry")
    command.add_argument(
        "--near", type=_circle, metavar="X,Y,R", help="only where the robot was within R metres of X,Y"
    )
    command.add_argument("--at", type=_time, metavar="T", help="as if the stream ended here")
    command.add_argument(
        "--top", type=int, metavar="N", help="moments at most (default 5, or what the reader takes)"
    )
    command.add_argument(
        "--beside", type=int, default=0, metavar="N", help="of the N best also what came just before and after"
    )


def add_memories(command: argparse.ArgumentParser) -> None:
    """Add the choice of several memories to a command."""
    command.add_argument(
        "--memories",
        nargs="+",
        metavar="DIR",
        help="ask several memories of one encoder as one, in place of --memory; quoted patterns are welcome",
    )


def several(options: argparse.Namespace, default: str) -> Federation:
    """Open the memories that were chosen.

    Args:
        options: What was typed.
        default: What --memory is where it was not.

    Raises:
        HippocamError: One memory was chosen too, or one of these cannot be used.
    """
    from hippocam.apps.ask.federation import Federation, find_memories
    from hippocam.apps.settings import load_settings

    if options.memory != default:
        raise HippocamError("give --memory DIR for one memory or --memories DIR ... for several, not both")
    return Federation(find_memories(options.memories), settings=load_settings(options.config))


def where_of(options: argparse.Namespace) -> Where:
    """What was given of them."""
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


def _time(text: str) -> float:
    try:
        return parse_time(text)
    except HippocamError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _circle(text: str) -> tuple[float, float, float]:
    try:
        x, y, radius = map(float, text.split(","))
    except ValueError:
        x = y = radius = math.nan
    if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(radius) and radius > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no X,Y,R: write metres, as --near=1.5,-2,0.5")
    return x, y, radius
