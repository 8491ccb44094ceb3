"""The page's server over HTTP: media by opaque ids, uploads, closed doors, the command itself."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import httpx
import numpy as np
import pytest
from starlette.testclient import TestClient

from hippocam.apps.errors import AddressError, BrokenOffError
from hippocam.apps.records import WatchProgress
from hippocam.apps.session import Session
from hippocam.apps.web.access.door import Door
from hippocam.apps.web.access.password import Password
from hippocam.apps.web.beside import converted_file, stream_key, uploads_folder
from hippocam.apps.web.media import Library
from hippocam.apps.web.options import PageOptions
from hippocam.apps.web.questions import Questions
from hippocam.apps.web.server import build_app, listen
from hippocam.apps.web.titles import Titles
from hippocam.apps.web.views.site import Site
from hippocam.memory.memory import Memory

LOCAL = "http://127.0.0.1:7860"


def wait_for_jobs(client: TestClient, *, within_s: float = 600) -> list[dict[str, Any]]:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        jobs: list[dict[str, Any]] = client.get("/hippocam/jobs").json()["jobs"]
        if all(job["state"] in ("done", "failed") for job in jobs):
            return jobs
        time.sleep(0.05)
    raise AssertionError(f"still at work after {within_s} s: {jobs}")


def test_a_video_is_served_in_ranges(client: TestClient, tmp_path: Path) -> None:
    whole = (tmp_path / "colours.mp4").read_bytes()
    address = f"/hippocam/video/{stream_key('colours')}"
    part = client.get(address, headers={"Range": "bytes=100-299"})
    assert part.status_code == 206
    assert part.content == whole[100:300]
    assert part.headers["content-range"] == f"bytes 100-299/{len(whole)}"
    assert part.headers["content-type"] == "video/mp4"
    tail = client.get(address, headers={"Range": "bytes=-7"})
    assert (tail.status_code, tail.content) == (206, whole[-7:])
    assert client.get(address, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
    assert client.get(address).content == whole
    assert client.head(address).headers["accept-ranges"] == "bytes"


def test_the_player_learns_what_it_can_play(client: TestClient, session: Session, tmp_path: Path) -> None:
    key = stream_key("colours")
    view = client.get(f"/hippocam/stream/{key}").json()
    assert (view["name"], view["video"], view["gone"]) == ("colours", True, False)
    picture = client.get(f"/hippocam/picture/{view['picture']}")
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content.startswith(b"\xff\xd8")
    (tmp_path / "colours.mp4").unlink()
    view = client.get(f"/hippocam/stream/{key}").json()
    assert (view["video"], view["gone"]) == (False, True)
    assert client.get(f"/hippocam/video/{key}").status_code == 404


def test_the_second_lens_of_a_file_is_shown_by_its_pictures(
    session: Session, tmp_path: Path, helpers: ModuleType
) -> None:
    """A browser plays the first track of a file: it would show what the front camera saw."""
    with av.open(str(tmp_path / "dash.mp4"), "w") as container:
        tracks = [container.add_stream("libx264", rate=10) for _ in range(2)]
        for track, colour in zip(tracks, ("red", "blue"), strict=True):
            track.width, track.height, track.pix_fmt = 320, 180, "yuv420p"
            picture = np.full((180, 320, 3), helpers.COLOURS[colour], np.uint8)
            for _ in range(30):
                container.mux(track.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        for track in tracks:
            container.mux(track.encode(None))
    session.watch([tmp_path / "dash.mp4"])
    with TestClient(build_app(session), base_url=LOCAL) as client:
        for stream, plays in (("dash/1", True), ("dash/2", False)):
            view = client.get(f"/hippocam/stream/{stream_key(stream)}").json()
            assert (view["video"], view["gone"]) == (plays, False)
            assert client.get(f"/hippocam/picture/{view['picture']}").status_code == 200
            assert client.get(f"/hippocam/video/{stream_key(stream)}").status_code == (200 if plays else 404)


def test_several_memories_are_shown_and_nothing_is_added_to_them(session: Session, tmp_path: Path) -> None:
    with Session(tmp_path / "other", encoder="colour") as other:
        other.watch([tmp_path / "colours.mp4"])
    with Session([session.folder, other.folder]) as both, TestClient(build_app(both), base_url=LOCAL) as client:
        assert client.get("/hippocam/streams").json()["may_change"] is False
        assert client.post("/hippocam/upload", params={"name": "a.mp4"}, content=b"x").status_code != 200
        for name in ("memory", "other"):
            view = client.get(f"/hippocam/stream/{stream_key(f'{name}/colours')}").json()
            assert (view["name"], view["video"]) == (f"{name}/colours", True)
            assert view["picture"].startswith(f"{name}/")
            assert client.get(f"/hippocam/picture/{view['picture']}").content.startswith(b"\xff\xd8")
        assert client.get("/hippocam/picture/other/..%2fmemory.db").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "video/0000000000000000",
        "video/colours",
        "video/..%2fcolours.mp4",
        "video/%2fetc%2fpasswd",
        "picture/0000000000000000",
        "picture/..%2fmemory.db",
        "picture/%2e%2e%2fwriter.lock",
        "picture/0000000000000000.jpg",
        "stream/nobody",
    ],
)
def test_what_the_memory_does_not_know_is_not_served(client: TestClient, path: str) -> None:
    assert client.get(f"/hippocam/{path}").status_code == 404


def test_only_videos_are_served_whatever_a_memory_names_as_a_source(session: Session, tmp_path: Path) -> None:
    class Renamed(Session):
        def status(self) -> Any:
            from dataclasses import replace

            found = super().status()
            secret = str(tmp_path / "secret.txt")
            return replace(found, streams=tuple(replace(s, source=secret) for s in found.streams))

    (tmp_path / "secret.txt").write_text("secret")
    with Renamed(session.folder) as renamed:
        assert Library(renamed).video(stream_key("colours")) is None


@pytest.mark.parametrize(
    "path",
    ["/monitoring", "/monitoring/summary", "/gradio_api/upload", "/gradio_api/file=/etc/passwd",
     "/gradio_api/proxy=https://example.hf.space/", "/runs", "/docs", "/openapi.json"],
)  # fmt: skip
def test_doors_that_gradio_leaves_open_are_closed(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_foreign_names_and_sites_are_turned_away(client: TestClient) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    sent = client.post("/hippocam/upload?name=a.mp4", content=b"x", headers={"Origin": "http://evil.example"})
    assert sent.status_code == 403


def test_a_page_of_one_memory_takes_videos(client: TestClient) -> None:
    assert client.get("/hippocam/streams").json()["may_change"] is True


def test_the_page_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "<title>Hippocam</title>" in page.text or '"title":"Hippocam"' in page.text.replace(" ", "")
    static = Path(__file__).resolve().parents[3] / "apps" / "web" / "static"
    for path in static.iterdir():
        text = client.get(f"/hippocam/static/{path.name}").text
        assert text == path.read_text(encoding="utf-8")
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)[a-z]|@import", text)


def test_an_upload_is_kept_outside_the_memory_and_watched(
    client: TestClient, session: Session, tmp_path: Path, helpers: ModuleType
) -> None:
    data = helpers.render_colours(tmp_path / "other.mp4", seconds_each=2).read_bytes()
    sent = client.post("/hippocam/upload", params={"name": "<b>my clip</b>.mp4"}, content=data)
    assert sent.status_code == 200
    (job,) = wait_for_jobs(client)
    assert (job["id"], job["state"], job["share"]) == (sent.json()["job"], "done", 1.0)
    folder = uploads_folder(session.folder)
    assert folder == tmp_path / "memory-uploads"
    (kept,) = folder.iterdir()
    assert kept.read_bytes() == data
    assert "<" not in kept.name
    assert client.get(f"/hippocam/video/{job['stream']}").content == data
    client.post("/hippocam/upload", params={"name": "<b>my clip</b>.mp4"}, content=data)
    assert "already" in wait_for_jobs(client)[-1]["note"]
    assert list(folder.iterdir()) == [kept]


def test_a_broken_upload_fails_in_one_line_and_leaves_nothing(client: TestClient, session: Session) -> None:
    client.post("/hippocam/upload", params={"name": "words.mp4"}, content=b"these are words, not a video " * 40)
    (job,) = wait_for_jobs(client)
    assert job["state"] == "failed"
    assert "\n" not in job["note"]
    assert list(uploads_folder(session.folder).iterdir()) == []


def test_a_refused_upload_says_why(client: TestClient, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = client.post("/hippocam/upload", params={"name": "run.sh"}, content=b"x")
    assert refused.status_code == 400
    assert "not a video" in refused.json()["error"]
    monkeypatch.setattr("hippocam.apps.web.views.work.UPLOAD_LIMIT_BYTES", 10)
    large = client.post("/hippocam/upload", params={"name": "a.mp4"}, content=b"x" * 11)
    assert large.status_code == 413


def test_another_writer_is_named_in_the_job(client: TestClient, session: Session, tmp_path: Path) -> None:
    from hippocam.memory.lock import WriterLock

    lock = WriterLock(session.folder / "writer.lock")
    client.post("/hippocam/upload", params={"name": "a.mp4"}, content=(tmp_path / "colours.mp4").read_bytes())
    (job,) = wait_for_jobs(client)
    lock.release()
    assert job["state"] == "failed"
    assert "another process is writing" in job["note"]


def test_a_watch_that_is_broken_off_is_gone_on_with(session: Session, tmp_path: Path, helpers: ModuleType) -> None:
    def stop(progress: Any) -> None:
        if progress.time_s > 20:
            raise BrokenOffError

    helpers.render_colours(tmp_path / "long.mp4", seconds_each=40)
    with pytest.raises(BrokenOffError):
        session.watch([tmp_path / "long.mp4"], on_progress=stop)
    (half,) = [stream for stream in session.status().streams if stream.id == "long"]
    assert not half.complete
    assert half.entries >= 1
    session.watch([tmp_path / "long.mp4"])
    (whole,) = [stream for stream in session.status().streams if stream.id == "long"]
    assert whole.complete
    assert whole.duration_s == pytest.approx(120, abs=1)


def test_what_is_forgotten_takes_its_converted_version_with_it(session: Session) -> None:
    version = converted_file(session.folder, stream_key("colours"))
    version.parent.mkdir(parents=True)
    version.write_bytes(b"a version")
    with TestClient(build_app(session), base_url=LOCAL) as client:
        preview = client.post("/hippocam/forget/preview", json={"stream": "colours"}).json()
        assert [one["stream"] for one in preview["streams"]] == ["colours"]
        assert client.post("/hippocam/forget", json={"stream": "colours"}).json()["streams"] == 1
    assert not version.exists()


def test_a_page_for_reading_changes_nothing(session: Session, tmp_path: Path) -> None:
    key = stream_key("colours")
    bodies = {"pin": {"entries": ["0"]}, "forget": {"stream": "colours"}, "watch": {"stream": key}}
    bodies |= {f"title/{key}": {"title": "x"}, "memory/sleep": {}, "memory/wake": {}, f"convert/{key}": {}}
    with TestClient(build_app(session, options=PageOptions(read_only=True)), base_url=LOCAL) as client:
        for name, body in bodies.items():
            assert client.post(f"/hippocam/{name}", json=body).status_code == 403, name
        assert client.get("/hippocam/streams").json()["may_change"] is False


def test_files_of_the_server_are_watched_below_the_folders_that_are_open(
    session: Session, tmp_path: Path, helpers: ModuleType
) -> None:
    (tmp_path / "open").mkdir()
    helpers.render_colours(tmp_path / "open" / "more.mp4", seconds_each=1)
    options = PageOptions(roots=(tmp_path / "open",))
    with TestClient(build_app(session, options=options), base_url=LOCAL) as client:
        for path in (str(tmp_path / "colours.mp4"), str(tmp_path / "open" / ".." / "colours.mp4"), "/etc/passwd"):
            refused = client.post("/hippocam/watch", json={"path": path})
            assert refused.status_code == 400
            assert "nothing below" in refused.json()["error"]
        added = client.post("/hippocam/watch", json={"path": str(tmp_path / "open" / "*.mp4")})
        assert len(added.json()["jobs"]) == 1
        assert wait_for_jobs(client)[-1]["state"] == "done"


def test_addresses_that_cannot_be_had_are_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(AddressError, match="is in use"):
            listen("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(AddressError, match="not an address of this machine"):
        listen("192.0.2.1", 0)
    with pytest.raises(AddressError, match="0 to 65535"):
        listen("127.0.0.1", 70000)


def test_no_door_is_open_on_a_network_without_a_password(session: Session, tmp_path: Path) -> None:
    key, address = stream_key("colours"), "http://192.168.1.5:7860"
    data = (tmp_path / "colours.mp4").read_bytes()
    with TestClient(build_app(session, host="0.0.0.0"), base_url=address) as stranger:
        below = (f"/hippocam/video/{key}", f"/hippocam/stream/{key}", "/hippocam/jobs")
        for path in ("/", *below, "/config", "/api/v1/status", "/api/v1/search?q=red", "/metrics"):
            refused = stranger.get(path)
            assert refused.status_code == 401
            assert "HIPPOCAM_PASSWORD" in refused.text
            assert "colours" not in refused.text
        assert stranger.post("/hippocam/upload", params={"name": "a.mp4"}, content=data).status_code == 401
        assert stranger.post("/gradio_api/queue/join", json={}).status_code == 401
    assert not uploads_folder(session.folder).exists()
    with TestClient(
        build_app(session, host="0.0.0.0", door=Door(Password.of("open sesame"))), base_url=address
    ) as in_:
        assert in_.post("/hippocam/login", data={"password": "open sesame"}).status_code == 200
        assert in_.get(f"/hippocam/video/{key}").content == data
        assert in_.get("/").status_code == 200
        assert in_.get("/", headers={"Host": "evil.example"}).status_code == 400


# What a stranger may write into a request to seem to be somebody else, or somewhere else.
_FORGED: list[dict[str, str]] = [
    {},
    {"Host": "localhost:7860"},
    {"Host": "127.0.0.1:7860", "Origin": "http://127.0.0.1:7860"},
    {"Host": "[::1]:7860"},
    {"Host": "evil.example", "Origin": "http://evil.example"},
    {"Host": ""},
    {"Origin": "null"},
    {"Origin": "http://localhost:7860", "Referer": "http://localhost:7860/"},
    {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"},
    {"X-Forwarded-Host": "localhost", "X-Forwarded-Proto": "https"},
    {"X-Original-URL": "/hippocam/login", "X-Rewrite-URL": "/hippocam/login"},
    {"Cookie": "hippocam=; hippocam=null"},
    {"Authorization": "Basic aGlwcG9jYW06aGlwcG9jYW0="},
    {"X-HTTP-Method-Override": "GET", "Sec-Fetch-Site": "none"},
]


@pytest.mark.parametrize("has_door", [False, True])
def test_a_stranger_gets_nothing_whatever_the_request_pretends(
    session: Session, tmp_path: Path, has_door: bool
) -> None:
    key, data = stream_key("colours"), (tmp_path / "colours.mp4").read_bytes()
    picture = session.search("red")[0].id
    door = Door(Password.of("open sesame")) if has_door else None
    below = [
        f"video/{key}",
        f"stream/{key}",
        f"picture/{picture}",
        "jobs",
        "streams",
        "memory",
        "export?ids=1",
        "pin",
        "forget",
        "uploads",
        "upload?name=a.mp4",
        "logout/../x",
    ]
    gradio = ["queue/join", "queue/data", "heartbeat/x", "app_id", "run/ask", "upload", "file=/etc/passwd", "info"]
    paths = ["/", "/config", "/theme.css", "/assets/x", *(f"/hippocam/{name}" for name in below)]
    paths += [f"/gradio_api/{name}" for name in gradio]
    paths += [f"/api/v1/{name}" for name in ("status", "moments", "search?q=red", "ask", "forget", "openapi.json")]
    paths += ["/v1/models", "/v1/chat/completions", "/mcp", "/metrics", "/healthz/../metrics"]
    with TestClient(build_app(session, host="0.0.0.0", door=door), base_url="http://192.168.1.5:7860") as stranger:
        for forged in _FORGED:
            for path in paths:
                for method in ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"):
                    content = data if method == "POST" else None
                    answer = stranger.request(method, path, headers=forged, content=content)
                    assert answer.status_code in (400, 401, 403, 404, 405), f"{method} {path} {forged}"
                    assert "colours" not in answer.text
                    assert data[:16] not in answer.content
    assert not uploads_folder(session.folder).exists()


def test_what_comes_through_a_proxy_is_asked_for_a_password(session: Session, tmp_path: Path) -> None:
    """A proxy on this machine comes from loopback, where nobody is asked: others must not come in with it."""
    path = f"/hippocam/video/{stream_key('colours')}"
    with TestClient(build_app(session), base_url=LOCAL) as proxy:
        assert proxy.get(path).status_code == 200
        headers = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "X-Forwarded-Proto", "X-Forwarded-Host")
        for header in headers:
            refused = proxy.get(path, headers={header: "10.0.0.7"})
            assert refused.status_code == 403
            assert "HIPPOCAM_PASSWORD" in refused.text
    door = Door(Password.of("open sesame"))
    app = build_app(session, names=["cam.example"], door=door)
    with TestClient(app, base_url="https://cam.example") as proxy:
        told = {"X-Forwarded-For": "10.0.0.7", "X-Forwarded-Proto": "https", "Origin": "https://cam.example"}
        assert proxy.get(path, headers=told).status_code == 401
        assert proxy.post("/hippocam/login", data={"password": "open sesame"}, headers=told).status_code == 200
        assert proxy.get(path, headers=told).content == (tmp_path / "colours.mp4").read_bytes()
        assert proxy.get("/hippocam/settings", headers=told).json()["asks"] is True
        assert proxy.post("/hippocam/logout", headers=told).status_code == 200
        assert proxy.get(path, headers=told).status_code == 401


def test_a_question_is_not_longer_than_a_person_writes(client: TestClient, session: Session) -> None:
    site = Site(session=session, library=Library(session), titles=Titles(session.folder), jobs=None)
    (refused,) = Questions(site).ask({"id": "1", "question": "was it red? " * 200_000}, "me")
    assert refused["state"] == "error"
    assert "2000 letters" in refused["error"]
    question = {"data": [None], "event_data": {"question": "was it red? " * 200_000}, "fn_index": 0}
    assert client.post("/gradio_api/queue/join", json=question).status_code == 413
    assert client.post("/gradio_api/run/ask", json=question).status_code == 404


@pytest.mark.parametrize(
    ("limit", "value", "says"),
    [
        ("MOST_PIXELS", 320 * 180 - 1, "million pixels"),
        ("LONGEST_S", 5.0, "longer than"),
        ("FREE_BYTES", 1 << 60, "free some space"),
        ("UPLOAD_FILES", 0, "all that are kept"),
    ],
)
def test_uploads_have_limits(
    client: TestClient, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    limit: str, value: float, says: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(f"hippocam.apps.web.work.uploads.{limit}", value)
    data = (tmp_path / "colours.mp4").read_bytes()
    refused = client.post("/hippocam/upload", params={"name": "a.mp4"}, content=data)
    assert refused.status_code == 400
    assert says in refused.json()["error"]
    assert list(uploads_folder(session.folder).iterdir()) == []
    assert client.get("/hippocam/jobs").json()["jobs"] == []


def test_a_file_that_an_import_names_is_not_shown_until_a_person_allows_it(
    session: Session, tmp_path: Path
) -> None:
    from hippocam.apps.transfer.exporting import export, write_file
    from hippocam.apps.transfer.importing import import_file

    write_file(tmp_path / "m.jsonl", export(session.folder, "jsonl"), memory=session.folder)
    import_file(tmp_path / "m.jsonl", tmp_path / "taken", encoder="colour")
    key = stream_key("colours")
    with Session(tmp_path / "taken") as taken:
        with TestClient(build_app(taken), base_url=LOCAL) as client:
            assert client.get(f"/hippocam/video/{key}").status_code == 404
            view = client.get(f"/hippocam/stream/{key}").json()
            assert (view["video"], view["gone"]) == (False, True)  # nor is it told whether the file is there
        with TestClient(build_app(taken, options=PageOptions(show_imported=True)), base_url=LOCAL) as client:
            assert client.get(f"/hippocam/video/{key}").content == (tmp_path / "colours.mp4").read_bytes()
        (tmp_path / "colours.mp4").rename(tmp_path / "moved.mp4")
        taken.watch([tmp_path / "moved.mp4"])  # now a person here named it
        assert Library(taken).video(key) == tmp_path / "moved.mp4"
        taken.forget(stream="colours")
    with Memory.open_reader(tmp_path / "taken") as memory:
        keys = [key for (key,) in memory.store.connection.execute("SELECT key FROM meta")]
    assert not any("colours" in key for key in keys)


def test_the_command_tells_its_password_once(session: Session) -> None:
    command = [sys.executable, "-m", "hippocam.apps.cli.main", "web", "--memory", str(session.folder)]
    told = []
    for _ in range(2):
        with subprocess.Popen(
            [*command, "--host", "0.0.0.0", "--port", "0"], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            port = process.stdout.readline().strip().rpartition(":")[2]
            if not told:
                told.append(process.stdout.readline().strip().removeprefix("password: "))
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
                assert client.get("/").status_code == 401
                assert client.post("/hippocam/login", data={"password": "wrong"}).status_code == 401
                assert client.post("/hippocam/login", data={"password": told[0]}).status_code == 200
                assert client.get("/").status_code == 200
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
            assert process.wait(60) == 0
        assert told[0] not in rest
        assert "password:" not in rest


STUCK = """
import sys, threading
from pathlib import Path
import hippocam.apps.folders as folders
from hippocam.apps.records import WatchProgress
from hippocam.apps.session import Session
from hippocam.apps.web.options import PageOptions
from hippocam.apps.web.server import serve
from hippocam.models.encoders.palette import PaletteEncoder

class Stuck(PaletteEncoder):
    def encode_images(self, images):
        print("encoding", flush=True)
        threading.Event().wait()

folders.make_encoder = lambda name: Stuck()
with Session(Path(sys.argv[1]) / "new", encoder="palette") as session:
    serve(session, host="127.0.0.1", port=0, options=PageOptions(roots=(Path(sys.argv[1]),)))
"""


def test_the_page_ends_in_the_middle_of_a_watch_whose_step_never_does(tmp_path: Path, helpers: ModuleType) -> None:
    """Ctrl-C while a video is watched: a step is not waited for."""
    video = helpers.render_colours(tmp_path / "colours.mp4", seconds_each=2)
    with subprocess.Popen(
        [sys.executable, "-c", STUCK, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip().rpartition(":")[2]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=600) as client:
            assert client.post("/hippocam/watch", json={"path": str(video)}).status_code == 200
            assert process.stdout.readline() == "encoding\n"
            assert client.get("/hippocam/jobs").json()["jobs"][0]["state"] == "running"
        process.send_signal(signal.SIGINT)
        assert process.wait(600) == 0


def test_the_command_says_where_it_listens_and_ends_well(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "hippocam.apps.cli.main",
        "web",
        "--memory",
        str(tmp_path / "new"),
        "--port",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"open http://127\.0\.0\.1:(\d+)\n", line)
        assert found, line + process.stderr.read()
        with socket.create_connection(("127.0.0.1", int(found[1])), timeout=600):
            pass
        process.send_signal(signal.SIGINT)
        assert process.wait(600) == 0
        assert process.stderr.read() == ""
    assert not (tmp_path / "new").exists()


def test_of_a_video_that_was_watched_in_part_its_length_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helpers: ModuleType
) -> None:
    monkeypatch.setattr("hippocam.apps.folders.make_encoder", lambda name: helpers.ColourEncoder())

    def stop(now: WatchProgress) -> None:
        if now.time_s >= 8:
            raise BrokenOffError

    with Session(tmp_path / "memory", encoder="colour") as session:
        with pytest.raises(BrokenOffError):
            session.watch([helpers.render_colours(tmp_path / "colours.mp4")], on_progress=stop)
        with TestClient(build_app(session), base_url=LOCAL) as client:
            (stream,) = client.get("/hippocam/streams").json()["streams"]
    assert not stream["complete"]
    assert stream["duration_s"] < stream["length_s"]
    assert stream["length_s"] == pytest.approx(24.0, abs=0.2)
