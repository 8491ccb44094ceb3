"""A capture in a process of its own, which can be killed when a read of a camera blocks for ever."""

from __future__ import annotations

import multiprocessing
import os
import threading
from contextlib import suppress
from multiprocessing.connection import Connection

from hippocam.stream.live.address import LiveAddress
from hippocam.stream.live.capture import CaptureConfig, run_capture
from hippocam.stream.live.child import start_child
from hippocam.stream.live.messages import Message

_END_S = 5.0


class ProcessCapture:
    """A running capture process.

    Args:
        address: Address of the camera.
        config: How it is read.
    """

    def __init__(self, address: LiveAddress, config: CaptureConfig) -> None:
        self._connection, theirs = multiprocessing.get_context("spawn").Pipe(duplex=False)
        try:
            self._process = start_child(address.id, _capture, theirs, address, config)
        finally:
            theirs.close()

    @property
    def pid(self) -> int | None:
        """Id of the process."""
        return self._process.pid

    def receive(self, timeout_s: float) -> Message | None:
        """Return the next message, or None if none comes in time.

        Raises:
            EOFError: The process is gone, and all its messages have been received.
        """
        try:
            if not self._connection.poll(timeout_s):
                return None
            # The rest of a message that has begun arrives, or its sender is gone.
            late = threading.Timer(_END_S, self._process.kill)
            late.start()
            try:
                message: Message = self._connection.recv()
            finally:
                late.cancel()
        except OSError as error:
            raise EOFError from error
        return message

    def kill(self) -> None:
        """End the process, whatever it is waiting for."""
        self._connection.close()
        self._process.kill()
        self._process.join(_END_S)
        with suppress(ValueError):  # stuck in a driver; the kernel ends it when that returns
            self._process.close()


def _capture(connection: Connection, address: LiveAddress, config: CaptureConfig) -> None:
    try:
        run_capture(address, config, connection.send)
    except (BrokenPipeError, ConnectionResetError):
        os._exit(0)  # nobody listens any more
