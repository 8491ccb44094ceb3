"""What happened before the cameras, to be looked through: alerts and visits, what nobody has reviewed first.

A visit and the alerts that it fired are one item.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException
from starlette.responses import FileResponse, Response

from hippocam.apps.live.folder import LiveFolder, newest_lines
from hippocam.apps.web.beside import stream_key
from hippocam.apps.web.reviewed import Reviewed
from hippocam.apps.web.views.site import Json, Sent, Site, texts_of
from hippocam.memory.entities.records import Visit
from hippocam.memory.records import format_id
from hippocam.stream.errors import HippocamError
from hippocam.stream.timecode import DATES_FROM_S

# Items that are given at most, and alerts that are read.
_MOST, _ALERTS = 60, 400
# How far from a visit's times an alert may be that it fired, seconds.
_NEAR_S = 2.0
_PICTURE = re.compile(r"[\w.-]+\.jpg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something to review.

    Attributes:
        ids: Those of the visit and of its alerts; it is reviewed when all of them are.
        stream: Where it was.
        t0_s: When it began, seconds since 1970.
        t1_s: When it ended; None where it goes on.
        label: What was there; "" where no detector says so.
        alerts: The alerts, as they are logged.
        visit: The visit; None of an alert alone.
    """

    ids: tuple[str, ...]
    stream: str
    t0_s: float
    t1_s: float | None
    label: str
    alerts: tuple[Mapping[str, Any], ...] = ()
    visit: Visit | None = None


def review_routes(site: Site) -> APIRouter:
    """The routes of what is to be reviewed."""
    router, folder = APIRouter(), LiveFolder(site.session.folders[0])
    reviewed = Reviewed(site.session.folders[0])

    @router.get("/hippocam/review")
    def review(kind: str = "", every: bool = False) -> Json:
        marked, found = reviewed.ids(), _items(site, folder)
        of_kind = [item for item in found if _is_of(item, kind)]
        waiting = [item for item in of_kind if not marked.issuperset(item.ids)]
        done = [item for item in of_kind if marked.issuperset(item.ids)] if every else []
        shown = (_newest_first(waiting) + _newest_first(done))[:_MOST]
        return {
            "items": [_shown(site, item) | {"reviewed": marked.issuperset(item.ids)} for item in shown],
            "waiting": len(waiting),
            "total": len(of_kind),
        }

    @router.post("/hippocam/review")
    def mark(body: Sent) -> Json:
        """Mark items as reviewed, or no longer; all of them where none is named."""
        site.changing()
        known = {own for item in _items(site, folder) for own in item.ids}
        ids = known if body.get("all") else texts_of(body, "ids")
        reviewed.mark(ids, bool(body.get("reviewed", True)), known=known)
        return {"marked": len(known.intersection(ids))}

    @router.get("/hippocam/alert-picture/{name}", response_model=None)
    def alert_picture(name: str) -> Response:
        path = folder.alert_pictures / name
        if not _PICTURE.fullmatch(name) or not path.is_file():
            raise HTTPException(404, "no such picture")
        return FileResponse(path, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    return router


def _items(site: Site, folder: LiveFolder) -> list[Item]:
    """All that can be reviewed: what cameras saw, whose times are dates."""
    try:
        entities = site.session.entities()
    except HippocamError:  # nothing was watched yet
        entities = ()
    visits = [visit for entity in entities for visit in entity.visits if visit.t0_s >= DATES_FROM_S]
    return joined(visits, newest_lines(folder.alerts, _ALERTS))


def joined(visits: Sequence[Visit], alerts: Sequence[Mapping[str, Any]]) -> list[Item]:
    """Visits with the alerts that they fired, and the alerts that none of them did."""
    fired = dict[int, list[Mapping[str, Any]]]()
    alone = []
    for alert in alerts:
        visit = next((visit for visit in visits if _fired(visit, alert)), None)
        if visit is None:
            alone.append(alert)
        else:
            fired.setdefault(visit.id, []).append(alert)
    return [*(_of_visit(visit, fired.get(visit.id, [])) for visit in visits), *map(_of_alert, alone)]


def _fired(visit: Visit, alert: Mapping[str, Any]) -> bool:
    """Whether a visit fired an alert."""
    same = (visit.stream, visit.label) == (alert.get("stream"), alert.get("label"))
    return same and visit.t0_s - _NEAR_S <= float(alert.get("time_s", 0.0)) <= visit.t1_s + _NEAR_S


def _of_visit(visit: Visit, alerts: Sequence[Mapping[str, Any]]) -> Item:
    return Item(
        ids=(format_id(visit.id), *map(_alert_id, alerts)),
        stream=visit.stream,
        t0_s=visit.t0_s,
        t1_s=None if visit.gone_s is None else visit.t1_s,
        label=visit.label,
        alerts=tuple(alerts),
        visit=visit,
    )


def _of_alert(alert: Mapping[str, Any]) -> Item:
    time_s, label = float(alert.get("time_s", 0.0)), str(alert.get("label") or "")
    stream = str(alert.get("stream"))
    return Item(ids=(_alert_id(alert),), stream=stream, t0_s=time_s, t1_s=time_s, label=label, alerts=(alert,))


def _alert_id(alert: Mapping[str, Any]) -> str:
    return (
        f"alert-{stream_key(str(alert.get('stream')))}-{float(alert.get('time_s', 0.0)):.3f}-{alert.get('text')}"
    )


def _is_of(item: Item, kind: str) -> bool:
    """Whether an item is of a kind: alerts, people, things; any where none is named."""
    return {
        "": True,
        "alerts": bool(item.alerts),
        "people": item.label == "person",
        "things": item.label not in ("", "person"),
    }.get(kind, False)


def _newest_first(items: Sequence[Item]) -> list[Item]:
    return sorted(items, key=lambda item: -item.t0_s)


def _shown(site: Site, item: Item) -> Json:
    """An item as the page shows it, with a picture of it."""
    picture = next((Path(str(alert["image"])).name for alert in item.alerts if alert.get("image")), "")
    entry = None
    if not picture and item.visit is not None:
        entry = site.session.entry_at(item.stream, item.visit.frame_s, (item.visit.t0_s, item.visit.t1_s))
    return {
        "ids": item.ids,
        "stream": item.stream,
        "t0_s": round(item.t0_s, 3),
        "t1_s": None if item.t1_s is None else round(item.t1_s, 3),
        "label": item.label,
        "alerts": sorted({str(alert.get("text")) for alert in item.alerts}),
        "alert_picture": picture,
        "picture": entry or "",
    }
