"""Stays and looks into what was true as of a moment: seen, gone, never looked, or not seen while looking.

What is not in a memory may not have been there, or nobody may have looked; what was there may have left since.
Each answer about presence is one of four, and of what is past it says that it is past.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from hippocam.memory.asof.coverage import Coverage, Run
from hippocam.stream.records import Box


class State(StrEnum):
    """Whether something was there, as far as is known."""

    SEEN = "seen"
    GONE = "gone"
    NEVER_LOOKED = "never looked"
    NOT_SEEN = "not seen while looking"


class Stay(NamedTuple):
    """A stretch of time in which something was there.

    Attributes:
        t0_s: When it came.
        t1_s: When it was last there, as far as is known.
        gone_s: The first look that showed its place without it; None while it is in sight.
        box: Where in the picture it was last: left, top, right, bottom as shares; None where that is not known.
    """

    t0_s: float
    t1_s: float
    gone_s: float | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """What is known of something in one stream, as of a moment.

    Attributes:
        stream: Which stream.
        state: Whether it was there.
        t0_s: Start of the time that was asked about.
        t1_s: Its end; the same for a moment.
        stay: The newest stay within it; where it was not there then, the last one before.
        without_s: Where that stay is past, the first look that showed its place without it; None where nobody has
            looked since.
        earlier: The stays before that one, the newest first.
        looked: The stretches of that time in which the stream was looked at, by time; of a moment at which it was,
            all stretches until then.
        looked_s: When it was last looked at before the end of it; None for never.
        rough: Whether there may have been gaps in these stretches.
    """

    stream: str
    state: State
    t0_s: float
    t1_s: float
    stay: Stay | None = None
    without_s: float | None = None
    earlier: tuple[Stay, ...] = ()
    looked: tuple[tuple[float, float], ...] = ()
    looked_s: float | None = None
    rough: bool = False


def whereabouts(
    coverage: Coverage, stays: Sequence[Stay], t0_s: float, t1_s: float, *, sense: str | None = None
) -> Whereabouts:
    """Say what is known of something in a stream, at a moment or in a stretch of time.

    Args:
        coverage: When the stream was looked at.
        stays: When the thing was there, by time, as known at the end of the time asked about.
        t0_s: Start of the time.
        t1_s: Its end, and the moment as of which is told; the same as the start for a moment.
        sense: Which sense must have looked; None for any look at all.
    """
    known = coverage.within(float("-inf"), t1_s)
    runs = [run for run in known.runs if sense is None or run.has(sense) is not False]
    known = Coverage(stream=known.stream, runs=tuple(runs))
    at = known.at(t1_s)
    within = known.within(t0_s, t1_s).runs or ((at,) if at is not None else ())
    past = [_settled(stay, known, t1_s) for stay in stays if stay.t0_s <= t1_s]
    there = [stay for stay in past if t0_s < _in_sight_until_s(stay, at)] if within else []
    chosen = max(there or past, key=lambda stay: (stay.t0_s, stay.t1_s), default=None)
    if there:
        state = State.SEEN
    elif not within:
        state = State.NEVER_LOOKED
    else:
        state = State.NOT_SEEN if chosen is None else State.GONE
    return Whereabouts(
        stream=coverage.stream,
        state=state,
        t0_s=t0_s,
        t1_s=t1_s,
        stay=chosen,
        without_s=None if chosen is None or chosen.gone_s is None or chosen.gone_s > t1_s else chosen.gone_s,
        earlier=tuple(sorted((stay for stay in past if stay is not chosen), key=lambda s: -s.t0_s)),
        looked=tuple((run.t0_s, run.t1_s) for run in (known.runs if within and t0_s == t1_s else within)),
        looked_s=known.last_s,
        rough=any(not run.whole for run in within),
    )


def _in_sight_until_s(stay: Stay, now: Run | None) -> float:
    """Until when a stay lasts, as far as is known: it goes on where the looking goes on that saw it last."""
    if stay.gone_s is not None:
        return stay.gone_s
    return math.inf if now is not None and now.t0_s <= stay.t1_s else math.nextafter(stay.t1_s, math.inf)


def _settled(stay: Stay, coverage: Coverage, until_s: float) -> Stay:
    """A stay that ended with the looking is known to have ended once somebody looked again."""
    if stay.gone_s is not None:
        return stay
    later = (run.t0_s for run in coverage.runs if stay.t1_s < run.t0_s <= until_s)
    return stay._replace(gone_s=min(later, default=None))


def foremost(every: Sequence[Whereabouts]) -> Whereabouts | None:
    """Of several streams the one that answers: where it was seen, else last seen, else looked for."""
    order = (State.SEEN, State.GONE, State.NOT_SEEN, State.NEVER_LOOKED)
    return min(
        every,
        key=lambda one: (
            order.index(one.state),
            -(one.stay.t1_s if one.stay else one.looked_s or 0.0),
            one.stream,
        ),
        default=None,
    )
