"""Who may talk to the page's server, and what its page may do: hosts, origins, headers, closed routes."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# What Gradio brings and the page does not use: its own uploads and file server, proxy, monitoring, run history.
_CLOSED = (
    "/monitoring", "/login", "/runs", "/dev/", "/file", "/proxy", "/upload", "/stream", "/run-history",
    "/deep_link", "/component_server", "/openapi.json", "/vibe",
)  # fmt: skip
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


def is_loopback(host: str) -> bool:
    """Whether an address can only be reached from this machine."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def allowed_hosts(host: str) -> tuple[str, ...]:
    """Names by which a server on this address may be called; empty for any.

    On a loopback address only local names are right: a web site that points its own name at this machine
    (DNS rebinding) is turned away.
    """
    return (*_LOCAL_NAMES, host.casefold()) if is_loopback(host) else ()


class Guard:
    """Middleware: turns away foreign hosts, foreign origins and closed routes; adds protective headers.

    Args:
        app: What is guarded.
        hosts: See allowed_hosts.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
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
        if self._hosts and _name(host) not in self._hosts:
            return PlainTextResponse("this server answers only under a local name", status_code=400)
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].casefold() != host.casefold():
            return PlainTextResponse("requests from other sites are refused", status_code=403)
        if _is_closed(scope["path"], _CLOSED):
            return PlainTextResponse("not found", status_code=404)
        return None


def _name(host: str) -> str:
    """The name in a Host header, without its port; "" for nonsense."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_closed(path: str, closed: Iterable[str]) -> bool:
    inner = path.removeprefix("/gradio_api")
    return not path.startswith("/hippocam/") and any(inner.startswith(prefix) for prefix in closed)
