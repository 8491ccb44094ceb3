"""Another policy server of openpi's protocol, asked for a client of ours."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.sync.client import ClientConnection, connect

from hippocam.apps.robot.serve.wire import pack, unpack
from hippocam.stream.errors import HippocamError

# Seconds that another server may take to answer.
_ANSWER_S = 60.0


class Upstream:
    """A connection to a policy server; a context manager.

    Args:
        url: Its ws:// address.
        most_bytes: Largest message.

    Attributes:
        metadata: What it says of itself when a client connects.

    Raises:
        HippocamError: It cannot be reached, or does not speak the protocol.
    """

    def __init__(self, url: str, most_bytes: int) -> None:
        self._url = url
        with ExitStack() as undo:
            try:
                opening = connect(url, compression=None, max_size=most_bytes)
                self._connection: ClientConnection = undo.enter_context(opening)
            except (OSError, InvalidHandshake, InvalidURI) as error:
                raise HippocamError(f"the policy server at {url} cannot be reached ({error})") from error
            self.metadata: dict[str, Any] = self._received()
            self._close = undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close.close()

    def ask(self, message: object) -> dict[str, Any]:
        """Send an observation and return what the server answers.

        Raises:
            HippocamError: It answers with an error, with something else than a map, or not in time.
        """
        try:
            self._connection.send(pack(message))
        except ConnectionClosed as error:
            raise HippocamError(f"the policy server at {self._url} has gone ({error})") from error
        return self._received()

    def _received(self) -> dict[str, Any]:
        try:
            reply = self._connection.recv(timeout=_ANSWER_S)
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
