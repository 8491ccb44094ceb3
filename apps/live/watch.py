"""Frames of live cameras into the memory: one thread gates, encodes, alerts and writes for all of them.

    ring of each camera -> ingest (gate, encode) -> open frames -> memory, alerts

A stream's times are seconds since 1970 (UTC). Where a camera was away its event is closed, and the first frame
after that is a new one whatever it shows, so that nothing spans a gap.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol

import numpy as np

from hippocam.apps.errors import LiveError
from hippocam.apps.live.folder import JsonLines
from hippocam.apps.live.open_frames import OpenFrames
from hippocam.apps.live.senses.hearing import Said
from hippocam.apps.live.status import LiveStatus
from hippocam.memory.filter import Filter
from hippocam.memory.memory import MemoryWriter
from hippocam.models.senses.speech import KIND as SPEECH
from hippocam.stream.errors import HippocamError
from hippocam.stream.ingest import Ingest
from hippocam.stream.live.camera import Camera, State
from hippocam.stream.live.clock import LEAST_STEP_S, Wall
from hippocam.stream.live.messages import Captured
from hippocam.stream.records import Embedding, Frame, Note, Repeat
from hippocam.stream.zones.polygons import CameraZones, marked_for, masked

_TICK_S = 0.2
_COUNT_S = 5.0
# How long what was said last may take to be written down when the watch ends, seconds.
_PATIENCE_S = 10.0
_LATENCIES = 256
_OVER = (State.ENDED, State.GIVEN_UP)


class Alerting(Protocol):
    """Compares frames with standing questions; see alerts.py."""

    def see(self, item: Embedding | Repeat) -> Sequence[object]:
        """Take a camera's next frame; return the alerts that it causes."""

    def lose(self, stream: str) -> None:
        """Start again on a camera that was away."""

    def mark(self, stream: str, marked: CameraZones) -> None:
        """Take other zones of a camera."""


class Keeping(Protocol):
    """Keeps footage of events; see keeping.py."""

    def see(self, item: Embedding | Repeat, *, alerted: bool) -> None:
        """Take a camera's next frame, and whether an alert was told of it."""

    def look(self, now_s: float) -> None:
        """Keep what is to be kept, from time to time."""


class Hearing(Protocol):
    """Hears the cameras; see senses/hearing.py."""

    def said(self) -> Sequence[Said]:
        """Hand over what was written down since the last call."""

    def heard_s(self, stream: str) -> tuple[float, float]:
        """How many seconds of a camera's sound were heard, and how many were left out."""

    def drop(self, is_meant: Callable[[str, float, float], bool]) -> None:
        """Forget what was heard and is not handed over yet, by stream and time of the monotonic clock."""

    def end(self, patience_s: float) -> None:
        """Hear what is there, in so many seconds at most, and end."""


class _View:
    """One camera's stream on its way into the memory."""

    def __init__(self, camera: Camera, name: str, seq: int, before_s: float | None) -> None:
        self.camera, self.name, self.seq = camera, name, seq
        self.before_s = before_s  # until when an earlier run watched
        self.last_s: float | None = None
        self.open = False
        self.seen = self.encoded = self.gaps = 0
        self.gap_s = 0.0
        self.latencies: deque[float] = deque(maxlen=_LATENCIES)
        self.state = State.CONNECTING

    def status(self, heard_s: float, unheard_s: float) -> LiveStatus:
        latencies = list(self.latencies)
        return LiveStatus(
            stream=self.name,
            source=self.camera.address.uri,
            camera=self.camera.status(),
            seen=self.seen,
            encoded=self.encoded,
            gaps=self.gaps,
            gap_s=self.gap_s,
            latency_s=float(np.median(latencies)) if latencies else 0.0,
            worst_s=max(latencies, default=0.0),
            last_s=self.last_s,
            heard_s=heard_s,
            unheard_s=unheard_s,
        )


class LiveWatch:
    """Takes what cameras sample into a memory until it is stopped or all have ended.

    Args:
        memory: Open for writing; nobody else writes to it.
        ingest: Gates and encodes what they show, with the encoder of that memory.
        cameras: With the names of their streams.
        gap_s: See LiveConfig.
        open_frames: Takes the newest frames, for those who ask.
        alerts: Compares frames with standing questions.
        log: Takes gaps and states.
        wall: The clock on the wall.
        ready: Set by the cameras.
        zones: What is marked in the cameras' pictures, by the names or patterns of streams.
        keeping: Keeps footage of events; None for none.
        hearing: Hears what is said before the cameras; None for nobody.
    """

    def __init__(
        self,
        memory: MemoryWriter,
        ingest: Ingest,
        cameras: Sequence[tuple[str, Camera]],
        *,
        gap_s: float,
        open_frames: OpenFrames,
        alerts: Alerting,
        log: JsonLines,
        wall: Wall,
        ready: threading.Event,
        zones: Mapping[str, CameraZones] | None = None,
        keeping: Keeping | None = None,
        hearing: Hearing | None = None,
    ) -> None:
        self._keeping, self._hearing = keeping, hearing
        self._memory, self._ingest, self._zones = memory, ingest, dict(zones or {})
        fps = ingest.config.fps
        self._gap_s = max(gap_s, 3 / fps if fps else 0.0)
        self._open_frames, self._alerts, self._log, self._wall, self._ready = open_frames, alerts, log, wall, ready
        held = memory.streams()
        ends = {stream.id: stream.duration_s for stream in held if stream.frames_seen}
        self.entries, self._counted_s = sum(stream.entries for stream in held), time.monotonic()
        self._views = list[_View]()
        self._threads = dict[str, threading.Thread]()
        self._waiting: queue.SimpleQueue[tuple[Callable[[], None], Future[None]]] = queue.SimpleQueue()
        self._begun = dict[str, Camera]()  # also those that were removed since
        self._over = False
        for name, camera in cameras:
            self._view(name, camera, ends.get(name))

    def _view(self, name: str, camera: Camera, before_s: float | None) -> None:
        self._views.append(_View(camera, name, 1 + self._begin(name, camera), before_s))

    def _begin(self, name: str, camera: Camera) -> int:
        self._begun[name] = camera
        fps, senses = self._ingest.config.fps, self._ingest.senses.named
        return self._memory.begin(name, uri=camera.address.uri, fps=fps, senses=senses)

    def status(self) -> list[LiveStatus]:
        """Return the states of the cameras, in the order given."""
        hearing = self._hearing
        heard_s = {
            view.name: hearing.heard_s(view.name) if hearing is not None else (0.0, 0.0) for view in self._views
        }
        return [view.status(*heard_s[view.name]) for view in self._views]

    def run(self, stop: threading.Event, on_tick: Callable[[], None], *, until_s: float | None = None) -> None:
        """Watch.

        Args:
            stop: Set to end the watch.
            on_tick: Called several times a second.
            until_s: Ends the watch at this time of the monotonic clock.

        Raises:
            HippocamError: The memory or the encoder failed.
        """
        for view in self._views:
            self._start(view)
        try:
            while not stop.is_set() and (until_s is None or time.monotonic() < until_s):
                over = all(view.camera.state in _OVER for view in self._views)
                self._ready.clear()
                if not self.step():
                    if over:
                        break
                    self._ready.wait(_TICK_S)
                self.look()
                self.write_said()
                self._do_waiting()
                on_tick()
        finally:
            for view in self._views:
                view.camera.stop()
            for thread in self._threads.values():
                thread.join()
            while self.step():
                pass
            if self._hearing is not None:
                self._hearing.end(_PATIENCE_S)
            self.write_said()
            for view in self._views:
                self._close(view)
            self.look()
            self._over = True
            self._do_waiting()

    def _start(self, view: _View) -> None:
        thread = threading.Thread(target=view.camera.run, name=f"hippocam-{view.name}", daemon=True)
        self._threads[view.name] = thread
        thread.start()

    # what other threads ask for ---------------------------------------------------------------------------

    def do(self, act: Callable[[], None]) -> None:
        """Have something done between two frames by the thread that writes, and wait for it.

        Raises:
            LiveError: The watch ends.
        """
        done = Future[None]()
        self._waiting.put((act, done))
        self._ready.set()
        while True:
            try:
                return done.result(timeout=_TICK_S)
            except TimeoutError:
                if self._over and not done.done():
                    raise LiveError("the live process ends; ask again") from None

    def _do_waiting(self) -> None:
        while not self._waiting.empty():
            act, done = self._waiting.get()
            if self._over:
                done.set_exception(LiveError("the live process ends; ask again"))
                continue
            while self.step():  # what was seen before is written before
                pass
            try:
                act()
            except Exception as error:
                done.set_exception(error)
            else:
                done.set_result(None)

    def add(self, name: str, camera: Camera) -> None:
        """Watch another camera from now on; for `do`."""
        ends = {stream.id: stream.duration_s for stream in self._memory.streams() if stream.frames_seen}
        self._view(name, camera, ends.get(name))
        self._start(self._views[-1])

    def remove(self, name: str) -> None:
        """Watch a camera no more; what was seen is kept. For `do`.

        Raises:
            HippocamError: It is not watched, or the only one.
        """
        view = next((view for view in self._views if view.name == name), None)
        if view is None:
            names = ", ".join(view.name for view in self._views)
            raise HippocamError(f"no camera {name!r} is watched; there are {names}")
        if len(self._views) == 1:
            raise HippocamError(f"{name} is the only camera; end the live process in its place")
        view.camera.stop()
        self._threads.pop(name).join()
        while self.step():
            pass
        self._close(view)
        self._views.remove(view)

    def mark(self, name: str, marked: CameraZones, *, renew: bool = False) -> None:
        """Look at a camera with other zones and masks. For `do`.

        Zones only tell where what was seen stood, so with other zones everything goes on. What is open of the
        camera ends where its masks change: from there on it shows something else.

        Args:
            name: Its stream.
            marked: What is marked in its pictures.
            renew: Whether its footage is to begin anew where its masks change.
        """
        goes_on = marked.masked_like(marked_for(self._zones, name))
        self._zones[name] = marked
        self._alerts.mark(name, marked)
        for view in self._views:
            if view.name == name and not goes_on:
                self._close(view)
                if renew:
                    view.camera.renew()

    def change(self, wanted: Filter | None, carry_out: Callable[[], None]) -> None:
        """Change the memory; for `do`.

        Args:
            wanted: Which streams and times are deleted with it; None where nothing is.
            carry_out: Changes it.
        """
        meant = [view for view in self._views if wanted is not None and wanted.of_stream(view.name)]
        for view in meant:
            self._close(view)  # what is open is deleted too
        if self._hearing is not None and wanted is not None:
            at = self._wall.at
            self._hearing.drop(
                lambda stream, t0_s, t1_s: (
                    wanted.of_stream(stream) and wanted.overlaps(at(t0_s), at(t1_s), at(t1_s))
                )
            )
        try:
            carry_out()
        finally:
            for view in meant:  # its stream may be gone
                self._begin(view.name, view.camera)

    def step(self) -> bool:
        """Take a chunk of waiting frames, from all cameras in turn; return whether there were any."""
        taken: list[tuple[_View, Captured]] = []
        while len(taken) < self._ingest.config.chunk:
            before = len(taken)
            for view in self._views:
                if (captured := view.camera.ring.take()) is not None:
                    taken.append((view, captured))
            if len(taken) == before:
                break
        seen = [self._see(view, captured) for view, captured in taken]
        items = self._ingest.encode(seen) if seen else []
        self._open_frames.add(items)
        found_s = time.monotonic()  # from here on they can be found
        for (view, captured), item in zip(taken, items, strict=True):
            view.latencies.append(found_s - captured.taken_s)
            view.encoded += isinstance(item, Embedding)
        self._memory.write(items)
        for item in items:
            alerted = bool(self._alerts.see(item))
            if self._keeping is not None:
                self._keeping.see(item, alerted=alerted)
        return bool(taken)

    def write_said(self) -> None:
        """Write down what was heard since the last call; between events it is kept at once."""
        said = self._hearing.said() if self._hearing is not None else ()
        if not said:
            return
        at = self._wall.at
        self._memory.write(
            [
                Note(stream=one.stream, kind=SPEECH, t0_s=at(one.t0_s), t1_s=at(one.t1_s), text=one.text)
                for one in said
            ]
        )
        for name in {one.stream for one in said} - {view.name for view in self._views if view.open}:
            self._memory.finish(name, complete=False)
            self._begin(name, self._begun[name])

    def _see(self, view: _View, captured: Captured) -> Frame | Repeat:
        time_s = self._wall.at(captured.taken_s)
        if view.last_s is not None:
            time_s = max(time_s, view.last_s + LEAST_STEP_S)
        before_s = view.before_s if view.last_s is None else view.last_s
        if before_s is not None and time_s - before_s > self._gap_s:
            self._gap(view, before_s, time_s)
        seq, view.seq, view.last_s, view.open = view.seq, view.seq + 1, time_s, True
        view.seen += 1
        image = masked(captured.image, marked_for(self._zones, view.name).masks)
        return self._ingest.see(view.name, seq, time_s, image)

    def _gap(self, view: _View, from_s: float, to_s: float) -> None:
        self._close(view)
        view.gaps += 1
        view.gap_s += to_s - from_s
        self._log.add({"event": "gap", "stream": view.name, "from_s": round(from_s, 3), "to_s": round(to_s, 3)})

    def _close(self, view: _View) -> None:
        """End a camera's open event, and make its gate and its alerts start again."""
        if view.open:
            self._memory.finish(view.name, complete=False)
            self._begin(view.name, view.camera)
            self._open_frames.close(view.name)
        view.open = False
        self._ingest.restart(view.name)
        self._alerts.lose(view.name)

    def look(self) -> None:
        """Check the clock and the cameras' states, and close the events of cameras that have gone quiet."""
        jumps = self._wall.jumps
        self._wall.look()
        now_s = self._wall.now_s()
        if self._keeping is not None:
            self._keeping.look(now_s)
        if self._wall.jumps != jumps:
            self._log.add({"event": "clock set forward", "time_s": round(now_s, 3)})
        if time.monotonic() - self._counted_s > _COUNT_S:  # in the thread that writes, for those that answer
            self.entries = sum(stream.entries for stream in self._memory.streams())
            self._counted_s = time.monotonic()
        for view in self._views:
            status = view.camera.status()
            if status.state is not view.state:
                view.state = status.state
                row = {"event": "state", "stream": view.name, "time_s": round(now_s, 3), "state": status.state}
                self._log.add(row | ({"error": status.error} if status.error else {}))
            quiet = not len(view.camera.ring) and view.last_s is not None and now_s - view.last_s > self._gap_s
            if view.open and quiet:
                self._close(view)
