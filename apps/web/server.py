"""A session into a web server on one address: our own routes for media and uploads, Gradio's page on top."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from hippocam.apps.errors import AddressError, TooLargeError, UploadError, advised
from hippocam.apps.session import Session
from hippocam.apps.terminal import tell
from hippocam.apps.web.advice import ADVICE
from hippocam.apps.web.guard import Guard, allowed_hosts, is_loopback
from hippocam.apps.web.jobs import Watcher
from hippocam.apps.web.media import Library, file_response
from hippocam.apps.web.uploads import UPLOAD_LIMIT_BYTES, receive, uploads_folder

_OPEN_TO_ALL = "  (no password: whoever reaches this machine sees this memory and can add to it)"


def serve(session: Session, *, host: str, port: int) -> None:
    """Serve the page until Ctrl-C; print its address once it listens.

    Args:
        session: The memory that it shows and writes to; several memories are only shown.
        host: Address to listen on, and no other.
        port: 0 for any free one.

    Raises:
        HippocamError: The address cannot be listened on, or the folder is no memory.
    """
    listener = listen(host, port)
    with listener:
        Library(session).status()
        server = _Server(
            build_app(session, host=host),
            f"open {address(host, listener)}" + ("" if is_loopback(host) else _OPEN_TO_ALL),
        )
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


def address(host: str, listener: socket.socket) -> str:
    """The address to open in a browser."""
    port = listener.getsockname()[1]
    if host in ("0.0.0.0", "::", ""):
        return f"http://localhost:{port}"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def build_app(session: Session, *, host: str = "127.0.0.1") -> FastAPI:
    """Put routes, page and guard together.

    Args:
        session: The memory that is shown, or the memories.
        host: Where the server will listen: says which names it answers to.

    Not to be called from a running event loop.
    """
    import gradio as gr

    from hippocam.apps.web.page import build_page, head, theme

    library = Library(session)
    watcher = None if library.folder is None else Watcher(session, library)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        if watcher is not None:
            await asyncio.to_thread(watcher.close)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.add_middleware(Guard, hosts=allowed_hosts(host))
    _add_media(app, library)
    if library.folder is not None and watcher is not None:
        _add_uploads(app, uploads_folder(library.folder), watcher)

    async def mount() -> None:
        gr.mount_gradio_app(
            app,
            build_page(session, library),
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

    @app.post("/hippocam/upload", response_model=None)
    async def upload(request: Request, name: str) -> Response:
        try:
            if int(request.headers.get("content-length", "0")) > UPLOAD_LIMIT_BYTES:
                raise TooLargeError(UPLOAD_LIMIT_BYTES)
            path = await receive(request.stream(), folder, name)
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
    """Says one line once it listens, and ends within a second of Ctrl-C."""

    def __init__(self, app: FastAPI, line: str) -> None:
        super().__init__(uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=1))
        self._line = line

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            tell(self._line)
