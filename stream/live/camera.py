"""One live camera, kept running: started, watched, killed when it hangs, and restarted after growing waits."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from hippocam.stream.live.address import LiveAddress
from hippocam.stream.live.messages import Beat, Captured, Ended, Failed, Message, Opened, Sound
from hippocam.stream.live.retry import Retry, RetryConfig
from hippocam.stream.live.ring import DropRing

_POLL_S = 0.25


class State(StrEnum):
    """State of a camera; only the last two are final."""

    CONNECTING = "connecting"
    LIVE = "live"
    AWAY = "away"
    ENDED = "ended"
    GIVEN_UP = "given up"


class Capture(Protocol):
    """A capture that runs somewhere else: in a process, or on Ray."""

    def receive(self, timeout_s: float) -> Message | None:
        """Return the next message, or None if none comes in time; raise EOFError if the capture is gone."""

    def kill(self) -> None:
        """End the capture, whatever it is waiting for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraConfig:
    """When a camera counts as hanging, and how many frames may wait for the encoder.

    Attributes:
        open_s: Longest time until the first frame, seconds above 0.
        stall_s: Longest time without a frame after that, seconds above 0.
        ring: How many sampled frames may wait, 1 or more; the oldest is dropped for a new one.
        retry: When a camera is restarted.
    """

    open_s: float = 20.0
    stall_s: float = 10.0
    ring: int = 8
    retry: RetryConfig = field(default_factory=RetryConfig)

    def __post_init__(self) -> None:
        if not (self.open_s > 0 and self.stall_s > 0):
            raise ValueError(f"open_s and stall_s must be above 0, found {self.open_s}, {self.stall_s}")
        if self.ring < 1:
            raise ValueError(f"ring must be 1 or more, found {self.ring}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraStatus:
    """State and counts of a camera.

    Attributes:
        state: See State.
        codec: Codec of its stream, "" before it is known.
        size: Width and height in pixels of its newest frame; (0, 0) before the first.
        fps_in: Frames a second that it sends, over the last seconds.
        captured: Number of sampled frames.
        queue: Sampled frames that wait for the encoder.
        dropped: Sampled frames that were dropped because the encoder was behind.
        lag_s: How late its newest frame came, seconds.
        restarts: How often it was restarted.
        damaged: Number of packets that could not be decoded.
        clock_jumps: How often its clock jumped.
        resizes: How often its picture changed size.
        error: Why it last broke off; "" if it never did.
        pid: Process that reads it; None if it runs on another machine, or not at all.
    """

    state: State
    codec: str
    size: tuple[int, int]
    fps_in: float
    captured: int
    queue: int
    dropped: int
    lag_s: float
    restarts: int
    damaged: int
    clock_jumps: int
    resizes: int
    error: str
    pid: int | None


class Camera:
    """Runs the captures of one camera one after the other; `run` needs a thread of its own.

    Args:
        address: Address of the camera.
        config: When it counts as hanging.
        launch: Starts a capture.
        ready: Set when a frame has come or the state has changed.
        monotonic: Seconds of the monotonic clock.
        rng: Randomness of the waits.
        hear: Takes what the camera hears, at once; None to leave it.
    """

    def __init__(
        self,
        address: LiveAddress,
        config: CameraConfig,
        launch: Callable[[], Capture],
        *,
        ready: threading.Event | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
        hear: Callable[[Sound], None] | None = None,
    ) -> None:
        self.address = address
        self.state = State.CONNECTING
        self._ready = ready or threading.Event()
        self.ring: DropRing[Captured] = DropRing(config.ring, self._ready)
        self._config, self._launch, self._monotonic, self._hear = config, launch, monotonic, hear
        self._retry = Retry(config.retry, rng or random.Random())
        self._stop, self._renew = threading.Event(), threading.Event()
        self._codec, self._size, self._error = "", (0, 0), ""
        self._fps_in = self._lag_s = 0.0
        self._captured = self._restarts = self._resizes = 0
        # damaged packets and clock jumps of earlier runs, and of this one
        self._before, self._now = (0, 0), (0, 0)
        self._pid: int | None = None

    def stop(self) -> None:
        """Make `run` return soon."""
        self._stop.set()

    def renew(self) -> None:
        """Start another capture in place of the one that runs, at once: `launch` gives another now."""
        self._renew.set()

    def status(self) -> CameraStatus:
        """Return the present state and counts."""
        return CameraStatus(
            state=self.state,
            codec=self._codec,
            size=self._size,
            fps_in=self._fps_in if self.state is State.LIVE else 0.0,
            captured=self._captured,
            queue=len(self.ring),
            dropped=self.ring.dropped,
            lag_s=self._lag_s,
            restarts=self._restarts,
            damaged=self._before[0] + self._now[0],
            clock_jumps=self._before[1] + self._now[1],
            resizes=self._resizes,
            error=self._error,
            pid=self._pid,
        )

    def run(self, wait: Callable[[float], object] | None = None) -> None:
        """Keep the camera running until it ends, is given up or stopped.

        Args:
            wait: Waits some seconds, or until it is stopped.
        """
        wait = wait or self._stop.wait
        while not self._stop.is_set():
            error, ran_s = self._attend()
            if self._renew.is_set():
                continue
            if error is None or self._stop.is_set():
                break
            self._error = error
            self._retry.ran(ran_s)
            wait_s = self._retry.wait_s()
            self._set(State.AWAY if wait_s is not None else State.GIVEN_UP)
            if wait_s is None:
                return
            wait(wait_s)
            self._restarts += 1
        self._set(State.ENDED)

    def _attend(self) -> tuple[str | None, float]:
        """Run one capture; return why it broke off (None if it ended) and for how many seconds it gave frames."""
        last_s = self._monotonic()
        first_s: float | None = None
        beat: tuple[float, int] | None = None
        self._renew.clear()
        limit_s = self._config.open_s
        try:
            capture = self._launch()
        except OSError as failed:
            return f"no process could be started ({failed.strerror})", 0.0
        self._pid = getattr(capture, "pid", None)
        error: str | None = "stopped"
        try:
            while not self._stop.is_set() and not self._renew.is_set():
                try:
                    message = capture.receive(_POLL_S)
                except EOFError:
                    error = "its process died"
                    break
                now_s = self._monotonic()
                if isinstance(message, Sound) and self._hear is not None:
                    self._hear(message)
                if message is None or isinstance(message, Sound):  # a camera that is only heard hangs, too
                    if now_s - last_s > limit_s:
                        error = f"no frame for {limit_s:g} s"
                        break
                    continue
                last_s = now_s
                if isinstance(message, Captured):
                    first_s, limit_s = now_s if first_s is None else first_s, self._config.stall_s
                    self._take(message)
                elif isinstance(message, Beat):
                    first_s, limit_s = now_s if first_s is None else first_s, self._config.stall_s
                    beat = self._heard(message, beat, now_s)
                elif isinstance(message, Opened):
                    self._codec = message.codec
                elif isinstance(message, Failed):
                    error = message.reason
                    break
                elif isinstance(message, Ended):
                    error = None
                    break
        finally:
            capture.kill()
            self._pid = None
            self._before = self._before[0] + self._now[0], self._before[1] + self._now[1]
            self._now = (0, 0)
        return error, 0.0 if first_s is None else last_s - first_s

    def _take(self, captured: Captured) -> None:
        if self._size not in ((0, 0), captured.size):
            self._resizes += 1
        self._size = captured.size
        self._captured += 1
        self._set(State.LIVE)
        self.ring.put(captured)

    def _heard(self, beat: Beat, before: tuple[float, int] | None, now_s: float) -> tuple[float, int]:
        if before is not None and now_s > before[0]:
            self._fps_in = (beat.frames - before[1]) / (now_s - before[0])
        self._lag_s, self._now = beat.lag_s, (beat.damaged, beat.jumps)
        self._set(State.LIVE)
        return now_s, beat.frames

    def _set(self, state: State) -> None:
        if state is not self.state:
            self.state = state
            self._ready.set()
