"""A session into a web server on one address: our own routes for media and uploads, Gradio's page on top."""

from __future__ import annotations

import asyncio
import errno
import importlib.metadata
import importlib.resources
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hippocam.apps.errors import AddressError, advised
from hippocam.apps.mcp.http import PATH as MCP
from hippocam.apps.mcp.http import McpRoute
from hippocam.apps.mcp.server import make_server
from hippocam.apps.mcp.tools import INSTRUCTIONS, Tools
from hippocam.apps.session import Session
from hippocam.apps.shown.timeline import Timeline
from hippocam.apps.terminal import tell
from hippocam.apps.web.access.certificate import Certificate
from hippocam.apps.web.access.door import Door
from hippocam.apps.web.access.guard import Guard, allowed_hosts, is_loopback
from hippocam.apps.web.access.limits import Limits
from hippocam.apps.web.access.login import HEALTH, Login
from hippocam.apps.web.access.password import VARIABLE, find_password, password_file
from hippocam.apps.web.advice import ADVICE
from hippocam.apps.web.api.ask import ask_routes
from hippocam.apps.web.api.asking import Asking
from hippocam.apps.web.api.changes import change_routes
from hippocam.apps.web.api.chat import CHAT, chat_routes, error_of
from hippocam.apps.web.api.clips import clip_routes
from hippocam.apps.web.api.health import CONTENT_TYPE, Counted, Metrics
from hippocam.apps.web.api.held import held_routes
from hippocam.apps.web.api.jobs import job_routes
from hippocam.apps.web.api.moments import moment_routes as api_moment_routes
from hippocam.apps.web.api.served import API, tell_errors
from hippocam.apps.web.cameras import Cameras
from hippocam.apps.web.media import Library, file_response
from hippocam.apps.web.opening import Opening
from hippocam.apps.web.options import PageOptions
from hippocam.apps.web.questions import Questions
from hippocam.apps.web.titles import Titles
from hippocam.apps.web.views.cameras import camera_routes
from hippocam.apps.web.views.footage import footage_routes
from hippocam.apps.web.views.moments import moment_routes
from hippocam.apps.web.views.outlook import outlook_routes
from hippocam.apps.web.views.review import review_routes
from hippocam.apps.web.views.search import search_routes
from hippocam.apps.web.views.settings import setting_routes
from hippocam.apps.web.views.site import Site
from hippocam.apps.web.views.streams import stream_routes
from hippocam.apps.web.views.strip import strip_routes
from hippocam.apps.web.views.suggestions import suggestion_routes
from hippocam.apps.web.views.things import thing_routes
from hippocam.apps.web.views.tiers import tier_routes
from hippocam.apps.web.views.work import upload_routes, work_routes
from hippocam.apps.web.work.jobs import Jobs
from hippocam.memory.folder import has_memory
from hippocam.stream.errors import HippocamError

# Connections at a time; a tab of a browser holds a few.
_CONNECTIONS = 200
# What the views ask for, but for what needs more than the site.
_VIEWS = (
    stream_routes,
    suggestion_routes,
    strip_routes,
    review_routes,
    search_routes,
    moment_routes,
    thing_routes,
    tier_routes,
    work_routes,
    footage_routes,
    setting_routes,
)
# Our own files that browsers are given, by what they are.
_STATIC = {".js": "text/javascript", ".css": "text/css"}


def serve(
    session: Session,
    *,
    host: str,
    port: int,
    names: Sequence[str] = (),
    certificate: Certificate | None = None,
    options: PageOptions = PageOptions(),  # noqa: B008 - frozen
) -> None:
    """Serve the page until Ctrl-C; print its address once it listens.

    It asks for a password, but for a loopback address that has no other names, and where no password was given.

    Args:
        session: The memory that it shows and writes to; several memories are only shown.
        host: Address to listen on, and no other.
        port: 0 for any free one.
        names: Other names by which this machine is called.
        certificate: Encrypts what is sent; None for plain HTTP.
        options: What the page shows and allows.

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
        app = build_app(session, host=host, names=names, door=door, options=options)
        server = _Server(app, lines, certificate)
        try:
            server.run(sockets=[listener])
        except KeyboardInterrupt:
            tell()
        if not getattr(app.state, "ended", True):  # a step of a watch goes on for seconds; a kill loses no more
            sys.stdout.flush()
            os._exit(0)


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
    options: PageOptions = PageOptions(),  # noqa: B008 - frozen
) -> FastAPI:
    """Put routes, page and guard together.

    Args:
        session: The memory that is shown, or the memories.
        host: Where the server will listen: says which names it answers to, and whether it asks for a password.
        names: Other names that it answers to.
        door: Lets in who knows the password; without one nobody gets in, but on a loopback address everybody.
        options: What the page shows and allows.
    """
    library = Library(session, show_imported=options.show_imported)
    asks = door is not None or not is_loopback(host)
    alone = library.folder is not None and not options.read_only
    jobs = Jobs() if alone else None
    cameras = Cameras(session.folder, options.config) if alone else None
    titles = Titles(session.folders[0])
    site = Site(
        session=session,
        library=library,
        titles=titles,
        jobs=jobs,
        roots=options.roots,
        reader=options.reader,
        asks=asks,
    )

    questions = Questions(site)

    def load_page() -> Callable[[], FastAPI]:
        from hippocam.apps.web.page import page_app

        return lambda: page_app(questions)

    opening = Opening(load_page)

    asking, timeline = Asking(), Timeline(session.opened.memories)
    mcp = McpRoute(lambda: make_server(Tools(session, timeline, asking.of_anybody), INSTRUCTIONS))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with mcp.running(), opening.running(lambda: warm(session)):
            yield
        if cameras is not None:
            await asyncio.to_thread(cameras.close)
        if jobs is not None:
            app.state.ended = await asyncio.to_thread(jobs.close)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.add_middleware(Limits)  # the innermost: the last one is asked first
    if asks:
        app.add_middleware(Login, door=door or Door(None))
    app.add_middleware(Guard, hosts=allowed_hosts(host, names), private=not asks)
    metrics = Metrics(library)
    app.add_middleware(Counted, metrics=metrics)
    _add_health(app, metrics)
    app.mount(API, _api(session, library, jobs, asking, timeline, options.roots))
    app.mount(CHAT, _chat(session, asking))
    app.router.routes.append(Route(MCP, mcp))
    app.add_exception_handler(HippocamError, _told)
    app.add_exception_handler(ValueError, _told)
    app.add_exception_handler(HTTPException, _refused)
    _add_media(app, library)
    for routes in _VIEWS:
        app.include_router(routes(site))
    app.include_router(camera_routes(site, cameras))
    app.include_router(outlook_routes(site, cameras))
    if jobs is not None:
        app.include_router(upload_routes(site, jobs))
    app.mount("/", opening)
    return app


def _api(
    session: Session,
    library: Library,
    jobs: Jobs | None,
    asking: Asking,
    timeline: Timeline,
    roots: Sequence[Path],
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
    for router in (
        api_moment_routes(session, timeline, asking),
        ask_routes(session, asking),
        clip_routes(library, timeline, asking),
        held_routes(session),
        job_routes(jobs, session, library, roots),
        change_routes(session, session, read_only=jobs is None),
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


def warm(session: Session) -> None:
    """Load what the first question needs, so that it does not wait for it."""
    if all(map(has_memory, session.folders)):
        with suppress(HippocamError, ValueError):
            session.search("anything", top=1)


def _add_media(app: FastAPI, library: Library) -> None:
    """Routes that show what the memory holds, and the page's own files."""
    static = Path(str(importlib.resources.files("hippocam.apps.web") / "static"))
    files = {path.name: path for path in static.iterdir() if path.suffix in _STATIC}

    @app.get("/hippocam/static/{name}", response_model=None)
    def own(name: str) -> Response:
        path = files.get(name)
        if path is None:
            return _missing()
        return FileResponse(path, media_type=_STATIC[path.suffix], headers={"Cache-Control": "no-cache"})

    @app.api_route("/hippocam/video/{key}", methods=["GET", "HEAD"], response_model=None)
    def video(key: str) -> Response:
        path = library.video(key)
        return file_response(path) if path else _missing()

    @app.api_route("/hippocam/converted/{key}", methods=["GET", "HEAD"], response_model=None)
    def converted(key: str) -> Response:
        path = library.converted(key)
        return file_response(path) if path else _missing()

    @app.api_route("/hippocam/picture/{entry:path}", methods=["GET", "HEAD"], response_model=None)
    def picture(entry: str) -> Response:
        path = library.picture(entry)
        return file_response(path) if path else _missing()


def _missing() -> Response:
    return PlainTextResponse("not in this memory", status_code=404)


async def _told(request: Request, error: Exception) -> Response:
    """What a visitor can mend, in a line."""
    return JSONResponse({"error": " ".join(advised(error, ADVICE).split())}, status_code=400)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, status_code=error.status_code)


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
