"""Recall against age: how much of what was watched a memory still finds, by how long ago it was.

Two things are lost with age: times of which nothing is held any more, and views that find another moment than
their own. What is held is asked as sleep asks it (sleep/probes.py): with views that were held out of events, and
with drawn ones. The share that is found is multiplied by the share of the watched time that is held.

Shapes: Q probes, B stretches of age.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.asof.coverage import Coverage
from hippocam.memory.records import Held, Span
from hippocam.memory.sleep.probes import with_drawn
from hippocam.memory.sleep.replay import FIRST, Replay, Replica
from hippocam.memory.spans import union_of
from hippocam.memory.store.database import Store
from hippocam.memory.store.probes import Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """What is found of a stretch of age.

    Attributes:
        from_s: Where it begins, seconds before the end of its stream.
        to_s: Where it ends.
        watched_s: Seconds of all streams that were watched at this age.
        held: Share of them of which an entry still tells, 0 to 1.
        found: Share of all views of that time that find their moment, by how many first answers count; None where
            no view was asked.
    """

    from_s: float
    to_s: float
    watched_s: float
    held: float
    found: Mapping[int, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What a memory holds and was asked with.

    Attributes:
        held: Entries with vectors.
        coverages: When each stream was looked at.
        probes: Views with their answers, all of which were held when they were drawn.
    """

    held: Sequence[Held]
    coverages: Mapping[str, Coverage]
    probes: Sequence[Probe]

    @classmethod
    def of(cls, store: Store) -> Watched:
        """Read what a memory holds, and draw the views of it: the same ones each time."""
        held = store.entries.held()
        fixed = [probe for probe in store.probes.every() if probe.kind == "view"]
        probes = with_drawn(held, fixed, store.tombstones.originals(), seed=0)
        return cls(held=held, coverages=store.coverage.every(), probes=probes)

    @property
    def oldest_s(self) -> float:
        """The greatest age, seconds before the end of its stream; 0 where nothing was watched."""
        return max((_end_s(own) - own.runs[0].t0_s for own in self.coverages.values() if own.runs), default=0.0)


def by_age(watched: Watched, left: Sequence[Held], edges_s: Sequence[float]) -> list[Age]:
    """Tell how much is found of each stretch of age.

    Args:
        watched: What the memory holds now.
        left: What would be left of it: all of it for what is found now.
        edges_s: B + 1 ages, rising: seconds before the end of a stream.
    """
    ends_s = {stream: _end_s(own) for stream, own in watched.coverages.items() if own.runs}
    found = _found(watched.probes, left)
    age_Q = np.array([ends_s.get(p.stream, np.inf) - p.times[0][0] for p in watched.probes], np.float64)
    spans = _spans_of(watched.held)
    told = []
    for from_s, to_s in pairwise(edges_s):
        seen_s, held_s = 0.0, 0.0
        for stream, end_s in ends_s.items():
            runs = watched.coverages[stream].within(end_s - to_s, end_s - from_s).runs
            seen_s += sum(run.t1_s - run.t0_s for run in runs)
            held_s += sum(_overlap_s(spans.get(stream, ()), run.t0_s, run.t1_s) for run in runs)
        share = float(held_s / seen_s) if seen_s > 0 else 0.0
        chosen = (age_Q >= from_s) & (age_Q < to_s if to_s < edges_s[-1] else age_Q <= to_s)
        told.append(
            Age(
                from_s=float(from_s),
                to_s=float(to_s),
                watched_s=seen_s,
                held=share,
                found={first: share * float(hits[chosen].mean()) for first, hits in found.items()}
                if chosen.any()
                else None,
            )
        )
    return told


def _found(probes: Sequence[Probe], left: Sequence[Held]) -> dict[int, NDArray[np.bool_]]:
    """Which probes find their answer in what is left; none of those of which nothing is left."""
    replay = Replay(Replica(left), probes)
    row = {id(probe): index for index, probe in enumerate(replay.probes)}
    asked = [row.get(id(probe), -1) for probe in probes]
    return {
        first: np.array([index >= 0 and bool(replay.found[first][index]) for index in asked], bool)
        for first in FIRST
    }


def _end_s(coverage: Coverage) -> float:
    return coverage.last_s or 0.0


def _spans_of(held: Sequence[Held]) -> dict[str, list[Span]]:
    """The times of each stream of which an entry tells."""
    spans: dict[str, list[Span]] = {}
    for one in held:
        spans.setdefault(one.stream, []).extend(one.spans)
    return {stream: union_of(own) for stream, own in spans.items()}


def _overlap_s(spans: Sequence[Span], t0_s: float, t1_s: float) -> float:
    """Seconds of a stretch that some spans, apart from each other, cover."""
    return sum(max(0.0, min(span.t1_s, t1_s) - max(span.t0_s, t0_s)) for span in spans)
