"""The library: what is held of each stream, adding by path, going on, what forgetting would delete."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path

from fastapi import APIRouter, HTTPException

from hippocam.apps.errors import UploadError
from hippocam.apps.web.beside import uploads_folder
from hippocam.apps.web.views.site import Json, Sent, Site, stream_json, text_of
from hippocam.apps.web.work.allowed import allowed
from hippocam.apps.web.work.uploads import UPLOAD_LIMIT_BYTES
from hippocam.apps.web.work.watching import WatchVideo
from hippocam.stream.errors import HippocamError
from hippocam.stream.sources.folders import VIDEO_SUFFIXES

_TITLE_LETTERS, _SUGGESTED = 80, 6


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

    @router.get("/hippocam/suggestions")
    def suggested() -> Json:
        return {"questions": suggestions(site)}

    return router


def suggestions(site: Site) -> list[str]:
    """Questions that what is held can answer: of each stream one, then of each another."""
    try:
        entities, found = site.session.entities(), site.library.status()
    except HippocamError:
        return []
    titles, of_streams = site.titles.every(), []
    for stream in found.streams if found else ():
        labels = Counter(entity.label for entity in entities if entity.stream == stream.id)
        of_streams.append(_asked_of(titles.get(stream.id, stream.id), labels))
    turns = zip_longest(*of_streams)
    return [question for turn in turns for question in turn if question is not None][:_SUGGESTED]


def _asked_of(stream: str, labels: Counter[str]) -> list[str]:
    """What to ask of a stream in which these things were told apart."""
    asked, whole = [], f"What happens in {stream}?"
    if 2 * labels["person"] > labels.total():
        asked.append(f"How many different people were there in {stream}?")
    others = [label for label, _ in labels.most_common() if label != "person"]
    if others:
        asked.append(f"When was a {others[0]} there in {stream}?")
    return [*asked, whole] if labels["person"] else [whole, *asked]
