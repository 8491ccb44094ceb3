"""A websocket server of openpi's protocol with a memory behind it.

Each message is an observation; it is remembered, and what it reminds of is recalled. As a service the answer is
what was recalled. Before another server (`upstream`) the observation is forwarded with it, and the answer is that
server's. {"reset": True} ends an episode and is answered with {"reset_finished": True}.

Added to what is forwarded, and to what a service answers:

    memory/images     uint8 [K, H, W, 3], pictures of the recalled moments, the nearest first
    memory/ages_s     float32 [K], how long ago they were
    memory/cosines    float32 [K]
    memory/stale      whether the memory lags
"""

from __future__ import annotations

import hmac
import threading
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from hippocam.apps.robot.memory import RobotMemory
from hippocam.apps.robot.records import Recalled, RecalledEntry
from hippocam.apps.robot.serve.observation import Observed, observed
from hippocam.apps.robot.serve.upstream import Upstream
from hippocam.apps.robot.serve.wire import WireError, pack, unpack
from hippocam.stream import opencv as cv2
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import Image
from hippocam.stream.sources.images import read_image

# Largest message, bytes: some dozens of pictures.
MOST_BYTES = 64_000_000
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
# Between two pictures of one observation, whose times are not told; seconds.
_BETWEEN_S = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeConfig:
    """How a memory is served.

    Attributes:
        host: Address to listen on.
        port: Port; 0 for any that is free.
        upstream: ws:// address of the policy server that is asked; None to serve the memory alone.
        api_key: What clients must send as `Authorization: Api-Key ...`; needed beyond this machine.
        deadline_ms: How long recall may take.
        top: Moments that are recalled for an observation.
        side_px: Side of the pictures that are added, pixels.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    upstream: str | None = None
    api_key: str | None = None
    deadline_ms: float = 50.0
    top: int = 4
    side_px: int = 224

    def __post_init__(self) -> None:
        if self.host not in _LOOPBACK and not self.api_key:
            raise ValueError(f"{self.host} can be reached by others: give a key that they must send")
        if self.upstream is not None and urlsplit(self.upstream).scheme not in ("ws", "wss"):
            raise ValueError(f"upstream must be a ws:// or wss:// address, found {self.upstream!r}")


class MemoryServer:
    """Serves a robot's memory until it is shut down. One thread takes observations at a time.

    Args:
        memory: The memory.
        config: How it is served.

    Raises:
        HippocamError: The address cannot be listened on.
    """

    def __init__(self, memory: RobotMemory, config: ServeConfig) -> None:
        self._memory, self._config = memory, config
        self._taking = threading.Lock()
        self._began_s = time.monotonic()
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
                with self._upstream() as upstream:
                    metadata = {} if upstream is None else upstream.metadata
                    connection.send(pack(metadata | {"memory": "hippocam"}))
                    for message in connection:
                        if isinstance(message, str):
                            raise WireError("a text, where an observation in msgpack was expected")
                        connection.send(pack(self._reply(unpack(message), upstream)))
            except (ValueError, HippocamError) as error:
                connection.send(" ".join(str(error).split()) or type(error).__name__)
                connection.close(1011, "Internal server error.")

    def _upstream(self) -> AbstractContextManager[Upstream | None]:
        url = self._config.upstream
        return nullcontext() if url is None else Upstream(url, MOST_BYTES)

    def _reply(self, content: object, upstream: Upstream | None) -> dict[str, Any]:
        """Remember an observation, recall what it reminds of, and answer or have it answered."""
        seen = observed(content)
        if seen.reset and not seen.images:
            with self._taking:
                self._memory.reset(env=seen.env)
            return {"reset_finished": True} | ({} if upstream is None else upstream.ask(content))
        now_s = time.monotonic() - self._began_s if seen.time_s is None else seen.time_s
        with self._taking:
            self._take(seen, now_s)
        recalled = self._memory.recall(
            seen.prompt or None,
            now=now_s,
            deadline_ms=self._config.deadline_ms,
            top=self._config.top,
            env=seen.env or None,
        )
        added = self._added(recalled, now_s)
        if upstream is None or not isinstance(content, dict):
            return added | {"entries": [_told(entry) for entry in recalled.entries]}
        return upstream.ask(content | added)

    def _take(self, seen: Observed, now_s: float) -> None:
        """Remember an observation with all its pictures."""
        for back in reversed(range(max(1, *map(len, seen.images.values())) if seen.images else 1)):
            self._memory.observe(
                images={camera: every[-1 - back] for camera, every in seen.images.items() if back < len(every)},
                time_s=now_s - _BETWEEN_S * back,
                state=None if back else seen.state,
                text=seen.prompt,
                env=seen.env,
            )

    def _added(self, recalled: Recalled, now_s: float) -> dict[str, Any]:
        """What is added to an observation: see the module."""
        side = self._config.side_px
        pictures: list[Image] = []
        shown: list[RecalledEntry] = []
        for entry in recalled.entries:
            picture = read_image(Path(entry.image), 2 * side) if entry.image else None
            if picture is not None:
                pictures.append(_square(picture, side))
                shown.append(entry)
        return {
            "memory/images": np.stack(pictures) if pictures else np.zeros((0, side, side, 3), np.uint8),
            "memory/ages_s": np.array([now_s - entry.t1_s for entry in shown], np.float32),
            "memory/cosines": np.array([entry.cosine for entry in shown], np.float32),
            "memory/stale": recalled.stale,
        }


def _square(picture: Image, side: int) -> Image:
    """Fit a picture into a square, as openpi does: scaled, on black."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    fitted = np.zeros((side, side, 3), np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    fitted[top : top + size[1], left : left + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return fitted


def _told(entry: RecalledEntry) -> dict[str, Any]:
    """A recalled moment as it is sent."""
    pose = None if entry.pose is None else entry.pose.tolist()
    return {
        "id": entry.id,
        "stream": entry.stream,
        "t0_s": entry.t0_s,
        "t1_s": entry.t1_s,
        "cosine": entry.cosine,
        "text": entry.text,
        "pose": pose,
    }
