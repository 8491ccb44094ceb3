"""A process of ours beside a control loop: started again when it ends, and never waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.process import BaseProcess

from hippocam.stream.live.child import start_child

# A process that ends is started again after this, then after twice as long, up to the longest; seconds.
_FIRST_S, _LONGEST_S = 0.2, 10.0
# One that ran for this long ended for another reason than its start.
_SETTLED_S = 10.0
_END_S = 5.0


class Child:
    """A process that is started again whenever it ends, by a thread of its own.

    Args:
        name: What it does, for people.
        target: Runs in it.
        arguments: Gives what `target` gets, anew for each start.
    """

    def __init__(
        self, name: str, target: Callable[..., None], arguments: Callable[[], tuple[object, ...]]
    ) -> None:
        self._name, self._target, self._arguments = name, target, arguments
        self.restarts = 0
        self._process: BaseProcess | None = None
        self._stopping = threading.Event()
        self._start()
        self._watcher = threading.Thread(target=self._watch, name=f"hippocam-{name}", daemon=True)
        self._watcher.start()

    @property
    def pid(self) -> int | None:
        """Id of the process that runs now."""
        process = self._process
        return None if process is None else process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs now."""
        process = self._process
        return process is not None and process.is_alive()

    def stop(self, wait_s: float) -> None:
        """Start it no more, wait for it to end by itself, and end it if it does not."""
        self._stopping.set()
        process = self._process
        if process is not None:
            process.join(wait_s)
            if process.is_alive():
                process.kill()
                process.join(_END_S)
        self._watcher.join(_END_S)

    def _start(self) -> None:
        self._process = start_child(self._name, self._target, *self._arguments())

    def _watch(self) -> None:
        pause_s = _FIRST_S
        while not self._stopping.is_set():
            begun_s = time.monotonic()
            process = self._process
            if process is not None:
                process.join()
            if self._stopping.is_set():
                return
            pause_s = _FIRST_S if time.monotonic() - begun_s > _SETTLED_S else min(2 * pause_s, _LONGEST_S)
            if self._stopping.wait(pause_s):
                return
            self.restarts += 1
            with suppress(OSError):  # no memory or no process left: tried again
                self._start()
