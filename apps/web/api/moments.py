"""Routes to moments: searched for by a text, listed by time, one with its picture, and why it is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Protocol, Unpack

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import FileResponse, JSONResponse, Response

from hippocam.apps.api import explain_json, held_moment_json, timeline_json
from hippocam.apps.ask.where import TOP, Where
from hippocam.apps.errors import RefusedError
from hippocam.apps.records import HeldMoment
from hippocam.apps.shown.evidence import evidence_json
from hippocam.apps.shown.json_shapes import ExplanationJson, HeldMomentJson, MomentsJson, TimelineJson
from hippocam.apps.web.access.limits import QUESTION_LETTERS
from hippocam.apps.web.api.served import MOST_BESIDE, MOST_MOMENTS, Turns, addressed, picture_address, where
from hippocam.apps.web.media import file_response
from hippocam.memory.explanation import Explanation
from hippocam.memory.records import Evidence

# Moments that are listed at a time, at most and where nobody says how many.
MOST_LISTED, LISTED = 1000, 200
Conditions = Annotated[Where, Depends(where)]


class Searches(Protocol):
    """Who finds and explains moments: a `Session`, as far as it is needed here."""

    def search(self, text: str, **where: Unpack[Where]) -> tuple[Evidence, ...]:
        """Moments that show what a text describes."""

    def explain(self, entry: str) -> tuple[int, Explanation]:
        """Why an entry is held, or was given up."""

    def picture(self, entry: str) -> Path | None:
        """Path of an entry's picture."""


class Listed(Protocol):
    """Who lists moments by time: a `Timeline`."""

    def moments(self, most: int, skip: int, **where: Unpack[Where]) -> tuple[Sequence[HeldMoment], bool]:
        """Moments by time, and whether there are further ones."""

    def moment(self, entry: str) -> HeldMoment | None:
        """A moment by its id."""


def moment_routes(session: Searches, timeline: Listed, asking: Turns) -> APIRouter:
    """Routes that find, list, show and explain moments."""
    router = APIRouter(tags=["moments"])

    @router.get("/search", response_model=MomentsJson)
    def search(
        request: Request,
        q: Annotated[str, Query(description="what is shown, in a few words", max_length=QUESTION_LETTERS)],
        conditions: Conditions,
        place_of: Annotated[str | None, Query(description="only the place of this moment")] = None,
        top: Annotated[int, Query(ge=1, le=MOST_MOMENTS, description="moments at most")] = TOP,
        beside: Annotated[int, Query(ge=0, le=MOST_BESIDE, description="of so many also their neighbours")] = 0,
    ) -> Response:
        """Moments that show what a text describes, the strongest first."""
        with asking.turn(request):
            wanted: Where = {**conditions, "place_of": place_of, "top": top, "beside": beside}
            found = session.search(q, **wanted)
        return JSONResponse({"moments": [evidence_json(addressed(moment)) for moment in found]})

    @router.get("/moments", response_model=TimelineJson)
    def moments(
        conditions: Conditions,
        most: Annotated[int, Query(ge=1, le=MOST_LISTED, description="moments at most")] = LISTED,
        skip: Annotated[int, Query(ge=0, description="how many to leave out before them")] = 0,
    ) -> Response:
        """Moments by time, as they are held."""
        found, more = timeline.moments(most, skip, **conditions)
        return JSONResponse(timeline_json([_addressed(moment) for moment in found], more=more))

    @router.get("/moments/{entry:path}/picture", response_class=FileResponse, response_model=None)
    def picture(entry: str) -> Response:
        """The picture of a moment, a JPEG."""
        path = session.picture(entry)
        if path is None:
            raise RefusedError(404, "no picture of this moment is kept")
        return file_response(path)

    @router.get("/moments/{entry:path}", response_model=HeldMomentJson)
    def moment(entry: str) -> Response:
        """One moment as it is held."""
        found = timeline.moment(entry)
        if found is None:
            raise RefusedError(410, f"entry {entry} was given up")
        return JSONResponse(held_moment_json(_addressed(found)))

    @router.get("/explain/{entry:path}", response_model=ExplanationJson)
    def explain(entry: str) -> Response:
        """Why a moment is held, or was given up, and where it came from."""
        return JSONResponse(explain_json(*session.explain(entry)))

    return router


def _addressed(moment: HeldMoment) -> HeldMoment:
    return replace(moment, image=picture_address(moment.id)) if moment.image else moment
