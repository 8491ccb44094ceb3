"""A memory behind OpenAI's chat protocol, asked by the official client over a socket."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient

from hippocam.apps.ask.conversation import Conversation
from hippocam.apps.session import Session
from hippocam.apps.web.access.door import Door
from hippocam.apps.web.access.password import Password
from hippocam.apps.web.server import build_app, listen

openai = pytest.importorskip("openai", reason="OpenAI's client is not installed: make dev")
BLUE = "when was it blue?"


@contextmanager
def client_of(app: Any, key: str = "none") -> Iterator[Any]:
    """OpenAI's client, at a running server."""
    with listen("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        try:
            with openai.OpenAI(base_url=address, api_key=key, max_retries=0, timeout=600) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


def said(*texts: str) -> list[dict[str, str]]:
    """A conversation: the user and the assistant in turn."""
    return [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]


def test_the_memory_and_its_streams_are_models(session: Session) -> None:
    with client_of(build_app(session)) as client:
        assert [model.id for model in client.models.list()] == ["hippocam", "hippocam/colours"]


def test_an_answer_cites_its_moments_with_links_to_the_page(session: Session) -> None:
    own = session.ask(BLUE)
    with client_of(build_app(session)) as client:
        found = client.chat.completions.create(model="hippocam", messages=said(BLUE))
        text = found.choices[0].message.content
        assert found.choices[0].finish_reason == "stop"
        assert text.startswith(own.answer + "\n\n- [1] [colours, 0:16 to 0:24](http://127.0.0.1:")
        (t_s,) = re.findall(r"\?s=colours&t=([\d.]+)\)", text)
        assert float(t_s) == pytest.approx(own.evidence[0].t0_s, abs=0.1)
        assert found.hippocam["cited"] == list(own.cited)
        unknown = client.chat.completions.create(model="hippocam/colours", messages=said("Was there an elephant?"))
        assert "](" not in unknown.choices[0].message.content


def test_a_streamed_answer_is_the_same(session: Session) -> None:
    with client_of(build_app(session)) as client:
        whole = client.chat.completions.create(model="hippocam", messages=said(BLUE))
        chunks = list(client.chat.completions.create(model="hippocam", messages=said(BLUE), stream=True))
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        assert text == whole.choices[0].message.content
        assert len(chunks) > 3
        assert chunks[0].choices[0].delta.role == "assistant"
        assert [chunk.choices[0].finish_reason for chunk in chunks[-2:]] == [None, "stop"]
        assert len({chunk.id for chunk in chunks}) == 1


def test_words_that_a_reader_could_not_support_are_not_streamed(session: Session, monkeypatch: Any) -> None:
    own = session.ask(BLUE)

    def telling(self: Session, question: str, *, on_token: Any = None, **_: Any) -> Any:
        if on_token is not None:
            on_token("An elephant came by.")
        return own

    monkeypatch.setattr(Session, "ask", telling)
    with client_of(build_app(session)) as client:
        chunks = list(client.chat.completions.create(model="hippocam", messages=said(BLUE), stream=True))
        assert "elephant" not in "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def test_a_question_leans_on_those_before_it_whoever_remembers_them(session: Session) -> None:
    questions = ("when was it red?", "and what came after that?", "and after that?")
    talk = Conversation(session)
    own = [talk.ask(question).answer for question in questions]
    for _ in range(2):  # a server that has seen the conversation begin, and one that has not
        with client_of(build_app(session)) as client:
            whole = said(questions[0], own[0], questions[1], own[1], questions[2])
            found = client.chat.completions.create(model="hippocam", messages=whole)
            assert found.choices[0].message.content.startswith(own[2])
            for turn in (1, 3):
                found = client.chat.completions.create(model="hippocam", messages=whole[:turn])
                assert found.choices[0].message.content.startswith(own[turn // 2])


def test_what_front_ends_send_besides_is_taken(session: Session) -> None:
    with client_of(build_app(session)) as client:
        found = client.chat.completions.create(
            model="hippocam",
            messages=[
                {"role": "system", "content": "You are helpful. " * 5000},
                {"role": "user", "content": [{"type": "text", "text": BLUE}]},
            ],
            temperature=0.7,
            max_tokens=100,
            tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}],
        )
        assert found.choices[0].message.content.startswith(session.ask(BLUE).answer)


@pytest.mark.parametrize(
    ("asked", "kind", "says"),
    [
        ({"model": "gpt-4"}, "NotFoundError", "is not here"),
        ({"model": "hippocam/nobody"}, "BadRequestError", "not in this memory"),
        ({"messages": said("x", "y")}, "BadRequestError", "last message"),
        ({"messages": said("x" * 3000)}, "BadRequestError", "2000 letters"),
        ({"n": 2}, "UnprocessableEntityError", "n"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:x"}}]}]},
            "BadRequestError",
            "only text",
        ),
    ],
)
def test_errors_are_those_of_the_protocol(session: Session, asked: dict[str, Any], kind: str, says: str) -> None:
    wanted: dict[str, Any] = {"model": "hippocam", "messages": said(BLUE)} | asked
    with client_of(build_app(session)) as client, pytest.raises(getattr(openai, kind), match=says):
        client.chat.completions.create(**wanted)


def test_a_failure_in_the_midst_of_a_stream_is_told(session: Session, monkeypatch: Any) -> None:
    from hippocam.apps.errors import LiveError

    def fail(self: Session, *_: Any, **__: Any) -> Any:
        raise LiveError("the live process does not answer")

    monkeypatch.setattr(Session, "ask", fail)
    with client_of(build_app(session)) as client, pytest.raises(openai.APIError, match="does not answer"):
        list(client.chat.completions.create(model="hippocam", messages=said(BLUE), stream=True))


def test_the_key_is_the_password(session: Session) -> None:
    door = Door(Password.of("open sesame"))
    app = build_app(session, names=["cam.example"], door=door)
    with client_of(app, "open sesame") as client:
        assert client.chat.completions.create(model="hippocam", messages=said(BLUE)).choices
    with client_of(build_app(session, door=door), "wrong") as client, pytest.raises(openai.AuthenticationError):
        client.models.list()


def test_too_many_at_a_time_are_refused(session: Session, monkeypatch: Any) -> None:
    monkeypatch.setattr("hippocam.apps.web.api.asking.IN_ALL", 0)
    with client_of(build_app(session)) as client:
        for streamed in (False, True):
            with pytest.raises(openai.RateLimitError, match="wait for their answers"):
                client.chat.completions.create(model="hippocam", messages=said(BLUE), stream=streamed)


def test_a_conversation_has_a_length(session: Session) -> None:
    with TestClient(build_app(session), base_url="http://127.0.0.1:7860") as client:
        asked = {"model": "hippocam", "messages": said("x" * 1_000_001)}
        assert client.post("/v1/chat/completions", json=asked).status_code == 413
