"""The library: what is held of each stream, adding by path, going on, what forgetting would delete."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from fastapi import APIRouter, HTTPException

from hippocam.apps.errors import UploadError
from hippocam.apps.web.beside import uploads_folder
from hippocam.apps.web.views.site import Json, Sent, Site, stream_json, text_of
from hippocam.apps.web.work.allowed import allowed
from hippocam.apps.web.work.uploads import UPLOAD_LIMIT_BYTES
from hippocam.apps.web.work.watching import WatchVideo
from hippocam.stream.sources.folders import VIDEO_SUFFIXES

_TITLE_LETTERS = 80


def stream_routes(site: Site) -> APIRouter:
    """The routes of the library."""
    router, titles = APIRouter(), site.titles

    @router.get("/hippocam/streams")
    def streams() -> Json:
        found = site.library.status()
        known = titles.every()
        rows = [] if found is None else [stream_json(site, stream) for stream in found.streams]
        return {
            "streams": [row | {"title": known.get(row["id"], "")} for row in rows],
            "bytes": 0 if found is None else found.bytes,
            "budget_bytes": 0 if found is None else found.budget_bytes,
            "encoder": "" if found is None else found.encoder,
            "memory": ", ".join(folder.name for folder in site.session.folders),
            "several": len(site.session.folders) > 1,
            "may_change": site.may_change,
            "asks": site.asks,
            "roots": [str(root) for root in site.roots],
            "limit_bytes": UPLOAD_LIMIT_BYTES,
            "suffixes": sorted(VIDEO_SUFFIXES),
            "uploads": f"{uploads_folder(site.session.folders[0]).name}/",
        }

    @router.get("/hippocam/stream/{key}")
    def stream(key: str) -> Json:
        view = site.library.view(key)
        if view is None:
            raise HTTPException(404, "not in this memory")
        return asdict(view) | {"title": titles.every().get(view.name, "")}

    @router.post("/hippocam/title/{key}")
    def title(key: str, body: Sent) -> Json:
        site.changing()
        found = site.stream(key)
        text = " ".join(text_of(body, "title").split())[:_TITLE_LETTERS]
        titles.put(found.id, text)
        return {"title": text}

    @router.post("/hippocam/watch")
    def watch(body: Sent) -> Json:
        jobs, visitor = site.changing(), text_of(body, "visitor")
        if key := text_of(body, "stream"):
            source = Path(site.stream(key).source)
            if not site.library.may_show(site.stream(key)) or not source.exists():
                raise UploadError("the file is no longer where it was; add it again")
            return {"jobs": [jobs.add(WatchVideo(site.session, site.library, source), visitor=visitor)]}
        paths = allowed(text_of(body, "path"), site.roots)
        added = [jobs.add(WatchVideo(site.session, site.library, path), visitor=visitor) for path in paths]
        return {"jobs": added}

    return router
