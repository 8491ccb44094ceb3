"""Visits that last only because nobody looked on: they end with the looking, and are marked as cut off.

A camera breaks off, a process is killed, a watch ends: what was in sight then is not there for ever. When looking
ended is known from the coverage (memory/asof/), also of memories in which visits were left open.
"""

from __future__ import annotations

import math
from dataclasses import replace

from hippocam.memory.asof.coverage import Coverage
from hippocam.memory.entities.records import Entity, Visit

# How far what is written lags behind what a camera shows: the open event lasts up to 10 s, and waits for a chunk.
LAG_S = 15.0


def ended_with_looking(entity: Entity, coverage: Coverage | None, until_s: float | None) -> Entity:
    """An entity whose open visits end where its stream was looked at no more.

    Args:
        entity: With its visits as they are kept.
        coverage: When its stream was looked at; None where that does not matter.
        until_s: The moment as of which is told; None for the last look.
    """
    if coverage is None:
        return entity
    return replace(entity, visits=tuple(_ended(visit, coverage, until_s) for visit in entity.visits))


def _ended(visit: Visit, coverage: Coverage, until_s: float | None) -> Visit:
    run = coverage.at(visit.t1_s)
    if visit.gone_s is not None or run is None:
        return visit
    until_s = math.inf if until_s is None else until_s
    looked_again = any(visit.t1_s < other.t0_s <= until_s and other.t0_s > run.t1_s for other in coverage.runs)
    over = math.isfinite(until_s) and until_s > run.t1_s + max(run.pause_s, LAG_S)
    return replace(visit, gone_s=visit.t1_s) if looked_again or over else visit
