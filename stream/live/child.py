"""A process of ours beside this one, which ends with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnProcess


def start_child(name: str, target: Callable[..., None], *arguments: object) -> SpawnProcess:
    """Start a process.

    Args:
        name: What it does, for people.
        target: Runs in it; picklable.
        arguments: What it gets; picklable, or what `multiprocessing` hands over.

    Raises:
        OSError: None can be started.
    """
    process = multiprocessing.get_context("spawn").Process(
        target=_main, args=(target, arguments), name=f"hippocam-{name}", daemon=True
    )
    # The parent gets Ctrl-C, and ends the child in order. Until the child ignores it, this thread's mask holds it
    # back, which the child inherits; the helper that the first process starts would lift that mask again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process


def _main(target: Callable[..., None], arguments: tuple[object, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="hippocam-parent", daemon=True).start()
    target(*arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
