"""The memory as a picture: bytes by stream and by level, what came and went, and sleep."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from hippocam.apps.journal import sentence
from hippocam.apps.shown.overhead import overhead
from hippocam.apps.shown.overhead_picture import draw
from hippocam.apps.web.views.site import Json, Sent, Site, number_of, text_of
from hippocam.apps.web.work.watching import SleepNow
from hippocam.memory.records import Level, format_id
from hippocam.memory.store.journal import JournalRow
from hippocam.models.readers.reading import SEEN_FROM

_BINS, _JOURNAL = 48, 80
# About what the row of an entry takes beside its picture, its vectors and its words.
_ROW_BYTES = 420
_WHOLE, _SIGNS = 2, 0.25  # vectors an entry has, and the part of them that signs take
_KEPT = ("kept", "imported")
_LOST = {"given up": "given up", "merged": "merged", "its picture was removed": "given up"}
_DEMOTED = (
    "smaller picture", "no picture", "its picture was changed", "signs only", "outline only",
    "short outline only", "words only",
)  # fmt: skip


def tier_routes(site: Site) -> APIRouter:
    """The routes of the memory's view."""
    router = APIRouter()

    @router.get("/hippocam/memory")
    def memory() -> Json:
        status = site.session.status()
        journal = [row for member in _members(site) for row in member.memory.store.journal.rows()]
        weights = _weights(site)
        footage_s = sum(_footage_s(stream.t0_s, stream.duration_s) for stream in status.streams)
        return {
            "bytes": status.bytes,
            "budget_bytes": status.budget_bytes,
            "footage_s": footage_s,
            "tiers": [
                {"name": tier.name, "entries": tier.entries, "bytes": tier.bytes, "where": tier.where}
                for tier in status.tiers
            ],
            "streams": [
                {
                    "id": stream.id,
                    "bytes": stream.entry_bytes,
                    "entries": stream.entries,
                    "events": stream.events,
                    "evicted": stream.evicted,
                }
                for stream in status.streams
            ],
            "levels": _levels(weights),
            "times": _times(weights),
            "happened": dict(Counter(row.action for row in journal)),
            "slept": sum(member.memory.store.tombstones.newest() > 0 for member in _members(site)),
            "overhead": max(0, status.bytes - sum(weight["bytes"] for weight in weights)),
        }

    @router.get("/hippocam/memory/overhead")
    def from_above(find: str = "") -> Response:
        """Where robots were, and what they saw there, as a PNG; no content where no position is known."""
        session = site.session
        found = [moment for moment in session.search(find, top=8) if moment.score >= SEEN_FROM] if find else []
        seen = overhead(_members(site), session.entities(), found)
        if seen is None:
            return Response(status_code=204)
        return Response(draw(seen, title=find), media_type="image/png", headers={"Cache-Control": "no-store"})

    @router.get("/hippocam/memory/journal")
    def journal(kind: str = "", stream: str = "") -> Json:
        rows = [
            (member.prefix, row)
            for member in _members(site)
            for row in member.memory.store.journal.rows()
            if (not stream or member.prefix + row.stream == stream) and _is_of(row, kind)
        ]
        newest = sorted(rows, key=lambda pair: -pair[1].id)[:_JOURNAL]
        return {"rows": [_row(prefix, row) for prefix, row in newest], "total": len(rows)}

    @router.post("/hippocam/memory/sleep")
    def sleep(body: Sent) -> Json:
        work = SleepNow(site.session, number_of(body, "target"))
        return {"job": site.changing().add(work, visitor=text_of(body, "visitor"))}

    @router.post("/hippocam/memory/wake")
    def wake() -> Json:
        site.changing()
        return {"back": site.session.wake()}

    return router


def _members(site: Site) -> Sequence[Any]:
    return site.session.opened.memories().members


def _footage_s(t0_s: float | None, end_s: float) -> float:
    """How long a stream was watched: a camera's times count from 1970, a recording's from its start."""
    return max(0.0, end_s - (t0_s or 0.0))


def _weights(site: Site) -> list[Json]:
    """What each entry takes, about."""
    weights = []
    for member in _members(site):
        dim = spec[1].dim if (spec := member.memory.encoder()) else 0
        for slot in member.memory.store.entries.slots():
            vectors = {Level.WORDS: 0.0, Level.SIGNS: _SIGNS}.get(slot.level, float(_WHOLE)) * dim
            weights.append(
                {
                    "stream": member.prefix + slot.stream,
                    "last_s": slot.last_s,
                    "level": slot.level,
                    "bytes": int(slot.jpeg_bytes + vectors + slot.words_bytes + _ROW_BYTES),
                }
            )
    return weights


def _levels(weights: Sequence[Json]) -> list[Json]:
    counts = Counter(weight["level"] for weight in weights)
    sizes: dict[Level, int] = defaultdict(int)
    for weight in weights:
        sizes[weight["level"]] += weight["bytes"]
    return [{"name": level.name.lower(), "entries": counts[level], "bytes": sizes[level]} for level in Level]


def _times(weights: Sequence[Json]) -> list[Json]:
    """For each stream the bytes that are held of each part of its time, by level."""
    found: dict[str, list[Json]] = defaultdict(list)
    for weight in weights:
        found[weight["stream"]].append(weight)
    told = []
    for stream, own in found.items():
        start, end = min(weight["last_s"] for weight in own), max(weight["last_s"] for weight in own)
        bins = [[0] * len(Level) for _ in range(_BINS)]
        for weight in own:
            part = int(_BINS * (weight["last_s"] - start) / max(end - start, 1e-6))
            bins[min(part, _BINS - 1)][weight["level"]] += weight["bytes"]
        told.append({"stream": stream, "t0": start, "t1": end, "bins": bins})
    return told


def _is_of(row: JournalRow, kind: str) -> bool:
    """Whether a row of the journal is of a kind: kept, demoted, merged, given up; any where none is named."""
    action = row.action
    if action == "forgotten":
        return False
    return {
        "": True,
        "kept": action in _KEPT,
        "demoted": action in _DEMOTED,
        "merged": action == "merged",
        "given up": _LOST.get(action) == "given up",
        "met again": action in ("met again", "seen again"),
    }.get(kind, False)


def _row(prefix: str, row: JournalRow) -> Json:
    return {
        "entry": prefix + format_id(row.entry_id),
        "stream": prefix + row.stream,
        "t": round(row.time_s, 2),
        "action": row.action,
        "text": sentence(row, row.entry_id),
    }
