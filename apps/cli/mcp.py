"""`hippocam mcp`: a memory as tools for a model, over stdin and stdout."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hippocam.apps.session import Session


def add_arguments(command: argparse.ArgumentParser, opened: Callable[[argparse.Namespace], Session]) -> None:
    """Add the arguments of `hippocam mcp`.

    Args:
        command: The parser.
        opened: Opens the memory that the options name.
    """
    command.set_defaults(run=lambda options: _serve(opened(options)))


def _serve(session: Session) -> int:
    """Speak the protocol until the client closes stdin. Nothing else may be printed on stdout."""
    from hippocam.apps.mcp.server import make_server
    from hippocam.apps.mcp.tools import INSTRUCTIONS, Tools
    from hippocam.apps.shown.timeline import Timeline

    with session:
        tools = Tools(session, Timeline(session.opened.memories), nullcontext)
        make_server(tools, INSTRUCTIONS).run("stdio")
    return 0
