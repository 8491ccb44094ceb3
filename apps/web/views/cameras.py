"""Cameras: how each is, and its newest frame; adding and taking away; standing questions, zones and masks."""

from __future__ import annotations

import base64

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from hippocam.apps.live.endpoint import ask_live
from hippocam.apps.live.folder import LiveFolder, newest_lines
from hippocam.apps.live.standing import AlertConfig
from hippocam.apps.settings import build
from hippocam.apps.web.beside import stream_key
from hippocam.apps.web.cameras import Cameras
from hippocam.apps.web.views.site import Json, Sent, Site, rows_of, text_of
from hippocam.apps.zones.files import kept_zones
from hippocam.apps.zones.sources import marked_in
from hippocam.stream.clips.follow import plays_in_snippets
from hippocam.stream.live.lookback import segments, start_of
from hippocam.stream.timecode import DATES_FROM_S
from hippocam.stream.zones.polygons import CameraZones

# Newest lines of the log that are shown.
_ROWS = 60


def camera_routes(site: Site, cameras: Cameras | None) -> APIRouter:
    """The routes of cameras.

    Args:
        site: What all routes share.
        cameras: Starts and stops them; None where nothing may be changed, or several memories are shown.
    """
    router, folder = APIRouter(), LiveFolder(site.session.folders[0])

    @router.get("/hippocam/cameras")
    def every() -> Json:
        answer = ask_live(folder.socket, {"op": "status"})
        running = answer or {}
        live = running.get("cameras", [])
        past = [s for s in site.library.streams().values() if (s.t0_s or 0) >= DATES_FROM_S]
        return {
            "running": answer is not None,
            "cameras": [row | _shown(site, folder, row["stream"], row.get("last_s")) for row in live],
            "shares": {name: running[name] for name in ("reading", "hearing") if name in running},
            "past": [{"stream": s.id, "key": stream_key(s.id), "last_s": s.duration_s} for s in past],
            "own": [] if cameras is None else cameras.streams(),
            "asked": [] if cameras is None else _asked(cameras),
            "zones": sorted({name for marked in kept_zones(folder.zones).values() for name in marked.zones}),
            "failed": "" if cameras is None else cameras.failed(),
            "may_add": cameras is not None,
            "log": newest_lines(folder.log, _ROWS),
        }

    @router.get("/hippocam/cameras/{stream:path}/frame", response_model=None)
    def frame(stream: str) -> Response:
        answer = ask_live(folder.socket, {"op": "latest", "stream": stream})
        frames = (answer or {}).get("frames", [])
        if not frames:  # not yet, or no longer: tiles ask each second
            return Response(status_code=204, headers={"Cache-Control": "no-store"})
        content = base64.b64decode(frames[-1]["jpeg"])
        return Response(content, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    @router.post("/hippocam/cameras")
    def add(body: Sent) -> Json:
        return {
            "stream": _changing(site, cameras).add(text_of(body, "address").strip(), text_of(body, "name").strip())
        }

    @router.post("/hippocam/cameras/remove")
    def remove(body: Sent) -> Json:
        return {"removed": _changing(site, cameras).remove(text_of(body, "stream"))}

    @router.post("/hippocam/cameras/alerts")
    def alerts(body: Sent) -> Json:
        changed = _changing(site, cameras)
        changed.set_alerts([_standing(row) for row in rows_of(body, "alerts") if text_of(row, "text").strip()])
        return {"asked": _asked(changed)}

    @router.get("/hippocam/zones/{key}")
    def zones(key: str) -> Json:
        """What is marked in a camera's picture."""
        stream = site.stream(key)
        marked = marked_in(kept_zones(folder.zones), stream.id, stream.source)
        return {"zones": marked.zones, "masks": marked.masks}

    @router.post("/hippocam/zones/{key}")
    def mark(key: str, body: Sent) -> Json:
        stream = site.stream(key).id
        given = {"zones": body.get("zones") or {}, "masks": body.get("masks") or []}
        marked = build(CameraZones, given, where=stream)
        _changing(site, cameras).mark(stream, marked)
        return {"zones": marked.zones, "masks": marked.masks}

    return router


def _standing(row: Json) -> AlertConfig:
    """A standing question as the page sends it."""
    return AlertConfig(text=text_of(row, "text").strip(), zone=text_of(row, "zone"))


def _asked(cameras: Cameras) -> list[Json]:
    """The standing questions as the page shows them."""
    return [{"text": alert.text, "zone": alert.zone} for alert in cameras.alerts()]


def _changing(site: Site, cameras: Cameras | None) -> Cameras:
    site.changing()
    if cameras is None:
        raise HTTPException(403, "cameras are added where one memory is shown")
    return cameras


def _shown(site: Site, folder: LiveFolder, stream: str, last_s: float | None) -> Json:
    """What a running camera has to show: how far its footage goes back, and whether that plays in a tile."""
    key, place = stream_key(stream), folder.look_back(stream)
    starts = [start_of(path) for path in segments(place)]
    return {
        "key": key,
        "footage_s": max(0.0, (last_s or starts[-1]) - starts[0]) if starts else 0.0,
        "moves": key in site.library.streams() and plays_in_snippets(place),
    }
