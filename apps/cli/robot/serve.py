"""`hippocam robot serve`: a memory, or a policy that reads one, behind openpi's protocol.

Nothing heavy is imported before the command runs.
"""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hippocam.apps.terminal import milliseconds, port, tell

if TYPE_CHECKING:
    from hippocam.apps.robot.serve.server import Service

# The key that clients must send, where others than this machine can reach the server.
KEY_VARIABLE = "HIPPOCAM_API_KEY"
# How long another policy server may take where nobody says: a robot that holds is not to wait for it.
_ANSWER_MS, _HOLD_AFTER_MS = 60_000.0, 500.0


def add_serve(names: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add `serve` to the commands of `hippocam robot`."""
    serve = names.add_parser("serve", help="a memory, or a policy with one, behind openpi's websocket protocol")
    who = serve.add_mutually_exclusive_group()
    who.add_argument("--policy", type=Path, metavar="FILE", help="written by robot train; it answers with actions")
    who.add_argument("--upstream", metavar="URL", help="ws://... of the policy server that answers")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    serve.add_argument("--port", type=port, default=8000, help="port (default 8000)")
    serve.add_argument(
        "--hold",
        choices=("absolute", "relative"),
        help="with --upstream: the last action again, or none, while that does not answer",
    )
    serve.add_argument(
        "--answer-ms",
        type=milliseconds,
        metavar="MS",
        help="that --upstream may take (default 60000, with --hold 500)",
    )
    serve.add_argument("--top", type=int, default=4, metavar="N", help="moments that are recalled (default 4)")
    serve.add_argument(
        "--deadline-ms", type=milliseconds, default=50.0, metavar="MS", help="of recall (default 50)"
    )
    serve.set_defaults(run=_serve)
    return serve


def _serve(options: argparse.Namespace) -> int:
    from hippocam.stream.errors import HippocamError

    try:
        from hippocam.apps.robot.serve.server import RobotServer, ServeConfig
    except ImportError as error:
        raise HippocamError(
            "serving robots needs websockets and msgpack: pip install 'hippocam[robot]'"
        ) from error
    key = os.environ.get(KEY_VARIABLE) or None
    config = ServeConfig(host=options.host, port=options.port, api_key=key)
    with (_memory if options.policy is None else _policy)(options) as service:
        server = RobotServer(service, config)
        before = f" before {options.upstream}" if options.upstream else ""
        tell(f"listening on ws://{options.host}:{server.port}{before}; Ctrl-C ends it")
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # so a service manager ends it, as Ctrl-C does
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            server.shutdown()
    return 0


@contextmanager
def _memory(options: argparse.Namespace) -> Iterator[Service]:
    """A memory, alone or before another policy server."""
    from hippocam.apps.robot.memory import RobotMemory
    from hippocam.apps.robot.serve.memory import MemoryService, RecallingConfig
    from hippocam.apps.settings import load_settings

    answer_ms = options.answer_ms or (_HOLD_AFTER_MS if options.hold else _ANSWER_MS)
    recalling = RecallingConfig(
        upstream=options.upstream,
        deadline_ms=options.deadline_ms,
        top=options.top,
        answer_s=answer_ms / 1000,
        hold=options.hold,
    )
    opened = RobotMemory.open(
        options.memory,
        encoder=options.encoder or "auto",
        budget_mb=options.budget_mb,
        settings=load_settings(options.config),
    )
    with opened as memory:
        yield MemoryService(memory, recalling)
        told = memory.status()
    dropped, refused = dict(told.dropped) or "none", dict(told.refused) or "none"
    tell(f"{told.observed} observations; dropped: {dropped}; refused: {refused}")


@contextmanager
def _policy(options: argparse.Namespace) -> Iterator[Service]:
    """A policy of ours that reads a memory."""
    from hippocam.apps.robot.serve.opening import opened_policy
    from hippocam.apps.settings import budget_bytes, load_settings

    settings = None if options.config is None else load_settings(options.config)
    budget = None if options.budget_mb is None else budget_bytes(options.budget_mb)
    with opened_policy(options.policy, options.memory, settings=settings, budget=budget) as service:
        yield service
