"""Stretches of time joined: the spans that one entry keeps of a thing."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hippocam.memory.records import Span

MAX_SPANS = 4


def join_spans(spans: Iterable[Span]) -> list[Span]:
    """The spans that one entry keeps: the first, the latest, and the two in between that are farthest from others.

    Spans that touch or overlap become one; the rest are kept whole or not at all, never averaged.
    """
    joined = union_of(spans)
    while len(joined) > MAX_SPANS:
        middle = range(1, len(joined) - 1)
        alone = [min(joined[i].t0_s - joined[i - 1].t1_s, joined[i + 1].t0_s - joined[i].t1_s) for i in middle]
        del joined[1 + int(np.argmin(alone))]
    return joined


def union_of(spans: Iterable[Span]) -> list[Span]:
    """All times of some spans, in order; those that touch or overlap become one."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.t0_s, s.t1_s)):
        if joined and span.t0_s <= joined[-1].t1_s:
            last = joined[-1]
            joined[-1] = Span(
                t0_s=last.t0_s, t1_s=max(last.t1_s, span.t1_s), known_s=max(last.known_s, span.known_s)
            )
        else:
            joined.append(span)
    return joined
