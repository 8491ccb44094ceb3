"""Gradio's part of the page, imported and built while the server answers already: that takes some seconds."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send


class Opening:
    """An application that is being made: whoever asks for it waits until it is there.

    Args:
        load: Imports what it is made of, and gives what makes it; called once, in a thread of its own. It is made
            in the server's loop, since outside of one Gradio makes loops of its own, which it never closes.
        module: Name of what takes long to import; where it is imported already, nobody is served before.
    """

    def __init__(self, load: Callable[[], Callable[[], FastAPI]], module: str = "gradio") -> None:
        self._load, self._module = load, module
        self._made: asyncio.Future[FastAPI] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on once the application is there."""
        assert self._made is not None, "the server's lifespan has begun before it is asked"
        app = await asyncio.shield(self._made)
        await app(scope, receive, send)

    @asynccontextmanager
    async def running(self, then: Callable[[], None]) -> AsyncIterator[None]:
        """Make the application and run it until the context ends; `then` is called in a thread then."""
        self._made = asyncio.get_running_loop().create_future()
        ended = asyncio.Event()
        task = asyncio.create_task(self._run(ended, then))
        try:
            if self._module in sys.modules:
                await asyncio.shield(self._made)
            yield
        finally:
            ended.set()
            await asyncio.gather(task, return_exceptions=True)  # the thread cannot be broken off

    async def _run(self, ended: asyncio.Event, then: Callable[[], None]) -> None:
        assert self._made is not None
        try:
            make = await asyncio.to_thread(self._load)
            app = make()
        except BaseException as error:
            if not self._made.done():
                self._made.set_exception(error)
                self._made.exception()  # whoever asks is told
            raise
        async with app.router.lifespan_context(app):
            self._made.set_result(app)
            warming = asyncio.create_task(asyncio.to_thread(then))
            await ended.wait()
            warming.cancel()
