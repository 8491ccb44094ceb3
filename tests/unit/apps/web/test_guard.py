from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from hippocam.apps.web.guard import Guard, allowed_hosts, is_loopback


def client(host: str) -> TestClient:
    app = Starlette(routes=[Route("/{path:path}", lambda request: PlainTextResponse("in"))])
    return TestClient(Guard(app, allowed_hosts(host)), base_url="http://127.0.0.1:7860")


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
    assert bool(allowed_hosts(host)) is local


@pytest.mark.parametrize("name", ["127.0.0.1:7860", "localhost:7860", "LOCALHOST", "[::1]:7860"])
def test_local_names_are_answered(name: str) -> None:
    assert client("127.0.0.1").get("/", headers={"Host": name}).text == "in"


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example:7860", "[", ""])
def test_other_names_for_this_machine_are_refused(name: str) -> None:
    assert client("127.0.0.1").get("/", headers={"Host": name}).status_code == 400


def test_on_the_network_any_name_is_answered() -> None:
    assert client("0.0.0.0").get("/", headers={"Host": "box.lan:7860"}).text == "in"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "http://127.0.0.1"])
def test_other_sites_are_refused(origin: str) -> None:
    assert client("127.0.0.1").post("/", headers={"Origin": origin}).status_code == 403


def test_own_pages_are_answered_with_protection() -> None:
    answer = client("127.0.0.1").get("/", headers={"Origin": "http://127.0.0.1:7860"})
    assert answer.text == "in"
    assert "connect-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
