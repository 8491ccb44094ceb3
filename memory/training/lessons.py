"""The events of a stream into a bank to learn consolidation from, with views that were held out.

Shapes: P held-out views, D embedding dimension; the rest as in sleep/windows.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.bank.bank import Bank
from hippocam.memory.bank.config import BankConfig
from hippocam.memory.codec import rounded
from hippocam.memory.errors import NoMemoryError, memory_errors
from hippocam.memory.records import Event, Held, Slot, Span, id_of
from hippocam.memory.sleep.probes import answers
from hippocam.memory.sleep.replay import LEAST_MASS, entries_of
from hippocam.memory.sleep.views import recallable
from hippocam.memory.sleep.windows import EntryFeatures
from hippocam.memory.spans import join_spans
from hippocam.memory.store.database import Store
from hippocam.stream.records import FloatArray

# A stream of fewer entries has nothing to merge.
_LEAST_ENTRIES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A bank to learn from.

    Attributes:
        held: The entries of one stream, as they were without a budget.
        entries: These, as the proposer sees them.
        views_PD: Held-out views, float32 [P, D].
        rows_P: The entry of each.
        times_P: Start and end of the event of each.
    """

    held: tuple[Held, ...]
    entries: EntryFeatures
    views_PD: FloatArray
    rows_P: NDArray[np.int64]
    times_P: tuple[tuple[float, float], ...]


def lesson(events: Sequence[Event], config: BankConfig | None = None) -> Lesson:
    """The bank that a stream's events make without a budget, and the views that were held out of them.

    Args:
        events: Events of one stream, as working memory closed them.
        config: When events are the same.
    """
    bank = Bank(len(events[0].key), config)
    held, row_of, views = list[Held](), dict[int, int](), list[tuple[int, FloatArray]]()
    times = list[tuple[float, float]]()
    for event in events:
        key_D = rounded(event.key)
        span = Span(t0_s=event.t0_s, t1_s=event.t1_s, known_s=event.known_s)
        match = bank.match(event.stream, event.place, key_D, event.t0_s)
        entry_id = id_of(event.stream, event.first_seq)
        if match is not None and match.same:
            row = row_of[match.entry_id]
            spans = tuple(join_spans([*held[row].spans, span]))
            held[row] = replace(held[row], spans=spans, met=held[row].met + 1)
            bank.touch(match.entry_id, last_s=event.t1_s, met=1)
        else:
            row = row_of[entry_id] = len(held)
            scene_D, utility = rounded(event.scene), event.utility
            one = Held(
                id=entry_id,
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
                    entry_id=entry_id,
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
    return _lesson(held, views, times)


def lessons_from_memory(folder: Path) -> list[Lesson]:
    """The banks of a memory's streams as it holds them, and the views that it kept to ask with.

    Streams of fewer than 16 entries are left out.

    Args:
        folder: The memory's; it is only read.

    Raises:
        NoMemoryError: There is no memory.
    """
    with memory_errors(folder):
        if not (folder / "memory.db").is_file():
            raise NoMemoryError(folder)
        store = Store(folder / "memory.db", writable=False)
        try:
            with store.snapshot():
                every, probes = store.entries.held(), store.probes.every()
        finally:
            store.close()
    found = []
    for _, group in groupby(every, key=lambda one: one.stream):
        held = list(group)
        if len(held) >= _LEAST_ENTRIES:
            asked = list(answers(probes, held))
            views = [(row, probe.vector_D) for probe, row in asked]
            found.append(_lesson(held, views, [probe.times[0] for probe, _ in asked]))
    return found


def _lesson(
    held: Sequence[Held], views: Sequence[tuple[int, FloatArray]], times: Sequence[tuple[float, float]]
) -> Lesson:
    keys_ND = np.stack([one.key_D for one in held])
    asked_PD = np.array([view for _, view in views], np.float32).reshape(len(views), keys_ND.shape[1])
    rows_P = np.array([row for row, _ in views], np.int64)
    utility_N = np.array([one.utility for one in held])
    found_P = (asked_PD @ keys_ND.T).argmax(axis=1) == rows_P
    mass_N = recallable(utility_N, utility_N[rows_P], found_P)
    held = [replace(one, mass=float(max(mass, LEAST_MASS))) for one, mass in zip(held, mass_N, strict=True)]
    return Lesson(
        held=tuple(held), entries=entries_of(held), views_PD=asked_PD, rows_P=rows_P, times_P=tuple(times)
    )
