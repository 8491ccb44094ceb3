"""When a stream was looked at, as runs of looks, and what they say of a time.

A memory that shows nothing of an hour may have looked and seen nothing, or may have been away: only a record of
the looking tells which. It holds runs, not frames, so that an hour of a camera takes one row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

# A pause between looks that still belongs to a run, in usual intervals between its looks, and at least in seconds.
_PAUSES = 2.5
_LEAST_PAUSE_S = 1.0


class Run(NamedTuple):
    """A stretch of a stream's time in which it was looked at again and again.

    Attributes:
        stream: Which stream.
        t0_s: The first look.
        t1_s: The end of the last one.
        looked_s: Seconds of it that were looked at. Less than all where runs were joined for want of room, or
            where an older hippocam kept no record: then there may be gaps in it.
        looks: Frames that were looked at, changed or not.
        by: Ids of the encoder and of each sense, as ("bundled:3", "things efficientdet:1"); empty where that is
            not known.
    """

    stream: str
    t0_s: float
    t1_s: float
    looked_s: float
    looks: int
    by: tuple[str, ...]

    @property
    def pause_s(self) -> float:
        """The longest pause after which a look still goes on with the run; seconds."""
        return max(_LEAST_PAUSE_S, _PAUSES * self.looked_s / self.looks if self.looks else 0.0)

    @property
    def whole(self) -> bool:
        """Whether there is no gap in it."""
        return self.looked_s >= (self.t1_s - self.t0_s) - _LEAST_PAUSE_S

    @property
    def rate(self) -> float | None:
        """Looks a second; None for a single moment, or where it is not known."""
        return self.looks / self.looked_s if self.looked_s > 0 else None

    def has(self, sense: str) -> bool | None:
        """Whether a sense looked too: "things", "screen", "speech"; None where that is not known."""
        return any(name.startswith(f"{sense} ") for name in self.by) if self.by else None

    def goes_on(self, later: Run) -> bool:
        """Whether a later run follows this one at once, by the same encoder and senses."""
        return self.by == later.by and self.t0_s <= later.t0_s <= self.t1_s + self.pause_s

    def joined(self, later: Run) -> Run:
        """This run and a later one as one; a gap between them is not counted as looked at."""
        t1_s = max(self.t1_s, later.t1_s)
        return self._replace(
            t1_s=t1_s,
            looked_s=min(self.looked_s + later.looked_s, t1_s - self.t0_s),
            looks=self.looks + later.looks,
            by=tuple(dict.fromkeys((*self.by, *later.by))),
        )

    def within(self, t0_s: float, t1_s: float) -> Run | None:
        """What of the run lies in a stretch of time, its looks taken as even; None for nothing."""
        start_s, end_s = max(self.t0_s, t0_s), min(self.t1_s, t1_s)
        if start_s > end_s:
            return None
        length_s = self.t1_s - self.t0_s
        share = (end_s - start_s) / length_s if length_s > 0 else 1.0
        return self._replace(
            t0_s=start_s, t1_s=end_s, looked_s=self.looked_s * share, looks=max(1, round(self.looks * share))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """When one stream was looked at.

    Attributes:
        stream: Which stream.
        runs: By time.
    """

    stream: str
    runs: tuple[Run, ...]

    def within(self, t0_s: float, t1_s: float) -> Coverage:
        """What of it lies in a stretch of time; of what came later nothing is left, not even a rate."""
        cut = (run.within(t0_s, t1_s) for run in self.runs)
        return Coverage(stream=self.stream, runs=tuple(run for run in cut if run is not None))

    def at(self, time_s: float) -> Run | None:
        """The run in which a time lies, or which has hardly ended; None where nobody looked then."""
        around = [run for run in self.runs if run.t0_s <= time_s <= run.t1_s]
        if around:
            return around[-1]
        before = [run for run in self.runs if run.t1_s < time_s <= run.t1_s + run.pause_s]
        return max(before, key=lambda run: run.t1_s, default=None)

    @property
    def last_s(self) -> float | None:
        """When it was last looked at; None for never."""
        return max((run.t1_s for run in self.runs), default=None)

    @property
    def spans(self) -> tuple[tuple[float, float], ...]:
        """The stretches of time, by time."""
        return tuple((run.t0_s, run.t1_s) for run in self.runs)

    @property
    def senses(self) -> tuple[str, ...]:
        """The senses that looked at any time, as ("screen", "things"), by name."""
        named = (name for run in self.runs for name in run.by if " " in name)  # an encoder's id has no space
        return tuple(sorted({name.split(" ")[0] for name in named}))


def coarser(runs: Sequence[Run], most: int) -> list[Run]:
    """Join neighbouring runs of the same stream, the closest first, until there are at most so many.

    Every stream keeps one run at least. The largest gaps are the last that are no longer known exactly.

    Args:
        runs: By stream and time.
        most: How many are to be left.
    """
    left = list(runs)
    while len(left) > most:
        gaps = [
            (max(0.0, b.t0_s - a.t1_s), index)
            for index, (a, b) in enumerate(pairwise(left))
            if a.stream == b.stream
        ]
        if not gaps:
            break
        _, index = min(gaps)
        left[index : index + 2] = [left[index].joined(left[index + 1])]
    return left


def without(runs: Iterable[Run], t0_s: float, t1_s: float) -> list[Run]:
    """What is left of runs once a stretch of time was cut out of them."""
    left = list[Run]()
    for run in runs:
        if run.t1_s < t0_s or run.t0_s > t1_s:
            left.append(run)
            continue
        parts = (run.within(run.t0_s, t0_s) if run.t0_s < t0_s else None, run.within(t1_s, run.t1_s))
        left += [part for part in parts if part is not None and (part.t1_s > part.t0_s)]
    return left
