"""Tools on a server of the official SDK, which speaks over stdio or HTTP."""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from hippocam.stream.errors import HippocamError, MissingLibraryError

Tool = Callable[..., object]
# Where clients find the picture of a moment as a resource.
_PICTURES = "hippocam://moments/{+moment}/picture"


class HasTools(Protocol):
    """What a model may do with a memory: the `Tools`."""

    def every(self) -> Sequence[Tool]:
        """The tools whose results are JSON; their docstrings are what the model reads about them."""

    def picture_of(self, moment: str) -> bytes:
        """The picture of a moment, a JPEG."""


def make_server(tools: HasTools, instructions: str) -> Any:
    """Put tools on a server, an `MCPServer` of the SDK.

    Args:
        tools: Read a memory, and change nothing.
        instructions: What a model reads before anything else.

    Raises:
        MissingLibraryError: The SDK is not installed.
    """
    try:
        from mcp.server.mcpserver import Image, MCPServer
    except ImportError as error:
        raise MissingLibraryError("mcp", str(error), "pip install 'hippocam[mcp]'") from error
    from mcp_types import ToolAnnotations

    version = importlib.metadata.version("hippocam")
    # At INFO each request would be told on stderr, and each line of every other library too.
    server = MCPServer("hippocam", instructions=instructions, version=version, log_level="WARNING")
    reading = ToolAnnotations(read_only_hint=True, open_world_hint=False)

    def picture(moment: str) -> Image:
        """The picture of a moment, by its whole id."""
        return Image(data=tools.picture_of(moment), format="jpeg")

    picture.__annotations__["return"] = Image  # the SDK looks names up in the module, where this one is not
    for tool in (*tools.every(), picture):
        server.add_tool(_told(tool), annotations=reading)
    server.resource(_PICTURES, name="picture", mime_type="image/jpeg")(_told(tools.picture_of))
    return server


def _told(tool: Tool) -> Tool:
    """A tool whose errors the model can read and mend."""
    from mcp.server.mcpserver.exceptions import ToolError

    @functools.wraps(tool)
    def told(**arguments: object) -> object:
        try:
            return tool(**arguments)
        except (HippocamError, ValueError) as error:
            raise ToolError(" ".join(str(error).split())) from error

    return told
