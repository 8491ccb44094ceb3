"""Posts alerts as JSON to another program, in a thread of its own so that nobody waits."""

from __future__ import annotations

import base64
import http.client
import ipaddress
import json
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from urllib.parse import unquote, urlsplit

from hippocam.stream.errors import HippocamError

_QUEUE = 64
_TRIES = 3
_POST_S = 5.0
_PAUSE_S = 1.0
# IPv6 addresses that lead to the IPv4 address in their last four bytes: a translator's, and the oldest form.
_ENDS_IN_IPV4 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
# Addresses of a translator of one's own network.
_LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")


class Webhook:
    """Posts alerts, trying each up to three times; when too many wait, the oldest is dropped.

    Args:
        url: Address to post to, http or https.
        send: Posts a body; raises OSError if that fails.
        private: Whether the address may be in a private network, or this machine's own.
        pause_s: Pause before the second try, seconds; twice that before the third.
    """

    def __init__(
        self,
        url: str,
        send: Callable[[str, bytes], None] | None = None,
        *,
        private: bool = False,
        pause_s: float = _PAUSE_S,
    ) -> None:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise HippocamError("--webhook: not an address; give http://HOST/... or https://HOST/...")
        if send is None and not private:
            _refuse_private(url)
        self._url, self._pause_s = url, pause_s
        self._send = send or partial(_post, private=private)
        self._waiting: queue.Queue[Mapping[str, object] | None] = queue.Queue(_QUEUE)
        self._closing = threading.Event()
        self.sent = self.failed = self.dropped = 0
        self._thread = threading.Thread(target=self._work, name="hippocam-webhook", daemon=True)
        self._thread.start()

    def post(self, alert: Mapping[str, object]) -> None:
        """Queue an alert; return at once."""
        while True:
            try:
                self._waiting.put_nowait(alert)
                return
            except queue.Full:
                with suppress(queue.Empty):
                    self._waiting.get_nowait()
                    self.dropped += 1

    def close(self, timeout_s: float = 3.0) -> None:
        """Post what is queued, for a few seconds at most."""
        with suppress(queue.Full):
            self._waiting.put(None, timeout=timeout_s)
        self._closing.set()
        self._thread.join(timeout_s)

    def _work(self) -> None:
        while (alert := self._waiting.get()) is not None:
            body = json.dumps(alert, ensure_ascii=False).encode()
            for tried in range(_TRIES):
                try:
                    self._send(self._url, body)
                    self.sent += 1
                    break
                except (OSError, ValueError, http.client.HTTPException):
                    if tried + 1 < _TRIES:
                        self._closing.wait(self._pause_s * 2**tried)
            else:
                self.failed += 1


def _refuse_private(url: str) -> None:
    """Refuse an address that is private now; each post looks again.

    Raises:
        HippocamError: It is, or its port is none.
    """
    try:
        parts = urlsplit(url)
        found = _addresses(parts.hostname or "", parts.port or 443)
    except OSError:  # no such name, or no network now
        return
    except ValueError as error:
        raise HippocamError(f"--webhook: not an address ({error})") from error
    if not all(map(_is_public, found)):
        raise HippocamError(
            f"--webhook: {parts.hostname} is in a private network, or this machine; allow it by --webhook-private"
        )


def _post(url: str, body: bytes, *, private: bool) -> None:
    """Post once, to the very address that was looked at; a redirect is not followed.

    Raises:
        OSError: Nobody takes it, or the address is a private one and that is not allowed.
    """
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    found = _addresses(host, port)
    if not private and not all(map(_is_public, found)):
        raise OSError(f"{host} is in a private network")
    connection = (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(
        host, port, timeout=_POST_S
    )
    connection.sock = socket.create_connection((found[0], port), timeout=_POST_S)
    try:
        if secure:
            connection.sock = ssl.create_default_context().wrap_socket(connection.sock, server_hostname=host)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Content-Type": "application/json", "User-Agent": "hippocam"}
        if parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read(1 << 16)
        if not 200 <= answer.status < 300:
            raise OSError(f"answered {answer.status}")
    finally:
        connection.close()


def _addresses(host: str, port: int) -> list[str]:
    return [str(where[0]) for *_, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.is_site_local or found in _LOCAL_NAT64:
            return False
        if found.ipv4_mapped or any(found in net for net in _ENDS_IN_IPV4):
            found = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        elif found.sixtofour:
            found = found.sixtofour
    return found.is_global and not found.is_multicast
