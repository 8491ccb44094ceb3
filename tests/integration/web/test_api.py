"""The HTTP interface over a real memory: the records of the library, the guard of the page, what it describes."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import pytest
from pydantic import ConfigDict, TypeAdapter, with_config
from starlette.testclient import TestClient

from hippocam.apps import api
from hippocam.apps.session import Session
from hippocam.apps.shown import json_shapes
from hippocam.apps.web.access.door import Door
from hippocam.apps.web.access.password import Password
from hippocam.apps.web.options import PageOptions
from hippocam.apps.web.server import build_app

LOCAL = "http://127.0.0.1:7860"
V1 = "/api/v1"


def get(client: TestClient, path: str, **query: Any) -> Any:
    answer = client.get(V1 + path, params=query or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def exactly(shape: type, value: object) -> None:
    """A value has the keys and types that its shape says, and no others."""
    TypeAdapter(with_config(ConfigDict(extra="forbid"))(shape)).validate_python(value, strict=False)


def test_search_gives_the_records_of_the_library_with_addresses_of_pictures(
    client: TestClient, session: Session
) -> None:
    found = get(client, "/search", q="green", top=3)
    own = [api.evidence_json(moment) for moment in session.search("green", top=3)]
    assert [moment | {"image": ""} for moment in found["moments"]] == [moment | {"image": ""} for moment in own]
    best = found["moments"][0]
    assert (best["stream"], best["t0_s"]) == ("colours", pytest.approx(8.0, abs=1.1))
    picture = client.get(best["image"])
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content == Path(own[0]["image"]).read_bytes()
    assert get(client, "/search", q="green", after_s=17)["moments"][0]["t0_s"] >= 15.0


def test_moments_are_listed_by_time_a_page_at_a_time(client: TestClient, session: Session) -> None:
    every = get(client, "/moments")
    starts = [moment["spans"][0][0] for moment in every["moments"]]
    assert starts == sorted(starts)
    assert len(starts) == session.status().streams[0].entries
    assert not every["more"]
    first = get(client, "/moments", most=1)
    assert first["more"]
    rest = get(client, "/moments", most=100, skip=1)
    assert first["moments"] + rest["moments"] == every["moments"]
    assert [m["spans"][0][0] for m in get(client, "/moments", before_s=4)["moments"]] == [starts[0]]
    one = every["moments"][0]
    assert get(client, f"/moments/{one['id']}") == one
    assert get(client, f"/moments/{one['id'][:6]}") == one
    assert client.get(one["image"]).content.startswith(b"\xff\xd8")


def test_what_is_sent_has_the_shapes_that_are_described(client: TestClient, session: Session) -> None:
    shapes = {
        "/status": json_shapes.StatusJson,
        "/streams": json_shapes.StreamsJson,
        "/streams/colours": json_shapes.StreamJson,
        "/search?q=red": json_shapes.MomentsJson,
        "/moments": json_shapes.TimelineJson,
        "/entities": json_shapes.EntitiesJson,
    }
    entry = session.search("red")[0].id
    shapes |= {f"/moments/{entry}": json_shapes.HeldMomentJson, f"/explain/{entry}": json_shapes.ExplanationJson}
    described = get(client, "/openapi.json")
    for path, shape in shapes.items():
        exactly(shape, get(client, path))
        assert shape.__name__ in described["components"]["schemas"]
    exactly(json_shapes.AnswerJson, client.post(f"{V1}/ask", json={"question": "when was it blue?"}).json())
    assert set(described["paths"]) == {
        "/search", "/moments", "/moments/{entry}", "/moments/{entry}/picture", "/explain/{entry}", "/ask",
        "/clips", "/clips/zip", "/status", "/streams", "/streams/{stream}", "/entities",
        "/jobs", "/jobs/{job_id}", "/jobs/{job_id}/cancel", "/jobs/{job_id}/resume",
        "/pin", "/forget", "/forget/preview", "/entities/merge", "/entities/split", "/entities/undo",
    }  # fmt: skip
    assert described["servers"] == [{"url": V1}]


def test_an_answer_comes_whole_or_as_events(client: TestClient, session: Session) -> None:
    asked = {"question": "when was it blue?", "stream": "colours", "top": 2}
    whole = client.post(f"{V1}/ask", json=asked).json()
    assert whole["answer"] == session.ask(asked["question"], stream="colours", top=2).answer
    with client.stream("POST", f"{V1}/ask", json=asked, headers={"Accept": "text/event-stream"}) as streamed:
        assert streamed.headers["content-type"].startswith("text/event-stream")
        events = [event for event in "".join(streamed.iter_text()).split("\n\n") if event.startswith("event")]
    names = [event.partition("\n")[0] for event in events]
    assert names[-1] == "event: answer"
    assert set(names[:-1]) <= {"event: token"}
    last = json.loads(events[-1].partition("data: ")[2])
    assert last | {"latency_ms": 0} == whole | {"latency_ms": 0}
    text = "".join(json.loads(event.partition("data: ")[2])["text"] for event in events[:-1])
    assert text == re.sub(r" \[\d+\]", "", last["answer"])  # before what it rests on was checked


def test_words_of_a_model_are_events_and_its_failure_is_told(
    client: TestClient, session: Session, monkeypatch: Any
) -> None:
    from hippocam.apps.errors import ReaderError

    def telling(self: Session, question: str, *, on_token: Any = None, **_: Any) -> Any:
        if on_token is not None:
            on_token("It was ")
            on_token("blue.")
        raise ReaderError("the server went away")

    monkeypatch.setattr(Session, "ask", telling)
    with client.stream(
        "POST", f"{V1}/ask", json={"question": "x"}, headers={"Accept": "text/event-stream"}
    ) as got:
        text = "".join(got.iter_text())
    assert text == (
        'event: token\ndata: {"text": "It was "}\n\nevent: token\ndata: {"text": "blue."}\n\n'
        'event: error\ndata: {"error": "the server went away"}\n\n'
    )
    refused = client.post(f"{V1}/ask", json={"question": "x"})
    assert (refused.status_code, refused.json()) == (502, {"error": "the server went away"})


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/search", 422, "q"),
        ("/search?q=x&stream=nobody", 400, "not in this memory"),
        ("/search?q=x&top=0", 422, "top"),
        ("/search?q=x&near=here", 400, "X,Y,RADIUS"),
        ("/moments/0000000000000000", 404, "neither"),
        ("/moments/zz", 400, "no id"),
        ("/moments/0000000000000000/picture", 404, "no picture"),
        ("/moments/..%2f..%2fmemory.db/picture", 404, "no picture"),
        ("/explain/0000000000000000", 404, "neither"),
        ("/streams/nobody", 404, "nobody"),
        ("/clips?stream=nobody&t0_s=0&t1_s=1", 404, "nobody"),
        ("/clips?stream=colours&t0_s=0&t1_s=100000", 400, "600"),
        ("/clips?stream=colours&t0_s=9&t1_s=3", 400, "end after"),
        ("/clips?stream=colours&t0_s=nan&t1_s=3", 422, "finite"),
        ("/nothing", 404, "Not Found"),
    ],
)  # fmt: skip
def test_every_error_is_one_line_of_json(client: TestClient, path: str, status: int, says: str) -> None:
    refused = client.get(V1 + path)
    assert refused.status_code == status
    assert says in refused.json()["error"]
    assert "\n" not in refused.json()["error"]


def test_a_memory_that_is_not_there_yet_is_told(tmp_path: Path) -> None:
    with Session(tmp_path / "new") as new, TestClient(build_app(new), base_url=LOCAL) as client:
        assert client.get("/healthz").json()["status"] == "ok"
        assert client.get(f"{V1}/status").status_code == 404
        assert client.post(f"{V1}/ask", json={"question": "who?"}).status_code == 404
        assert "hippocam_memory_up 0.0" in client.get("/metrics").text
    assert not (tmp_path / "new").exists()


def test_a_clip_shows_its_stretch(client: TestClient, tmp_path: Path) -> None:
    sent = client.get(f"{V1}/clips", params={"stream": "colours", "t0_s": 17, "t1_s": 20})
    assert sent.headers["content-type"] == "video/mp4"
    assert 'filename="colours-17-20.mp4"' in sent.headers["content-disposition"]
    (tmp_path / "clip.mp4").write_bytes(sent.content)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24").mean(axis=(0, 1)) for frame in container.decode(video=0)]
    assert frames[-1].argmax() == 2  # blue
    assert 30 <= len(frames) <= 24 * 10


def test_entries_are_pinned_and_forgotten(client: TestClient, session: Session) -> None:
    entry = session.search("red")[0].id
    pinned = client.post(f"{V1}/pin", json={"entries": [entry[:6]]}).json()
    assert pinned == {"entries": [entry], "pinned": True}
    assert get(client, f"/moments/{entry}")["pinned"]
    client.post(f"{V1}/pin", json={"entries": [entry], "pinned": False})
    assert not get(client, f"/moments/{entry}")["pinned"]
    before = session.status().streams[0].entries
    told = client.post(f"{V1}/forget/preview", json={"entries": [entry]}).json()["to_delete"]
    assert [(one["stream"], one["entries"]) for one in told] == [("colours", 1)]
    assert session.status().streams[0].entries == before
    gone = client.post(f"{V1}/forget", json={"entries": [entry]}).json()
    assert gone["entries"] == 1
    assert session.status().streams[0].entries == before - 1
    assert client.get(f"{V1}/moments/{entry}").status_code in (404, 410)
    assert client.post(f"{V1}/forget", json={}).status_code == 400
    assert client.post(f"{V1}/forget", json={"steam": "colours"}).status_code == 422
    assert session.status().streams[0].entries == before - 1


def test_a_writer_elsewhere_is_a_conflict(client: TestClient, session: Session) -> None:
    from hippocam.memory.lock import WriterLock

    lock = WriterLock(session.folder / "writer.lock")
    refused = client.post(f"{V1}/pin", json={"entries": [session.search("red")[0].id]})
    lock.release()
    assert refused.status_code == 409


def test_read_only_answers_and_changes_nothing(session: Session, tmp_path: Path) -> None:
    entry = session.search("red")[0].id
    with TestClient(build_app(session, options=PageOptions(read_only=True)), base_url=LOCAL) as client:
        assert client.post(f"{V1}/ask", json={"question": "when was it red?"}).status_code == 200
        for path, body in (
            ("/pin", {"entries": [entry]}),
            ("/forget", {"entries": [entry]}),
            ("/forget/preview", {"entries": [entry]}),
            ("/entities/undo", {"change": 1}),
        ):
            refused = client.post(V1 + path, json=body)
            assert (refused.status_code, "read-only" in refused.json()["error"]) == (403, True)
        data = (tmp_path / "colours.mp4").read_bytes()
        assert client.post("/hippocam/upload", params={"name": "a.mp4"}, content=data).status_code in (404, 405)
        assert client.get(f"{V1}/jobs").json() == {"jobs": []}


def test_of_several_memories_everything_is_told_and_nothing_changed(session: Session, tmp_path: Path) -> None:
    with Session(tmp_path / "other", encoder="colour") as other:
        other.watch([tmp_path / "colours.mp4"])
    with Session([session.folder, other.folder]) as both, TestClient(build_app(both), base_url=LOCAL) as client:
        found = get(client, "/moments", stream="other/colours")["moments"]
        assert {moment["stream"] for moment in found} == {"other/colours"}
        assert found[0]["id"].startswith("other/")
        assert client.get(found[0]["image"]).content.startswith(b"\xff\xd8")
        assert get(client, f"/moments/{found[0]['id']}") == found[0]
        assert get(client, f"/explain/{found[0]['id']}")["entry"] is not None
        assert client.post(f"{V1}/forget", json={"entries": [found[0]["id"]]}).status_code == 403
        assert client.get(f"{V1}/clips?stream=other/colours&t0_s=1&t1_s=2").status_code == 200


def test_footage_that_an_import_names_is_not_cut(session: Session, tmp_path: Path) -> None:
    from hippocam.apps.transfer.exporting import export, write_file
    from hippocam.apps.transfer.importing import import_file

    write_file(tmp_path / "m.jsonl", export(session.folder, "jsonl"), memory=session.folder)
    import_file(tmp_path / "m.jsonl", tmp_path / "taken", encoder="colour")
    with Session(tmp_path / "taken") as taken, TestClient(build_app(taken), base_url=LOCAL) as client:
        assert client.get(f"{V1}/clips?stream=colours&t0_s=1&t1_s=2").status_code == 404


def test_a_program_says_the_password_with_each_request(session: Session) -> None:
    door = Door(Password.of("open sesame"))
    app = build_app(session, host="0.0.0.0", door=door)
    paths = (
        "/status",
        "/search?q=red",
        "/moments",
        "/jobs",
        "/openapi.json",
        "/clips?stream=colours&t0_s=1&t1_s=2",
    )
    with TestClient(app, base_url="http://192.168.1.5:7860") as client:
        for path in paths:
            assert client.get(V1 + path).status_code == 401
        for method, path in (("POST", f"{V1}/ask"), ("POST", f"{V1}/forget"), ("GET", "/metrics")):
            assert client.request(method, path, json={"question": "x"}).status_code == 401
        health = client.get("/healthz")
        assert (health.status_code, set(health.json())) == (200, {"status", "uptime_s"})
        key = {"Authorization": "Bearer open sesame"}
        for _ in range(2):
            for path in paths:
                assert client.get(V1 + path, headers=key).status_code == 200
        assert client.get("/metrics", headers=key).status_code == 200
        assert client.get(f"{V1}/status").status_code == 401  # no cookie was given
        for said in ("Bearer open", "Bearer ", "Basic open sesame", "Bearer open sesam", "bearer nope"):
            assert client.get(f"{V1}/status", headers={"Authorization": said}).status_code == 401
        for _ in range(3):  # too many wrong ones
            client.get(f"{V1}/status", headers={"Authorization": "Bearer wrong"})
        assert client.get("/metrics", headers=key).status_code == 200  # who is known goes on


def test_other_sites_and_names_are_turned_away_here_too(client: TestClient) -> None:
    for path in (f"{V1}/status", "/healthz", "/metrics"):
        assert client.get(path, headers={"Host": "evil.example"}).status_code == 400
        assert client.get(path, headers={"Origin": "http://evil.example"}).status_code == 403
        assert client.get(path, headers={"X-Forwarded-For": "10.0.0.7"}).status_code == 403
    sent = client.post(f"{V1}/forget", json={"stream": "colours"}, headers={"Origin": "http://evil.example"})
    assert sent.status_code == 403


def test_a_client_may_not_ask_without_end(client: TestClient) -> None:
    codes = {client.get(f"{V1}/streams").status_code for _ in range(200)}
    assert codes == {200, 429}


def test_metrics_tell_what_is_held_and_what_was_asked(client: TestClient, session: Session) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    get(client, "/search", q="red")
    client.get(f"{V1}/explain/zz")
    sent = client.get("/metrics")
    assert sent.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(sent.text)
        for sample in family.samples
    }
    status = session.status()
    assert found[("hippocam_memory_entries",)] == sum(stream.entries for stream in status.streams)
    assert found[("hippocam_memory_bytes",)] == status.bytes
    assert found[("hippocam_http_requests_total", "/api/v1/search", "2xx")] == 1
    assert found[("hippocam_http_requests_total", "4xx", "refused")] == 1
    assert "colours" not in sent.text


def test_health_is_told_before_any_network_is_loaded(tmp_path: Path) -> None:
    """In a process of its own, where nothing else has loaded them."""
    program = f"""
import sys
import time
import zipfile
from starlette.testclient import TestClient
from hippocam.apps.session import Session
from hippocam.apps.web.options import PageOptions
from hippocam.apps.web.server import build_app
with Session({str(tmp_path / "new")!r}) as session, TestClient(build_app(session), base_url={LOCAL!r}) as client:
    assert client.get("/healthz").json()["status"] == "ok"
    print([name for name in ("torch", "onnxruntime", "transformers", "ray", "cv2") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", done.stdout


def test_several_moments_are_one_file_of_clips(client: TestClient) -> None:
    entries = [moment["id"] for moment in get(client, "/moments")["moments"]]
    packed = client.get(f"{V1}/clips/zip", params={"entry": entries})
    assert packed.headers["content-disposition"] == 'attachment; filename="moments.zip"'
    with zipfile.ZipFile(io.BytesIO(packed.content)) as opened:
        rows = json.loads(opened.read("moments.json"))
        assert [row["id"] for row in rows] == entries
        clips = [opened.read(name) for row in rows for name in row["files"]]
    assert len(clips) == len(entries)
    with av.open(io.BytesIO(clips[0])) as clip:
        assert next(clip.decode(video=0)).width == 320
    assert client.get(f"{V1}/clips/zip", params={"entry": "0" * 16}).status_code == 404


def test_several_streams_are_searched_and_asked_as_if_there_were_no_others(
    session: Session, client: TestClient, tmp_path: Path, helpers: ModuleType
) -> None:
    session.watch([helpers.render_colours(tmp_path / f"{name}.mp4", seconds_each=4) for name in ("more", "other")])
    found = get(client, "/search", q="green", streams=["more", "other"], top=9)["moments"]
    assert {moment["stream"] for moment in found} == {"more", "other"}
    asked = {"question": "when is it green", "streams": ["colours", "other"]}
    answer = client.post(f"{V1}/ask", json=asked).json()
    assert {moment["stream"] for moment in answer["evidence"]} == {"colours", "other"}
    long = client.post(f"{V1}/ask", json={"question": "how long are they?", "streams": ["more", "other"]}).json()
    assert "colours" not in long["answer"]
    unknown = client.get(f"{V1}/search", params={"q": "green", "streams": ["more", "none"]})
    assert (unknown.status_code, "none" in unknown.json()["error"]) == (400, True)


def until(client: TestClient, job: int, *states: str) -> Any:
    for _ in range(6000):
        if (found := get(client, f"/jobs/{job}"))["state"] in states:
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def test_jobs_are_begun_looked_at_cancelled_and_gone_on_with(
    session: Session, tmp_path: Path, helpers: ModuleType
) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    for seconds, name in enumerate(("one", "two"), start=3):
        helpers.render_colours(videos / f"{name}.mp4", seconds_each=seconds)
    helpers.render_colours(tmp_path / "secret.mp4", seconds_each=2)
    app = build_app(session, options=PageOptions(roots=(videos,)))
    with TestClient(app, base_url=LOCAL) as client:
        begun = client.post(f"{V1}/jobs", json={"kind": "watch", "path": f"{videos}/*.mp4"})
        assert begun.status_code == 202
        one, two = begun.json()["jobs"]
        assert client.post(f"{V1}/jobs/{two}/cancel").json() == {"stopping": True}
        done = until(client, one, "done")
        assert (done["kind"], done["name"], done["share"]) == ("watch", "one.mp4", 1.0)
        assert until(client, two, "cancelled")["resumable"]
        assert client.post(f"{V1}/jobs/{two}/cancel").status_code == 409
        again = client.post(f"{V1}/jobs/{two}/resume").json()["job"]
        assert until(client, again, "done")["name"] == "two.mp4"
        assert client.post(f"{V1}/jobs/{two}/resume").status_code == 409
        assert {stream["id"] for stream in get(client, "/streams")["streams"]} == {"colours", "one", "two"}
        (asleep,) = client.post(f"{V1}/jobs", json={"kind": "sleep"}).json()["jobs"]
        assert "entries before" in until(client, asleep, "done")["note"]
        outside = client.post(f"{V1}/jobs", json={"kind": "watch", "path": str(tmp_path / "secret.mp4")})
        assert (outside.status_code, "nothing below" in outside.json()["error"]) == (400, True)
        assert client.get(f"{V1}/jobs/999").status_code == 404
        assert client.post(f"{V1}/jobs", json={"kind": "sleep", "target": 2}).status_code == 422
    with TestClient(build_app(session, options=PageOptions(read_only=True)), base_url=LOCAL) as client:
        assert client.post(f"{V1}/jobs", json={"kind": "sleep"}).status_code == 403
        assert get(client, "/jobs") == {"jobs": []}
