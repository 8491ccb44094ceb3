"""The page in a real browser: ask, click a moment, see the player there; nothing is fetched from elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from hippocam.apps.session import Session
from hippocam.apps.web.access.door import Door
from hippocam.apps.web.access.password import Password
from hippocam.apps.web.beside import stream_key
from hippocam.apps.web.server import build_app, listen
from hippocam.memory.records import Level, Span
from hippocam.memory.store.database import Store
from hippocam.memory.store.exemplars import Exemplars

CHROMIUM = Path("/usr/bin/chromium")
# Ends what hangs; nothing waits for it unless it fails.
_LONG_MS = 600_000
pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"{CHROMIUM} is not installed: apt-get install chromium"
)


@pytest.fixture
def address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load_helpers: Callable[[str], ModuleType]
) -> Iterator[str]:
    """A server with three streams: H.264, one that Chromium cannot play, and another H.264."""
    helpers = load_helpers("integration/web/test_web.py")
    monkeypatch.setattr("hippocam.apps.folders.make_encoder", lambda name: helpers.ColourEncoder())
    with Session(tmp_path / "memory", encoder="colour") as session:
        helpers.render_colours(tmp_path / "first.mp4", seconds_each=8)
        helpers.render_colours(tmp_path / "old.avi", seconds_each=3, codec="mpeg4")
        helpers.render_colours(tmp_path / "second.mp4", seconds_each=4)
        session.watch([tmp_path / name for name in ("first.mp4", "old.avi", "second.mp4")])
        with serving(build_app(session), "127.0.0.1") as address:
            yield address


@contextmanager
def serving(app: FastAPI, host: str) -> Iterator[str]:
    """Serve an app on an address of this machine; gives the one to open."""
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


@pytest.fixture
def network(address: str, tmp_path: Path) -> Iterator[str]:
    """Another server of the same memory, as for a network; its password is "open sesame"."""
    with Session(tmp_path / "memory", encoder="colour") as session:
        app = build_app(session, host="0.0.0.0", door=Door(Password.of("open sesame")))
        with serving(app, "0.0.0.0") as opened:
            yield opened


@pytest.fixture
def page(address: str) -> Iterator[Any]:
    """The opened page; `page.requested` lists all addresses that were asked for."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=options)
        opened = browser.new_page(viewport={"width": 1280, "height": 800})
        opened.set_default_timeout(_LONG_MS)
        opened.requested = []
        opened.faults = []
        opened.on("request", lambda request: opened.requested.append(request.url))
        opened.on("pageerror", lambda error: opened.faults.append(str(error)))
        opened.goto(address)
        opened.wait_for_function("window.hippocam && window.hippocam.current()", timeout=_LONG_MS)
        yield opened
        browser.close()


def ask(page: Any, question: str) -> None:
    page.locator("#hc-question").locator("textarea, input").fill(question)
    page.keyboard.press("Enter")
    page.wait_for_selector("#hc-result .hc-answer", timeout=_LONG_MS)


def test_a_clicked_moment_is_played(page: Any, address: str) -> None:
    ask(page, "when is it green")
    assert page.inner_text(".hc-verdict strong") in ("Clear", "Likely", "Perhaps")
    card = page.locator(f'.hc-card[data-stream="{stream_key("second")}"]').first
    t0 = float(card.get_attribute("data-t0"))
    assert 3.0 <= t0 <= 5.0
    card.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "([key, t0]) => { const v = document.getElementById('hc-video');"
        " return v.dataset.key === key && v.readyState >= 2 && !v.seeking && v.currentTime >= t0; }",
        arg=[stream_key("second"), t0],
        timeout=_LONG_MS,
    )
    assert page.evaluate("document.getElementById('hc-video').currentTime") == pytest.approx(t0 + 1, abs=1.5)
    assert not page.evaluate("document.getElementById('hc-video').paused")
    page.wait_for_function("document.querySelector('#hc-streams input').value === 'second'", timeout=_LONG_MS)
    assert [url for url in page.requested if not url.startswith((address, "data:", "blob:"))] == []
    assert page.faults == []


def test_a_question_may_lean_on_the_one_before(page: Any) -> None:
    ask(page, "when is it green")
    page.locator("#hc-question").locator("textarea, input").fill("and how often?")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "document.querySelector('.hc-question')?.textContent === 'and how often?'", timeout=_LONG_MS
    )
    assert page.inner_text(".hc-text").startswith("Perhaps ")
    assert page.faults == []


def seen_again(folder: Path, stream: str, t0_s: float) -> None:
    """Note that what begins at a time was seen again at 9 and 10.5 s, and give its picture up."""
    store = Store(folder / "memory.db", writable=True)
    entry_id = store.lookup.pictured(stream, t0_s)
    assert entry_id is not None
    entry = store.entries.get(entry_id)
    assert entry is not None
    again = [Span(t0_s=t, t1_s=t + 1, known_s=t + 1) for t in (9.0, 10.5)]
    store.entries.set_spans(entry_id, first=entry.spans[0], further=again, met=7, strength=1.0)
    store.entries.demote(entry_id, Level.VECTORS, 0)
    store.close()
    Exemplars(folder / "exemplars").delete(entry_id)


def test_further_times_are_played_and_a_lost_picture_is_said(page: Any, tmp_path: Path) -> None:
    seen_again(tmp_path / "memory", "second", 4)
    ask(page, "when is it green")
    item = page.locator("#hc-result li", has=page.locator(f'.hc-card[data-stream="{stream_key("second")}"]')).first
    assert "picture given up for the budget" in item.inner_text()
    assert item.locator("img").count() == 0
    assert "also seen at 0:09, 0:10.5 (7 times in all)" in item.locator(".hc-also").inner_text()
    item.locator(".hc-jump").nth(1).click()
    page.wait_for_function(
        "key => { const v = document.getElementById('hc-video');"
        " return v.dataset.key === key && v.readyState >= 2 && !v.seeking && v.currentTime >= 10.5; }",
        arg=stream_key("second"),
        timeout=_LONG_MS,
    )
    assert page.locator("#hc-result [aria-current]").count() == 1
    assert page.locator("#hc-marks button").count() >= 3
    broken = "[...document.images].filter(i => i.offsetParent && i.complete && !i.naturalWidth).length"
    assert page.evaluate(broken) == 0
    assert page.faults == []


def test_a_moment_without_picture_and_player_is_said_to_have_none(page: Any, tmp_path: Path) -> None:
    seen_again(tmp_path / "memory", "old", 3)
    ask(page, "when is it green")
    page.locator(f'.hc-card[data-stream="{stream_key("old")}"]').first.click()
    page.wait_for_function(
        "document.getElementById('hc-note').textContent.includes('The picture of this moment was given up')",
        timeout=_LONG_MS,
    )
    assert page.evaluate("document.getElementById('hc-still').hidden")


def test_a_picture_that_is_gone_by_the_time_it_is_shown_is_said(page: Any, tmp_path: Path) -> None:
    for file in (tmp_path / "memory" / "exemplars").iterdir():
        file.unlink()
    ask(page, "when is it green")
    page.wait_for_selector(".hc-nopicture", timeout=_LONG_MS)
    for card in page.locator(".hc-card").all():  # pictures are asked for when they come into view
        card.scroll_into_view_if_needed()
        page.wait_for_function(
            "card => { const i = card.querySelector('.hc-thumb img');"  # the browser may still have the poster's
            " return i ? i.complete && i.naturalWidth > 0 : card.querySelector('.hc-nopicture'); }",
            arg=card.element_handle(),
            timeout=_LONG_MS,
        )


def test_what_was_not_seen_is_said(page: Any) -> None:
    ask(page, "a submarine")
    assert page.inner_text(".hc-verdict strong") == "Not seen"


def test_a_format_that_the_browser_cannot_play_is_said_and_shown_as_a_picture(page: Any) -> None:
    page.evaluate(f"window.hippocam.show('{stream_key('old')}')")
    page.wait_for_function(
        "document.getElementById('hc-note').textContent.includes('cannot play')", timeout=_LONG_MS
    )
    page.wait_for_function("document.getElementById('hc-still').naturalWidth > 0", timeout=_LONG_MS)
    assert page.evaluate("document.getElementById('hc-video').hidden")


def test_on_a_network_the_password_opens_the_page(network: str, page: Any) -> None:
    page.goto(network)
    page.fill("input[type=password]", "wrong one")
    page.click("button")
    page.wait_for_selector("text=this is not the password")
    page.fill("input[type=password]", "open sesame")
    page.click("button")
    page.wait_for_function("window.hippocam && window.hippocam.current()")
