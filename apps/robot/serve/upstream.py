"""Another policy server of openpi's protocol, asked for a client of ours."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.sync.client import ClientConnection, connect

from hippocam.apps.robot.serve.wire import pack, unpack
from hippocam.stream.errors import HippocamError

# How long is waited for one that is left to say goodbye, seconds.
_CLOSE_S = 0.05


class Upstream:
    """A connection to a policy server, which is made again once it has failed; a context manager.

    Args:
        url: Its ws:// address.
        most_bytes: Largest message.
        answer_s: How long it may take to answer, seconds.

    Attributes:
        metadata: What it says of itself when a client connects.

    Raises:
        HippocamError: It cannot be reached, or does not speak the protocol.
    """

    def __init__(self, url: str, most_bytes: int, answer_s: float) -> None:
        self._url, self._most_bytes, self._answer_s = url, most_bytes, answer_s
        self._opened = ExitStack()
        self._connection: ClientConnection | None = None
        self.metadata = self._connected()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def ask(self, message: object) -> dict[str, Any]:
        """Send an observation and return what the server answers.

        Raises:
            HippocamError: It answers with an error, with something else than a map, or not in time. The next
                question is asked over a new connection: a late answer must not be taken for that of another.
        """
        try:
            if self._connection is None:
                self._connected()
            assert self._connection is not None
            try:
                self._connection.send(pack(message))
            except ConnectionClosed as error:
                raise HippocamError(f"the policy server at {self._url} has gone ({error})") from error
            return self._received(self._connection)
        except HippocamError:
            self._close()
            raise

    def _connected(self) -> dict[str, Any]:
        """Connect, and return what the server says of itself."""
        try:
            opening = connect(
                self._url,
                compression=None,
                max_size=self._most_bytes,
                open_timeout=self._answer_s,
                close_timeout=_CLOSE_S,
            )
            self._connection = self._opened.enter_context(opening)
        except (OSError, InvalidHandshake, InvalidURI) as error:
            raise HippocamError(f"the policy server at {self._url} cannot be reached ({error})") from error
        try:
            return self._received(self._connection)
        except HippocamError:
            self._close()
            raise

    def _received(self, connection: ClientConnection) -> dict[str, Any]:
        try:
            reply = connection.recv(timeout=self._answer_s)
        except TimeoutError as error:
            raise HippocamError(f"the policy server at {self._url} does not answer") from error
        except ConnectionClosed as error:
            raise HippocamError(f"the policy server at {self._url} has gone ({error})") from error
        if isinstance(reply, str):  # as openpi's server says that something went wrong: a traceback
            raise HippocamError(f"the policy server at {self._url} failed: {reply.strip().splitlines()[-1]:.500}")
        content = unpack(reply)
        if not isinstance(content, dict):
            raise HippocamError(f"the policy server at {self._url} answered with no map")
        return content

    def _close(self) -> None:
        self._connection = None
        self._opened.close()
