"""A server of the page for each test, a real browser, and the memory that the page's interfaces are asked about.

Gradio is imported before the tests: warnings are errors here, and while one thread imports it, no other can rely
on which warnings are let pass.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import gradio  # noqa: F401
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from hippocam.apps.session import Session
from hippocam.apps.web.access.door import Door
from hippocam.apps.web.access.password import Password
from hippocam.apps.web.server import build_app, listen

CHROMIUM = Path("/usr/bin/chromium")
# Ends what hangs; nothing waits for it unless it fails.
_LONG_MS = 600_000
Serving = Callable[[FastAPI, str], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def helpers(load_helpers: Callable[[str], ModuleType]) -> ModuleType:
    return load_helpers("integration/web/colours.py")


@pytest.fixture(scope="session")
def colours(made_once: Callable[..., Path], helpers: ModuleType) -> Path:
    """A folder with one video, "colours" (red, then green, then blue, 8 s each), and a memory of it."""

    def watched(folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch, Session(folder / "memory", encoder="colour") as made:
            patch.setattr("hippocam.apps.folders.make_encoder", lambda name: helpers.ColourEncoder())
            made.watch([helpers.render_colours(folder / "colours.mp4")])

    return made_once("colours", watched)


@pytest.fixture
def session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helpers: ModuleType, colours: Path
) -> Iterator[Session]:
    """A memory of the video "colours", which a test may change."""
    monkeypatch.setattr("hippocam.apps.folders.make_encoder", lambda name: helpers.ColourEncoder())
    shutil.copytree(colours, tmp_path, dirs_exist_ok=True)
    with Session(tmp_path / "memory", encoder="colour") as made:
        made.watch([tmp_path / "colours.mp4"])  # known by what is in it: only where it lies is new
        yield made


@pytest.fixture
def client(session: Session) -> Iterator[TestClient]:
    """Asks a server of `session` over HTTP."""
    with TestClient(build_app(session), base_url="http://127.0.0.1:7860") as made:
        yield made


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, helpers: ModuleType) -> Path:
    """A memory of three streams: H.264, one that Chromium cannot play, and another H.264."""
    folder = tmp_path_factory.mktemp("watched")
    helpers.render_colours(folder / "first.mp4", seconds_each=8)
    helpers.render_colours(folder / "old.avi", seconds_each=3, codec="mpeg4")
    helpers.render_colours(folder / "second.mp4", seconds_each=4)
    with pytest.MonkeyPatch.context() as patch, Session(folder / "memory", encoder="colour") as made:
        patch.setattr("hippocam.apps.folders.make_encoder", lambda name: helpers.ColourEncoder())
        made.watch([folder / name for name in ("first.mp4", "old.avi", "second.mp4")])
    return folder / "memory"


@pytest.fixture
def serving() -> Serving:
    """Serves an app on an address of this machine: `with serving(app, "127.0.0.1") as address`."""

    @contextmanager
    def served(app: FastAPI, host: str) -> Iterator[str]:
        listener = listen(host, 0)
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(_LONG_MS / 1000)
        listener.close()

    return served


@pytest.fixture
def address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watched: Path, helpers: ModuleType, serving: Serving
) -> Iterator[str]:
    """A server of a memory of its own with the three streams."""
    monkeypatch.setattr("hippocam.apps.folders.make_encoder", lambda name: helpers.ColourEncoder())
    shutil.copytree(watched, tmp_path / "memory")
    with Session(tmp_path / "memory", encoder="colour") as made, serving(build_app(made), "127.0.0.1") as at:
        yield at


@pytest.fixture
def network(page: Any, tmp_path: Path, serving: Serving) -> Iterator[str]:
    """Another server of the same memory, as for a network; its password is "open sesame"."""
    with Session(tmp_path / "memory", encoder="colour") as made:
        app = build_app(made, host="0.0.0.0", door=Door(Password.of("open sesame")))
        with serving(app, "0.0.0.0") as opened:
            yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=options)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[[str], Any]]:
    """Opens the page at an address in a browser of its own, as another visitor: `visit(address)`.

    `page.requested` lists what it asked for, `page.faults` what its console told as an error; a test that means to
    see one clears it. At the end nothing may have been asked of another host, and nothing be wrong.
    """
    opened: list[tuple[Any, Any, str]] = []

    def visiting(address: str) -> Any:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.set_default_timeout(_LONG_MS)
        page.requested, page.faults = [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda said: page.faults.append(told(said)) if said.type == "error" else None)
        page.goto(address)
        page.wait_for_selector(".rail-link", timeout=_LONG_MS)
        opened.append((context, page, address.partition("/?")[0]))
        return page

    yield visiting
    for context, page, address in opened:
        context.close()
        assert [url for url in page.requested if not url.startswith((address, "data:", "blob:"))] == []
        assert page.faults == []


def told(message: Any) -> str:
    """What the console says, and of which address."""
    return f"{message.text} {message.location.get('url', '')}".rstrip()


@pytest.fixture
def page(address: str, visit: Callable[[str], Any]) -> Any:
    """The opened page of a visitor; see `visit`."""
    return visit(address)
