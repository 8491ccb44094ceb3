"""Where one memory at a time is written: a thread of this process, or a process on a machine of the cluster."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol

from hippocam.stream.archive.protocols import Writer


class Desk(Protocol):
    """Writes one memory at a time.

    Attributes:
        memory: Name of the memory; "" where it is free.
        ready: Whether it can take segments; one that has just opened a memory may not be.
        machine: Id of its machine; "" for this one.
    """

    memory: str
    ready: bool
    machine: str

    def open(self, memory: str, maker: Callable[[], Writer]) -> Future[Any]:
        """Begin with a memory; the future gives what `Host.start` returns."""

    def take(self, arguments: tuple[Any, ...]) -> Future[Any]:
        """Have the next segment written."""

    def leave(self) -> None:
        """The memory is done with."""

    def end(self) -> None:
        """No more is to be written here."""


class DeskHere:
    """A thread of this process: all that a memory does is done in one."""

    def __init__(self) -> None:
        self.memory, self.ready, self.machine = "", False, ""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="memory")
        self._writer: Writer | None = None

    def open(self, memory: str, maker: Callable[[], Writer]) -> Future[Any]:
        """As `Desk` has it."""
        self.memory = memory

        def make() -> tuple[str, str]:
            self._writer = maker()
            return "", ""

        return self._thread.submit(make)

    def take(self, arguments: tuple[Any, ...]) -> Future[Any]:
        """As `Desk` has it."""
        assert self._writer is not None
        return self._thread.submit(self._writer.take, *arguments)

    def leave(self) -> None:
        """As `Desk` has it."""
        self._thread.submit(self._close)
        self.memory, self.ready = "", False

    def end(self) -> None:
        """As `Desk` has it; waits for what is being written."""
        self._thread.submit(self._close)
        self._thread.shutdown()

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class DeskThere:
    """A process on a machine of the cluster.

    Args:
        ray: The module, connected.
        actor: Its `Host`.
        machine: Id of its machine.
    """

    def __init__(self, ray: Any, actor: Any, machine: str) -> None:
        self.memory, self.ready, self.machine = "", False, machine
        self._ray, self._actor = ray, actor

    def open(self, memory: str, maker: Callable[[], Writer]) -> Future[Any]:
        """As `Desk` has it."""
        self.memory = memory
        future: Future[Any] = self._actor.start.remote(pickle.dumps(maker)).future()
        return future

    def take(self, arguments: tuple[Any, ...]) -> Future[Any]:
        """As `Desk` has it."""
        future: Future[Any] = self._actor.call.remote("take", *arguments).future()
        return future

    def leave(self) -> None:
        """As `Desk` has it."""
        self._actor.call.remote("close")
        self.memory, self.ready = "", False

    def end(self) -> None:
        """As `Desk` has it; what is being written is cut short."""
        with suppress(Exception):  # its machine, or the cluster, may be gone
            self._ray.kill(self._actor)
