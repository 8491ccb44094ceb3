"""The protocol at an address of a web server: loaded at the first request, so that the page starts without it."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import TaskGroup, TaskStatus
from anyio.to_thread import run_sync
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

PATH = "/mcp"


class McpRoute:
    """Serves an MCP server at one address; requests know nothing of each other.

    Args:
        make: Makes the server, an `MCPServer` of the SDK.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._manager: Any = None
        self._tasks: TaskGroup | None = None
        self._lock = anyio.Lock()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """What requests need as long as the web server runs."""
        async with anyio.create_task_group() as self._tasks:
            yield
            self._tasks.cancel_scope.cancel()
        self._manager = self._tasks = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if importlib.util.find_spec("mcp") is None:
            line = "the protocol needs one more package on this machine: pip install 'hippocam[mcp]'"
            await JSONResponse({"error": line}, status_code=501)(scope, receive, send)
            return
        async with self._lock:
            if self._manager is None:
                assert self._tasks is not None
                self._manager = await self._tasks.start(self._run)
        await self._manager.handle_request(scope, receive, send)

    async def _run(self, *, task_status: TaskStatus[Any]) -> None:
        manager = await run_sync(self._managed)
        async with manager.run():
            task_status.started(manager)
            await anyio.sleep_forever()

    def _managed(self) -> Any:
        from mcp.server.transport_security import TransportSecuritySettings

        server = self._make()
        # Names and origins are checked by the web server's own guard, for all routes alike.
        open_ = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        server.streamable_http_app(stateless_http=True, json_response=True, transport_security=open_)
        return server.session_manager
