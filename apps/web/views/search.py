"""Search: moments by words, by another moment or by a picture, and what filters them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request

from hippocam.apps.ask.search import Search
from hippocam.apps.ask.similar import scene_of, similar
from hippocam.apps.ask.where import Where
from hippocam.apps.web.access.limits import PICTURE_SEARCH
from hippocam.apps.web.views.site import Json, Site, moment_json
from hippocam.memory.records import Evidence
from hippocam.stream.errors import HippocamError
from hippocam.stream.sources.pictures.decoding import decode_image
from hippocam.stream.timecode import parse_time

# Moments that are looked through, and that are shown at most.
_MOST, _SHOWN = 240, 60
_PICTURE_PX = 1024


def search_routes(site: Site) -> APIRouter:
    """The routes of the search."""
    router = APIRouter()

    @router.get("/hippocam/search")
    def search(
        text: str = "",
        streams: Annotated[list[str] | None, Query()] = None,
        after: str = "",
        before: str = "",
        words: str = "",
        thing: str = "",
    ) -> Json:
        where: Where = {
            "streams": streams or None,
            "after_s": parse_time(after) if after else None,
            "before_s": parse_time(before) if before else None,
            "top": _MOST,
        }
        if text.strip():
            found: Iterable[Evidence] = site.session.search(text, **where)
        else:
            found = notable(site, where)
        passed = [m for m in found if _said(m, words) and _shows(site, m, thing)]
        return {"moments": [moment_json(moment) for moment in passed[:_SHOWN]], "total": len(passed)}

    @router.get("/hippocam/similar/{entry:path}")
    def like(entry: str, streams: Annotated[list[str] | None, Query()] = None) -> Json:
        memories = site.session.opened.memories()
        scene_D = scene_of(memories, entry)
        if scene_D is None:
            raise HippocamError("its vectors were given up for the budget: nothing is left to compare")
        found = similar(memories, scene_D, streams=streams, top=_SHOWN)
        return {"moments": [moment_json(moment) for moment in found], "total": len(found)}

    @router.post(PICTURE_SEARCH)
    async def by_picture(request: Request) -> Json:
        image = decode_image(await request.body(), _PICTURE_PX)
        if image is None:
            raise HTTPException(400, "this picture cannot be read; send a JPEG or PNG")
        encoder = site.session.opened.reading_encoder()
        found = similar(site.session.opened.memories(), encoder.encode_images([image]).vectors_ND[0], top=_SHOWN)
        return {"moments": [moment_json(moment) for moment in found], "total": len(found)}

    @router.get("/hippocam/kinds")
    def kinds() -> Json:
        """The kinds of things that were told apart, the most frequent first."""
        counts: dict[str, int] = {}
        for entity in site.session.entities():
            counts[entity.label] = counts.get(entity.label, 0) + 1
        return {"kinds": sorted(counts, key=lambda label: (-counts[label], label))}

    return router


def notable(site: Site, where: Where) -> list[Evidence]:
    """What was most new in its stream: what there is to see before anything is typed."""
    opened = site.session.opened
    memories = opened.memories()
    memories.check(where)
    found = Search(memories, opened.reading_encoder()).notable(memories.resolve(where), _MOST)
    return [moment for _, moment in sorted(found, key=lambda pair: -pair[0])]


def _said(moment: Evidence, words: str) -> bool:
    """Whether the notes of a moment hold some words, which may be none."""
    wanted = words.casefold().split()
    said = " ".join([*(note.text for note in moment.notes), moment.text]).casefold()
    return all(word in said for word in wanted)


def _shows(site: Site, moment: Evidence, label: str) -> bool:
    """Whether a kind of thing was there during a moment; any, where none is named."""
    if not label:
        return True
    member, stream = site.holder(moment.stream)
    visits = member.memory.entities.within(stream, moment.t0_s, moment.t1_s)
    return any(visit.label == label for visit in visits)
