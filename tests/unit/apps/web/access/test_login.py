"""A password before everything, few tries, a session that a cookie names."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from hippocam.apps.errors import AddressError
from hippocam.apps.web.access.door import ALL_TRIES, LOGIN, LOGOUT, TRIES, TRIES_S, Door
from hippocam.apps.web.access.login import Login
from hippocam.apps.web.access.password import VARIABLE, Password, find_password, password_file

WORD = "correct horse"


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def door(clock: Clock) -> Door:
    return Door(Password.of(WORD), clock)


@pytest.fixture
def client(door: Door) -> TestClient:
    app = Starlette(
        routes=[Route("/{path:path}", lambda request: PlainTextResponse("in"), methods=["GET", "POST"])]
    )
    return TestClient(Login(app, door), base_url="http://box:7860", follow_redirects=False)


@pytest.mark.parametrize(
    "path", ["/", "/hippocam/video/x", "/hippocam/upload", "/gradio_api/queue/join", "/config"]
)
@pytest.mark.parametrize("cookie", ["", "hippocam=", "hippocam=x", "hippocam=\xff"])
def test_without_a_session_nothing_is_answered(client: TestClient, path: str, cookie: str) -> None:
    for method in ("GET", "POST", "HEAD"):
        refused = client.request(method, path, headers={"Cookie": cookie.encode("latin-1")})
        assert refused.status_code == 401
        assert refused.text != "in"
        assert method == "HEAD" or VARIABLE in refused.json()["error"]


def test_who_says_the_password_gets_a_session(client: TestClient) -> None:
    page = client.get("/", headers={"Accept": "text/html"})
    assert (page.status_code, "<form" in page.text) == (401, True)
    entered = client.post(LOGIN, data={"password": WORD}, headers={"Accept": "text/html"})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"].casefold()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert WORD not in cookie
    assert client.get("/hippocam/video/x").text == "in"


def test_who_logs_out_is_out_with_every_copy_of_the_cookie(client: TestClient) -> None:
    client.post(LOGIN, data={"password": WORD})
    copied = dict(client.cookies)
    other = TestClient(client.app, base_url="http://box:7860", follow_redirects=False)
    other.post(LOGIN, data={"password": WORD})
    assert client.get(LOGOUT).text == "in", "a link logs nobody out"
    gone = client.post(LOGOUT, headers={"Accept": "text/html"})
    assert (gone.status_code, "logged out" in gone.text) == (200, True)
    assert not dict(client.cookies)
    client.cookies.update(copied)
    assert client.get("/hippocam/video/x").status_code == 401
    assert other.get("/").text == "in", "somebody else's session goes on"
    assert client.post(LOGOUT).status_code == 200  # once more does no harm


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_the_cookie_is_sent_encrypted_only_once_it_came_so(door: Door, scheme: str, secure: bool) -> None:
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("in"))])
    client = TestClient(Login(app, door), base_url=f"{scheme}://box:7860", follow_redirects=False)
    for path, body in ((LOGIN, {"password": WORD}), (LOGOUT, None)):
        flags = {flag.strip() for flag in client.post(path, data=body).headers["set-cookie"].casefold().split(";")}
        assert {"httponly", "samesite=strict", "path=/"} <= flags
        assert ("secure" in flags) == secure
        assert not any(flag.startswith("domain") for flag in flags), "no other machine of the domain gets it"


def test_a_session_ends(client: TestClient, clock: Clock) -> None:
    client.post(LOGIN, data={"password": WORD})
    clock.now_s += 8 * 86400
    assert client.get("/").status_code == 401


def test_tries_are_few(client: TestClient, clock: Clock) -> None:
    for _ in range(TRIES - 1):
        assert client.post(LOGIN, data={"password": "wrong"}).status_code == 401
    assert client.post(LOGIN, data={"password": "wrong"}).status_code == 429
    assert client.post(LOGIN, data={"password": WORD}).status_code == 429  # the right one is not heard either
    clock.now_s += TRIES_S + 1
    assert client.post(LOGIN, data={"password": WORD}).status_code == 200


def test_many_clients_together_have_few_tries_too(door: Door) -> None:
    for number in range(ALL_TRIES):
        assert door.enter(f"10.0.{number // 200}.{number % 200}", "wrong") is None
    assert door.enter("10.9.9.9", WORD) is None
    assert door.wait_s("10.9.9.9") > 0


def test_a_long_or_odd_body_is_refused(client: TestClient) -> None:
    assert client.post(LOGIN, content=b"password=" + b"x" * 10_000).status_code == 413
    assert client.post(LOGIN, content=b"password=%ff%fe\xff").status_code == 401
    assert client.post(LOGIN).status_code == 401
    assert client.get(LOGIN).status_code == 401


def test_without_a_password_nobody_gets_in() -> None:
    assert Door(None).enter("x", "") is None


def test_it_is_made_once_and_kept_as_a_hash(tmp_path: Path) -> None:
    password, told = find_password(tmp_path / "m")
    assert len(told) >= 16
    file = password_file(tmp_path / "m")
    assert told.encode() not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    again, told_again = find_password(tmp_path / "m")
    assert (again, told_again) == (password, "")
    assert again.is_it(told)
    assert not again.is_it(told + "x")
    assert find_password(tmp_path / "other")[1] != told


def test_the_environment_may_give_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, WORD)
    password, told = find_password(tmp_path / "m")
    assert (password.is_it(WORD), told) == (True, "")
    assert not password_file(tmp_path / "m").exists()
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(AddressError, match="8 letters or more"):
        find_password(tmp_path / "m")


@pytest.mark.parametrize("content", [b"", b"hunter2", b"scrypt 1 1 1 00 00\n", b"\xff\n"])
def test_a_file_that_is_no_hash_lets_nobody_in(tmp_path: Path, content: bytes) -> None:
    find_password(tmp_path / "m")
    password_file(tmp_path / "m").write_bytes(content)
    with pytest.raises(AddressError, match=VARIABLE):
        find_password(tmp_path / "m")


def test_where_it_cannot_be_kept_the_fix_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.web").write_text("in the way")
    with pytest.raises(AddressError, match=f"set {VARIABLE}"):
        find_password(tmp_path / "m")
