"""Where and when to look: the conditions that come with a question, checked, and as the memory's `Filter`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypedDict

from hippocam.memory.filter import Filter
from hippocam.memory.records import StreamStatus
from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import DATES_FROM_S, clock_said

# Moments that are given where nobody says how many.
TOP = 5


class Where(TypedDict, total=False):
    """Where and when to look, and how much to give back; what is left out or None is no condition.

    Attributes:
        stream: Only this stream, or the cameras of this source.
        camera: Only cameras of this name: what follows the last "/" of a stream's name.
        place_of: Only the place of this entry, in its stream: its id, or the beginning of it.
        near: Only within a radius of a point: x, y, radius in metres, against the robot's pose at the picture.
        after_s: Only moments that end after this time.
        before_s: Only moments that begin before this time.
        at_s: As if the streams ended here: nothing later is used.
        top: Moments at most, 1 or more; None for 5, or what the reader takes.
        beside: How many of the best bring their neighbours in time with them, in addition to `top`.
        far: Whether such a neighbour may be any time away; else a few seconds at most.
    """

    stream: str | None
    camera: str | None
    place_of: str | None
    near: tuple[float, float, float] | None
    after_s: float | None
    before_s: float | None
    at_s: float | None
    top: int | None
    beside: int
    far: bool


def conditions(where: Where) -> dict[str, Any]:
    """The conditions that the memory's `Filter` also has, by its names; `place_of` must be looked up."""
    return {field.name: where.get(field.name) for field in fields(Filter)}


def filter_of(where: Where) -> Filter:
    """These conditions as a `Filter`."""
    return Filter(**conditions(where))


def narrowed(where: Where, span: Filter) -> Where | None:
    """Add a stream and a time to conditions; None where nothing meets both."""
    stream = where.get("stream")
    if span.stream is not None and stream is not None and not filter_of(where).of_stream(span.stream):
        return None
    after = [time_s for time_s in (where.get("after_s"), span.after_s) if time_s is not None]
    before = [time_s for time_s in (where.get("before_s"), span.before_s) if time_s is not None]
    return {
        **where,
        "stream": span.stream or stream,
        "after_s": max(after, default=None),
        "before_s": min(before, default=None),
    }


def check_stream(stream: str, held: Sequence[StreamStatus]) -> None:
    """Refuse, with HippocamError, a name that no stream and no source has."""
    known = [status.id for status in held]
    if not any(k == stream or k.startswith(stream + "/") for k in known):
        raise HippocamError(f"stream {stream!r} is not in this memory; it holds {', '.join(known) or 'none'}")


def check_recalled(stream: str, held: Sequence[StreamStatus]) -> None:
    """Refuse, with HippocamError, a name of which all is in quarantine: it would seem that nothing was seen."""
    named = [status for status in held if Filter(stream=stream).of_stream(status.id)]
    if all(status.quarantined == "all" for status in named):
        raise HippocamError(f"stream {stream!r} is in quarantine: nothing of it is recalled until it is released")


def check_camera(camera: str, held: Sequence[StreamStatus]) -> None:
    """Refuse, with HippocamError, a name that no camera has."""
    known = sorted({status.id.rpartition("/")[2] for status in held})
    if camera not in known:
        raise HippocamError(f"camera {camera!r} is not in this memory; it holds {', '.join(known) or 'none'}")


def check_clock(wanted: Filter, held: Sequence[StreamStatus], *, dates: bool = False) -> None:
    """Refuse, with HippocamError, a time without a date for streams whose times are dates.

    Args:
        wanted: Which streams, and the times.
        held: What the memory holds.
        dates: Refuse a date for streams that count from their start as well: "before" it would be all of them.
    """
    times = [time_s for time_s in (wanted.after_s, wanted.before_s, wanted.at_s) if time_s is not None]
    for stream in held:
        end_s = max(stream.duration_s, stream.t1_s or 0.0)
        if not times or not end_s or not wanted.of_stream(stream.id):
            continue
        if end_s >= DATES_FROM_S and min(times) < DATES_FROM_S:
            raise HippocamError(clock_said(stream.id, min(times)))
        if end_s < DATES_FROM_S <= max(times) and dates:
            raise HippocamError(clock_said(stream.id, max(times)))
