"""How much one client may ask of the server: bytes of a request, requests a second, questions at a time."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hippocam.apps.web.access.client import client_of

# Most letters of a question.
QUESTION_LETTERS = 2000
# Most bytes of a request that is no upload.
BODY_BYTES = 64_000
# The same of a conversation, which a front end sends whole each time.
CHAT_BYTES = 1_000_000
UPLOAD = "/hippocam/upload"
UPLOAD_PART = "/hippocam/uploads/"
PICTURE_SEARCH = "/hippocam/similar"
# Most bytes of a picture that is looked for.
PICTURE_BYTES = 12_000_000
# Requests that do work and may come at once.
BURST = 60
# Such requests a second after that.
RATE = 3.0
# Questions of one client that are worked on at a time, of four in all.
QUESTIONS = 3
# Uploads of one client at a time.
UPLOADS = 3
_MOST_CLIENTS = 10_000


async def read_body(receive: Receive, most: int) -> bytes | None:
    """Read a request's body; None if it has more bytes than `most`, of which the rest is not read."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body"):
            return bytes(body)


class Limits:
    """Middleware: refuses large bodies, and clients that ask for too much.

    Args:
        app: What is guarded.
        clock_s: Tells the time in seconds.
    """

    def __init__(self, app: ASGIApp, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._app, self._clock_s = app, clock_s
        self._left: dict[str, tuple[float, float]] = {}  # requests left, and when

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http" or (scope["method"] in ("GET", "HEAD") and not _works(scope["path"])):
            await self._app(scope, receive, send)
            return
        client = client_of(HTTPConnection(scope))
        if not self._take(client):
            refusal = PlainTextResponse("too many requests; wait a little", 429, {"Retry-After": "5"})
            await refusal(scope, receive, send)
        elif scope["path"] == UPLOAD or scope["path"].startswith(UPLOAD_PART):
            await self._app(scope, receive, send)  # has limits of its own
        elif (body := await read_body(receive, most := _most_bytes(scope["path"]))) is None:
            refusal = PlainTextResponse(f"a request may have {most} bytes", 413, {"Connection": "close"})
            await refusal(scope, receive, send)
        else:
            await self._app(scope, _again(body, receive), send)

    def _take(self, client: str) -> bool:
        now_s = self._clock_s()
        left, then_s = self._left.pop(client, (float(BURST), now_s))
        left = min(float(BURST), left + RATE * (now_s - then_s))
        self._left[client] = (max(0.0, left - 1), now_s)
        while len(self._left) > _MOST_CLIENTS:
            del self._left[next(iter(self._left))]
        return left >= 1


def _most_bytes(path: str) -> int:
    if path == PICTURE_SEARCH:
        return PICTURE_BYTES
    return CHAT_BYTES if path.startswith("/v1/") else BODY_BYTES


def _works(path: str) -> bool:
    """Whether something is worked out to answer a GET, as for a search; pictures are files."""
    return path.startswith("/api/") and not path.endswith("/picture")


def _again(body: bytes, receive: Receive) -> Receive:
    """Give a body that was read already a second time, then what comes after it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return waiting.pop() if waiting else await receive()

    return give


class Allowance:
    """How many things each client may have under way at a time. Safe to use from several threads."""

    def __init__(self, most: int) -> None:
        self._most, self._taken, self._mutex = most, Counter[str](), threading.Lock()

    @contextmanager
    def take(self, client: str) -> Iterator[bool]:
        """Take one of a client's things while it is under way; gives False if the client has none left."""
        with self._mutex:
            free = self._taken[client] < self._most
            self._taken[client] += free
        try:
            yield free
        finally:
            with self._mutex:
                self._taken[client] -= free
                if not self._taken[client]:
                    del self._taken[client]
