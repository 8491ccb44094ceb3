"""Turns away clients without a session, and takes the password, before page, media and API alike."""

from __future__ import annotations

import html
from typing import Literal, TypedDict
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hippocam.apps.web.access.client import client_of
from hippocam.apps.web.access.door import LOGIN, LOGOUT, SESSION_S, Door
from hippocam.apps.web.access.limits import read_body
from hippocam.apps.web.access.password import VARIABLE

COOKIE = "hippocam"
# Tells whoever asks that the server runs, and nothing of what it holds.
HEALTH = "/healthz"
_MOST_BYTES = 4096
_NEEDED = (
    f"a password is needed: the one that `hippocam web` told at its first start, or that {VARIABLE} gave it; "
    "open the page in a browser; a program sends `Authorization: Bearer PASSWORD`, or POSTs password=... to "
    f"{LOGIN} and sends its cookie"
)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Hippocam</title><style>
body {{ font: 16px system-ui, sans-serif; max-width: 22em; margin: 15vh auto; padding: 0 1em; }}
input, button {{ font: inherit; width: 100%; box-sizing: border-box; padding: .5em; margin-top: .7em; }}
</style></head><body><h1>Hippocam</h1><p>{line}</p>
<form method="post" action="{action}"><label>Password
<input type="password" name="password" autocomplete="current-password" autofocus required></label>
<button>Open</button></form></body></html>"""
_OUT = "You are logged out."
_ASK = "It was told on the terminal when this page was first started."


class Login:
    """Middleware: passes on the requests of clients that are in, and answers all others.

    Args:
        app: What is guarded.
        door: Knows who is in.
    """

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        if request.url.path == LOGIN:
            await (await self._login(request))(scope, receive, send)
        elif request.url.path == LOGOUT and request.method == "POST":  # a link must not do it
            self._door.leave(request.cookies.get(COOKIE, ""))
            answer = _refused(request, _OUT, _OUT, 200)
            answer.delete_cookie(COOKIE, **_flags(request))
            await answer(scope, receive, send)
        elif request.url.path == HEALTH or await self._is_in(request):
            await self._app(scope, receive, send)
        else:
            await _refused(request, _ASK, _NEEDED, 401)(scope, receive, send)

    async def _is_in(self, request: Request) -> bool:
        """Whether a request comes with a session's cookie, or with the password as bearer token."""
        if self._door.is_in(request.cookies.get(COOKIE, "")):
            return True
        kind, _, said = request.headers.get("authorization", "").partition(" ")
        if kind.casefold() != "bearer" or not said.strip():
            return False
        client = client_of(request)
        return await run_in_threadpool(self._door.admits, client, said.strip())

    async def _login(self, request: Request) -> Response:
        if request.method != "POST":
            return _refused(request, _ASK, _NEEDED, 401)
        body = await read_body(request.receive, _MOST_BYTES)
        if body is None:
            return JSONResponse({"error": "too long"}, status_code=413)
        said = parse_qs(body.decode(errors="replace")).get("password", [""])[0]
        client = client_of(request)
        token = await run_in_threadpool(self._door.enter, client, said)
        if token is None:
            wait_s = self._door.wait_s(client)
            line = f"too many tries; wait {wait_s:.0f} s" if wait_s > 0 else "this is not the password"
            return _refused(request, line, line, 429 if wait_s > 0 else 401)
        answer = RedirectResponse("/", status_code=303) if _is_browser(request) else JSONResponse({"in": True})
        answer.set_cookie(COOKIE, token, max_age=round(SESSION_S), **_flags(request))
        return answer


class _Flags(TypedDict):
    """What a browser may do with the cookie."""

    httponly: bool
    samesite: Literal["strict"]
    secure: bool


def _flags(request: Request) -> _Flags:
    """No script reads the cookie, no other site's page sends it, and once it came encrypted it stays so."""
    return {"httponly": True, "samesite": "strict", "secure": request.url.scheme == "https"}


def _is_browser(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _refused(request: Request, line: str, plain: str, code: int) -> Response:
    headers = {"Cache-Control": "no-store"}
    if _is_browser(request):
        return HTMLResponse(_PAGE.format(line=html.escape(line), action=LOGIN), status_code=code, headers=headers)
    return JSONResponse({"error": plain}, status_code=code, headers=headers)
