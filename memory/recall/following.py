"""A thread that has an index follow its store between questions, so that little is left to a question."""

from __future__ import annotations

import sqlite3
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager

# How often it follows, and after how long without a question it ends, in seconds.
_EVERY_S, _IDLE_S = 1.0, 600.0


class Following:
    """Calls a method again and again from the first question on, in a thread of its own.

    The thread ends after a while without a question, with its object, and with the process. It is no promise: a
    question follows what was written since by itself, and so never misses a write that has returned before it.

    Args:
        lock: Held while the method runs; whoever asks holds it, too.
        follow: A method of an object that this must not keep alive.
        every_s: Seconds between two calls.
        idle_s: Seconds without a question after which the thread ends.
    """

    def __init__(
        self,
        lock: AbstractContextManager[object],
        follow: Callable[[], None],
        *,
        every_s: float = _EVERY_S,
        idle_s: float = _IDLE_S,
    ) -> None:
        self._lock, self._every_s, self._idle_s = lock, every_s, idle_s
        self._follow = weakref.WeakMethod(follow)
        self._over = threading.Event()
        self._asked_s = 0.0
        self._thread: threading.Thread | None = None

    def asked(self) -> None:
        """Note a question, whose lock is held: there will be more."""
        self._asked_s = time.monotonic()
        if self._thread is None and not self._over.is_set():
            self._thread = threading.Thread(target=self._run, name="following", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread, which follows no more once the lock was taken after this."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(self._every_s):
            with self._lock:
                follow = self._follow()
                idle = time.monotonic() - self._asked_s > self._idle_s
                if follow is None or idle or self._over.is_set() or not self._followed(follow):
                    self._thread = None
                    return
                del follow

    @staticmethod
    def _followed(follow: Callable[[], None]) -> bool:
        """Follow; whether that could be done. If not, the next question is told why."""
        try:
            follow()
        except sqlite3.Error:
            return False
        return True
