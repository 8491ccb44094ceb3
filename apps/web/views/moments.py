"""One moment or several: why they are held, pinning, forgetting with what that deletes, taking them as files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter, HTTPException
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from hippocam.apps.api import deletion_json, explain_json
from hippocam.apps.forget_preview import forget_preview
from hippocam.apps.shown.bundle import Cut, csv_of, zip_of
from hippocam.apps.shown.clips import clip_of
from hippocam.apps.web.beside import stream_key, uploads_folder
from hippocam.apps.web.views.site import Json, Sent, Site, number_of, text_of, texts_of
from hippocam.memory.filter import Filter
from hippocam.memory.records import Entry, format_id

# Things and lines that are told of one moment.
_MOST_TOLD = 6
_COLUMNS = ("id", "stream", "title", "t0_s", "t1_s", "looks_like", "pinned", "met")


def moment_routes(site: Site) -> APIRouter:
    """The routes of single moments."""
    router = APIRouter()

    @router.get("/hippocam/explain/{entry:path}")
    def explain(entry: str) -> Json:
        entry_id, found = site.session.explain(entry)
        return dict(explain_json(entry_id, found))

    @router.get("/hippocam/moment/{entry:path}")
    def moment(entry: str) -> Json:
        """What is held of a moment, in words."""
        member, entry_id = site.session.opened.memories().find(entry)
        held = member.memory.entry(entry_id)
        if held is None:
            raise HTTPException(410, "it was given up for the budget")
        shown = held.shown
        visits = member.memory.entities.within(held.stream, shown.t0_s, shown.t1_s)
        notes = member.memory.notes(held.stream, shown.t0_s, shown.t1_s)
        return {
            "looks_like": member.sentences.of_entry(held),
            "things": sorted({visit.label for visit in visits})[:_MOST_TOLD],
            "notes": [note.text for note in notes][:_MOST_TOLD],
            "level": held.level.name.lower(),
            "pinned": held.pinned,
            "met": held.met,
        }

    @router.post("/hippocam/pin")
    def pin(body: Sent) -> Json:
        site.changing()
        return {"pinned": site.session.pin(texts_of(body, "entries"), bool(body.get("pinned", True)))}

    @router.post("/hippocam/forget/preview")
    def preview(body: Sent) -> Json:
        site.changing()
        entries, wanted = texts_of(body, "entries"), _filter_of(body)
        found = forget_preview(site.session.folder, entries, wanted)
        uploads, whole = uploads_folder(site.session.folder), wanted == Filter(stream=wanted.stream)
        files = [
            Path(stream.source).name
            for stream in site.library.streams().values()
            if not entries and whole and wanted.of_stream(stream.id) and Path(stream.source).parent == uploads
        ]
        return {"streams": [one._asdict() for one in found], "files": sorted(set(files))}

    @router.post("/hippocam/forget")
    def forget(body: Sent) -> Json:
        site.changing()
        entries, wanted = texts_of(body, "entries"), _filter_of(body)
        gone = site.session.forget(entries, stream=wanted.stream, after_s=wanted.after_s, before_s=wanted.before_s)
        site.library.status()
        return dict(deletion_json(gone))

    @router.get("/hippocam/export")
    def export(ids: str, form: str = "json") -> Response:
        rows = list(_rows(site, ids.split(",")))
        if form == "csv":
            text = csv_of([{name: row[name] for name in _COLUMNS} for row in rows])
            return _attached(text.encode(), "text/csv", "moments.csv")
        if form == "clips":
            return _zipped(site, rows)
        return _attached(
            json.dumps(rows, ensure_ascii=False, indent=1).encode(), "application/json", "moments.json"
        )

    @router.get("/hippocam/clip/{key}")
    def clip(key: str, t0: float, t1: float) -> Response:
        stream = site.stream(key)
        if not site.library.may_show(stream):
            raise HTTPException(404, "there is no video file to cut from")
        made = tempfile.TemporaryDirectory(prefix="hippocam-clip-")
        memory = site.session.folders[0] if len(site.session.folders) == 1 else None
        path = clip_of(stream, memory, Path(made.name) / "clip", t0, t1)[0].path
        name = f"{Path(stream.id).name}-{t0:.0f}-{t1:.0f}{path.suffix}"
        return FileResponse(path, filename=name, background=BackgroundTask(made.cleanup))

    return router


def _filter_of(body: Json) -> Filter:
    return Filter(
        stream=text_of(body, "stream") or None,
        after_s=number_of(body, "after_s"),
        before_s=number_of(body, "before_s"),
    )


def _rows(site: Site, ids: list[str]) -> Iterator[Json]:
    """Entries as an export has them; those that are no longer held are left out."""
    memories, titles = site.session.opened.memories(), site.titles.every()
    for written in ids:
        member, entry_id = memories.find(written)
        entry: Entry | None = member.memory.entry(entry_id)
        if entry is None:
            continue
        stream = member.prefix + entry.stream
        yield {
            "id": member.prefix + format_id(entry_id),
            "stream": stream,
            "title": titles.get(stream, ""),
            "key": stream_key(stream),
            "t0_s": round(entry.shown.t0_s, 3),
            "t1_s": round(entry.shown.t1_s, 3),
            "looks_like": member.sentences.of_entry(entry),
            "pinned": entry.pinned,
            "met": entry.met,
            "spans": [[round(span.t0_s, 3), round(span.t1_s, 3)] for span in entry.spans],
        }


def _zipped(site: Site, rows: list[Json]) -> Response:
    """Moments with a clip of each, as one file."""
    memory = site.session.folders[0] if len(site.session.folders) == 1 else None
    cuts = [_cut(site, row) for row in rows]
    made = tempfile.TemporaryDirectory(prefix="hippocam-clips-")
    path = Path(made.name) / "moments.zip"
    try:
        zip_of(cuts, memory, path)
    except BaseException:
        made.cleanup()
        raise
    return FileResponse(path, filename=path.name, background=BackgroundTask(made.cleanup))


def _cut(site: Site, row: Json) -> Cut:
    stream = site.stream(row["key"])
    shown = {name: row[name] for name in _COLUMNS}
    return Cut(stream if site.library.may_show(stream) else None, row["t0_s"], row["t1_s"], shown)


def _attached(content: bytes, kind: str, name: str) -> Response:
    return Response(
        content,
        media_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )
