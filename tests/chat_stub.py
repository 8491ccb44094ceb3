"""An OpenAI-compatible server on a loopback port that answers by a script, and keeps what it was asked."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer of the server: a stream of pieces, or a body; drops: the connection breaks before its end."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    pieces: Sequence[str] = ()
    drops: bool = False
    hangs: bool = False


def says(text: str, size: int = 7) -> Reply:
    """A streamed reply, in pieces of so many characters."""
    return Reply(pieces=[text[at : at + size] for at in range(0, len(text), size)])


def says_json(
    answer: str = "", evidence: Sequence[str] = (), confidence: float = 0.9, unknown: bool = False
) -> Reply:
    """A reply of the form that is asked for."""
    value = {"answer": answer, "evidence": list(evidence), "confidence": confidence, "unknown": unknown}
    return says(json.dumps(value))


@dataclass
class Stub:
    """Where it is, and what it was asked."""

    base_url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def serving(*script: Reply) -> Iterator[Stub]:
    """Serve replies in order, the last one from then on."""
    stop = threading.Event()
    left = list(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            stub.requests.append({"path": self.path, **asked})
            stub.headers.append(dict(self.headers))
            reply = left.pop(0) if len(left) > 1 else left[0]
            self.close_connection = True
            if reply.hangs:
                stop.wait(10)
                return
            self.send_response_only(reply.status)  # without a Date of its own
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if not reply.pieces:
                data = reply.body.encode()
                self.send_header("Content-Length", str(len(data) + reply.drops))
                self.end_headers()
                self.wfile.write(data)
                return
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            events = [{"choices": [{"delta": {"role": "assistant"}}]}]
            events += [{"choices": [{"delta": {"content": piece}}]} for piece in reply.pieces]
            lines = [json.dumps(event) for event in [*events, {"choices": [], "usage": {}}]]
            for line in lines if reply.drops else [*lines, "[DONE]"]:
                self._chunk(f"data: {line}\n\n".encode())
            if not reply.drops:
                self._chunk(b"")

        def _chunk(self, data: bytes) -> None:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub = Stub(base_url=f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stub
    finally:
        stop.set()
        server.shutdown()
        thread.join()
        server.server_close()
