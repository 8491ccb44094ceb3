"""Who may talk to the page's server, and what its page may do: hosts, origins, headers, closed routes."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hippocam.apps.web.access.password import VARIABLE

# Nothing on the page may load from, or send to, anything but this server. Gradio's frontend builds
# functions from strings and writes styles into the page.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with "no-referrer" a browser calls the origin of its own form "null"
    "Cross-Origin-Resource-Policy": "same-origin",
}
# What the page needs of Gradio; all else that it brings (calls by name, uploads, file server, proxy, monitoring,
# run history) is closed. Our own routes are below _OURS.
_READ = (
    "/",
    "/config",
    "/theme.css",
    "/favicon.ico",
    "/robots.txt",
    "/gradio_api/queue/data",
    "/gradio_api/app_id",
)
_READ_BELOW = ("/assets/", "/static/", "/svelte/", "/gradio_api/heartbeat/")
_WRITE = ("/gradio_api/queue/join",)
_OURS = ("/hippocam/", "/api/v1/", "/v1/")
_OURS_WHOLE = ("/mcp", "/healthz", "/metrics")
# What proxies add to the requests of others.
_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


def is_loopback(host: str) -> bool:
    """Whether an address can only be reached from this machine."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Hosts(NamedTuple):
    """Names by which a server may be called, in small letters; and whether by any address in digits, too."""

    names: frozenset[str]
    addresses: bool = False


def allowed_hosts(host: str, more: Iterable[str] = ()) -> Hosts:
    """Names by which a server on this address may be called.

    A web site that points its own name at this machine (DNS rebinding) is turned away. On a loopback address only
    local names are right; on another one also this machine's own, and addresses in digits, which nobody can point
    elsewhere.

    Args:
        host: Where the server listens.
        more: Other names by which people call it: of this machine, or of a proxy before it.
    """
    if is_loopback(host):
        return Hosts(frozenset(name.casefold() for name in (*_LOCAL_NAMES, host, *more)))
    own = socket.gethostname().casefold()
    names = (*_LOCAL_NAMES, host, own, own.partition(".")[0], f"{own.partition('.')[0]}.local", *more)
    return Hosts(frozenset(name.casefold() for name in names if name), addresses=True)


class Guard:
    """Middleware: turns away foreign hosts and origins, opens the routes of a list; adds protective headers.

    Args:
        app: What is guarded.
        hosts: See allowed_hosts.
        private: Whether no password is asked, so that nobody but this machine's users may come.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts, *, private: bool = False) -> None:
        self._app, self._hosts, self._private = app, hosts, private

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] == "websocket":  # nothing of ours speaks so
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._answers_to(_name(host)):
            line = (
                f"this server does not answer to the name {_name(host)!r}; whoever started it can add --name NAME"
            )
            return PlainTextResponse(line, status_code=400)
        if self._private and any(name in headers for name in _FORWARDED):
            line = f"this came through a proxy, and no password is asked here; set {VARIABLE}, and start it again"
            return PlainTextResponse(line, status_code=403)
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].casefold() != host.casefold():
            return PlainTextResponse("requests from other sites are refused", status_code=403)
        elsewhere = headers.get("sec-fetch-site", "") in ("cross-site", "same-site")
        if elsewhere and (headers.get("sec-fetch-mode") != "navigate" or scope["method"] not in ("GET", "HEAD")):
            return PlainTextResponse("requests from other sites are refused", status_code=403)
        if not _is_open(scope["method"], scope["path"]):
            return PlainTextResponse("not found", status_code=404)
        return None

    def _answers_to(self, name: str) -> bool:
        return name in self._hosts.names or (self._hosts.addresses and _is_address(name))


def _name(host: str) -> str:
    """The name in a Host header, without its port; "" for nonsense, such as a user or a path beside it."""
    try:
        parts = urlsplit(f"//{host}")
    except ValueError:
        return ""
    return (parts.hostname or "") if parts.netloc == host and "@" not in host else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_open(method: str, path: str) -> bool:
    if path.startswith(_OURS) or path in _OURS_WHOLE:
        return True
    if ".." in path.split("/"):
        return False
    if method in ("GET", "HEAD"):
        return path in _READ or path.startswith(_READ_BELOW)
    return method == "POST" and path in _WRITE
