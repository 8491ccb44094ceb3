"""What the routes of the interface share: how errors are told, conditions, addresses of pictures, events."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Annotated, Protocol
from urllib.parse import quote

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from hippocam.apps import errors
from hippocam.apps.ask.where import Where
from hippocam.apps.errors import RefusedError
from hippocam.apps.records import Answer
from hippocam.apps.web.advice import ADVICE
from hippocam.memory.records import Evidence
from hippocam.stream.errors import HippocamError

API = "/api/v1"
# Moments that one search may ask for, and neighbours of each.
MOST_MOMENTS, MOST_BESIDE = 100, 10
# How an error is told, by its class; the first that fits. All others are 400: the request cannot be met as it is.
_CODES: tuple[tuple[type[Exception], int], ...] = (
    (errors.NoMemoryError, 404),
    (errors.UnknownEntryError, 404),
    (errors.UnknownEntityError, 404),
    (errors.UnknownVisitError, 404),
    (errors.NoFootageError, 404),
    (errors.EntryGivenUpError, 410),
    (errors.LockedError, 409),
    (errors.ReaderError, 502),
    (errors.DiskError, 507),
)


def status_of(error: Exception) -> int:
    """The HTTP status that tells an error of the library."""
    if isinstance(error, RefusedError):
        return error.status
    return next((code for kind, code in _CODES if isinstance(error, kind)), 400)


def tell_errors(app: FastAPI, shape: Callable[[str, int], object] = lambda reason, _: reason) -> None:
    """Let an app tell every error as {"error": ...}, with a status that fits.

    Args:
        app: The app.
        shape: What stands there, of the reason in one line and the status.
    """

    def told(status: int, reason: str) -> Response:
        return JSONResponse({"error": shape(" ".join(reason.split()), status)}, status_code=status)

    def of_library(_: Request, error: Exception) -> Response:
        return told(status_of(error), errors.advised(error, ADVICE))

    def of_http(_: Request, error: Exception) -> Response:
        found = error if isinstance(error, HTTPException) else HTTPException(500)
        return told(found.status_code, str(found.detail))

    def invalid(_: Request, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        lines = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found]
        return told(422, "; ".join(lines) or "the request is not understood")

    app.add_exception_handler(HippocamError, of_library)
    app.add_exception_handler(ValueError, of_library)
    app.add_exception_handler(404, of_http)
    app.add_exception_handler(405, of_http)
    app.add_exception_handler(RequestValidationError, invalid)


class Turns(Protocol):
    """Who says how many questions are worked on at a time: an `Asking`."""

    def turn(self, request: Request) -> AbstractContextManager[None]:
        """A turn for as long as a question is worked on; refused, with RefusedError, where none is left."""


def picture_address(entry: str) -> str:
    """Where the picture of an entry is to be had."""
    return f"{API}/moments/{quote(entry)}/picture"


def addressed(moment: Evidence) -> Evidence:
    """A moment whose picture has an address in place of a path on this machine."""
    return replace(moment, image=picture_address(moment.id)) if moment.image else moment


def addressed_answer(answer: Answer) -> Answer:
    """An answer whose pictures have addresses in place of paths on this machine."""
    return replace(answer, evidence=tuple(map(addressed, answer.evidence)))


def where(
    stream: Annotated[str | None, Query(description="only this stream, or the cameras of this source")] = None,
    streams: Annotated[list[str] | None, Query(description="only these streams; given several times")] = None,
    camera: Annotated[str | None, Query(description="only cameras of this name")] = None,
    after_s: Annotated[float | None, Query(description="only what was seen after this time")] = None,
    before_s: Annotated[float | None, Query(description="only what was seen before this time")] = None,
    at_s: Annotated[float | None, Query(description="as if the streams ended here")] = None,
    near: Annotated[str | None, Query(description="only where the robot was: X,Y,RADIUS in metres")] = None,
) -> Where:
    """The conditions of a request that has them in its address."""
    return {
        "stream": stream,
        "streams": streams,
        "camera": camera,
        "after_s": after_s,
        "before_s": before_s,
        "at_s": at_s,
        "near": None if near is None else circle(near),
    }


def circle(text: str) -> tuple[float, float, float]:
    """A circle that is written as X,Y,RADIUS.

    Raises:
        ValueError: It is none.
    """
    try:
        x, y, radius = map(float, text.split(","))
    except ValueError as error:
        raise ValueError(f"near: {text!r:.60} is no X,Y,RADIUS in metres") from error
    return x, y, radius


def event(name: str, value: object) -> str:
    """A server-sent event with a name and a JSON value."""
    return f"event: {name}\n{data(value)}"


def data(value: object) -> str:
    """A server-sent event with a JSON value."""
    return f"data: {json.dumps(value, allow_nan=False)}\n\n"
