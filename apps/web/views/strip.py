"""A stretch of one stream for the strip under the player: entries, lanes for words, visits and change, losses."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fastapi import APIRouter

from hippocam.apps.ask.memories import Member
from hippocam.apps.web.views.site import Json, Site
from hippocam.memory.records import Entry, format_id
from hippocam.memory.store.entries import EntryRow

# Entries that are given at most; of more, those that were most new in each part of the stretch.
_MOST = 160
_MOST_NOTES, _MOST_VISITS, _MOST_LOST = 400, 300, 400
_PAGE = 2000


def strip_routes(site: Site) -> APIRouter:
    """The route of the strip."""
    router = APIRouter()

    @router.get("/hippocam/strip/{key}")
    def strip(key: str, t0: float = 0.0, t1: float = math.inf) -> Json:
        member, stream = site.holder(site.stream(key).id)
        entries = [row.entry for row in _rows(member, stream) if row.entry.t0_s <= t1 and row.entry.t1_s >= t0]
        shown = thinned(entries, _MOST)
        return {
            "entries": [_entry(member, entry) for entry in shown],
            "total": len(entries),
            "change": [[round(e.t0_s, 2), round(e.surprise, 3)] for e in thinned(entries, 2 * _MOST)],
            "notes": [
                {"kind": n.kind, "t0": round(n.t0_s, 2), "t1": round(n.t1_s, 2), "text": n.text}
                for n in member.memory.notes(stream, t0, min(t1, 1e12))[:_MOST_NOTES]
            ],
            "visits": _visits(member, stream, t0, t1),
            "lost": _lost(member, stream, t0, t1),
            "looked": [[round(a, 2), round(b, 2)] for a, b in member.memory.store.coverage.of(stream).spans],
        }

    return router


def _rows(member: Member, stream: str) -> list[EntryRow]:
    """All entries of a stream, by time."""
    found: list[EntryRow] = []
    after = (-math.inf, 0)
    while page := member.memory.store.entries.rows(stream, after, _PAGE):
        found += page
        after = (page[-1].entry.t0_s, page[-1].entry.id)
    return found


def thinned(entries: Sequence[Entry], most: int) -> list[Entry]:
    """As many entries as can be shown: of each equal part of the time the ones that were most new, all by time."""
    if len(entries) <= most:
        return list(entries)
    start, end = entries[0].t0_s, max(entries[-1].t0_s, entries[0].t0_s + 1e-6)
    best: dict[int, Entry] = {}
    for entry in entries:
        part = min(most - 1, int(most * (entry.t0_s - start) / (end - start)))
        if part not in best or (entry.pinned, entry.utility) > (best[part].pinned, best[part].utility):
            best[part] = entry
    return [best[part] for part in sorted(best)]


def _entry(member: Member, entry: Entry) -> Json:
    return {
        "id": member.prefix + format_id(entry.id),
        "t0": round(entry.t0_s, 3),
        "t1": round(entry.t1_s, 3),
        "frame": round(entry.frame_s, 3),
        "level": entry.level.name.lower(),
        "pinned": entry.pinned,
        "met": entry.met,
        "uses": entry.uses,
        "labels": list(entry.labels[:3]),
        "spans": [[round(span.t0_s, 2), round(span.t1_s, 2)] for span in entry.spans[1:]],
    }


def _visits(member: Member, stream: str, t0_s: float, t1_s: float) -> list[Json]:
    visits = member.memory.entities.within(stream, t0_s, min(t1_s, 1e12))
    return [
        {
            "id": format_id(visit.id),
            "entity": format_id(visit.entity),
            "label": visit.label,
            "t0": round(visit.t0_s, 2),
            "t1": round(visit.t1_s, 2),
        }
        for visit in sorted(visits, key=lambda visit: -visit.hits)[:_MOST_VISITS]
    ]


def _lost(member: Member, stream: str, t0_s: float, t1_s: float) -> list[Json]:
    """When entries were kept that are no longer held, as far as the journal reaches back."""
    rows = member.memory.store.journal.rows()
    begun = {row.entry_id: row.time_s for row in rows if row.action == "kept" and row.stream == stream}
    gone = {row.entry_id: row.action for row in rows if row.action in ("given up", "merged")}
    lost = [
        {"t": round(time_s, 2), "how": gone[entry_id]}
        for entry_id, time_s in begun.items()
        if entry_id in gone and t0_s <= time_s <= t1_s
    ]
    return lost[-_MOST_LOST:]
