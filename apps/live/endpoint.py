"""How other processes of the same user ask the live process: a line of JSON to a socket, a line back.

The socket is a file in a folder that only its owner may enter, so there is neither a port nor a token.
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hippocam.apps.errors import LiveError
from hippocam.stream.errors import HippocamError

Handler = Callable[[Mapping[str, Any]], Mapping[str, Any]]
_MOST_BYTES = 1 << 22
_LONGEST_PATH = 100  # bytes of a socket's path; Linux takes 107
_TIMEOUT_S = 5.0


def ask_live(path: Path, request: Mapping[str, Any], *, timeout_s: float = _TIMEOUT_S) -> dict[str, Any] | None:
    """Ask the live process behind a socket; return None if none runs.

    Raises:
        LiveError: It refused the request, or did not answer in time.
    """
    if not path.exists():
        return None
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client, _short(path) as short:
            client.settimeout(timeout_s)
            client.connect(short)
            client.sendall(json.dumps(request).encode() + b"\n")
            with client.makefile("rb") as answers:
                line = answers.readline(_MOST_BYTES)
    except (ConnectionError, FileNotFoundError):
        return None  # it was killed, or has just ended
    except (TimeoutError, OSError) as error:
        raise LiveError(f"{path}: the live process does not answer ({error}); stop it and start again") from error
    if not line:
        return None
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise LiveError(str(answer["error"]))
    return answer


class Endpoint:
    """Answers requests in its own threads until it is closed. A context manager.

    Args:
        path: Path of the socket; one that a killed process left behind is replaced.
        handle: Answers a request; its HippocamError and ValueError go back to the process that asked.
    """

    def __init__(self, path: Path, handle: Handler) -> None:
        self._path = path
        path.unlink(missing_ok=True)

        class Answering(socketserver.StreamRequestHandler):
            timeout = _TIMEOUT_S

            def handle(self) -> None:
                try:
                    line = self.rfile.readline(_MOST_BYTES)
                    if line:
                        self.wfile.write(json.dumps(_answer(line, handle)).encode() + b"\n")
                except OSError:
                    return  # whoever asked is gone

        with _short(path) as short:
            self._server = _Server(short, Answering)
        os.chmod(path, 0o600)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="hippocam-endpoint", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128
    block_on_close = False


def _answer(line: bytes, handle: Handler) -> Mapping[str, Any]:
    try:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise ValueError("a request is an object")
        return handle(request)
    except HippocamError as error:
        return {"error": str(error)}
    except (ValueError, KeyError, TypeError) as error:
        return {"error": f"{type(error).__name__}: {error}"}


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """Name a socket shortly enough for the kernel, by the folder's descriptor if its path is too long."""
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
