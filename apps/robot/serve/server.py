"""A websocket server of openpi's protocol: who may come in, and what one service answers them.

What answers is a service: a robot's memory, alone or before another policy server (`memory.py`), or a policy that
reads its memory (`policy.py`). Each client is told the service's metadata, then answered message by message.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from hippocam.apps.robot.serve.wire import WireError, pack, unpack
from hippocam.stream.errors import HippocamError

# Largest message, bytes: some dozens of pictures.
MOST_BYTES = 64_000_000
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Answers(Protocol):
    """What answers one client."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What a client is told when it connects."""

    def reply(self, content: object) -> dict[str, Any]:
        """Answer a message.

        Raises:
            ValueError: It is no observation, or one that does not fit.
            HippocamError: It cannot be answered.
        """


class Service(Protocol):
    """What is served."""

    def client(self) -> AbstractContextManager[Answers]:
        """Begin to answer a client; the end of the context is the end of its connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeConfig:
    """Where is listened, and who may come in.

    Attributes:
        host: Address to listen on.
        port: Port; 0 for any that is free.
        api_key: What clients must send as `Authorization: Api-Key ...`; needed beyond this machine.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    api_key: str | None = None

    def __post_init__(self) -> None:
        if self.host not in _LOOPBACK and not self.api_key:
            raise ValueError(f"{self.host} can be reached by others: give a key that they must send")


class RobotServer:
    """Serves until it is shut down. A thread answers each client.

    Args:
        service: What answers; its clients' `reply` is called from several threads.
        config: Where is listened, and who may come in.

    Raises:
        HippocamError: The address cannot be listened on.
    """

    def __init__(self, service: Service, config: ServeConfig) -> None:
        self._service, self._config = service, config
        try:
            self._server: Server = serve(
                self._answer,
                config.host,
                config.port,
                compression=None,
                max_size=MOST_BYTES,
                process_request=self._checked,
                origins=[None],  # pages in a browser name theirs, robots' programs have none
            )
        except OSError as error:
            raise HippocamError(f"{config.host}:{config.port} cannot be listened on ({error.strerror})") from error

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.socket.getsockname()[1])

    def serve_forever(self) -> None:
        """Serve until `shutdown` is called from another thread."""
        self._server.serve_forever()

    def shutdown(self) -> None:
        """End serving."""
        self._server.shutdown()

    def _checked(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a health check, and refuse who has no key; None lets the client in."""
        if request.path == "/healthz":
            return connection.respond(200, "OK\n")
        wanted = self._config.api_key
        given = request.headers.get("Authorization", "")
        if wanted and not hmac.compare_digest(given.encode(), f"Api-Key {wanted}".encode()):
            return connection.respond(401, "a key is needed: Authorization: Api-Key ...\n")
        return None

    def _answer(self, connection: ServerConnection) -> None:
        """Answer one client. What goes wrong is said as text and ends the connection, as with openpi's server."""
        with suppress(ConnectionClosed):
            try:
                with self._service.client() as answers:
                    connection.send(pack(dict(answers.metadata)))
                    for message in connection:
                        if isinstance(message, str):
                            raise WireError("a text, where an observation in msgpack was expected")
                        connection.send(pack(answers.reply(unpack(message))))
            except (ValueError, HippocamError) as error:
                connection.send(" ".join(str(error).split()) or type(error).__name__)
                connection.close(1011, "Internal server error.")
