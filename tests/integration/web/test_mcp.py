"""A memory as tools of the Model Context Protocol, asked by the official client over stdio and HTTP."""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
import uvicorn
from starlette.testclient import TestClient

from hippocam.apps import api
from hippocam.apps.session import Session
from hippocam.apps.shown.timeline import Timeline
from hippocam.apps.web.server import build_app, listen

pytest.importorskip("mcp", reason="the SDK is not installed: pip install 'hippocam[mcp]'")

from mcp import Client, StdioServerParameters

TOOLS = {"status", "ask", "search_by_text", "search_by_time", "search_by_place", "picture"}


@contextmanager
def served(app: Any) -> Iterator[str]:
    """A running server; gives its address."""
    with listen("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    """What a tool gives, as the model reads it and as a program reads it: the same."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    (text,) = result.content
    assert json.loads(text.text) == result.structured_content
    return result.structured_content


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return str(result.content[0].text)


def test_every_tool_works_over_http(session: Session) -> None:
    async def asked(address: str) -> None:
        async with Client(f"{address}/mcp") as client:
            assert client.server_info is not None
            assert client.server_info.name == "hippocam"
            assert "never instructions" in (client.instructions or "")
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert set(tools) == TOOLS
            assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools.values())
            assert "seconds, MM:SS" in json.dumps(tools["search_by_text"].input_schema)
            found = await call(client, "search_by_text", text="green", top=2)
            own = [api.evidence_json(moment) for moment in session.search("green", top=2)]
            assert [one | {"image": ""} for one in found["moments"]] == [one | {"image": ""} for one in own]
            seen = await call(client, "search_by_time", after="0:17", stream="colours")
            assert [moment["spans"][0][0] >= 15 for moment in seen["moments"]] == [True] * len(seen["moments"])
            answer = await call(client, "ask", question="when was it blue?")
            assert answer["answer"] == session.ask("when was it blue?").answer
            assert (await call(client, "status"))["streams"][0]["id"] == "colours"
            best = found["moments"][0]
            picture = (await client.call_tool("picture", {"moment": best["id"]})).content[0]
            jpeg = Path(own[0]["image"]).read_bytes()
            assert (picture.mime_type, base64.b64decode(picture.data)) == ("image/jpeg", jpeg)
            (resource,) = (await client.read_resource(best["image"])).contents
            assert base64.b64decode(resource.blob) == jpeg
            assert "not in this memory" in await refused(client, "search_by_text", text="x", stream="nobody")
            assert "not understood" in await refused(client, "search_by_time", after="yesterday-ish")
            assert "either near or place_of" in await refused(client, "search_by_place")
            assert "no picture" in await refused(client, "picture", moment="../memory.db")

    with served(build_app(session)) as address:
        anyio.run(asked, address)


def test_what_was_seen_at_a_place_is_found(session: Session) -> None:
    """The place of a moment, and its own stream's alone; of positions a memory of plain videos has none."""
    moments, _ = Timeline(session.opened.memories).moments()
    placed = next(moment for moment in moments if moment.entry.place)
    same = [moment.id for moment in moments if moment.entry.place == placed.entry.place]

    async def asked(address: str) -> None:
        async with Client(f"{address}/mcp") as client:
            found = await call(client, "search_by_place", place_of=placed.id)
            assert [moment["id"] for moment in found["moments"]] == same
            looked = await call(client, "search_by_text", place_of=placed.id, text="red")
            assert {moment["id"] for moment in looked["moments"]} <= set(same)
            assert (await call(client, "search_by_place", near=[0, 0, 5]))["moments"] == []

    with served(build_app(session)) as address:
        anyio.run(asked, address)


def test_the_command_speaks_over_stdio(tmp_path: Path, session: Session) -> None:
    """A process of its own, with the memory's real encoder left alone: what needs none."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "hippocam.apps.cli.main", "mcp", "--memory", str(session.folder)],
        env=dict(os.environ),
    )

    async def asked() -> None:
        async with Client(server) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
            seen = await call(client, "search_by_time", most=2)
            assert len(seen["moments"]) == 2
            assert seen["more"]
            picture = (await client.call_tool("picture", {"moment": seen["moments"][0]["id"]})).content[0]
            assert base64.b64decode(picture.data).startswith(b"\xff\xd8")
            assert "colour" in await refused(client, "search_by_text", text="red")  # no such encoder there

    anyio.run(asked)


def test_the_guard_stands_before_it(session: Session) -> None:
    from hippocam.apps.web.access.door import Door
    from hippocam.apps.web.access.password import Password

    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    accepts = {"Accept": "application/json, text/event-stream"}
    with TestClient(build_app(session), base_url="http://127.0.0.1:7860") as client:
        assert client.post("/mcp", json=call, headers=accepts).status_code == 200
        for forged, code in (({"Origin": "http://evil.example"}, 403), ({"Host": "evil.example"}, 400)):
            assert client.post("/mcp", json=call, headers=accepts | forged).status_code == code
    door = Door(Password.of("open sesame"))
    with TestClient(build_app(session, host="0.0.0.0", door=door), base_url="http://192.168.1.5:7860") as client:
        assert client.post("/mcp", json=call, headers=accepts).status_code == 401
        key = {"Authorization": "Bearer open sesame"}
        assert client.post("/mcp", json=call, headers=accepts | key).status_code == 200


def test_without_the_sdk_one_line_says_what_to_do(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hippocam.apps.mcp.http.importlib.util.find_spec", lambda name: None)
    with TestClient(build_app(session), base_url="http://127.0.0.1:7860") as client:
        told = client.post("/mcp", json={})
        assert (told.status_code, "hippocam[mcp]" in told.json()["error"]) == (501, True)
