"""The clock that a question's time words count on: when each stream begins and ends for whoever asks.

A film counts from its start to its end. A live camera goes on until now, also while it is away. The recordings of
an archive are one timeline with gaps: "the last hour" counts from the end of the newest of them, and so does
"yesterday" of an old archive. One that still grows has the days of the calendar: "yesterday" is before today.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hippocam.memory.entities.cut_off import LAG_S
from hippocam.memory.records import StreamStatus
from hippocam.stream.timecode import DATES_FROM_S

# An archive whose newest footage is not older still grows, seconds.
_GROWS_S = 7 * 86400.0


class Timeline(NamedTuple):
    """Between which times time words mean something, in seconds.

    Attributes:
        start_s: Its start.
        end_s: Its end.
        today_s: A time of the day that "today" means; None for the end.
    """

    start_s: float
    end_s: float
    today_s: float | None = None


def clock_s() -> float:
    """Seconds since 1970 by this machine's clock."""
    return time.time()


def start_and_end_s(stream: StreamStatus, at_s: float | None) -> tuple[float, float]:
    """When a stream begins and ends for whoever asks at a time: a film at 0, a live one whenever it began.

    Args:
        stream: A live stream goes on until now, by the clock: its camera may be away since yesterday.
        at_s: The time of asking; None for the end.
    """
    start_s = stream.t0_s if stream.t0_s is not None and stream.t0_s >= DATES_FROM_S else 0.0
    if at_s is not None:
        return start_s, at_s if stream.goes_on else min(at_s, stream.last_look_s)
    return start_s, stream.end_s(clock_s())


def timelines(streams: Sequence[StreamStatus], at_s: float | None) -> dict[str, Timeline]:
    """By the stream's id, the timeline on which each stream's time words count."""
    found = {stream.id: Timeline(*start_and_end_s(stream, at_s)) for stream in streams}
    recorded = [stream.id for stream in streams if stream.recorded_s is not None]
    if recorded:
        goes_on = [stream.id for stream in streams if stream.goes_on]
        end_s = max(found[name].end_s for name in goes_on or recorded)
        now_s = clock_s()
        today_s = now_s if at_s is None and end_s <= now_s < end_s + _GROWS_S else None
        found |= dict.fromkeys(recorded, Timeline(min(found[name].start_s for name in recorded), end_s, today_s))
    return found


def away_since_s(stream: StreamStatus) -> float | None:
    """Since when nobody has looked at a stream that goes on; None where somebody does, as far as can be told."""
    return stream.last_look_s if stream.goes_on and clock_s() > stream.last_look_s + LAG_S else None


def away(streams: Iterable[StreamStatus]) -> dict[str, float]:
    """The streams whose cameras are away, and since when, by their ids."""
    return {stream.id: since_s for stream in streams if (since_s := away_since_s(stream)) is not None}
