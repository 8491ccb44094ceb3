"""Moments that look like a picture: the scenes of all entries compared with one vector.

A belief is calibrated for words against pictures, so what comes of it is a likeness and no belief.

Shapes: N entries, D embedding dimension.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from hippocam.apps.ask.evidence import evidence_of
from hippocam.apps.ask.memories import Member, Memories
from hippocam.apps.ask.where import filter_of
from hippocam.memory.filter import Filter
from hippocam.memory.recall.query import Candidate, Query
from hippocam.memory.records import Evidence
from hippocam.stream.records import FloatArray

_BLOCK = 4096


def scene_of(memories: Memories, entry: str) -> FloatArray | None:
    """float32 [D], what an entry shows in all; None where it has no vectors any more.

    Raises:
        HippocamError: The id fits no entry or several.
    """
    member, entry_id = memories.find(entry)
    if not member.memory.store.entries.ids([entry_id]):
        return None
    return np.asarray(member.memory.store.entries.vectors([entry_id])[1][0])


def similar(
    memories: Memories, scene_D: FloatArray, *, streams: Sequence[str] | None = None, top: int = 60
) -> tuple[Evidence, ...]:
    """The entries whose scenes are nearest to a vector, the nearest first; `score` is the cosine.

    Args:
        memories: Where to look.
        scene_D: float32 [D], a picture's vector.
        streams: Only in these streams, by their whole names.
        top: How many at most.
    """
    unit_D = scene_D / max(float(np.linalg.norm(scene_D)), 1e-9)
    best = list[tuple[float, Member, int]]()
    for member, own in memories.meant({"streams": streams or None}):
        near = heapq.nlargest(top, _cosines(member, unit_D, filter_of(own)))
        best += [(cosine, member, entry_id) for cosine, entry_id in near]
    best.sort(key=lambda found: (-found[0], found[2]))
    moments = (_moment(member, entry_id, cosine) for cosine, member, entry_id in best[:top])
    return tuple(moment for moment in moments if moment is not None)


def _cosines(member: Member, unit_D: FloatArray, wanted: Filter) -> Iterator[tuple[float, int]]:
    """The cosine of each entry's scene with a vector, with the entry's id."""
    store = member.memory.store
    wanted = replace(wanted, apart=store.provenance.quarantine() or None)
    held = sorted(store.entries.ids(store.lookup.select(wanted)))
    for begin in range(0, len(held), _BLOCK):
        yield from _of_block(member, held[begin : begin + _BLOCK], unit_D)


def _of_block(member: Member, entry_ids: Sequence[int], unit_D: FloatArray) -> Iterator[tuple[float, int]]:
    _, scenes_ND = member.memory.store.entries.vectors(entry_ids)
    lengths_N = np.maximum(np.linalg.norm(scenes_ND, axis=1), 1e-9)
    cosines_N = scenes_ND @ unit_D / lengths_N
    return zip(cosines_N.tolist(), entry_ids, strict=True)


def _moment(member: Member, entry_id: int, cosine: float) -> Evidence | None:
    entry = member.memory.entry(entry_id)
    if entry is None:
        return None
    found = Candidate(entry=entry, score=cosine, seen=cosine, cosine=cosine, words=(), spans=entry.spans)
    query = Query(text="", vector=np.zeros(0, np.float32))
    return replace(evidence_of(member, query, [found])[0], why=f"looks alike: cosine {cosine:.2f}", recorded=True)
