"""Routes to what is held: the status of the memory, its streams, things and people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from hippocam.apps.api import entities_json, status_json, stream_json
from hippocam.apps.errors import RefusedError
from hippocam.apps.records import Status
from hippocam.apps.shown.json_shapes import EntitiesJson, StatusJson, StreamJson, StreamsJson
from hippocam.memory.entities.records import Entity


class Holds(Protocol):
    """Who tells what is held: a `Session`, as far as it is needed here."""

    def status(self) -> Status:
        """What the memory holds now."""

    def entities(
        self, *, stream: str | None = None, label: str | None = None, at_s: float | None = None
    ) -> Sequence[Entity]:
        """Things and people that were told apart."""


def held_routes(session: Holds) -> APIRouter:
    """Routes that tell what is held."""
    router = APIRouter(tags=["held"])

    @router.get("/status", response_model=StatusJson)
    def status() -> Response:
        """What the memory holds, by stream and by tier."""
        return JSONResponse(status_json(session.status()))

    @router.get("/streams", response_model=StreamsJson)
    def streams() -> Response:
        """The streams of the memory."""
        return JSONResponse({"streams": [stream_json(stream) for stream in session.status().streams]})

    @router.get("/streams/{stream:path}", response_model=StreamJson)
    def stream(stream: str) -> Response:
        """One stream by its name."""
        for held in session.status().streams:
            if held.id == stream:
                return JSONResponse(stream_json(held))
        raise RefusedError(404, f"stream {stream!r:.200} is not in this memory")

    @router.get("/entities", response_model=EntitiesJson)
    def entities(
        stream: Annotated[str | None, Query(description="only of this stream")] = None,
        label: Annotated[str | None, Query(description="only what is called so: person, car")] = None,
        at_s: Annotated[float | None, Query(description="as if the streams ended here")] = None,
    ) -> Response:
        """Things and people that were told apart, by the time of their first visit."""
        return JSONResponse(entities_json(session.entities(stream=stream, label=label, at_s=at_s)))

    return router
