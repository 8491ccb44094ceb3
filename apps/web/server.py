"""A session into a web server on one address: our own routes for media and uploads, Gradio's page on top."""

from __future__ import annotations

import asyncio
import errno
import importlib.metadata
import os
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hippocam.apps.errors import AddressError, TooLargeError, UploadError, advised
from hippocam.apps.mcp.http import PATH as MCP
from hippocam.apps.mcp.http import McpRoute
from hippocam.apps.mcp.server import make_server
from hippocam.apps.mcp.tools import INSTRUCTIONS, Tools
from hippocam.apps.session import Session
from hippocam.apps.shown.timeline import Timeline
from hippocam.apps.terminal import tell
from hippocam.apps.web.advice import ADVICE
from hippocam.apps.web.api.ask import ask_routes
from hippocam.apps.web.api.asking import Asking
from hippocam.apps.web.api.changes import change_routes
from hippocam.apps.web.api.chat import CHAT, chat_routes, error_of
from hippocam.apps.web.api.clips import clip_routes
from hippocam.apps.web.api.health import CONTENT_TYPE, Counted, Metrics
from hippocam.apps.web.api.held import held_routes
from hippocam.apps.web.api.moments import moment_routes
from hippocam.apps.web.api.served import API, tell_errors
from hippocam.apps.web.certificate import Certificate
from hippocam.apps.web.door import Door, client_of
from hippocam.apps.web.guard import Guard, allowed_hosts, is_loopback
from hippocam.apps.web.jobs import Watcher
from hippocam.apps.web.limits import UPLOAD, UPLOADS, Allowance, Limits
from hippocam.apps.web.login import HEALTH, Login
from hippocam.apps.web.media import Library, file_response
from hippocam.apps.web.password import VARIABLE, find_password, password_file
from hippocam.apps.web.uploads import UPLOAD_LIMIT_BYTES, receive, uploads_folder

# Connections at a time; a tab of a browser holds one or two.
_CONNECTIONS = 200
_WAITING = 20  # questions, and videos, that wait for their turn


def serve(
    session: Session,
    *,
    host: str,
    port: int,
    names: Sequence[str] = (),
    show_imported: bool = False,
    read_only: bool = False,
    certificate: Certificate | None = None,
) -> None:
    """Serve the page until Ctrl-C; print its address once it listens.

    It asks for a password, but for a loopback address that has no other names, and where no password was given.

    Args:
        session: The memory that it shows and writes to; several memories are only shown.
        host: Address to listen on, and no other.
        port: 0 for any free one.
        names: Other names by which this machine is called.
        show_imported: Also play the files that an imported memory names as its sources.
        read_only: Show and answer, and change nothing.
        certificate: Encrypts what is sent; None for plain HTTP.

    Raises:
        HippocamError: The address cannot be listened on, the folder is no memory, a password cannot be kept, or
            the certificate cannot be used.
    """
    if certificate is not None:
        certificate.check()
    listener = listen(host, port)
    with listener:
        Library(session).status()
        lines, door = [f"open {address(host, listener, encrypted=certificate is not None)}"], None
        if not is_loopback(host) or names or VARIABLE in os.environ:
            password, told = find_password(session.folders[0])
            door = Door(password)
            if told:
                file = password_file(session.folders[0])
                lines += [f"password: {told}", f"it is told this once; only its hash is kept, in {file}"]
        app = build_app(
            session, host=host, names=names, door=door, show_imported=show_imported, read_only=read_only
        )
        server = _Server(app, lines, certificate)
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            tell()


def listen(host: str, port: int) -> socket.socket:
    """Bind an address.

    Raises:
        AddressError: The host is not of this machine, or the port is taken or not allowed.
    """
    if not 0 <= port <= 65535:
        raise AddressError(f"--port must be 0 to 65535, found {port}")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise AddressError(f"--host {host!r} is not a known address; try 127.0.0.1") from error
    family, kind, protocol, _, where = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise AddressError(
                f"--port {port} is in use; give another, such as --port {port % 65535 + 1}"
            ) from error
        if error.errno == errno.EACCES:
            raise AddressError(f"--port {port} needs more rights; give one from 1024 on") from error
        raise AddressError(f"--host {host!r} is not an address of this machine ({error.strerror})") from error
    return listener


def address(host: str, listener: socket.socket, *, encrypted: bool = False) -> str:
    """The address to open in a browser."""
    port, scheme = listener.getsockname()[1], "https" if encrypted else "http"
    if host in ("0.0.0.0", "::", ""):
        return f"{scheme}://localhost:{port}"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def build_app(
    session: Session,
    *,
    host: str = "127.0.0.1",
    names: Sequence[str] = (),
    door: Door | None = None,
    show_imported: bool = False,
    read_only: bool = False,
) -> FastAPI:
    """Put routes, page and guard together.

    Args:
        session: The memory that is shown, or the memories.
        host: Where the server will listen: says which names it answers to, and whether it asks for a password.
        names: Other names that it answers to.
        door: Lets in who knows the password; without one nobody gets in, but on a loopback address everybody.
        show_imported: Also play the files that an imported memory names as its sources.
        read_only: Show and answer, and change nothing.

    Not to be called from a running event loop.
    """
    import gradio as gr

    from hippocam.apps.web.page import build_page, head, theme

    library = Library(session, show_imported=show_imported)
    watcher = None if library.folder is None or read_only else Watcher(session, library)
    metrics = Metrics(library)

    asking, timeline = Asking(), Timeline(session.opened.memories)
    mcp = McpRoute(lambda: make_server(Tools(session, timeline, asking.of_anybody), INSTRUCTIONS))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with mcp.running():
            yield
        if watcher is not None:
            await asyncio.to_thread(watcher.close)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.add_middleware(Limits)  # the innermost: the last one is asked first
    asks = door is not None or not is_loopback(host)
    if asks:
        app.add_middleware(Login, door=door or Door(None))
    app.add_middleware(Guard, hosts=allowed_hosts(host, names), private=not asks)
    app.add_middleware(Counted, metrics=metrics)
    _add_health(app, metrics)
    app.mount(API, _api(session, library, watcher, asking, timeline, read_only=read_only))
    app.mount(CHAT, _chat(session, asking))
    app.router.routes.append(Route(MCP, mcp))
    _add_media(app, library)
    if library.folder is not None and watcher is not None:
        _add_uploads(app, uploads_folder(library.folder), watcher)

    async def mount() -> None:
        gr.mount_gradio_app(
            app,
            build_page(session, library, may_leave=asks).queue(max_size=_WAITING),
            path="/",
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            max_file_size="1mb",  # Gradio's own uploads are closed; ours are in uploads.py
            theme=theme(),
            head=head(),
        )

    asyncio.run(mount())  # outside a running loop Gradio makes loops of its own, which it never closes
    return app


def _api(
    session: Session,
    library: Library,
    watcher: Watcher | None,
    asking: Asking,
    timeline: Timeline,
    *,
    read_only: bool,
) -> FastAPI:
    """The HTTP interface, with its description at openapi.json."""
    api = FastAPI(
        title="Hippocam",
        description="A memory for video and robots: what it holds, searched and asked. Times are seconds.",
        version=importlib.metadata.version("hippocam"),
        docs_url=None,
        redoc_url=None,
    )
    tell_errors(api)
    jobs = watcher.jobs if watcher is not None else list
    for router in (
        moment_routes(session, timeline, asking),
        ask_routes(session, asking),
        clip_routes(library, asking),
        held_routes(session, jobs),
        change_routes(session, session, read_only=read_only or library.folder is None),
    ):
        api.include_router(router)
    return api


def _chat(session: Session, asking: Asking) -> FastAPI:
    """The memory behind OpenAI's chat protocol."""
    chat = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    tell_errors(chat, error_of)
    chat.include_router(chat_routes(session, session, asking))
    return chat


def _add_health(app: FastAPI, metrics: Metrics) -> None:
    """Routes for whoever watches over the server."""
    started = time.monotonic()

    @app.api_route(HEALTH, methods=["GET", "HEAD"], response_model=None)
    async def health() -> Response:
        return JSONResponse({"status": "ok", "uptime_s": round(time.monotonic() - started, 3)})

    @app.get("/metrics", response_model=None)
    def measured() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE)


def _add_media(app: FastAPI, library: Library) -> None:
    """Routes that show what the memory holds."""

    @app.get("/hippocam/stream/{key}", response_model=None)
    def stream(key: str) -> Response:
        view = library.view(key)
        return JSONResponse(asdict(view)) if view else _missing()

    @app.api_route("/hippocam/video/{key}", methods=["GET", "HEAD"], response_model=None)
    def video(key: str) -> Response:
        path = library.video(key)
        return file_response(path) if path else _missing()

    @app.api_route("/hippocam/picture/{entry:path}", methods=["GET", "HEAD"], response_model=None)
    def picture(entry: str) -> Response:
        path = library.picture(entry)
        return file_response(path) if path else _missing()


def _add_uploads(app: FastAPI, folder: Path, watcher: Watcher) -> None:
    """Routes that add to the memory; what is uploaded is kept in a folder."""
    under_way = Allowance(UPLOADS)

    @app.post(UPLOAD, response_model=None)
    async def upload(request: Request, name: str) -> Response:
        client = client_of(request.client.host if request.client else "")
        with under_way.take(client) as free:
            if not free or watcher.waiting() >= _WAITING:
                line = "too many videos at a time; wait until some of them are done"
                return JSONResponse({"error": line}, status_code=429)
            try:
                announced = request.headers.get("content-length", "0")
                size = int(announced) if announced.isdecimal() else 0
                if size > UPLOAD_LIMIT_BYTES:
                    raise TooLargeError(UPLOAD_LIMIT_BYTES)
                path = await receive(request.stream(), folder, name, announced=size)
            except UploadError as error:
                code = 413 if isinstance(error, TooLargeError) else 400
                return JSONResponse({"error": advised(error, ADVICE)}, status_code=code)
            return JSONResponse({"job": watcher.add(path)})

    @app.get("/hippocam/watching", response_model=None)
    def watching() -> Response:
        return JSONResponse(watcher.jobs())


def _missing() -> Response:
    return PlainTextResponse("not in this memory", status_code=404)


class _Server(uvicorn.Server):
    """Says some lines once it listens, and ends within a second of Ctrl-C."""

    def __init__(self, app: FastAPI, lines: Sequence[str], certificate: Certificate | None) -> None:
        config = uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            timeout_graceful_shutdown=1,
            limit_concurrency=_CONNECTIONS,
            ssl_certfile=None if certificate is None else certificate.file,
            ssl_keyfile=None if certificate is None else certificate.key_file,
        )
        super().__init__(config)
        self._lines = lines

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            tell(*self._lines)
