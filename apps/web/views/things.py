"""People and things that were told apart: a card each, and what mends a wrong link."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from hippocam.apps.api import change_json, entity_json
from hippocam.apps.ask.answer.facts import confused, is_sure
from hippocam.apps.ids import parse_id
from hippocam.apps.web.beside import stream_key
from hippocam.apps.web.views.site import Json, Sent, Site, text_of
from hippocam.memory.entities.records import Entity

_MOST = 400
# Times of one frame differ by no more than rounding, seconds.
_SAME_FRAME_S = 0.01


def thing_routes(site: Site) -> APIRouter:
    """The routes of people and things."""
    router = APIRouter()

    @router.get("/hippocam/things")
    def things(stream: str = "", label: str = "") -> Json:
        found = site.session.entities(stream=stream or None, label=label or None)
        doubtful = confused(site.session.entities())
        return {
            "things": [_thing(site, entity, sure=entity.stream not in doubtful) for entity in found[:_MOST]],
            "total": len(found),
            "labels": sorted({entity.label for entity in found}),
            "changes": [change_json(change) for change in _changes(site)],
        }

    @router.post("/hippocam/things/merge")
    def merge(body: Sent) -> Json:
        site.changing()
        into, other = parse_id(text_of(body, "into")), parse_id(text_of(body, "other"))
        return dict(change_json(site.session.merge_entities(into, other)))

    @router.post("/hippocam/things/split")
    def split(body: Sent) -> Json:
        site.changing()
        return dict(change_json(site.session.split_entity(parse_id(text_of(body, "visit")))))

    @router.post("/hippocam/things/undo")
    def undo(body: Sent) -> Json:
        site.changing()
        return dict(change_json(site.session.undo_entities(int(body.get("change") or 0))))

    return router


def _thing(site: Site, entity: Entity, *, sure: bool) -> Json:
    """A thing with a picture that was taken while it was there, and whether its box is where it is in that.

    It is sure where its stream is, and the detector saw one of its visits well and often.
    """
    best = entity.exemplar
    picture = site.session.entry_at(entity.stream, best.frame_s, (best.t0_s, best.t1_s))
    picture_s = None
    if picture is not None:
        member, entry_id = site.session.opened.memories().find(picture)
        entry = member.memory.entry(entry_id)
        picture_s = None if entry is None else entry.frame_s
    return {
        **entity_json(entity),
        "key": stream_key(entity.stream),
        "picture": picture or "",
        "picture_s": picture_s,
        "sure": sure and any(map(is_sure, entity.visits)),
        "framed": picture_s is not None and abs(picture_s - best.frame_s) <= _SAME_FRAME_S,
    }


def _changes(site: Site) -> list[Any]:
    """What people changed last and did not take back, the latest first."""
    if not site.may_change:
        return []
    member = site.session.opened.memories().members[0]
    made = [change for change in member.memory.entities.changes() if change.kind != "link" and not change.undone]
    return made[::-1][:5]
