"""What people do on the page beyond asking: cameras, cancelling, sleeping, putting right, keys alone, two at once.

Fixtures and what they promise are in conftest.py.
"""

from __future__ import annotations

import base64
import io
import itertools
import shutil
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import PIL.Image
import pytest
from fastapi import FastAPI

from hippocam.apps.live.endpoint import ask_live
from hippocam.apps.live.folder import JsonLines, LiveFolder
from hippocam.apps.session import Session
from hippocam.apps.web.options import PageOptions
from hippocam.apps.web.server import build_app
from hippocam.apps.zones.files import read_zones
from hippocam.memory.config import MemoryConfig
from hippocam.memory.folder import has_memory
from hippocam.memory.memory import Memory
from hippocam.memory.working.working import WorkingConfig
from hippocam.stream.jpeg import encode_jpeg
from hippocam.stream.records import Embedding, EncodedImages, EncoderSpec, Image, Sensed, Thing

_LONG_MS = 600_000
SPEC = EncoderSpec(id="colour:1", dim=3, normalised=True, midpoint=0.8, slope=20.0)
Serving = Callable[[FastAPI, str], AbstractContextManager[str]]
Visit = Callable[[str], Any]


@pytest.fixture
def opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helpers: ModuleType, serving: Serving
) -> Iterator[Callable[..., str]]:
    """Serves the memory of this test: `opened(read_only=True)` gives its address."""
    monkeypatch.setattr("hippocam.apps.folders.make_encoder", lambda name: helpers.ColourEncoder())
    open_now: list[AbstractContextManager[Any]] = []

    def serve(**options: Any) -> str:
        session = Session(tmp_path / "memory", encoder="colour")
        server = serving(build_app(session, options=PageOptions(**options)), "127.0.0.1")
        open_now.extend((session, server))
        session.__enter__()
        return server.__enter__()

    yield serve
    for context in reversed(open_now):
        context.__exit__(None, None, None)


def view(page: Any, name: str) -> None:
    page.click(f".rail-link[title='{name}']")


# cameras ------------------------------------------------------------------------------------------------------


def test_a_camera_is_shown_live_looked_back_at_and_gone_on_with(
    tmp_path: Path, load_helpers: Any, serving: Serving, visit: Visit
) -> None:
    live, media = load_helpers("live_process.py"), load_helpers("media.py")
    clip, memory = tmp_path / "yard.mp4", tmp_path / "cam"
    media.render_video(clip, frames=60, fps=10, size=(160, 96), options=media.long_gop(10), sound_s=6)
    with live.Live(memory, f"yard={clip}", "--loop", "--fps", 2, "--look-back-mb", 8) as process:
        process.wait_for(lambda row: row["seen"] > 4)
        live.until(lambda: [s for s in Memory.open_reader(memory).streams() if s.entries])
        with Session(memory, encoder="palette") as session, serving(build_app(session), "127.0.0.1") as address:
            page = visit(f"{address}/?v=cameras")
            page.wait_for_selector(".tile.camera .state-live", timeout=_LONG_MS)
            tile = "window.hippocam.root.querySelector('.tile.camera video')"
            page.wait_for_function(f"!{tile}.hidden && {tile}.currentTime > 0.5", timeout=_LONG_MS)
            page.wait_for_selector(".live-badge.on >> text=behind", timeout=_LONG_MS)
            page.wait_for_function(
                "(({ footage, video }) => footage.following && video.currentTime > 1)(window.hippocam.player)",
                timeout=_LONG_MS,
            )
            page.click("[title='Hear the camera']")
            heard = "window.hippocam.player.video.webkitAudioDecodedByteCount > 0"
            page.wait_for_function(f"!window.hippocam.player.video.muted && {heard}", timeout=_LONG_MS)
            page.wait_for_selector(".lane.footage .filmed", state="attached", timeout=_LONG_MS)
            back = page.evaluate("window.hippocam.player.footage.info.footage.at(-1)[0] + 1")
            page.evaluate("time => window.hippocam.player.strip.seek(time)", back)
            page.wait_for_function(
                "time => { const p = window.hippocam.player;"
                " return p.footage.shown && p.video.readyState >= 2 && Math.abs(p.time() - time) < 4; }",
                arg=back,
                timeout=_LONG_MS,
            )
            page.wait_for_function("!window.hippocam.player.footage.following", timeout=_LONG_MS)
            page.evaluate("window.hippocam.player.strip.extend(window.hippocam.player.footage.now() + 60)")
            page.click("button.live-badge")
            page.wait_for_selector(".live-badge.on >> text=behind", timeout=_LONG_MS)
            page.fill("input[aria-label='Address of the camera']", str(clip))
            page.click("text=Add a camera")
            page.wait_for_selector(".toast.bad >> text=a camera is an address or a device", timeout=_LONG_MS)
            page.faults.clear()  # the browser tells the refusal as an error
            page.context.close()  # before its server ends


class Mjpeg(BaseHTTPRequestHandler):
    """A camera as many are: JPEGs in one answer that never ends; a red square moves on green."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        with suppress(OSError):  # who looked has gone
            for number in itertools.count():
                image = np.full((96, 160, 3), (0, 200, 0), np.uint8)
                image[30:60, number % 120 : number % 120 + 30] = (220, 0, 0)
                jpeg = encode_jpeg(image, 160, 80)
                self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg))
                self.wfile.write(jpeg + b"\r\n")
                time.sleep(0.1)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def mjpeg() -> Iterator[str]:
    """Address of a camera on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mjpeg)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/stream.mjpg"
    server.shutdown()
    server.server_close()


def test_a_camera_is_added_its_zones_are_drawn_and_a_question_looks_in_one(
    tmp_path: Path, mjpeg: str, load_helpers: Any, serving: Serving, visit: Visit
) -> None:
    until = load_helpers("live_process.py").until
    memory, settings = tmp_path / "cam", tmp_path / "settings.yaml"
    settings.write_text("encoder: palette\n")
    with Session(memory, encoder="palette") as session:
        app = build_app(session, options=PageOptions(config=str(settings)))
        with serving(app, "127.0.0.1") as address:
            page = visit(f"{address}/?v=cameras")
            page.wait_for_selector("text=No camera is watched", timeout=_LONG_MS)
            page.fill("input[aria-label='Address of the camera']", mjpeg)
            page.fill("input[aria-label='Name of the camera']", "yard")
            page.keyboard.press("Enter")
            page.wait_for_selector(".tile.camera[data-stream='yard'] .state-live", timeout=_LONG_MS)
            tile = page.locator(".tile.camera[data-stream='yard']")
            until(lambda: [s for s in session.status().streams if s.id == "yard"] if has_memory(memory) else [])
            page.wait_for_function(
                "() => (window.hippocam.refresh(), window.hippocam.stream('yard'))", timeout=_LONG_MS
            )
            tile.locator("[title='Zones and masks']").click()
            page.wait_for_selector(".zone-editor", timeout=_LONG_MS)
            page.click("text=Add a zone")
            page.keyboard.type("gate")
            corner = page.locator(".zone-handles .corner").first
            corner.wait_for(timeout=_LONG_MS)
            stage, box = page.locator(".zone-stage").bounding_box(), corner.bounding_box()
            page.mouse.move(box["x"] + 9, box["y"] + 9)
            page.mouse.down()
            page.mouse.move(stage["x"] + 0.1 * stage["width"], stage["y"] + 0.2 * stage["height"])
            page.mouse.up()
            page.keyboard.press("ArrowRight")
            page.locator(".zone-handles .between").first.click()
            page.click("text=Add a mask")
            page.click("dialog >> text=Save")
            page.wait_for_selector(".toast >> text=looked at so from now on", timeout=_LONG_MS)
            marked = read_zones(LiveFolder(memory).zones)["yard"]  # as `live add` reads it
            first, second, *rest = marked.zones["gate"]
            assert first == pytest.approx([0.11, 0.2], abs=0.01)
            assert second == pytest.approx([(first[0] + 0.7) / 2, (first[1] + 0.35) / 2], abs=0.01)
            assert (len(rest), len(marked.masks)) == (3, 1)
            until(lambda: grey_in_the_middle(memory))
            page.fill("input[aria-label='Tell me when this is shown']", "a person")
            page.select_option("select[aria-label='Where']", "gate")
            page.click("text=Watch for these")
            page.wait_for_selector(".toast >> text=watch for them", timeout=_LONG_MS)
            tile.locator("[title='Zones and masks']").click()
            page.locator(".zone-list [title='Take it away']").first.click()
            page.click("dialog >> text=Save")
            page.wait_for_selector(".toast.bad >> text=looks in the zone 'gate'", timeout=_LONG_MS)
            page.click("dialog >> text=Cancel")
            page.faults.clear()  # the browser tells the refusal as an error
            tile.locator("[title='Stop watching it']").click()
            page.click("dialog .button.primary")
            page.wait_for_selector(".tile.camera >> text=not watched now", timeout=_LONG_MS)
            page.context.close()  # before its server ends


def grey_in_the_middle(memory: Path) -> bool:
    """Whether the newest frame of the live process is masked there."""
    told = ask_live(LiveFolder(memory).socket, {"op": "latest", "stream": "yard"}) or {}
    frames = [base64.b64decode(frame["jpeg"]) for frame in told.get("frames", [])]
    if not frames:
        return False
    shown = np.asarray(PIL.Image.open(io.BytesIO(frames[-1])).convert("RGB")).astype(int)
    return bool((np.abs(shown[58, 80] - 114) < 12).all())


# the first video ----------------------------------------------------------------------------------------------


def test_a_folder_is_added_and_its_first_moments_come_while_it_is_watched(
    opened: Callable[..., str], monkeypatch: pytest.MonkeyPatch, helpers: ModuleType, tmp_path: Path, visit: Visit
) -> None:
    going, rest, begun = threading.Event(), threading.Event(), threading.Event()

    class Slow(helpers.ColourEncoder):  # type: ignore[name-defined,misc]
        def encode_images(self, images: Sequence[Image]) -> EncodedImages:
            (rest if going.is_set() else going).wait(600)
            begun.set()
            encoded: EncodedImages = super().encode_images(images)
            return encoded

    monkeypatch.setattr("hippocam.apps.folders.make_encoder", lambda name: Slow())
    folder = tmp_path / "footage"
    (folder / "inner").mkdir(parents=True)
    helpers.render_colours(folder / "inner" / "one.mp4", seconds_each=8)
    helpers.render_colours(folder / "two.mp4", seconds_each=2)
    (folder / "notes.txt").write_text("no video")
    page = visit(opened())
    page.click(".empty button:has-text('Add videos')")
    page.wait_for_selector(".library .empty >> text=Nothing watched yet", timeout=_LONG_MS)
    page.set_input_files(".folder-box", str(folder))
    view(page, "Ask")
    page.wait_for_selector("text=The first moments are on their way", timeout=_LONG_MS)
    going.set()
    page.wait_for_selector(".welcome", timeout=_LONG_MS)  # there is something to ask while the rest is watched
    page.wait_for_selector(".dock .thumbs img", timeout=_LONG_MS)
    rest.set()
    page.wait_for_function(
        "window.hippocam.held.streams.length === 2 && !window.hippocam.jobs.busy()", timeout=_LONG_MS
    )
    view(page, "Library")
    page.wait_for_selector(".tile[data-stream='one']", timeout=_LONG_MS)
    assert page.locator(".tile[data-stream='two']").count() == 1
    assert page.locator(".job-failed").count() == page.locator(".tag.warn").count() == 0


# jobs ---------------------------------------------------------------------------------------------------------


def test_a_watch_is_cancelled_and_gone_on_with(
    opened: Callable[..., str], monkeypatch: pytest.MonkeyPatch, helpers: ModuleType, tmp_path: Path, visit: Visit
) -> None:
    going, begun = threading.Event(), threading.Event()

    class Slow(helpers.ColourEncoder):  # type: ignore[name-defined,misc]
        def encode_images(self, images: Sequence[Image]) -> EncodedImages:
            begun.set()
            going.wait(600)
            encoded: EncodedImages = super().encode_images(images)
            return encoded

    monkeypatch.setattr("hippocam.apps.folders.make_encoder", lambda name: Slow())
    page = visit(f"{opened()}/?v=library")
    helpers.render_colours(tmp_path / "long.mp4", seconds_each=8)
    page.set_input_files(".file-box", str(tmp_path / "long.mp4"))
    assert begun.wait(600)
    view(page, "Jobs")
    page.click(".job >> text=Cancel")
    page.wait_for_selector(".job-stopping", timeout=_LONG_MS)
    going.set()
    page.wait_for_selector(".job-cancelled", timeout=_LONG_MS)
    page.click(".job-cancelled >> text=Resume")
    page.wait_for_selector(".job-done >> text=long.mp4", timeout=_LONG_MS)
    view(page, "Library")
    page.wait_for_selector(".tile[data-stream='long']", timeout=_LONG_MS)
    assert page.locator(".tag.warn").count() == 0


def test_what_one_visitor_does_the_other_sees_but_not_what_is_theirs(
    address: str, visit: Visit, helpers: ModuleType, tmp_path: Path
) -> None:
    one, other = visit(address), visit(f"{address}/?v=library")
    one.fill(".ask-box", "when is it green")
    one.keyboard.press("Enter")
    one.wait_for_selector(".turn .verdict", timeout=_LONG_MS)
    helpers.render_colours(tmp_path / "shared.mp4", seconds_each=2)
    view(one, "Library")
    one.set_input_files(".file-box", str(tmp_path / "shared.mp4"))
    one.locator(".tile[data-stream='shared']").wait_for(timeout=_LONG_MS)
    view(one, "Jobs")
    one.click(".job-done [title^='Dismiss']")
    one.wait_for_selector("text=Nothing is being worked on", timeout=_LONG_MS)
    view(other, "Jobs")
    other.wait_for_selector(".job-done >> text=another visitor", timeout=_LONG_MS)
    view(other, "Ask")
    assert other.locator(".turn").count() == 0
    other.reload()
    other.wait_for_selector(".welcome", timeout=_LONG_MS)


# who may only look --------------------------------------------------------------------------------------------


def test_a_page_for_reading_offers_nothing_that_changes_the_memory(
    watched: Path, tmp_path: Path, opened: Callable[..., str], visit: Visit
) -> None:
    shutil.copytree(watched, tmp_path / "memory")
    page = visit(opened(read_only=True))
    page.fill(".ask-box", "when is it green")
    page.keyboard.press("Enter")
    page.wait_for_selector(".turn .verdict", timeout=_LONG_MS)
    assert not page.locator(".dock [title^='Keep this moment']").is_visible()
    view(page, "Library")
    page.wait_for_selector(".tile[data-stream='first']", timeout=_LONG_MS)
    assert page.locator("text=Add videos").count() == page.locator("[title=Forget]").count() == 0
    view(page, "Search")
    page.locator(".choose").first.check()
    assert page.locator(".chosen-bar >> text=JSON").count() == 1
    assert page.locator(".chosen-bar >> text=Forget").count() == 0
    view(page, "Memory")
    page.wait_for_selector(".ages", timeout=_LONG_MS)
    assert page.locator("text=Undo the last sleep").count() == 0
    view(page, "Cameras")
    page.wait_for_selector("text=No camera is watched", timeout=_LONG_MS)
    assert not page.locator("text=Add a camera").is_visible()
    refused = page.evaluate(
        "async () => (await fetch('hippocam/forget', { method: 'POST', body: JSON.stringify({ stream: 'first' }),"
        " headers: { 'Content-Type': 'application/json' } })).status"
    )
    assert refused == 403
    page.faults.clear()


# the memory ---------------------------------------------------------------------------------------------------


def alike(folder: Path) -> None:
    """A memory of 60 events in three colours, each a little other than the last."""
    rng, seq = np.random.default_rng(1), 0
    with Memory.open_writer(folder, encoder="colour", spec=SPEC, config=MemoryConfig()) as memory:
        memory.begin("room", uri="/x/room.mp4")
        for event in range(60):
            base = 200 * np.eye(3)[event % 3] + 20 + 25 * rng.normal(size=3)
            for _ in range(4):
                colour = np.clip(base + 6 * rng.normal(size=3), 1, 255)
                vector = (colour / np.linalg.norm(colour)).astype(np.float32)
                jpeg = encode_jpeg(np.full((90, 160, 3), colour, np.uint8), 160, 80)
                memory.write([Embedding(stream="room", seq=seq, time_s=float(seq), vector=vector, jpeg=jpeg)])
                seq += 1
        memory.finish("room", end_s=float(seq))


def test_a_sleep_says_what_it_did_and_is_undone(tmp_path: Path, opened: Callable[..., str], visit: Visit) -> None:
    alike(tmp_path / "memory")
    page = visit(f"{opened()}/?v=memory")
    held = ".number:last-child strong"
    now = f"Number(window.hippocam.root.querySelector('{held}')?.textContent)"
    page.wait_for_selector(held, timeout=_LONG_MS)
    before = int(page.inner_text(held))
    assert page.locator("text=Undo the last sleep").is_disabled()
    page.click("text=Sleep >> nth=0")
    assert "It can be undone" in page.inner_text("dialog")
    page.click("dialog .button.primary")
    page.wait_for_selector(".toast >> text=entries before", timeout=_LONG_MS)
    page.wait_for_function(f"before => {now} < before", arg=before, timeout=_LONG_MS)
    page.click("text=Undo the last sleep")
    page.wait_for_selector(".toast >> text=came back", timeout=_LONG_MS)
    page.wait_for_function(f"before => {now} === before", arg=before, timeout=_LONG_MS)


def test_another_budget_is_tried_out_beside_what_is_found_by_age(page: Any) -> None:
    view(page, "Memory")
    page.wait_for_selector(".ages polyline.ages-first", timeout=_LONG_MS, state="attached")
    assert page.locator(".ages-then").count() == 0
    slider = page.locator("input[aria-label='Another budget, in MB']")
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_selector(".what-if-told >> text=It would hold", timeout=_LONG_MS)
    page.wait_for_selector(".ages-then", timeout=_LONG_MS, state="attached")
    assert "1 MB" in page.inner_text(".what-if-told")
    assert "found first" in page.get_attribute(".ages", "aria-label")


def test_a_job_that_ended_before_anybody_looked_is_told(opened: Callable[..., str], visit: Visit) -> None:
    page = visit(opened())
    page.wait_for_function("window.hippocam.jobs.looked && !window.hippocam.jobs.polling", timeout=_LONG_MS)
    done = "{ id: 'quick', kind: 'budget', own: true, name: '', note: '3 of 3 events are held', state: 'done' }"
    told = page.evaluate(f"(() => {{ const jobs = window.hippocam.jobs; return jobs.news({done}, false); }})()")
    assert told
    page.wait_for_selector(".toast >> text=3 of 3 events are held", timeout=_LONG_MS)
    page.evaluate(f"window.hippocam.jobs.news({done}, false)")
    assert page.locator(".toast").count() == 1  # once


def test_another_budget_is_set_once_it_was_said_what_would_go(
    tmp_path: Path, opened: Callable[..., str], visit: Visit
) -> None:
    alike(tmp_path / "memory")
    page = visit(f"{opened()}/?v=memory")
    page.fill(".what-if .budget-mb", "1")
    page.wait_for_selector(".what-if-told >> text=It would hold", timeout=_LONG_MS)
    page.click(".what-if >> text=Set the budget")
    assert "It would hold" in page.inner_text("dialog")
    page.click("dialog >> text=Cancel")
    page.click(".what-if >> text=Set the budget")
    page.click("dialog .button.bad")
    page.wait_for_selector(".toast >> text=events are held", timeout=_LONG_MS)
    page.wait_for_selector(".rail-budget >> text=of 1 MB", state="attached", timeout=_LONG_MS)
    with Memory.open_reader(tmp_path / "memory") as memory:
        assert memory.budget_bytes() == 1_000_000
    view(page, "Settings")
    assert page.input_value(".setting .budget-mb") == "1"
    page.fill(".setting .budget-mb", "9000000")
    page.click(".setting >> text=Set the budget")  # its field says what it takes
    assert page.locator("dialog").count() == 0


def visitors(folder: Path, *, start_s: float = 0.0) -> None:
    """A memory of a still room with three visits, each in looks of its own."""
    rng = np.random.default_rng(5)
    room = rng.integers(60, 190, (45, 80, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    config = MemoryConfig(working=WorkingConfig(by_change=True))
    with Memory.open_writer(folder, encoder="colour", spec=SPEC, config=config) as memory:
        memory.begin("door", uri="/x/door.mp4")
        for second in range(120):
            image, things = room.copy(), ()
            for who, (t0, t1) in enumerate(((20, 30), (50, 65), (90, 100))):
                if t0 <= second < t1:
                    image[60:320, 200:330] = 0
                    image[60:320, 200:330, who] = 255
                    box, look = (0.31, 0.17, 0.52, 0.89), np.eye(32, dtype=np.float32)[who]
                    things = (Thing(label="person", score=0.9, box=box, vector=look),)
            memory.write(
                [
                    Embedding(
                        stream="door", seq=second, time_s=start_s + second, jpeg=encode_jpeg(image, 512, 80),
                        vector=np.eye(3, dtype=np.float32)[len(things)], sensed=Sensed(things=things),
                    )
                ]
            )  # fmt: skip
        memory.finish("door", end_s=start_s + 120.0)


def test_people_are_merged_split_and_put_back(tmp_path: Path, opened: Callable[..., str], visit: Visit) -> None:
    visitors(tmp_path / "memory")
    page = visit(f"{opened()}/?v=things")
    tiles = page.locator(".tile.thing")
    tiles.nth(2).wait_for(timeout=_LONG_MS)
    assert tiles.count() == 3
    tiles.nth(0).locator(".choose").check()
    tiles.nth(1).locator(".choose").check()
    for tile in tiles.all():  # its picture was taken while it was there
        began, ended = tile.locator(".jump").first.inner_text().split(" – ")
        tile.locator(".poster").click()
        page.wait_for_selector(f".dock-span >> text={began}", timeout=_LONG_MS)
        shown = page.evaluate("window.hippocam.player.moment")
        assert shown["t0_s"] <= shown["frame_s"] <= shown["t1_s"], (began, ended)
    page.click("text=They are one: merge")
    assert "2 visits" in page.inner_text("dialog")
    page.click("dialog .button.primary")
    page.wait_for_selector("text=2 things", timeout=_LONG_MS)
    page.wait_for_selector(".tile.thing >> text=2 visits", timeout=_LONG_MS)
    page.locator(".visits [title^='This visit was somebody else']").first.click()
    page.wait_for_selector("text=3 things", timeout=_LONG_MS)
    page.click("text=Undo the last split")
    page.wait_for_selector("text=2 things", timeout=_LONG_MS)
    page.click("text=Undo the last merge")
    page.wait_for_selector("text=3 things", timeout=_LONG_MS)


def test_what_nobody_has_reviewed_comes_first_for_all_visitors(
    tmp_path: Path, opened: Callable[..., str], visit: Visit
) -> None:
    visitors(tmp_path / "memory", start_s=1_790_000_000.0)
    place = LiveFolder(tmp_path / "memory")
    place.make()
    alert = {"event": "alert", "time_s": 1_790_000_055.0, "stream": "door", "label": "person", "text": "a visitor"}
    JsonLines(place.alerts).add(alert | {"image": ""})
    address = opened()
    page = visit(f"{address}/?v=cameras")
    items = page.locator(".review-item")
    items.nth(2).wait_for(timeout=_LONG_MS)
    assert items.count() == 3  # the alert is of one of the visits
    assert items.nth(1).locator(".tag >> text=alert").count() == 1
    items.nth(1).locator(".card").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("window.hippocam.player.moment?.t0_s > 1790000045", timeout=_LONG_MS)
    items.nth(1).locator("[title='Reviewed']").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".review >> text=2 to look through", timeout=_LONG_MS)
    other = visit(f"{address}/?v=cameras")
    other.wait_for_selector(".review >> text=2 to look through", timeout=_LONG_MS)
    other.click(".review .chip >> text=alerts")
    other.wait_for_selector(".review >> text=Nothing of this kind is left", timeout=_LONG_MS)
    page.check(".review label input")
    page.wait_for_selector(".review-item.reviewed", timeout=_LONG_MS)
    assert "reviewed" in (items.nth(2).get_attribute("class") or "")  # behind what is left
    page.click("text=Mark all as reviewed")
    page.click("dialog .button.primary")
    page.wait_for_selector(".review >> text=all of it was looked through", timeout=_LONG_MS)


# searching and asking -----------------------------------------------------------------------------------------


def test_several_videos_are_chosen_by_keys_alone_and_nothing_else_answers(page: Any) -> None:
    page.wait_for_selector(".menu summary", timeout=_LONG_MS)  # which videos there are has been read
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("window.hippocam.root.activeElement.id") == "view"
    page.keyboard.press("/")
    page.evaluate("window.hippocam.root.querySelector('.menu summary').focus()")
    page.keyboard.press("Enter")
    for _ in range(4):  # all videos, first, old, second
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    assert page.inner_text(".menu summary") == "2 videos"
    page.keyboard.press("Escape")
    assert not page.evaluate("window.hippocam.root.querySelector('.menu').open")
    page.keyboard.press("/")
    page.keyboard.type("when is it green")
    page.keyboard.press("Enter")
    page.wait_for_selector(".turn .verdict", timeout=_LONG_MS)
    streams = page.eval_on_selector_all(".card", "cards => cards.map((card) => card.dataset.stream)")
    assert set(streams) == {"old", "second"}
    assert "in 2 videos" in page.inner_text(".question")
    page.locator(".card[data-stream='second']").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("window.hippocam.player.view.name === 'second'", timeout=_LONG_MS)
    page.keyboard.press("l")
    page.wait_for_function("window.hippocam.player.loop", timeout=_LONG_MS)
    page.keyboard.press("p")
    page.wait_for_selector(".toast >> text=never given up", timeout=_LONG_MS)
    page.wait_for_selector(".moment-told >> text=pinned", timeout=_LONG_MS)


def test_moments_are_taken_away_as_one_file(page: Any) -> None:
    view(page, "Search")
    page.wait_for_selector(".cell", timeout=_LONG_MS)
    for index in range(3):
        page.locator(".choose").nth(index).check()
    with page.expect_download(timeout=_LONG_MS) as download:
        page.click(".chosen-bar >> text=Clips")
    with zipfile.ZipFile(download.value.path()) as packed:
        names = packed.namelist()
    assert names[-2:] == ["moments.json", "moments.csv"]
    assert len(names) == 5


def test_a_stream_is_asked_for_by_its_title_told_by_it_and_found_at_it(page: Any, address: str) -> None:
    view(page, "Library")
    page.locator(".tile[data-stream='first']").locator("[title=Rename]").click()
    page.fill("dialog input", "Three colours")
    page.keyboard.press("Enter")
    page.wait_for_selector(".tile h2 >> text=Three colours", timeout=_LONG_MS)
    view(page, "Ask")
    page.fill(".ask-box", "when is it green in three colours?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".turn .verdict", timeout=_LONG_MS)
    streams = page.eval_on_selector_all(".card", "cards => cards.map((card) => card.dataset.stream)")
    assert set(streams) == {"first"}
    assert "in Three colours" in page.inner_text(".answer .text")
    page.goto(f"{address}/?s=Three+colours&t=4")
    page.wait_for_function("window.hippocam?.player?.view?.name === 'first'", timeout=_LONG_MS)
    page.goto(f"{address}/?s=nothing+of+the+kind")
    page.wait_for_selector(".toast >> text=There is no stream", timeout=_LONG_MS)
