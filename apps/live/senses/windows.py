"""What cameras hear into windows that can be written down, the newest few of each camera.

A window ends where it is quietest near its greatest length, so that no word is cut in two, and where the sound has
a gap. Cameras never wait: where windows are taken too slowly the oldest is left out, and its seconds are counted.

Times are seconds of the monotonic clock.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hippocam.models.senses.speech import quietest
from hippocam.stream.live.messages import Sound
from hippocam.stream.sources.sound import RATE

WINDOW_S = 15.0
# The quietest moment of these last seconds of a window is where it ends.
_NEAR_S = 5.0
# Seconds of sound of a camera that may wait.
_MOST_S = 60.0
# A piece that begins farther from where the last one ended is after a gap; a camera that sends none for so long
# has gone quiet.
_GAP_S, _QUIET_S = 0.5, 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundWindow:
    """Some seconds of what a camera heard.

    Attributes:
        stream: The camera's stream.
        taken_s: When its first sample was taken.
        samples_N: int16 [N] at 16 kHz, one channel.
    """

    stream: str
    taken_s: float
    samples_N: NDArray[np.int16]

    @property
    def length_s(self) -> float:
        """How long it is, seconds."""
        return len(self.samples_N) / RATE


@dataclass(slots=True)
class _Ear:
    """What one camera has heard and nobody has taken yet."""

    pieces: list[NDArray[np.int16]] = field(default_factory=list)
    taken_s: float = 0.0  # of the first sample in the pieces
    count: int = 0
    put_s: float = 0.0
    closed: deque[SoundWindow] = field(default_factory=deque)
    left_out_s: float = 0.0


class SoundWindows:
    """The sound of all cameras on its way to who writes down what is said. Thread-safe.

    Args:
        monotonic: Seconds of the monotonic clock.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ears = dict[str, _Ear]()
        self._lock = threading.Lock()

    def put(self, stream: str, sound: Sound) -> None:
        """Take the next piece of what a camera hears; never waits for who hears it."""
        with self._lock:
            ear = self._ears.setdefault(stream, _Ear())
            if ear.pieces and abs(sound.taken_s - ear.taken_s - ear.count / RATE) > _GAP_S:
                _close(stream, ear, ear.count)
            if not ear.pieces:
                ear.taken_s = sound.taken_s
            ear.pieces.append(sound.samples_N)
            ear.count += len(sound.samples_N)
            ear.put_s = self._monotonic()
            if ear.count >= WINDOW_S * RATE:
                samples_N = np.concatenate(ear.pieces)
                ear.pieces = [samples_N]
                _close(stream, ear, quietest(samples_N, ear.count - round(_NEAR_S * RATE), ear.count))
            while sum(window.length_s for window in ear.closed) > _MOST_S:
                ear.left_out_s += ear.closed.popleft().length_s

    def take(self, *, last: bool = False) -> SoundWindow | None:
        """Take the window that has waited longest; None where none is complete.

        Args:
            last: Whether nothing follows, so that what is there is complete.
        """
        with self._lock:
            for stream, ear in self._ears.items():
                if ear.pieces and (last or self._monotonic() - ear.put_s > _QUIET_S):
                    _close(stream, ear, ear.count)
            waiting = [ear for ear in self._ears.values() if ear.closed]
            oldest = min(waiting, key=lambda ear: ear.closed[0].taken_s, default=None)
            return oldest.closed.popleft() if oldest is not None else None

    def drop(self, is_meant: Callable[[str, float, float], bool]) -> None:
        """Forget what waits.

        Args:
            is_meant: Whether that is meant, by its stream and the time from which and until which it was heard.
        """
        with self._lock:
            for stream, ear in self._ears.items():
                if ear.pieces and is_meant(stream, ear.taken_s, ear.taken_s + ear.count / RATE):
                    ear.pieces, ear.count = [], 0
                ear.closed = deque(
                    w for w in ear.closed if not is_meant(stream, w.taken_s, w.taken_s + w.length_s)
                )

    def leave_out(self, window: SoundWindow) -> None:
        """Count a window that was taken and could not be heard."""
        with self._lock:
            self._ears[window.stream].left_out_s += window.length_s

    def waiting_s(self) -> float:
        """Seconds of sound that nobody has taken yet."""
        with self._lock:
            ears = self._ears.values()
            return sum(ear.count / RATE + sum(window.length_s for window in ear.closed) for ear in ears)

    def left_out_s(self, stream: str) -> float:
        """Seconds of a camera's sound that were left out."""
        with self._lock:
            return self._ears[stream].left_out_s if stream in self._ears else 0.0


def _close(stream: str, ear: _Ear, end: int) -> None:
    """End a camera's window before a sample; what follows begins the next."""
    samples_N = np.concatenate(ear.pieces)
    ear.closed.append(SoundWindow(stream=stream, taken_s=ear.taken_s, samples_N=samples_N[:end]))
    rest_N = samples_N[end:]
    ear.pieces, ear.count, ear.taken_s = [rest_N] if len(rest_N) else [], len(rest_N), ear.taken_s + end / RATE
