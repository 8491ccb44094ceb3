"""What is said before live cameras, written down beside their pictures for no more than a share of a core.

    cameras -> windows of sound -> this thread -> a process that hears -> what was said -> the thread that writes

Pictures never wait for it: it has a thread and a process of its own, which lets everything else go first, and what
it does not get to is left out and counted.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.live.senses.listener import Heard, Listener, Writing
from hippocam.apps.live.senses.share import Share
from hippocam.apps.live.senses.windows import SoundWindow, SoundWindows
from hippocam.stream.errors import HippocamError

log = logging.getLogger(__name__)

_TICK_S = 0.2
# How often in a row the process that hears may die before nothing more is heard.
_MOST_DEATHS = 5


class HearingJson(TypedDict):
    """The share of a core that hearing may take and took, seconds of sound that wait, why it heard no more."""

    share: float
    used: float
    waiting_s: float
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A sentence.

    Attributes:
        stream: The camera's stream.
        t0_s: When it began, seconds of the monotonic clock.
        t1_s: When it ended.
        text: The words.
    """

    stream: str
    t0_s: float
    t1_s: float
    text: str


class Hears(Protocol):
    """Hears one window after the other; see listener.py."""

    def hear(self, samples_N: NDArray[np.int16]) -> Heard:
        """Write down what is said; raise HippocamError where nothing can be heard, EOFError where it is gone."""

    def close(self) -> None:
        """End, whatever it does; `hear` in another thread then raises."""


class LiveHearing:
    """Hears all cameras of a live process. A context manager.

    Args:
        writing: Writes down what is said.
        share: What of a core it may take, above 0 up to 1.
        listen: Starts what hears.
    """

    def __init__(self, writing: Writing, share: float, listen: Callable[[Writing], Hears] = Listener) -> None:
        self.windows = SoundWindows()
        self._writing, self._listen, self._share = writing, listen, Share(share)
        self._listener: Hears | None = None
        self._deaths, self._error = 0, ""
        self._heard_s = dict[str, float]()
        self._said: list[Said] = []
        self._now: SoundWindow | None = None  # what is being heard
        self._lock = threading.Lock()  # of the two above
        self._last, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="hippocam-hearing", daemon=True)

    def __enter__(self) -> LiveHearing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end(0.0)

    def said(self) -> list[Said]:
        """Hand over what was written down since the last call."""
        with self._lock:
            said, self._said = self._said, []
            return said

    def drop(self, is_meant: Callable[[str, float, float], bool]) -> None:
        """Forget what was heard and is not handed over yet; see `SoundWindows.drop`."""
        with self._lock:  # a window is always either waiting, or being heard, or handed over
            self.windows.drop(is_meant)
            self._said = [said for said in self._said if not is_meant(said.stream, said.t0_s, said.t1_s)]
            now = self._now
            if now is not None and is_meant(now.stream, now.taken_s, now.taken_s + now.length_s):
                self._now = None

    def heard_s(self, stream: str) -> tuple[float, float]:
        """How many seconds of a camera's sound were heard, and how many were left out."""
        return self._heard_s.get(stream, 0.0), self.windows.left_out_s(stream)

    def end(self, patience_s: float) -> None:
        """Hear what is there, whatever share it takes, and end; what is not heard in time is left out.

        Args:
            patience_s: How long that may take, seconds.
        """
        self._last.set()
        if self._thread.is_alive():
            self._thread.join(patience_s)
        self._stop.set()
        if (listener := self._listener) is not None:
            listener.close()
        if self._thread.is_alive():
            self._thread.join()

    def status(self) -> HearingJson:
        """How it stands with all cameras together."""
        return {
            "share": self._share.share,
            "used": self._share.used(),
            "waiting_s": round(self.windows.waiting_s(), 1),
            "error": self._error,
        }

    def _run(self) -> None:
        while not self._stop.is_set():
            last = self._last.is_set()
            if not last and (self._error or not self._share.has_time()):
                self._last.wait(_TICK_S)
                continue
            with self._lock:
                window = self._now = self.windows.take(last=last)
            if window is not None:
                self._hear(window)
            elif last:
                break
            else:
                self._last.wait(_TICK_S)
        while (window := self.windows.take(last=True)) is not None:
            self.windows.leave_out(window)

    def _hear(self, window: SoundWindow) -> None:
        heard = None if self._error else self._heard(window)
        with self._lock:
            dropped, self._now = self._now is None, None
            if heard is not None and not dropped:
                self._said += [
                    Said(stream=window.stream, t0_s=window.taken_s + t0_s, t1_s=window.taken_s + t1_s, text=text)
                    for t0_s, t1_s, text in heard.sentences
                ]
        if heard is None:
            self.windows.leave_out(window)
        else:
            self._heard_s[window.stream] = self._heard_s.get(window.stream, 0.0) + window.length_s

    def _heard(self, window: SoundWindow) -> Heard | None:
        """Have a window heard; None where that failed."""
        if self._stop.is_set():
            return None
        try:
            if self._listener is None:
                self._listener = self._listen(self._writing)
            heard = self._listener.hear(window.samples_N)
        except (EOFError, OSError):
            self._lose()
            return None
        except HippocamError as error:
            self._error = str(error)
            log.warning("nothing more is heard: %s", error)
            return None
        self._share.take(heard.took_s)
        self._deaths = 0
        return heard

    def _lose(self) -> None:
        """The process that hears is gone: the next window has a new one, unless that happens again and again."""
        if self._listener is not None:
            self._listener.close()
        self._listener = None
        self._deaths += 1
        if self._deaths >= _MOST_DEATHS and not self._stop.is_set():
            self._error = "the process that hears died again and again"
            log.warning("nothing more is heard: %s", self._error)
