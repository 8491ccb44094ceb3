"""Routes that give a stretch of a stream as a video file, and several moments as one file of clips."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Protocol

from fastapi import APIRouter, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from hippocam.apps.api import held_moment_json
from hippocam.apps.errors import RefusedError
from hippocam.apps.records import HeldMoment
from hippocam.apps.shown.bundle import MOST_MOMENTS, Cut, zip_of
from hippocam.apps.shown.clips import clip_of
from hippocam.apps.web.api.served import Turns
from hippocam.memory.records import StreamStatus
from hippocam.stream.sources.naming import slug

_KINDS = {".mp4": "video/mp4", ".mkv": "video/x-matroska"}


class Shows(Protocol):
    """Which streams may be shown: a `Library`, as far as it is needed here."""

    @property
    def folder(self) -> Path | None:
        """The memory's folder; None where several memories are shown."""

    def streams(self) -> Mapping[str, StreamStatus]:
        """The streams."""

    def may_show(self, stream: StreamStatus) -> bool:
        """Whether a person here named the stream's file."""


class Moments(Protocol):
    """Who knows moments by their ids: a `Timeline`, as far as it is needed here."""

    def moment(self, entry: str) -> HeldMoment | None:
        """A moment by its id; None where it was given up."""


def clip_routes(library: Shows, moments: Moments, asking: Turns) -> APIRouter:
    """The routes that give clips."""
    router = APIRouter(tags=["clips"])

    @router.get("/clips", response_class=FileResponse, response_model=None)
    def clip(
        request: Request,
        stream: Annotated[str, Query(description="the stream")],
        t0_s: Annotated[float, Query(allow_inf_nan=False, description="start, in the stream's time")],
        t1_s: Annotated[float, Query(allow_inf_nan=False, description="end, 600 seconds later at most")],
    ) -> Response:
        """A stretch of a stream as MP4 or Matroska, nothing encoded again.

        It begins with the key frame before its start. Of a live camera it comes from the look-back footage; what
        lies behind a change of the picture's size is left out.
        """
        found = next((held for held in library.streams().values() if held.id == stream), None)
        if found is None or not library.may_show(found):
            raise RefusedError(404, f"stream {stream!r:.200} is not in this memory, or its footage is not shown")
        folder = Path(tempfile.mkdtemp(prefix="hippocam-clip-"))
        try:
            with asking.turn(request):
                path = clip_of(found, library.folder, folder / "clip", t0_s, t1_s)[0].path
        except BaseException:
            shutil.rmtree(folder)
            raise
        return FileResponse(
            path,
            media_type=_KINDS[path.suffix],
            filename=f"{slug(stream)}-{t0_s:g}-{t1_s:g}{path.suffix}",
            headers={"Cache-Control": "no-store"},
            background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
        )

    @router.get("/clips/zip", response_class=FileResponse, response_model=None)
    def clips(
        request: Request,
        entry: Annotated[list[str], Query(max_length=MOST_MOMENTS, description="a moment; given several times")],
    ) -> Response:
        """Moments as a ZIP file: a clip of each, with `moments.json` and `moments.csv` that say which is which."""
        streams = {held.id: held for held in library.streams().values() if library.may_show(held)}
        found = [moment for each in entry if (moment := moments.moment(each)) is not None]
        cuts = [
            Cut(streams.get(one.stream), *one.spans[0], dict(held_moment_json(replace(one, image=""))))
            for one in found
        ]
        folder = Path(tempfile.mkdtemp(prefix="hippocam-clips-"))
        try:
            with asking.turn(request):
                zip_of(cuts, library.folder, folder / "moments.zip")
        except BaseException:
            shutil.rmtree(folder)
            raise
        return FileResponse(
            folder / "moments.zip",
            filename="moments.zip",
            headers={"Cache-Control": "no-store"},
            background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
        )

    return router
