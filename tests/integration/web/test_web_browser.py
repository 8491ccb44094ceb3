"""The page in a real browser: what is clicked does what it says, and nothing is fetched from elsewhere.

Elements lie in the page's shadow tree, which Playwright's selectors see into. The fixture `page` fails a test with
what the browser's console told as an error, or where something was asked of another host.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hippocam.memory.records import Level, Span
from hippocam.memory.store.database import Store
from hippocam.memory.store.exemplars import Exemplars

# Where pictures of every view are written, for people to look at.
SCREENSHOTS = os.environ.get("HIPPOCAM_SCREENSHOTS", "")
# Ends what hangs; nothing waits for it unless it fails.
_LONG_MS = 600_000


def ask(page: Any, question: str) -> None:
    before = page.locator(".turn .verdict").count()
    page.fill(".ask-box", question)
    page.keyboard.press("Enter")
    page.locator(".turn .verdict").nth(before).wait_for(timeout=_LONG_MS)


def view(page: Any, name: str) -> None:
    page.click(f".rail-link[title='{name}']")


def player(page: Any) -> dict[str, Any]:
    """What the player shows."""
    script = "() => { const p = window.hippocam.player, v = p.video; return { stream: p.view?.name, "
    script += "time: p.time(), paused: v.paused, hidden: v.hidden, ready: v.readyState, seeking: v.seeking }; }"
    told: dict[str, Any] = page.evaluate(script)
    return told


def wait_for_player(page: Any, stream: str, least_s: float, most_s: float) -> None:
    page.wait_for_function(
        "([stream, least, most]) => { const p = window.hippocam.player, v = p.video;"
        " return p.view?.name === stream && v.readyState >= 2 && !v.seeking"
        " && v.currentTime >= least && v.currentTime <= most; }",
        arg=[stream, least_s, most_s],
        timeout=_LONG_MS,
    )


def test_an_answer_opens_its_first_moment_paused_and_a_citation_plays_it(page: Any) -> None:
    ask(page, "when is it green")
    assert page.inner_text(".verdict") in ("Clear", "Likely", "Perhaps")
    card = page.locator(".card.cited").first
    stream, t0 = card.get_attribute("data-stream"), float(card.get_attribute("data-t0"))
    if stream != "old":  # a browser cannot play that one
        wait_for_player(page, stream, t0 - 0.2, t0 + 0.2)
        assert player(page)["paused"]
    second = page.locator('.card[data-stream="second"]').first
    t0 = float(second.get_attribute("data-t0"))
    assert 3.0 <= t0 <= 5.0
    second.focus()
    page.keyboard.press("Enter")
    wait_for_player(page, "second", t0, t0 + 4)
    page.locator(".cite").first.click()
    page.wait_for_function("name => window.hippocam.player.view.name === name", arg=stream, timeout=_LONG_MS)


def test_a_conversation_survives_a_reload_and_an_address_asks_again(page: Any, address: str) -> None:
    ask(page, "when is it green")
    ask(page, "and how often?")
    assert page.locator(".turn").count() == 2
    opened = page.url
    assert "q=and+how+often" in opened
    page.reload()
    page.locator(".turn .verdict").nth(1).wait_for(timeout=_LONG_MS)
    assert page.inner_text(".turn:first-child .question") == "when is it green"
    page.evaluate("localStorage.clear()")
    page.goto(f"{address}/?q=when+is+it+red")
    page.locator(".turn .verdict").first.wait_for(timeout=_LONG_MS)
    assert page.locator(".turn").count() == 1


def test_what_was_not_seen_looks_different_and_offers_the_nearest(page: Any) -> None:
    ask(page, "a submarine")
    assert page.inner_text(".answer.not-seen .verdict") == "Not seen"
    assert "nearest moments" in page.inner_text(".cards-title")


def seen_again(folder: Path, stream: str, t0_s: float) -> None:
    """Note that what begins at a time was seen again at 9 and 10.5 s, and give its picture up."""
    store = Store(folder / "memory.db", writable=True)
    entry_id = store.lookup.pictured(stream, t0_s)
    assert entry_id is not None
    entry = store.entries.get(entry_id)
    assert entry is not None
    again = [Span(t0_s=t, t1_s=t + 1, known_s=t + 1) for t in (9.0, 10.5)]
    store.entries.set_spans(entry_id, first=entry.spans[0], further=again, met=7, strength=1.0)
    store.entries.demote([entry_id], Level.VECTORS)
    store.close()
    Exemplars(folder / "exemplars").delete(entry_id)


def test_further_times_are_played_and_a_lost_picture_is_said(page: Any, tmp_path: Path) -> None:
    seen_again(tmp_path / "memory", "second", 4)
    ask(page, "when is it green")
    item = page.locator(".cards li", has=page.locator('.card[data-stream="second"]')).first
    item.locator("text=picture given up for the budget").wait_for(timeout=_LONG_MS)
    assert item.locator("img").count() == 0
    assert "also seen at 0:09, 0:10.5 (7 times in all)" in item.locator(".also").inner_text()
    item.locator(".jump").nth(1).click()
    wait_for_player(page, "second", 10.5, 12.0)
    page.faults.clear()  # the browser tells a picture that is gone as an error


def test_a_format_that_the_browser_cannot_play_is_said_and_converted_on_demand(page: Any, address: str) -> None:
    waiting: list[Any] = []
    page.route("**/strip/**", lambda route: waiting.append(route))  # the strip comes when the video has failed
    page.goto(f"{address}/?s=old&t=4")
    page.wait_for_selector("text=cannot play", timeout=_LONG_MS)
    for route in waiting:
        route.continue_()
    waiting.clear()
    page.unroute("**/strip/**")
    page.wait_for_function("window.hippocam.player.image.naturalWidth > 0", timeout=_LONG_MS)
    assert player(page)["hidden"]
    page.click("text=Make a version that plays here")
    page.wait_for_function("!window.hippocam.player.video.hidden", timeout=_LONG_MS)
    wait_for_player(page, "old", 3.8, 4.2)


def test_moments_are_searched_chosen_pinned_and_forgotten(page: Any, tmp_path: Path) -> None:
    view(page, "Search")
    page.fill(".search-box", "green")
    found = "window.hippocam.root.querySelector('.found').textContent"
    page.wait_for_function(f"/^[0-9]+ moments?( of [0-9]+)?$/.test({found})", timeout=_LONG_MS)
    assert "q=green" in page.url
    page.locator(".cell .card[data-stream='second']").first.wait_for(timeout=_LONG_MS)
    cell = page.locator(".cell", has=page.locator(".card[data-stream='second']")).first
    chosen = cell.locator(".card").get_attribute("data-id")
    cell.locator(".choose").check()
    page.click(".chosen-bar >> text=Pin")
    page.wait_for_selector("text=1 moment pinned", timeout=_LONG_MS)
    with page.expect_download() as download:
        page.click(".chosen-bar >> text=JSON")
    (row,) = json.loads(Path(download.value.path()).read_text())
    assert (row["id"], row["stream"], row["pinned"]) == (chosen, "second", True)
    page.click(".chosen-bar >> text=Forget")
    assert "second: 1 event" in page.inner_text("dialog")
    page.click("dialog >> text=Cancel")
    page.click(".chosen-bar >> text=Forget")
    page.click("dialog .button.bad")
    page.wait_for_selector("text=1 event forgotten", timeout=_LONG_MS)
    page.wait_for_function(
        "id => !window.hippocam.root.querySelector(`.card[data-id='${id}']`)", arg=chosen, timeout=_LONG_MS
    )


def test_more_like_a_moment_has_an_address(page: Any) -> None:
    view(page, "Search")
    page.locator(".cell", has=page.locator(".card[data-stream='first']")).first.locator(".over").click()
    page.wait_for_selector("text=that look alike", timeout=_LONG_MS)
    assert "like=" in page.url
    assert page.locator(".cell .card").first.inner_text().count("100% alike") == 1


def test_a_video_is_uploaded_watched_shown_and_forgotten_with_its_file(
    page: Any, tmp_path: Path, helpers: ModuleType
) -> None:
    helpers.render_colours(tmp_path / "holiday.mp4", seconds_each=2)
    view(page, "Library")
    page.set_input_files(".file-box", str(tmp_path / "holiday.mp4"))
    page.locator(".tile[data-stream='holiday']").wait_for(timeout=_LONG_MS)
    assert (tmp_path / "memory-uploads" / "holiday.mp4").exists()
    page.locator(".tile[data-stream='holiday']").locator("[title=Forget]").click()
    assert "the uploaded file holiday.mp4" in page.inner_text("dialog")
    page.click("dialog .button.bad")
    page.wait_for_selector("text=with 1 file", timeout=_LONG_MS)
    assert not (tmp_path / "memory-uploads" / "holiday.mp4").exists()


def test_a_failed_upload_is_told_to_who_sent_it_alone(
    page: Any, visit: Callable[[str], Any], address: str, tmp_path: Path
) -> None:
    (tmp_path / "words.mp4").write_text("these are words, not a video " * 40)
    view(page, "Library")
    page.set_input_files(".file-box", str(tmp_path / "words.mp4"))
    page.wait_for_selector(".job-failed >> text=words.mp4", timeout=_LONG_MS)
    other = visit(f"{address}/?v=jobs")
    other.wait_for_selector("text=Nothing is being worked on", timeout=_LONG_MS)
    assert other.locator(".job").count() == 0
    page.locator(".job-failed [title^='Dismiss']").click()
    assert page.locator(".job-failed").count() == 0
    page.reload()
    page.wait_for_selector(".tile", timeout=_LONG_MS)
    assert page.locator(".job-failed").count() == 0


def test_a_stream_is_renamed_on_the_page(page: Any) -> None:
    view(page, "Library")
    page.locator(".tile[data-stream='first']").locator("[title=Rename]").click()
    page.fill("dialog input", "Three colours")
    page.click("dialog >> text=Save")
    page.wait_for_selector(".tile h2 >> text=Three colours", timeout=_LONG_MS)


def test_the_strip_is_clicked_zoomed_and_stepped_through_by_keys(page: Any, address: str) -> None:
    page.goto(f"{address}/?s=first&t=1")
    page.wait_for_selector(".track .thumbs img", timeout=_LONG_MS)
    track = page.locator(".track")
    box = track.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
    wait_for_player(page, "first", 11.0, 13.0)
    box = track.bounding_box()  # what stands above it may have grown by the moment's times
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.wait_for_selector(".strip-tip >> text=0:1", timeout=_LONG_MS)
    page.mouse.wheel(0, -400)
    page.wait_for_function("window.hippocam.player.strip.zoomed()", timeout=_LONG_MS)
    track.focus()
    page.keyboard.press("0")
    page.wait_for_function("!window.hippocam.player.strip.zoomed()", timeout=_LONG_MS)
    page.keyboard.press("Home")
    wait_for_player(page, "first", 0.0, 0.1)
    page.keyboard.press("]")
    page.wait_for_function("window.hippocam.player.time() > 0.5", timeout=_LONG_MS)
    later = player(page)["time"]
    page.keyboard.press("[")
    page.wait_for_function("least => window.hippocam.player.time() < least", arg=later, timeout=_LONG_MS)


def test_every_view_opens_by_keys_alone_in_the_dark_on_a_phone(page: Any, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    for name in ("search", "library", "cameras", "things", "memory", "jobs", "settings", "ask"):
        link = page.locator(f".rail-link[href='{'?' if name == 'ask' else f'?v={name}'}']")
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_function(
            "name => window.hippocam.main.dataset.view === name && window.hippocam.main.innerText.length > 3",
            arg=name,
            timeout=_LONG_MS,
        )
        assert page.evaluate("window.hippocam.root.host.dataset.theme") == "dark"
        wide = "() => Math.max(...[...window.hippocam.main.querySelectorAll('section')].map((s) => s.scrollWidth))"
        assert page.evaluate(wide) <= 390
        if SCREENSHOTS:
            page.screenshot(path=Path(SCREENSHOTS) / f"phone-{name}.png")
    page.locator(".dock").wait_for(timeout=_LONG_MS)
    top, bottom = page.locator(".dock").bounding_box(), page.locator(".ask-form").bounding_box()
    assert top["y"] == 0
    assert bottom["y"] > 600


def test_every_view_is_written_to_the_folder_of_screenshots(page: Any, address: str) -> None:
    if not SCREENSHOTS:
        pytest.skip("HIPPOCAM_SCREENSHOTS names no folder")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for name in ("search", "library", "cameras", "things", "memory", "jobs", "settings", "ask"):
            page.goto(f"{address}/?v={name}&s=first&t=4")
            page.wait_for_function(
                "name => window.hippocam?.main?.dataset.view === name", arg=name, timeout=_LONG_MS
            )
            page.wait_for_load_state("networkidle")
            page.screenshot(path=Path(SCREENSHOTS) / f"{scheme}-{name}.png")


def test_on_a_network_the_password_opens_the_page(network: str, page: Any) -> None:
    page.goto(network)
    page.fill("input[type=password]", "wrong one")
    page.click("button")
    page.wait_for_selector("text=this is not the password")
    page.fill("input[type=password]", "open sesame")
    page.click("button")
    page.wait_for_selector(".rail-link", timeout=_LONG_MS)
    page.context.close()
    page.requested.clear()  # they were of another server than the one that it was opened at
    page.faults.clear()  # the browser tells each refusal as an error
