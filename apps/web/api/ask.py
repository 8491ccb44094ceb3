"""The route that answers a question: as one JSON value, or word by word as server-sent events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response, StreamingResponse

from hippocam.apps.api import answer_json
from hippocam.apps.ask.conversation import Answers
from hippocam.apps.ask.where import Where
from hippocam.apps.records import Answer
from hippocam.apps.shown.json_shapes import AnswerJson
from hippocam.apps.web.access.limits import QUESTION_LETTERS
from hippocam.apps.web.api.parts import Part, in_parts
from hippocam.apps.web.api.served import (
    MOST_BESIDE,
    MOST_MOMENTS,
    Turns,
    addressed_answer,
    event,
)

EVENTS = "text/event-stream"
_STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; or, to `Accept: text/event-stream`, events: `token` (a piece of its text, "
        "before it is checked), then `answer` (the whole), or `error`.",
        "content": {EVENTS: {}},
    }
}


class Question(BaseModel):
    """A question, and where and when to look for its answer."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    question: str = Field(min_length=1, max_length=QUESTION_LETTERS)
    stream: str | None = Field(None, description="only this stream, or the cameras of this source")
    streams: list[str] | None = Field(None, min_length=1, max_length=1000, description="only these streams")
    camera: str | None = Field(None, description="only cameras of this name")
    place_of: str | None = Field(None, description="only the place of this moment")
    near: tuple[float, float, float] | None = Field(None, description="x, y, radius in metres")
    after_s: float | None = None
    before_s: float | None = None
    at_s: float | None = Field(None, description="as if the streams ended here")
    top: int | None = Field(None, ge=1, le=MOST_MOMENTS)
    beside: int = Field(0, ge=0, le=MOST_BESIDE)
    deep: bool | None = Field(None, description="look at the source again where the evidence is thin")

    def where(self) -> Where:
        """The conditions."""
        return {
            "stream": self.stream,
            "streams": self.streams,
            "camera": self.camera,
            "place_of": self.place_of,
            "near": self.near,
            "after_s": self.after_s,
            "before_s": self.before_s,
            "at_s": self.at_s,
            "top": self.top,
            "beside": self.beside,
        }


def ask_routes(session: Answers, asking: Turns) -> APIRouter:
    """The route that answers questions."""
    router = APIRouter(tags=["ask"])

    @router.post("/ask", response_model=AnswerJson, responses=_STREAMED)
    def ask(asked: Question, request: Request) -> Response:
        """An answer with the moments that it rests on."""

        def answer(on_token: Callable[[str], None] | None = None) -> Answer:
            found = session.ask(asked.question, on_token=on_token, deep=asked.deep, **asked.where())
            session.used(found)
            return addressed_answer(found)

        if EVENTS in request.headers.get("accept", ""):
            parts = in_parts(answer, asking.turn(request))
            return StreamingResponse(_events(parts), media_type=EVENTS, headers={"Cache-Control": "no-store"})
        with asking.turn(request):
            return JSONResponse(answer_json(answer()))

    return router


def _events(parts: Iterator[Part]) -> Iterator[str]:
    for part in parts:
        if part.answer is not None:
            yield event("answer", answer_json(part.answer))
        elif part.error:
            yield event("error", {"error": part.error})
        else:
            yield event("token", {"text": part.text}) if part.text else ": waiting\n\n"
