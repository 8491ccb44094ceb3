"""Footage of cameras: of which times there is any, and its videos, also while they are written."""

from __future__ import annotations

import time
from collections.abc import Iterator

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response, StreamingResponse

from hippocam.apps.live.endpoint import ask_live
from hippocam.apps.live.folder import LiveFolder
from hippocam.apps.web.access.client import client_of
from hippocam.apps.web.access.limits import Allowance
from hippocam.apps.web.views.site import Json, Site
from hippocam.stream.clips.follow import follow, is_heard, snippet_after, start_before, stretches
from hippocam.stream.live.lookback import segments

# Videos of footage that one client may have open at a time.
_VIDEOS = 6


def footage_routes(site: Site) -> APIRouter:
    """The routes of footage."""
    router, folder = APIRouter(), LiveFolder(site.session.folders[0])
    viewers = Allowance(_VIDEOS)

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
    def start(key: str, t: float) -> Json:
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
    def video(request: Request, key: str, start_s: float) -> Response:
        """The footage from the start of one of its files on; it goes on as long as the camera does."""
        place, client = folder.look_back(site.stream(key).id), client_of(request)
        if start_before(place, start_s) is None:
            raise HTTPException(404, "there is no footage of this time")

        def pieces() -> Iterator[bytes]:
            with viewers.take(client) as free:
                if free:
                    yield from follow(place, start_s)

        return StreamingResponse(pieces(), media_type="video/mp4", headers={"Cache-Control": "no-store"})

    return router
