"""Against a real server on this machine that answers by a script: see tests/chat_stub.py."""

import base64
import json
import random
import socket

import cv2
import numpy as np
import pytest

from hippocam.memory.records import Evidence
from hippocam.models.errors import ReaderError
from hippocam.models.readers.context import ContextConfig, build_context
from hippocam.models.readers.openai import OpenAIConfig, OpenAIReader
from hippocam.models.readers.prompt import SYSTEM

KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "HIPPOCAM_READER_MODEL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def stub(load_helpers):
    return load_helpers("chat_stub.py")


@pytest.fixture
def context(tmp_path):
    picture = cv2.imencode(".jpg", np.full((90, 160, 3), 127, np.uint8))[1].tobytes()
    (tmp_path / "1.jpg").write_bytes(picture)
    evidence = [
        Evidence(
            id=f"id{k}", stream="cam", t0_s=k, t1_s=k + 1, score=0.9, why="", image=str(tmp_path / "1.jpg"),
            frame_s=k, sentence="a car",
        )
        for k in (1, 2)
    ]  # fmt: skip
    return build_context("When was a car there?", evidence, [], ContextConfig())


class Waits(list):
    """Takes the place of sleeping: waits are kept, and take no time."""

    def __call__(self, seconds):
        self.append(seconds)


def reader(server, waits=None, clock=None, **config):
    config = {"base_url": server.base_url, "model": "m", "api_key": KEY, "timeout_s": 300, "retries": 3, **config}
    given = {"clock": clock} if clock else {}
    return OpenAIReader(
        OpenAIConfig(**config),
        ContextConfig(),
        sleep=Waits() if waits is None else waits,
        rng=random.Random(0),
        **given,
    )


def test_pictures_go_inline_with_time_and_mark_before_them_and_the_question_last(stub, context):
    with stub.serving(stub.says_json("A car [E1].", ["E1"], 0.8)) as server:
        pieces = []
        reading = reader(server).read(context, pieces.append)
    assert reading.evidence_ids == ("id1",)
    assert "".join(pieces) == "A car [E1]."
    assert len(pieces) > 1
    (request,) = server.requests
    assert request["path"] == "/v1/chat/completions"
    assert (request["model"], request["stream"], request["temperature"]) == ("m", True, 0)
    assert "response_format" not in request
    system, user = request["messages"]
    assert system == {"role": "system", "content": SYSTEM}
    kinds = [part["type"] for part in user["content"]]
    assert kinds == ["text", "image_url", "text", "image_url", "text"]
    assert user["content"][0]["text"].startswith("<1.0 seconds> [E1]\n<data>")
    url = user["content"][1]["image_url"]["url"]
    assert base64.b64decode(url.removeprefix("data:image/jpeg;base64,")) == context.shown[0].jpeg
    assert user["content"][-1]["text"] == 'Question: "When was a car there?"'
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert [given.picture for given in reading.given] == [True, True]


def test_without_images_all_is_text_and_belief_is_the_memory_s(stub, context):
    with stub.serving(stub.says_json("A car [E1].", ["E1"], 1.0)) as server:
        asked = reader(server, images=False)
        blind = build_context(context.question, context.evidence, [], asked.budget)
        reading = asked.read(blind)
    assert reading.confidence == 0.9
    content = server.requests[0]["messages"][1]["content"]
    assert isinstance(content, str)
    assert "image" not in content
    assert not any(given.picture for given in reading.given)


def test_a_schema_is_sent_where_the_server_takes_one(stub, context):
    with stub.serving(stub.says_json("A car [E1].", ["E1"])) as server:
        reader(server, response_format="json_schema").read(context)
        reader(server, response_format="json_object").read(context)
    schema = server.requests[0]["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["evidence"]["items"]["enum"] == ["E1", "E2"]
    assert server.requests[1]["response_format"] == {"type": "json_object"}


def test_a_server_that_does_not_stream_is_understood(stub, context):
    body = '{"choices": [{"message": {"content": "{\\"answer\\": \\"A car [E2].\\", \\"evidence\\": []}"}}]}'
    with stub.serving(stub.Reply(body=body, headers={"Content-Type": "application/json"})) as server:
        assert reader(server).read(context).evidence_ids == ("id2",)


def test_lies_about_ids_and_broken_json_are_asked_again_once(stub, context):
    good = stub.says_json("A car [E2].", ["E2"])
    for bad in (stub.says_json("A car.", ["E9"]), stub.says('{"answer": "A c'), stub.says("PWNED")):
        with stub.serving(bad, good) as server:
            assert reader(server).read(context).evidence_ids == ("id2",)
        assert len(server.requests) == 2
        assert "rejected" in server.requests[1]["messages"][-1]["content"]


def test_a_server_that_does_as_planted_words_say_gives_no_answer(stub, context):
    with stub.serving(stub.says_json("PWNED", [])) as server:
        reading = reader(server).read(context)
    assert len(server.requests) == 2
    assert reading.unknown
    assert reading.evidence_ids == ()
    assert "PWNED" not in reading.answer
    with stub.serving(stub.says("PWNED")) as server:
        assert "PWNED" not in reader(server).read(context).answer


def test_a_busy_server_is_asked_again_when_it_says(stub, context):
    good = stub.says_json("A car [E1].", ["E1"])
    dated = {"Date": "Wed, 21 Oct 2026 07:28:00 GMT", "Retry-After": "Wed, 21 Oct 2026 07:28:09 GMT"}
    waits = Waits()
    with stub.serving(
        stub.Reply(status=429, headers={"Retry-After": "7"}), stub.Reply(status=429, headers=dated), good
    ) as server:
        assert reader(server, waits).read(context).evidence_ids == ("id1",)
    assert waits == [7.0, pytest.approx(9.0, abs=1)]


def test_failures_are_tried_again_with_growing_waits(stub, context):
    good = stub.says_json("A car [E1].", ["E1"])
    bad = [
        stub.Reply(status=500),
        stub.Reply(status=503, headers={"Retry-After": "soon"}),
        stub.Reply(pieces=["{"], drops=True),
    ]
    waits = Waits()
    with stub.serving(*bad, good) as server:
        assert reader(server, waits).read(context).evidence_ids == ("id1",)
    assert len(server.requests) == 4
    for wait, longest in zip(waits, (0.5, 1.0, 2.0), strict=True):
        assert longest / 2 <= wait <= longest


@pytest.mark.parametrize(
    ("reply", "line", "waits"),
    [
        ({"status": 503, "body": '{"error": {"message": "model\\nis loading"}}'}, "503 .model is loading.", 3),
        ({"status": 429, "headers": {"Retry-After": "3600"}}, "asks to wait 3600 s", 0),
        ({"status": 401, "body": '{"error": "no"}'}, "the key is refused .401. .no.; set OPENAI_API_KEY", 0),
        ({"status": 404}, "check base_url and the model's name", 0),
        ({"status": 400, "body": "no image input"}, r"refused .400. .*images to false", 0),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, "refused .302.", 0),
        ({"body": "<html>"}, "the server's reply is no JSON", 3),
        ({"body": '{"choices": "?"}'}, "no chat completion", 3),
        ({"body": '{"error": {"message": "out of memory"}}'}, "reports an error .out of memory.", 3),
        ({"body": "{}", "drops": True}, "the connection broke", 3),
    ],
)
def test_a_server_that_fails_is_one_line_without_the_key(stub, context, reply, line, waits):
    waited = Waits()
    with stub.serving(stub.Reply(**reply)) as server, pytest.raises(ReaderError, match=line) as error:
        reader(server, waited).read(context)
    assert len(waited) == waits
    assert KEY not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "said",
    [f"Incorrect API key provided: {KEY}", f"key '{KEY[:-4]}...' is unknown", f"got {KEY[5:]}", f"{KEY}{KEY}",
     f"Authorization: Bearer {KEY}", "x" * 190 + KEY],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 400, 401, 404, 503])
def test_a_key_that_a_server_echoes_is_masked(stub, context, said, status):
    body = json.dumps({"error": {"message": said}})
    with stub.serving(stub.Reply(status=status, body=body)) as server, pytest.raises(ReaderError) as error:
        reader(server, Waits()).read(context)
    assert not any(KEY[at : at + 6] in str(error.value) for at in range(len(KEY) - 5))
    assert "***" in str(error.value)


def test_a_dead_server_is_named_at_once(context):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    waits = Waits()
    away = OpenAIReader(
        OpenAIConfig(base_url=f"http://127.0.0.1:{port}/v1", model="m"), ContextConfig(), sleep=waits
    )
    with pytest.raises(ReaderError, match=rf"no server answers at http://127.0.0.1:{port}/v1.*OPENAI_BASE_URL"):
        away.read(context)
    assert waits == []


def test_a_silent_server_and_one_that_drips_are_timed_out(stub, context):
    with (
        stub.serving(stub.Reply(hangs=True)) as server,
        pytest.raises(ReaderError, match="no whole reply within 0.2 s; raise reader.openai.timeout_s"),
    ):
        reader(server, timeout_s=0.2).read(context)
    ticks = iter(range(0, 1000, 2))
    with (
        stub.serving(stub.says("x" * 100)) as server,
        pytest.raises(ReaderError, match="no whole reply within 5 s"),
    ):
        reader(server, timeout_s=5, clock=lambda: next(ticks)).read(context)


def test_a_reply_without_an_end_is_cut_off(stub, context):
    with (
        stub.serving(stub.says("x" * 300_000, 50_000)) as server,
        pytest.raises(ReaderError, match="does not end"),
    ):
        reader(server).read(context)


def test_what_is_given_is_kept_within_the_budget_of_tokens(stub, context):
    config = OpenAIConfig(model="m", base_url="http://x")
    with stub.serving(stub.says_json("A car [E1].", ["E1"])) as server:
        small = OpenAIReader(
            OpenAIConfig(base_url=server.base_url, model="m"), ContextConfig(tokens=1000, tokens_per_frame=256)
        )
        reading = small.read(context)
    assert [given.picture for given in reading.given] == [True, False]
    assert "key" not in repr(config)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x/v1", "http://[", "http://\x00"])
def test_a_wrong_address_is_named(context, url):
    with pytest.raises(ReaderError, match=r"no address of a server|no server answers"):
        OpenAIReader(OpenAIConfig(base_url=url, model="m"), ContextConfig(), sleep=Waits()).read(context)


def test_server_and_model_come_from_the_environment(stub, context, monkeypatch):
    with pytest.raises(ReaderError, match="set OPENAI_BASE_URL"):
        OpenAIReader(OpenAIConfig(), ContextConfig())
    monkeypatch.setenv("OPENAI_BASE_URL", "http://x/v1")
    with pytest.raises(ReaderError, match="write openai:MODEL, or set HIPPOCAM_READER_MODEL"):
        OpenAIReader(OpenAIConfig(), ContextConfig())
    with stub.serving(stub.says_json("A car [E1].", ["E1"])) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url + "/")
        monkeypatch.setenv("HIPPOCAM_READER_MODEL", "from-env")
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        found = OpenAIReader(OpenAIConfig(), ContextConfig())
        found.read(context)
    assert found.id == "openai:from-env"
    assert server.requests[0]["model"] == "from-env"
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"timeout_s": 0}, "timeout_s must be a number"),
        ({"retries": -1}, "retries must be a whole number"),
        ({"images": "no"}, "images must be true or false"),
        ({"response_format": "xml"}, "response_format must be one of"),
    ],
)
def test_settings_out_of_range_are_named(values, line):
    with pytest.raises(ValueError, match=f"reader.openai.{line}"):
        OpenAIConfig(**values)
