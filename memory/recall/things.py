"""A question's vector into the things whose own pictures come near it, each in the time of its visit.

A thing that is small in its frame hardly moves the vector of that frame. Its portrait, cut out and shown to the
same encoder, is compared beside the frames. A visit that answers speaks for the entry whose picture shows it, or
shares most time with it; where no entry of that time is left it speaks for itself.

Shapes: N portraits, D embedding dimension.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from hippocam.memory.entities import tables
from hippocam.memory.entities.records import Visit
from hippocam.memory.filter import Filter
from hippocam.memory.recall.thing_hit import ThingHit
from hippocam.memory.records import Entry, Level
from hippocam.memory.store.entries import EntryTable
from hippocam.memory.store.lookup import EntryLookup
from hippocam.memory.store.portraits import PortraitKey, PortraitTable
from hippocam.stream.records import FloatArray


class Tables(Protocol):
    """Entries, and things' own pictures, in one database."""

    entries: EntryTable
    lookup: EntryLookup
    portraits: PortraitTable

    @property
    def connection(self) -> sqlite3.Connection:
        """The database."""


def find_things(
    store: Tables,
    asked_D: FloatArray,
    wanted: Filter,
    most: int,
    believed: Callable[[float, int], float],
    labels: Sequence[str] = (),
) -> list[ThingHit]:
    """Find the things that come nearest to a question, the nearest first.

    Args:
        store: The memory's database.
        asked_D: The question, float32, of length 1.
        wanted: Conditions. Things have no place and no pose: where one is asked for, none is found.
        most: How many at most.
        believed: Gives the belief at a cosine when so many portraits were compared.
        labels: Only things that the detector calls one of these; all where none is given.
    """
    if wanted.place is not None or wanted.near is not None:
        return []
    keys, vectors_ND = store.portraits.every()
    if not keys or vectors_ND.shape[1] != len(asked_D):
        return []
    named = _called(store.connection, labels) if labels else None
    passing = [
        index
        for index, key in enumerate(keys)
        if _passes(key, wanted) and (named is None or key.visit_id in named)
    ]
    cosines = (vectors_ND[passing] * asked_D).sum(axis=1, dtype=np.float64)  # not @: its rounding varies with N
    ranked = sorted(range(len(passing)), key=lambda i: (-cosines[i], keys[passing[i]].visit_id))[:most]
    marks = ", ".join("?" * len(ranked))
    ids = [keys[passing[i]].visit_id for i in ranked]
    visits = {visit.id: visit for visit in tables.visits(store.connection, f"id IN ({marks})", ids)}
    return [
        ThingHit(
            visit=visits[keys[passing[i]].visit_id],
            cosine=min(1.0, float(cosines[i])),
            belief=believed(float(cosines[i]), len(passing)),
            known_s=keys[passing[i]].known_s,
        )
        for i in ranked
    ]


def lend(store: Tables, hits: Sequence[ThingHit], wanted: Filter) -> tuple[dict[int, ThingHit], list[ThingHit]]:
    """Give each thing to the entry whose picture shows it, else to the one with which it shares most time.

    Returns:
        The nearest thing of each entry, and the things whose time no entry holds any more.
    """
    lent, alone = dict[int, ThingHit](), list[ThingHit]()
    for hit in hits:
        visit = hit.visit
        found = (
            store.entries.get(entry_id)
            for entry_id in store.lookup.passed_by(visit.stream, visit.t0_s, visit.t1_s)
        )
        entries = [entry for entry in found if entry is not None and wanted.passing_of(entry)]
        if entries:
            best = max(entries, key=lambda entry: (_shows(entry, visit), -entry.id))
            lent.setdefault(best.id, hit)
        else:
            alone.append(hit)
    return lent, alone


def _called(connection: sqlite3.Connection, labels: Sequence[str]) -> set[int]:
    """Ids of the visits of some labels."""
    marks = ", ".join("?" * len(labels))
    return {row[0] for row in connection.execute(f"SELECT id FROM visit WHERE label IN ({marks})", list(labels))}


def _passes(key: PortraitKey, wanted: Filter) -> bool:
    return (
        wanted.of_stream(key.stream)
        and wanted.overlaps(key.t0_s, key.t1_s, key.known_s)
        and (wanted.apart is None or not wanted.apart.holds_time(key.stream, key.t0_s))
    )


def _shows(entry: Entry, visit: Visit) -> tuple[bool, float]:
    """How well an entry shows a visit: whether its picture is of that time and how near, else the shared time."""
    shared_s = max(min(span.t1_s, visit.t1_s) - max(span.t0_s, visit.t0_s) for span in entry.spans)
    if entry.level < Level.VECTORS and visit.t0_s <= entry.frame_s <= visit.t1_s:
        return True, -abs(entry.frame_s - visit.frame_s)
    return False, shared_s
