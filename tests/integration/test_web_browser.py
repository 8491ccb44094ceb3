"""The page in a real browser: ask, click a moment, see the player there; nothing is fetched from elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uvicorn

from hippocam.apps.session import Session
from hippocam.apps.web.media import stream_key
from hippocam.apps.web.server import build_app, listen

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed: apt-get install chromium"
)


@pytest.fixture
def address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load_helpers: Callable[[str], ModuleType]
) -> Iterator[str]:
    """A server with three streams: H.264, one that Chromium cannot play, and another H.264."""
    helpers = load_helpers("integration/test_web.py")
    monkeypatch.setattr("hippocam.apps.session.make_encoder", lambda name: helpers.ColourEncoder())
    with Session(tmp_path / "memory", encoder="colour") as session:
        helpers.render_colours(tmp_path / "first.mp4", seconds_each=8)
        helpers.render_colours(tmp_path / "old.avi", seconds_each=3, codec="mpeg4")
        helpers.render_colours(tmp_path / "second.mp4", seconds_each=4)
        session.watch([tmp_path / name for name in ("first.mp4", "old.avi", "second.mp4")])
        listener = listen("127.0.0.1", 0)
        config = uvicorn.Config(build_app(session), log_level="critical", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)
        listener.close()


@pytest.fixture
def page(address: str) -> Iterator[Any]:
    """The opened page; `page.requested` lists all addresses that were asked for."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=options)
        opened = browser.new_page(viewport={"width": 1280, "height": 800})
        opened.requested = []
        opened.faults = []
        opened.on("request", lambda request: opened.requested.append(request.url))
        opened.on("pageerror", lambda error: opened.faults.append(str(error)))
        opened.goto(address)
        opened.wait_for_function("window.hippocam && window.hippocam.current()", timeout=60_000)
        yield opened
        browser.close()


def ask(page: Any, question: str) -> None:
    page.locator("#hc-question").locator("textarea, input").fill(question)
    page.keyboard.press("Enter")
    page.wait_for_selector("#hc-result .hc-answer", timeout=60_000)


def test_a_clicked_moment_is_played(page: Any, address: str) -> None:
    ask(page, "when is it green")
    assert page.inner_text(".hc-verdict strong") in ("Seen", "Perhaps seen")
    card = page.locator(f'.hc-card[data-stream="{stream_key("second")}"]').first
    t0 = float(card.get_attribute("data-t0"))
    assert 3.0 <= t0 <= 5.0
    card.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "([key, t0]) => { const v = document.getElementById('hc-video');"
        " return v.dataset.key === key && v.readyState >= 2 && !v.seeking && v.currentTime >= t0; }",
        arg=[stream_key("second"), t0],
        timeout=20_000,
    )
    assert page.evaluate("document.getElementById('hc-video').currentTime") == pytest.approx(t0 + 1, abs=1.5)
    assert not page.evaluate("document.getElementById('hc-video').paused")
    page.wait_for_function("document.querySelector('#hc-streams input').value === 'second'", timeout=20_000)
    assert [url for url in page.requested if not url.startswith((address, "data:", "blob:"))] == []
    assert page.faults == []


def test_what_was_not_seen_is_said(page: Any) -> None:
    ask(page, "a submarine")
    assert page.inner_text(".hc-verdict strong") == "Not seen"


def test_a_format_that_the_browser_cannot_play_is_said_and_shown_as_a_picture(page: Any) -> None:
    page.evaluate(f"window.hippocam.show('{stream_key('old')}')")
    page.wait_for_function(
        "document.getElementById('hc-note').textContent.includes('cannot play')", timeout=20_000
    )
    page.wait_for_function("document.getElementById('hc-still').naturalWidth > 0", timeout=20_000)
    assert page.evaluate("document.getElementById('hc-video').hidden")
