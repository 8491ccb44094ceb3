"""The process that remembers for a robot: takes what was observed, encodes what changed, and writes it down.

ring of observations -> gates -> encoder -> memory
                                        `-> ring of fresh frames, for the process that recalls
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from hippocam.apps.robot.names import recording_name
from hippocam.apps.robot.records import MOST_OPEN, Fresh, FreshFrame, Seen
from hippocam.apps.robot.threads import all_but_one, compute_on
from hippocam.memory.config import MemoryConfig
from hippocam.memory.errors import DiskError
from hippocam.memory.memory import Memory, MemoryWriter
from hippocam.models.registry import make_encoder
from hippocam.stream import opencv
from hippocam.stream.errors import HippocamError
from hippocam.stream.ingest import Ingest
from hippocam.stream.pipeline import PipelineConfig
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import (
    ACTION_NAMES,
    NO_SENSORS,
    STATE_NAMES,
    Embedding,
    Frame,
    Note,
    Repeat,
    Sensors,
    stream_id,
)
from hippocam.stream.robot.acts import ActLog
from hippocam.stream.robot.dimensions import named
from hippocam.stream.robot.shared_ring import ItemTooLargeError, SharedRing

# How long to wait where nothing was observed; seconds.
_PAUSE_S = 0.004
# How long to wait where the disk is full, before it is tried again; seconds.
_FULL_S = 1.0
_BLACK = Frame(stream="", seq=0, time_s=0, image=np.zeros((64, 64, 3), np.uint8))
# Below the control loop's priority, so that a busy encoder does not make it late.
_NICE = 5
# Cited entries are told to the memory this often at most; seconds.
_USED_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperJob:
    """What the process is told when it starts.

    Attributes:
        folder: The memory's folder.
        encoder: Name of the encoder, never "auto".
        memory: Budget, events and the rest.
        pipeline: Gate and pictures.
        observed: The ring of observations (`Seen`).
        names: What the numbers of a state and of an action are called.
        fresh: The ring that the process that recalls takes from (`Fresh`).
        recallers: Its value is how often the process that recalls was started; each is told all that is open.
        stop: Its value is set to true to end.
    """

    folder: Path
    encoder: str
    memory: MemoryConfig
    pipeline: PipelineConfig
    observed: SharedRing
    names: tuple[tuple[str, ...], tuple[str, ...]]
    fresh: SharedRing
    recallers: Any
    stop: Any


def run_keeper(job: KeeperJob, told: Connection) -> None:
    """Remember until told to stop, and then until nothing waits.

    Args:
        job: What to do.
        told: Takes "" once the memory is open and the encoder loaded, and else in one line why nothing is written.
    """
    os.nice(_NICE)
    compute_on(all_but_one())
    full = False
    try:
        opencv.load()
        encoder = make_encoder(job.encoder)
        Ingest(encoder, job.pipeline).encode([_BLACK])  # so that the first picture does not wait for its networks
        while not full or not job.stop.value:
            try:
                _remember(job, encoder, told, was_full=full)
                break
            except DiskError as error:
                full = True
                told.send(str(error))
                _wait(job, _FULL_S)
    except HippocamError as error:
        told.send(str(error))


def _remember(job: KeeperJob, encoder: Encoder, told: Connection, *, was_full: bool) -> None:
    """Open the memory and write what is observed, until told to stop.

    Where the disk was full, it is said to be open only once something was written.

    Raises:
        DiskError: The disk is full or gone. The open event is lost, and what was just taken from the ring.
    """
    with Memory.open_writer(job.folder, encoder=job.encoder, spec=encoder.spec, config=job.memory) as memory:
        keeper, told_to = Keeper(memory, Ingest(encoder, job.pipeline), job.fresh, job.names), job.recallers.value
        if not was_full:
            told.send("")
        while not job.stop.value or len(job.observed):
            if told_to != job.recallers.value:
                told_to = job.recallers.value
                keeper.tell_all()
            if not keeper.take(_drain(job.observed, job.pipeline.chunk)):
                time.sleep(_PAUSE_S)
            if was_full and keeper.written:
                was_full = False
                told.send("")
        keeper.close()


def _wait(job: KeeperJob, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while not job.stop.value and time.monotonic() < until_s:
        time.sleep(_PAUSE_S)


def _drain(ring: SharedRing, most: int) -> list[Seen]:
    taken: list[Seen] = []
    while len(taken) < most and (seen := ring.take()) is not None:
        taken.append(seen)
    return taken


class Keeper:
    """Writes observations into a memory.

    Args:
        memory: Open for writing.
        ingest: Gates and encodes.
        fresh: Takes what is new, for recall.
        names: What the numbers of a state and of an action are called.

    Attributes:
        written: Whether the database took anything.
    """

    def __init__(
        self,
        memory: MemoryWriter,
        ingest: Ingest,
        fresh: SharedRing,
        names: tuple[Sequence[str], Sequence[str]] = ((), ()),
    ) -> None:
        self._memory, self._ingest, self._fresh, self._names = memory, ingest, fresh, names
        self.written = False
        self._open: dict[str, set[str]] = {}  # streams by recording
        self._frames: dict[str, deque[FreshFrame]] = {}  # of the open event, by stream
        self._untold: list[FreshFrame] = []
        self._as_of: dict[str, tuple[int, float]] = {}
        self._acts = ActLog()
        self._told_names: set[str] = set()
        self._used: dict[int, None] = {}
        self._used_s = time.monotonic()

    def take(self, every: Sequence[Seen]) -> bool:
        """Write some observations, in the order of their seq; return whether there were any."""
        waiting: list[Frame | Repeat | Note] = []
        for seen in every:
            if seen.mark or seen.ends:
                self._write(waiting)
                waiting = []
                self._cut(seen)
            waiting += self._gated(seen)
            self._as_of[seen.env] = seen.episode, seen.time_s
            self._used.update(dict.fromkeys(seen.used))
            waiting += self._acted(seen)
        self._write(waiting)
        if every:
            self._tell(self._untold)
            self._untold = []
        self._learn()
        return bool(every)

    def tell_all(self) -> None:
        """Tell all that is open, to a process that recalls and has just been started."""
        for frames in list(self._frames.values()) or [deque()]:
            self._tell(list(frames))

    def _tell(self, frames: Sequence[FreshFrame]) -> None:
        """Tell some frames, in halves where they are too large; one too large by itself waits for its event."""
        try:
            self._fresh.put(Fresh(frames=tuple(frames), as_of=dict(self._as_of)))
        except ItemTooLargeError:
            middle = len(frames) // 2
            for half in (frames[:middle], frames[middle:]) if middle else ():
                self._tell(half)

    def close(self) -> None:
        """Close the open events; their episodes may go on another time."""
        for recording in list(self._open):
            self._finish(recording, complete=False)
        self._learn(now=True)

    def _cut(self, seen: Seen) -> None:
        """End the open events before a key event, or the episode before this one."""
        if seen.ends:
            self._finish(recording_name(seen.env, seen.episode - 1), complete=True)
        else:
            self._finish(recording_name(seen.env, seen.episode), complete=False)

    def _finish(self, recording: str, *, complete: bool) -> None:
        if recording not in self._open and not (complete and self._memory.progress(recording=recording)):
            return
        self._memory.finish(recording, complete=complete)
        for stream in self._open.pop(recording, ()):
            self._ingest.restart(stream)
            self._frames.pop(stream, None)

    def _gated(self, seen: Seen) -> list[Frame | Repeat | Note]:
        recording = recording_name(seen.env, seen.episode)
        gated: list[Frame | Repeat | Note] = []
        if recording not in self._open and seen.images:
            self._memory.begin(recording, uri=f"robot://{recording}", fps=self._ingest.config.fps)
            self.written = True
            self._open[recording] = set()
            gated += self._named(stream_id(recording, min(seen.images)), seen.time_s)
        known = any(part is not None for part in (seen.state, seen.action, seen.pose))
        sensors = Sensors(state=seen.state, action=seen.action, pose=seen.pose) if known else NO_SENSORS
        for camera, image in sorted(seen.images.items()):
            stream = stream_id(recording, camera)
            self._open[recording].add(stream)
            gated.append(self._ingest.see(stream, seen.seq, seen.time_s, image, sensors, seen.text))
        if seen.mark and self._open.get(recording):
            stream = min(self._open[recording])
            gated.append(Note(stream=stream, kind="mark", t0_s=seen.time_s, t1_s=seen.time_s, text=seen.mark))
        return gated

    def _named(self, stream: str, time_s: float) -> list[Note]:
        """What the numbers of an episode's state and action are called, once for its first camera."""
        if stream in self._told_names:
            return []
        self._told_names.add(stream)
        state, action = self._names
        return [
            *named(STATE_NAMES, state, stream=stream, time_s=time_s),
            *named(ACTION_NAMES, action, stream=stream, time_s=time_s),
        ]

    def _acted(self, seen: Seen) -> list[Note]:
        """What an action rested on, as a note of its episode, where a picture of that was seen."""
        streams = self._open.get(recording_name(seen.env, seen.episode))
        if not seen.acts or not streams:
            return []
        note = self._acts.add(min(streams), seen.time_s, seen.used)
        return [] if note is None else [note]

    def _write(self, waiting: Sequence[Frame | Repeat | Note]) -> None:
        if not waiting:
            return
        items = self._ingest.encode(waiting)
        self._memory.write(items)
        for item in items:
            if isinstance(item, Embedding):
                frame = FreshFrame(
                    item.stream, item.time_s, item.time_s, item.vector, item.sensors.pose, item.text
                )
            elif isinstance(item, Repeat) and self._frames.get(item.stream):
                frame = self._frames[item.stream].pop()._replace(until_s=item.time_s)
            else:
                continue
            self._frames.setdefault(item.stream, deque(maxlen=MOST_OPEN)).append(frame)
            self._untold.append(frame)

    def _learn(self, *, now: bool = False) -> None:
        """Tell the memory which entries were acted on, which are kept longer for it."""
        if self._used and (now or time.monotonic() - self._used_s > _USED_S):
            self._memory.used(list(self._used))
            self._used, self._used_s = {}, time.monotonic()
