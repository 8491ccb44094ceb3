"""What stands beside a moment in time: context, believed less than the moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from hippocam.memory.filter import Filter
from hippocam.memory.recall.query import Candidate, Query, order
from hippocam.memory.records import Entry, Span
from hippocam.memory.store.entries import EntryTable
from hippocam.memory.store.lookup import EntryLookup

# Belief of a neighbour in time, as a share of that of the moment that it stands beside.
_BESIDE = 0.5
# The longest pause between a moment and its neighbour, in seconds.
_BESIDE_GAP_S = 5.0


class Tables(Protocol):
    """Entries, in one database."""

    entries: EntryTable
    lookup: EntryLookup


def with_neighbours(store: Tables, best: list[Candidate], query: Query, wanted: Filter) -> list[Candidate]:
    """Add the neighbours of the first `beside` candidates, each believed less than the one it stands beside."""
    known = {candidate.entry.id for candidate in best}
    found = list(best)
    for anchor in best[: query.beside]:
        neighbours = _next_to(store, anchor, wanted) if query.far else _close_to(store, anchor, wanted)
        for entry, spans in neighbours:
            if entry.id in known:
                continue
            known.add(entry.id)
            found.append(
                Candidate(
                    entry=entry,
                    score=_BESIDE * anchor.score,
                    seen=0.0,
                    cosine=0.0,
                    words=(),
                    spans=spans,
                    beside=anchor.entry.id,
                )
            )
    return sorted(found, key=order)


def _close_to(store: Tables, anchor: Candidate, wanted: Filter) -> Iterator[tuple[Entry, tuple[Span, ...]]]:
    """The entries that stand beside a candidate within a few seconds."""
    span = anchor.cited
    for entry_id in store.lookup.beside(anchor.entry.stream, span.t0_s, span.t1_s, _BESIDE_GAP_S):
        entry = store.entries.get(entry_id)
        if entry is not None and (spans := wanted.passing_of(entry)):
            yield entry, spans


def _next_to(store: Tables, anchor: Candidate, wanted: Filter) -> Iterator[tuple[Entry, tuple[Span, ...]]]:
    """The nearest entry on each side of a candidate in its stream (it may be the same), with the spans nearest."""
    found = dict[int, tuple[Entry, tuple[Span, ...]]]()
    for side in store.lookup.around(anchor.entry.stream, anchor.cited.t0_s, anchor.cited.t1_s):
        for entry_id, near in side:
            entry = store.entries.get(entry_id)
            if entry is not None and near in wanted.passing_of(entry):
                _, others = found.get(entry_id, (entry, ()))
                found[entry_id] = (entry, (*others, near))
                break
    yield from found.values()
