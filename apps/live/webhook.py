"""Posts alerts as JSON to another program, in a thread of its own so that nobody waits."""

from __future__ import annotations

import http.client
import json
import queue
import threading
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from hippocam.stream.errors import HippocamError

_QUEUE = 64
_TRIES = 3
_POST_S = 5.0
_PAUSE_S = 1.0


class Webhook:
    """Posts alerts, trying each up to three times; when too many wait, the oldest is dropped.

    Args:
        url: Address to post to, http or https.
        send: Posts a body; raises OSError if that fails.
        pause_s: Pause before the second try, seconds; twice that before the third.
    """

    def __init__(
        self, url: str, send: Callable[[str, bytes], None] | None = None, *, pause_s: float = _PAUSE_S
    ) -> None:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise HippocamError("--webhook: not an address; give http://HOST/... or https://HOST/...")
        self._url, self._send, self._pause_s = url, send or _post, pause_s
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


def _post(url: str, body: bytes) -> None:
    request = urllib.request.Request(
        url, data=body, headers={"Content-Type": "application/json", "User-Agent": "hippocam"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=_POST_S) as answer:
        answer.read(1 << 16)
