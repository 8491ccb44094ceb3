"""Who a client of the page counts as."""

from starlette.requests import HTTPConnection

from hippocam.apps.web.access.client import client_of


def of(host: str) -> str:
    return client_of(HTTPConnection({"type": "http", "client": (host, 5000)}))


def test_one_network_of_ipv6_is_one_client() -> None:
    assert of("2001:db8::1") == of("2001:db8::ffff:1") != of("2001:db8:0:1::1")
    assert of("::ffff:10.0.0.1") == of("10.0.0.1")


def test_what_has_no_address_is_one_client() -> None:
    assert client_of(HTTPConnection({"type": "http"})) == ""
    assert of("testclient") == "testclient"
