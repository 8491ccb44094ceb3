"""What one client may ask for."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from hippocam.apps.web.access.limits import BODY_BYTES, BURST, Allowance, Limits


async def count(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(clock: Clock) -> TestClient:
    return TestClient(Limits(Starlette(routes=[Route("/{p:path}", count, methods=["GET", "POST"])]), clock))


def test_a_request_has_few_bytes_announced_or_not(client: TestClient) -> None:
    assert client.post("/a", content=b"x" * BODY_BYTES).text == str(BODY_BYTES)
    assert client.post("/a", content=b"x" * (BODY_BYTES + 1)).status_code == 413
    assert client.post("/a", content=iter([b"x" * 1000] * 100)).status_code == 413
    assert client.post("/hippocam/upload", content=b"x" * (BODY_BYTES + 1)).text == str(BODY_BYTES + 1)


def test_a_client_that_asks_too_often_waits(client: TestClient, clock: Clock) -> None:
    assert [client.post("/a").status_code for _ in range(BURST + 2)] == [200] * BURST + [429] * 2
    assert client.get("/a").status_code == 200  # what is only shown is not counted
    clock.now_s += 1
    assert client.post("/a").status_code == 200


def test_places_are_of_each_client() -> None:
    allowance = Allowance(2)
    with (
        allowance.take("a") as one,
        allowance.take("a") as two,
        allowance.take("a") as three,
        allowance.take("b") as other,
    ):
        assert (one, two, three, other) == (True, True, False, True)
    with allowance.take("a") as again:
        assert again
