"""Captures on Ray: an actor for each camera, on this machine or on another of the cluster.

An actor keeps a bounded ring of its own, so that a slow network drops frames and never holds up the camera. It
reserves a hundredth of a core only: actors that live for ever must not keep others from starting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from hippocam.stream.live.address import LiveAddress
from hippocam.stream.live.capture import CaptureConfig, run_capture
from hippocam.stream.live.messages import Captured, Message, Sound
from hippocam.stream.live.ring import DropRing
from hippocam.stream.ray import running_ray

_RING = 16
_CORES = 0.01
_SLACK_S = 5.0


class CaptureActor:
    """What an actor runs: one camera, read in a thread, whose messages wait to be taken."""

    def __init__(self, address: LiveAddress, config: CaptureConfig) -> None:
        self._ready = threading.Event()
        self._ring: DropRing[Message] = DropRing(_RING, self._ready)
        self._thread = threading.Thread(
            target=run_capture, args=(address, config, self._ring.put), name="hippocam-capture", daemon=True
        )
        self._thread.start()

    def take(self, timeout_s: float) -> tuple[float, Message | None]:
        """Return this machine's monotonic time and the oldest message, None if none comes in time."""
        deadline_s = time.monotonic() + timeout_s
        while (message := self._ring.take()) is None and time.monotonic() < deadline_s:
            self._ready.clear()
            if not len(self._ring):
                self._ready.wait(max(0.0, deadline_s - time.monotonic()))
        return time.monotonic(), message


class RayCapture:
    """A capture on Ray.

    Args:
        ray: The module.
        address: Address of the camera.
        config: How it is read.
    """

    def __init__(self, ray: Any, address: LiveAddress, config: CaptureConfig) -> None:
        self._ray = ray
        actor = ray.remote(num_cpus=_CORES, max_restarts=0)(CaptureActor)
        self._actor = actor.remote(address, config)
        self._asked: Any = None

    def receive(self, timeout_s: float) -> Message | None:
        """Return the next message, or None if none comes in time.

        Raises:
            EOFError: The actor is gone.
        """
        ray = self._ray
        if self._asked is None:
            self._asked = self._actor.take.remote(timeout_s)
        ready, _ = ray.wait([self._asked], timeout=timeout_s + _SLACK_S)
        if not ready:
            return None
        asked, self._asked = self._asked, None
        try:
            theirs_s, message = ray.get(asked)
        except ray.exceptions.RayError as error:
            raise EOFError from error
        if isinstance(message, (Captured, Sound)):  # the monotonic clocks of two machines are unrelated
            return replace(message, taken_s=time.monotonic() - (theirs_s - message.taken_s))
        taken: Message | None = message
        return taken

    def kill(self) -> None:
        """End the actor, whatever it is waiting for."""
        self._ray.kill(self._actor)


@contextmanager
def ray_launcher() -> Iterator[Callable[[LiveAddress, CaptureConfig], RayCapture]]:
    """Start Ray unless it runs already; yield a function that starts a capture on it.

    Raises:
        RayStartError: Ray cannot start.
    """
    with running_ray() as ray:
        yield lambda address, config: RayCapture(ray, address, config)
