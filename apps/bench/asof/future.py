"""Whether what is told as of a moment is what was known then: a memory that saw the rest beside one that did not.

After each look what is known is noted; when all has been seen, moments are drawn, and what is told as of each is
compared with what had been noted by the last look before it.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from contextlib import closing

import numpy as np

from hippocam.apps.bench.asof.truth import Footage
from hippocam.memory.asof.coverage import Coverage, Run
from hippocam.memory.asof.lookup import stays_of
from hippocam.memory.asof.whereabouts import Stay, Whereabouts, whereabouts
from hippocam.memory.entities import tables
from hippocam.memory.entities.bank import EntityMemory
from hippocam.memory.entities.records import Visit, as_of


def future_uses(footage: Footage, queries: int, seed: int) -> int:
    """How often what is told as of a moment is not what was known by the last look before it.

    Args:
        footage: What is seen, look by look.
        queries: How many moments, each asked for one thing.
        seed: Of the moments.
    """
    labels = [label for label in footage.shown if not label.startswith('"')]
    noted = _noted(footage)
    times = [item.time_s for item in footage.items]
    coverages = [_coverage(footage.stream, times[: index + 1]) for index in range(len(times))]
    rng = np.random.default_rng(seed)
    asked_s = rng.uniform(times[0], footage.end_s + 60.0, queries)
    whole, differing = coverages[-1], 0
    for time_s, chosen in zip(asked_s.tolist(), rng.integers(len(labels), size=queries).tolist(), strict=True):
        index = bisect_right(times, time_s) - 1
        label = labels[chosen]
        then = _stays(noted[index].get(label, []), time_s)
        known = [as_of(visit, time_s) for visit in noted[-1].get(label, []) if visit.known_s <= time_s]
        told = whereabouts(whole, _stays(known, time_s), time_s, time_s)
        expected = whereabouts(coverages[index], then, time_s, time_s)
        differing += _essence(told) != _essence(expected)
    return differing


def _essence(one: Whereabouts) -> tuple[object, ...]:
    """What must not differ. A stay's end lies anywhere between two looks; the look that missed it does not."""
    stays = [(stay.t0_s, stay.gone_s) for stay in (*((one.stay,) if one.stay else ()), *one.earlier)]
    return one.state, stays, one.without_s, one.looked_s is None


def _stays(visits: list[Visit], until_s: float) -> list[Stay]:
    return [stay for visit in visits for stay in stays_of(visit, until_s)]


def _noted(footage: Footage) -> list[dict[str, list[Visit]]]:
    """What is known of visits after each look, by label."""
    noted = list[dict[str, list[Visit]]]()
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        tables.create(db)
        things = EntityMemory(db)
        for item in footage.items:
            things.push(item)
            things.write(item.stream)
            known = dict[str, list[Visit]]()
            for entity in things.entities():
                known.setdefault(entity.label, []).extend(entity.visits)
            noted.append(known)
    return noted


def _coverage(stream: str, times: list[float]) -> Coverage:
    """When somebody looked, by the looks alone."""
    runs = [Run(stream, times[0], times[0], 0.0, 1, ())]
    for time_s in times[1:]:
        last = runs[-1]
        if time_s - last.t1_s <= last.pause_s:
            runs[-1] = last._replace(t1_s=time_s, looked_s=time_s - last.t0_s, looks=last.looks + 1)
        else:
            runs.append(Run(stream, time_s, time_s, 0.0, 1, ()))
    return Coverage(stream=stream, runs=tuple(runs))
