"""Cameras: how each is, its newest frame, its look-back and gaps; adding and taking away; standing questions."""

from __future__ import annotations

import base64
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response, StreamingResponse

from hippocam.apps.live.endpoint import ask_live
from hippocam.apps.live.folder import LiveFolder, newest_lines
from hippocam.apps.live.standing import AlertConfig
from hippocam.apps.settings import build
from hippocam.apps.web.access.door import client_of
from hippocam.apps.web.access.limits import Allowance
from hippocam.apps.web.beside import stream_key
from hippocam.apps.web.cameras import Cameras
from hippocam.apps.web.views.site import Json, Sent, Site, rows_of, text_of
from hippocam.apps.zones.files import kept_zones
from hippocam.apps.zones.sources import marked_in
from hippocam.stream.clips.follow import (
    follow,
    is_heard,
    plays_in_snippets,
    snippet_after,
    start_before,
    stretches,
)
from hippocam.stream.clips.look_back import write_clips
from hippocam.stream.live.lookback import segments, start_of
from hippocam.stream.timecode import DATES_FROM_S
from hippocam.stream.zones.polygons import CameraZones

_ROWS = 60
_LONGEST_S = 600.0
# Videos of footage that one client may have open at a time.
_VIDEOS = 6


def camera_routes(site: Site, cameras: Cameras | None) -> APIRouter:
    """The routes of cameras.

    Args:
        site: What all routes share.
        cameras: Starts and stops them; None where nothing may be changed, or several memories are shown.
    """
    router, folder = APIRouter(), LiveFolder(site.session.folders[0])
    viewers = Allowance(_VIDEOS)

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

    @router.get("/hippocam/cameras/{stream:path}/footage", response_model=None)
    def footage(stream: str, last_s: float = 60.0) -> Response:
        if not 0 < last_s <= _LONGEST_S:
            raise HTTPException(400, f"last_s must be above 0 up to {_LONGEST_S:g}")
        made = tempfile.TemporaryDirectory(prefix="hippocam-footage-")
        clip = write_clips(folder.look_back(stream), Path(made.name) / "footage.mp4", last_s)[-1]
        headers = {"Cache-Control": "no-store", "X-Start": f"{clip.spans[0][0]:.3f}"}
        return FileResponse(
            clip.path, media_type="video/mp4", headers=headers, background=BackgroundTask(made.cleanup)
        )

    @router.get("/hippocam/live/{key}")
    def live(key: str) -> Json:
        """How a camera's stream is now, and of which times there is footage."""
        stream = site.stream(key).id
        running = ask_live(folder.socket, {"op": "status"}) or {}
        row = next((row for row in running.get("cameras", []) if row["stream"] == stream), None)
        return {
            "now_s": time.time(),
            "live": row is not None and row["state"] == "live",
            "state": "not watched now" if row is None else row["state"],
            "last_s": None if row is None else row["last_s"],
            "latency_s": None if row is None else row["latency_s"],
            "footage": [list(stretch) for stretch in stretches(folder.look_back(stream))],
            "heard": any(map(is_heard, segments(folder.look_back(stream))[-2:-1])),
        }

    @router.get("/hippocam/footage/{key}/start")
    def footage_start(key: str, t: float) -> Json:
        """Where the video of a time begins, in the stream's time."""
        found = start_before(folder.look_back(site.stream(key).id), t)
        if found is None:
            raise HTTPException(404, "there is no footage of this time")
        return {"start_s": found}

    @router.get("/hippocam/footage/{key}/snippet", response_model=None)
    def snippet(key: str, after_s: float = 0.0) -> Response:
        """The newest footage, for one of several moving pictures; the next snippet comes after X-Newest."""
        found = snippet_after(folder.look_back(site.stream(key).id), after_s)
        if found is None:
            return Response(status_code=204, headers={"Cache-Control": "no-store"})
        headers = {
            "Cache-Control": "no-store",
            "X-Start": f"{found.start_s:.3f}",
            "X-Newest": f"{found.newest_s:.3f}",
        }
        return Response(found.content, media_type="video/mp4", headers=headers)

    @router.get("/hippocam/footage/{key}/video", response_model=None)
    def footage_video(request: Request, key: str, start_s: float) -> Response:
        """The footage from the start of one of its files on; it goes on as long as the camera does."""
        place, client = (
            folder.look_back(site.stream(key).id),
            client_of(request.client.host if request.client else ""),
        )
        if start_before(place, start_s) is None:
            raise HTTPException(404, "there is no footage of this time")

        def pieces() -> Iterator[bytes]:
            with viewers.take(client) as free:
                if free:
                    yield from follow(place, start_s)

        return StreamingResponse(pieces(), media_type="video/mp4", headers={"Cache-Control": "no-store"})

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
