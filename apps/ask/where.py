"""Where and when to look: the conditions that come with a question, checked, and as the memory's `Filter`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypedDict

from hippocam.memory.filter import Filter
from hippocam.memory.records import StreamStatus
from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import DATES_FROM_S, Clock, clock_said, format_time, on_day

# Conditions that are times; "before" may depend on "after".
_TIMES = ("after_s", "before_s", "at_s")
# Moments that are given where nobody says how many.
TOP = 5


class Where(TypedDict, total=False):
    """Where and when to look, and how much to give back; what is left out or None is no condition.

    Attributes:
        stream: Only this stream, or the cameras of this source.
        streams: Only these streams, or the cameras of these sources.
        camera: Only cameras of this name: what follows the last "/" of a stream's name.
        place_of: Only the place of this entry, in its stream: its id, or the beginning of it.
        near: Only within a radius of a point: x, y, radius in metres, against the robot's pose at the picture.
        after_s: Only moments that end after this time.
        before_s: Only moments that begin before this time.
        at_s: As if the streams ended here: nothing later is used.
        top: Moments at most, 1 or more; None for 5, or what the reader takes.
        beside: How many of the best bring their neighbours in time with them, in addition to `top`.
        in_words: Whether words can alone be the answer, whatever the text says; see Query.
        presupposed: Whether the question takes it that what it names was there; see `supposed`.
        far: Whether such a neighbour may be any time away; else a few seconds at most.
    """

    stream: str | None
    streams: Sequence[str] | None
    camera: str | None
    place_of: str | None
    near: tuple[float, float, float] | None
    after_s: float | None
    before_s: float | None
    at_s: float | None
    top: int | None
    beside: int
    far: bool
    presupposed: bool
    in_words: bool


def conditions(where: Where) -> dict[str, Any]:
    """The conditions that the memory's `Filter` also has, by its names; `place_of` must be looked up."""
    streams = where.get("streams")
    found = {field.name: where.get(field.name) for field in fields(Filter)}
    return found | {"streams": None if streams is None else tuple(streams)}


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


def check_named(wanted: Filter, held: Sequence[StreamStatus]) -> None:
    """Refuse, with HippocamError, a filter's stream or camera that is not in the memory."""
    if wanted.stream is not None:
        check_stream(wanted.stream, held)
    if wanted.camera is not None:
        check_camera(wanted.camera, held)


def on_clock(wanted: Filter, held: Sequence[StreamStatus], *, dates: bool = False) -> Filter:
    """The same filter with dates where streams count in dates: a time of day is that of the last day that has it.

    Args:
        wanted: Which streams, and the times.
        held: What the memory holds.
        dates: Refuse a date for streams that count from their start as well: "before" it would be all of them; and
            an end that is no later than the start.

    Raises:
        HippocamError: A time is on no clock of the streams that are meant, or may be one of either kind.
    """
    times = {name: time_s for name in _TIMES if (time_s := getattr(wanted, name)) is not None}
    ends = {
        stream.id: end_s for stream in held if wanted.of_stream(stream.id) and (end_s := stream.end_s(time.time()))
    }
    dated = {stream: end_s for stream, end_s in ends.items() if end_s >= DATES_FROM_S}
    plain = ends.keys() - dated.keys()
    if dates and plain and (said := max(times.values(), default=0.0)) >= DATES_FROM_S:
        raise HippocamError(clock_said(min(plain), said))
    open_times = {name: time_s for name, time_s in times.items() if time_s < DATES_FROM_S}
    for time_s in open_times.values():
        if plain and not dated and isinstance(time_s, Clock) and time_s.zone is not None:
            raise HippocamError(f"{min(plain)} counts from its start, in no time zone: write MM:SS or HH:MM:SS")
    if not dated or not open_times:
        return _in_order(wanted) if dates else wanted
    camera, latest_s = max(dated.items(), key=lambda each: each[1])
    settled = dict[str, Any]()
    for name, time_s in open_times.items():  # "after" comes before "before"
        if not isinstance(time_s, Clock):
            raise HippocamError(clock_said(camera, time_s))
        after_s = settled.get("after_s", times.get("after_s"))
        settled[name] = _day_time(time_s, latest_s, after_s if name == "before_s" else None)
    if plain:
        name, time_s = next(iter(open_times.items()))
        raise HippocamError(
            f"{format_time(time_s)} in {min(plain)}, or {format_time(settled[name])} in {camera}? "
            "name the stream, or write the date"
        )
    found = replace(wanted, **settled)
    return _in_order(found) if dates else found


def _in_order(wanted: Filter) -> Filter:
    """The same filter.

    Raises:
        HippocamError: No time is after its start and before its end.
    """
    start_s, end_s = wanted.after_s, wanted.before_s
    if start_s is not None and end_s is not None and start_s >= end_s:
        raise HippocamError(f"no time is after {format_time(start_s)} and before {format_time(end_s)}")
    return wanted


def _day_time(clock: Clock, latest_s: float, after_s: float | None) -> float:
    """A time of day as a date: the first after a time, else the last until the end."""
    if after_s is not None and after_s >= DATES_FROM_S:
        today_s = on_day(clock, of_s=after_s)
        return today_s if today_s > after_s else on_day(clock, of_s=after_s, days=1)
    today_s = on_day(clock, of_s=latest_s)
    return today_s if today_s <= latest_s else on_day(clock, of_s=latest_s, days=-1)
