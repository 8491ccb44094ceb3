"""The events of a stream into a bank to learn consolidation from, with views that were held out.

Shapes: P held-out views, D embedding dimension; the rest as in consolidator.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.bank import Bank, BankConfig, Slot, join_spans
from hippocam.memory.codec import rounded
from hippocam.memory.consolidator import Entries
from hippocam.memory.records import Event, Span, entry_id
from hippocam.memory.replay import LEAST_MASS, Held, entries_of
from hippocam.memory.views import recallable
from hippocam.stream.records import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A bank to learn from.

    Attributes:
        held: The entries of one stream, as they were without a budget.
        entries: The same, as the proposer sees them.
        views_PD: Held-out views, float32 [P, D].
        rows_P: The entry of each.
        times_P: Start and end of the event of each.
    """

    held: tuple[Held, ...]
    entries: Entries
    views_PD: FloatArray
    rows_P: NDArray[np.int64]
    times_P: tuple[tuple[float, float], ...]


def lesson(events: Sequence[Event], config: BankConfig | None = None) -> Lesson:
    """The bank that a stream's events make without a budget, and the views that were held out of them.

    Args:
        events: Of one stream, as working memory closed them.
        config: When events are the same.
    """
    bank = Bank(len(events[0].key), config)
    held, row_of, views = list[Held](), dict[int, int](), list[tuple[int, FloatArray]]()
    times = list[tuple[float, float]]()
    for event in events:
        key_D = rounded(event.key)
        span = Span(t0_s=event.t0_s, t1_s=event.t1_s, known_s=event.known_s)
        match = bank.match(event.stream, event.place, key_D, event.t0_s)
        number = entry_id(event.stream, event.first_seq)
        if match is not None and match.same:
            row = row_of[match.entry]
            spans = tuple(join_spans([*held[row].spans, span]))
            held[row] = replace(held[row], spans=spans, met=held[row].met + 1)
            bank.touch(match.entry, last_s=event.t1_s, met=1)
        else:
            row = row_of[number] = len(held)
            scene_D, utility = rounded(event.scene), event.utility
            one = Held(
                id=number,
                stream=event.stream,
                key_D=key_D,
                scene_D=scene_D,
                spans=(span,),
                utility=utility,
                place=event.place,
                worth=utility,
            )
            held.append(one)
            bank.add(
                Slot(
                    entry=number,
                    stream=event.stream,
                    place=event.place,
                    key_D=key_D,
                    utility=utility,
                    last_s=event.t1_s,
                )
            )
        if event.view is not None:
            views.append((row, event.view))
            times.append((event.t0_s, event.t1_s))
    dim = len(events[0].key)
    keys_ND, asked_PD = np.stack([one.key_D for one in held]), np.array([view for _, view in views], np.float32)
    rows = np.array([row for row, _ in views], np.int64)
    utility = np.array([one.utility for one in held])
    found = (asked_PD.reshape(len(views), dim) @ keys_ND.T).argmax(axis=1) == rows if views else np.zeros(0, bool)
    mass = recallable(utility, utility[rows], found)
    held = [replace(one, mass=float(max(m, LEAST_MASS))) for one, m in zip(held, mass, strict=True)]
    return Lesson(
        held=tuple(held),
        entries=entries_of(held),
        views_PD=asked_PD.reshape(len(views), dim),
        rows_P=rows,
        times_P=tuple(times),
    )
