"""A conversation to an OpenAI-compatible server and its reply back: streamed, timed out, tried again.

Only what most servers have in common is used: POST <base>/chat/completions with messages, max_tokens,
temperature and stream, answered as server-sent events or, where a server does not stream, as one JSON object.
"""

from __future__ import annotations

import email.utils
import json
import random
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hippocam.models.errors import ReaderError

if TYPE_CHECKING:
    import httpx

_CONNECT_S = 10.0
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 60.0
_TRY_AGAIN = (408, 429, 500, 502, 503, 504, 529)
_MOST_REPLY = 200_000
_SAID = 200
# Letters in a row that a key and a message share only if the one is in the other.
_TELLING = 6
_MASK = "***"


class _TryAgainError(Exception):
    """The server may answer if it is asked again, after wait_s where it said so."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class ChatServer:
    """One server.

    Args:
        base_url: Such as "http://localhost:8000/v1".
        key: Sent as a bearer token; "" for none. It stands in no message, not even where the server echoes it.
        timeout_s: How long a reply may take in all, in seconds.
        retries: How often it is asked again where it is busy or fails.
        sleep: Waits some seconds.
        clock: Seconds of a clock that only rises.
        rng: Spreads the waits, so that many clients do not come back at once.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout_s: float,
        retries: int,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._shown = re.sub(r"//[^/]*@", "//", self._url)  # without a password
        self._key = key
        self._timeout_s = timeout_s
        self._retries = retries
        self._sleep = sleep
        self._clock = clock
        self._rng = rng or random.Random()

    def complete(self, body: Mapping[str, Any], on_text: Callable[[str], None] | None = None) -> str:
        """Ask for the reply to a conversation.

        Args:
            body: The request, without `stream`.
            on_text: Gets each piece of the reply as it comes. After a failure in the middle it begins anew.

        Raises:
            ReaderError: The server is away, too slow or too busy, or refuses; the message names the fix.
        """
        try:
            return self._complete(body, on_text)
        except ReaderError as error:
            raise ReaderError(masked(str(error), self._key)) from None

    def _complete(self, body: Mapping[str, Any], on_text: Callable[[str], None] | None) -> str:
        tried = 0
        while True:
            try:
                return self._once({**body, "stream": True}, on_text)
            except _TryAgainError as error:
                wait_s = self._wait(tried) if error.wait_s is None else error.wait_s
                if tried == self._retries or wait_s > _LONGEST_WAIT_S:
                    later = f"; it asks to wait {wait_s:.0f} s" if error.wait_s is not None else ""
                    times = "once" if tried == 0 else f"{tried + 1} times"
                    raise ReaderError(f"{self._shown}: {error} (asked {times}){later}; try again later") from error
            self._sleep(wait_s)
            tried += 1

    def _wait(self, tried: int) -> float:
        """Exponential back-off, less up to half of it at random."""
        return min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0**tried) * self._rng.uniform(0.5, 1.0)

    def _once(self, body: Mapping[str, Any], on_text: Callable[[str], None] | None) -> str:
        import httpx

        deadline = self._clock() + self._timeout_s
        limits = httpx.Timeout(self._timeout_s, connect=min(_CONNECT_S, self._timeout_s))
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            with (
                httpx.Client(timeout=limits) as client,
                client.stream("POST", self._url, json=body, headers=headers) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    response.read()
                    raise self._refusal(response)
                return self._reply(response, on_text, deadline)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ReaderError(
                f"no server answers at {self._shown} ({_line(str(error))}): start it, or name another by "
                "OPENAI_BASE_URL or reader.openai.base_url"
            ) from error
        except httpx.TimeoutException as error:
            raise self._too_slow() from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ReaderError(
                f"{self._shown}: no address of a server ({_line(str(error))}); give base_url as "
                "http://localhost:8000/v1"
            ) from error
        except httpx.HTTPError as error:
            raise _TryAgainError(f"the connection broke ({_line(str(error)) or type(error).__name__})") from error
        except UnicodeEncodeError as error:
            raise ReaderError("the key holds signs that no key has: set OPENAI_API_KEY anew") from error

    def _too_slow(self) -> ReaderError:
        return ReaderError(
            f"{self._shown}: no whole reply within {self._timeout_s:g} s; raise reader.openai.timeout_s, or lower "
            "reader.context.frames"
        )

    def _refusal(self, response: httpx.Response) -> Exception:
        code, said = response.status_code, _said(response.text)
        if code in _TRY_AGAIN:
            return _TryAgainError(f"the server answers {code}{said}", _retry_after(response.headers))
        if code in (401, 403):
            return ReaderError(f"{self._shown}: the key is refused ({code}){said}; set OPENAI_API_KEY")
        if code == 404:
            return ReaderError(f"{self._shown}: not found (404){said}; check base_url and the model's name")
        return ReaderError(
            f"{self._shown}: the request is refused ({code}){said}; for a model that does not see, set "
            "reader.openai.images to false"
        )

    def _reply(self, response: httpx.Response, on_text: Callable[[str], None] | None, deadline: float) -> str:
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            response.read()
            return _piece(_json(response.text), "message")
        reply = ""
        for line in response.iter_lines():
            if self._clock() > deadline:
                raise self._too_slow()
            data = line.removeprefix("data:").strip()
            if not line.startswith("data:") or not data:
                continue
            if data == "[DONE]":
                break
            piece = _piece(_json(data), "delta")
            reply += piece
            if len(reply) > _MOST_REPLY:
                raise ReaderError(f"{self._shown}: the reply does not end (over {_MOST_REPLY} characters)")
            if piece and on_text is not None:
                on_text(piece)
        return reply


def masked(text: str, key: str) -> str:
    """Take a key out of what a server said, whole or in pieces: servers tell in errors what they were sent.

    Any part of it that is long enough to tell something is masked, so also the end or a cut-off beginning.
    """
    if len(key) < _TELLING:
        return text.replace(key, _MASK) if key else text
    at = 0
    while at + _TELLING <= len(text):
        if text[at : at + _TELLING] not in key:
            at += 1
            continue
        end = at + _TELLING
        while end < len(text) and text[at : end + 1] in key:
            end += 1
        text = text[:at] + _MASK + text[end:]
        at += len(_MASK)
    return text


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _TryAgainError("the server's reply is no JSON") from error


def _piece(value: Any, part: str) -> str:
    """The text of a completion, or of a piece of one; "" for a piece without text, such as the last."""
    if isinstance(value, dict) and value.get("error"):
        raise _TryAgainError(f"the server reports an error{_said(json.dumps(value))}")
    try:
        choices = value["choices"]
        content = choices[0][part].get("content") if choices else ""
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise _TryAgainError("the server's reply is no chat completion") from error
    return content if isinstance(content, str) else ""


def _said(text: str) -> str:
    """What a server says of its error, in a few harmless words in brackets."""
    try:
        value = json.loads(text)
        inner = value.get("error", value) if isinstance(value, dict) else value
        words = inner.get("message", inner) if isinstance(inner, dict) else inner
    except (ValueError, RecursionError):
        words = text
    line = _line(words if isinstance(words, str) else "")
    return f" ({line})" if line else ""


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_SAID]


def _retry_after(headers: httpx.Headers) -> float | None:
    """Seconds that the server asks to wait: a number, or a date."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.replace(".", "", 1).isdecimal():
        return float(value)
    try:
        when = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    sent = headers.get("date", "")  # the server's own clock, where it tells it
    try:
        now = email.utils.parsedate_to_datetime(sent) if sent else datetime.now(UTC)
        return max(0.0, (when - now).total_seconds())
    except (TypeError, ValueError):  # a date without a zone
        return None
