from __future__ import annotations

import socket

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from hippocam.apps.web.access.guard import Guard, allowed_hosts, is_loopback


def client(host: str, *names: str) -> TestClient:
    app = Starlette(
        routes=[Route("/{path:path}", lambda request: PlainTextResponse("in"), methods=["GET", "POST"])]
    )
    return TestClient(Guard(app, allowed_hosts(host, names)), base_url="http://127.0.0.1:7860")


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("127.9.9.9", True),
        ("0.0.0.0", False),
        ("192.168.1.5", False),
        ("box.lan", False),
    ],
)
def test_loopback_is_told_from_the_network(host: str, local: bool) -> None:
    assert is_loopback(host) is local
    assert allowed_hosts(host).addresses is not local


@pytest.mark.parametrize("name", ["127.0.0.1:7860", "localhost:7860", "LOCALHOST", "[::1]:7860"])
def test_local_names_are_answered(name: str) -> None:
    assert client("127.0.0.1").get("/", headers={"Host": name}).text == "in"


@pytest.mark.parametrize(
    "name",
    [
        "evil.example",
        "127.0.0.1.evil.example:7860",
        "[",
        "",
        "evil@127.0.0.1",
        "127.0.0.1/evil",
        "localhost?x",
        "localhost#x",
    ],
)
def test_other_names_for_this_machine_are_refused(name: str) -> None:
    assert client("127.0.0.1").get("/", headers={"Host": name}).status_code == 400


def test_on_the_network_its_own_names_and_addresses_are_answered() -> None:
    network = client("0.0.0.0")
    for name in ("192.168.1.5:7860", "[fe80::1]:7860", "localhost", socket.gethostname()):
        assert network.get("/", headers={"Host": name}).text == "in"
    refused = network.get("/", headers={"Host": "box.lan:7860"})
    assert refused.status_code == 400
    assert "--name" in refused.text
    assert client("0.0.0.0", "Box.lan").get("/", headers={"Host": "box.lan:7860"}).text == "in"
    assert client("box.lan").get("/", headers={"Host": "box.lan:7860"}).text == "in"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_other_sites_load_is_refused_and_a_link_is_not(site: str) -> None:
    sent = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
    assert client("127.0.0.1").get("/hippocam/video/x", headers=sent).status_code == 403
    sent["Sec-Fetch-Mode"] = "navigate"
    assert client("127.0.0.1").get("/", headers=sent).text == "in"
    assert client("127.0.0.1").post("/gradio_api/queue/join", headers=sent).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/gradio_api/run/ask", "/gradio_api/call/ask", "/gradio_api/api/ask", "/gradio_api/upload", "/x",
     "/gradio_api/info", "/gradio_api/file=x", "/login", "/runs", "//gradio_api/run/ask", "/gradio_api/",
     "/assets/../gradio_api/run/ask", "/new", "/gradio_api/queue/join/", "/api/x", "/api/v2/x",
     "/healthz/x", "/metrics/x", "/mcpx", "/openapi.json", "/api/v1/../../config/x"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_only_what_the_page_needs_may_be_called(path: str, method: str) -> None:
    assert client("127.0.0.1").request(method, path).status_code == 404


def test_what_the_page_needs_may_be_called() -> None:
    for path in (
        "/",
        "/theme.css",
        "/assets/a.js",
        "/gradio_api/queue/data",
        "/gradio_api/heartbeat/x",
        "/hippocam/x",
        "/api/v1/x",
        "/v1/x",
        "/mcp",
        "/healthz",
        "/metrics",
    ):
        assert client("127.0.0.1").get(path).text == "in"
    assert client("127.0.0.1").post("/gradio_api/queue/join").text == "in"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://127.0.0.1"])
def test_other_sites_are_refused(origin: str) -> None:
    assert client("127.0.0.1").post("/", headers={"Origin": origin}).status_code == 403


def test_own_pages_are_answered_with_protection() -> None:
    answer = client("127.0.0.1").get("/", headers={"Origin": "http://127.0.0.1:7860"})
    assert answer.text == "in"
    assert "connect-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
