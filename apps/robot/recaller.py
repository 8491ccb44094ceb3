"""The process that recalls for a robot: from the newest published state of its memory, and from the open events.

It waits neither for the process that writes nor for the database: one thread follows both and publishes, another
answers from what was published last. All it computes is small, and computed on one thread.
"""

from __future__ import annotations

import functools
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from hippocam.apps.robot.checks import is_picture, numbers_of
from hippocam.apps.robot.records import MOST_OPEN, Fresh, FreshFrame, RecalledEntry
from hippocam.apps.robot.threads import compute_on
from hippocam.memory.config import MemoryConfig
from hippocam.memory.folder import has_memory
from hippocam.memory.memory import Memory
from hippocam.memory.recall.rows import Condition, Hit, headings
from hippocam.memory.recall.snapshot import SnapshotFollower
from hippocam.memory.records import format_id
from hippocam.models.registry import make_encoder
from hippocam.stream.errors import HippocamError
from hippocam.stream.protocols import Encoder
from hippocam.stream.records import FloatArray, Image
from hippocam.stream.robot.shared_ring import SharedRing

# How often the writer is looked after; seconds.
_LOOK_S = 0.01
# After so long the thread that follows the writer lets the one that answers go on; Python's own 5 ms are half a
# deadline. Seconds.
_SWITCH_S = 0.0005
# Texts whose vectors are held.
_MOST_TEXTS = 1024
# An event is open for this much longer than it may be long, at most: until it is written down; seconds.
_LATE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked.

    Attributes:
        number: Tells this request's answer from those of earlier ones.
        question: Words; or uint8 [H, W, 3], a picture; or float32 [D], a vector; or None for the latest.
        condition: What a moment must meet.
        top: Moments at most.
    """

    number: int
    question: str | Image | FloatArray | None
    condition: Condition
    top: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered: see `Recalled`; `error` says in one line why the question could not be encoded."""

    number: int
    entries: tuple[RecalledEntry, ...]
    version: int
    as_of: Mapping[str, tuple[int, float]]
    complete: bool
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallerJob:
    """What the process is told when it starts.

    Attributes:
        folder: The memory's folder; there may be none yet.
        encoder: Name of the encoder, never "auto".
        memory: How it is read.
        fresh: The ring of what is new (`Fresh`).
        requests: The ring of requests (`Request`), of which the newest alone is waited for.
        stop: Its value is set to true to end.
    """

    folder: Path
    encoder: str
    memory: MemoryConfig
    fresh: SharedRing
    requests: SharedRing
    stop: Any


def run_recaller(job: RecallerJob, asked: Connection) -> None:
    """Answer until told to stop, or until nobody asks any more.

    Args:
        job: What to do.
        asked: Tells of each request and takes one reply for each, None where a newer request took its place.
    """
    sys.setswitchinterval(_SWITCH_S)
    compute_on(1)
    recaller = Recaller(job)
    following = threading.Thread(target=recaller.follow, name="hippocam-follow", daemon=True)
    following.start()
    threading.Thread(target=recaller.load, name="hippocam-load", daemon=True).start()
    while not job.stop.value:
        recaller.take_fresh()
        try:
            if asked.poll(_LOOK_S):
                asked.recv()
                recaller.take_fresh()
                request = _newest(job.requests)
                asked.send(None if request is None else recaller.answer(request))
        except (EOFError, OSError):  # the robot's program is gone
            break


def _newest(requests: SharedRing) -> Request | None:
    newest: Request | None = None
    while (request := requests.take()) is not None:
        newest = request
    return newest


class Recaller:
    """Answers from the newest state that `follow` published, in another thread, and from the open events."""

    def __init__(self, job: RecallerJob) -> None:
        self._job = job
        self._encoder: Encoder = make_encoder(job.encoder)
        self._follower: SnapshotFollower | None = None
        self._open = _OpenEvents(job.memory.working.max_s + _LATE_S)
        self._memory: Memory | None = None
        self._read = False  # whether all was read that the memory held when this began
        self._text = functools.lru_cache(_MOST_TEXTS)(self._encode_text)

    def load(self) -> None:
        """Load the networks that questions need, so that the first one does not wait for them."""
        with suppress(HippocamError):  # said when something is asked
            self._text("warm up")

    def take_fresh(self) -> None:
        """Take what the writer told of open events; the thread that answers does, so that no reading delays it."""
        while isinstance(fresh := self._job.fresh.take(), Fresh):
            self._open.add(fresh)

    def follow(self) -> None:
        """Follow the database until told to stop."""
        while not self._job.stop.value:
            with suppress(HippocamError):  # it is being made; what was published stays
                self._follow_store()
                self._read = True
            time.sleep(_LOOK_S)

    def _follow_store(self) -> None:
        if self._follower is None:
            if not has_memory(self._job.folder):
                return
            memory = Memory.open_reader(self._job.folder, self._job.memory)
            self._follower = SnapshotFollower(memory.store, self._job.memory.recall)
            self._memory, self._store = memory, memory.store
        if self._follower.follow():
            self._open.close(self._store.streams.ends(self._open.streams()))

    def answer(self, request: Request) -> Reply:
        """Answer one request; a question that cannot be answered says why, and ends nothing."""
        try:
            return self._answered(request)
        except Exception as error:  # a network or a database may raise anything; the next question is another one
            told = " ".join(str(error).split()) or type(error).__name__
            return self._reply(request, (), 0, f"{told:.300}")

    def _answered(self, request: Request) -> Reply:
        vector_D = self._vector(request.question)
        if self._follower is None:
            found, version = [], 0
        else:
            latest = self._follower.latest
            found, version = latest.search(vector_D, request.condition, request.top), latest.version
        entries = [*map(self._entry, found), *self._open.search(vector_D, request.condition)]
        entries.sort(key=lambda entry: (-entry.cosine, -entry.t1_s))
        return self._reply(request, tuple(entries[: request.top]), version)

    def _reply(self, request: Request, entries: tuple[RecalledEntry, ...], version: int, error: str = "") -> Reply:
        return Reply(
            number=request.number,
            entries=entries,
            version=version,
            as_of=self._open.as_of,
            complete=self._read and not error,
            error=error,
        )

    def _vector(self, question: str | Image | FloatArray | None) -> FloatArray | None:
        if question is None:
            return None
        if isinstance(question, str):
            return self._text(question)
        if is_picture(question):
            return _unit(self._encoder.encode_images([question]).vectors_ND[0])
        vector_D, dim = numbers_of(question), self._encoder.spec.dim
        if vector_D is None or np.shape(question) != (dim,):
            raise HippocamError(
                f"a question is words, a picture (uint8 [H, W, 3]), or a vector of {dim} finite numbers; found "
                f"{_kind(question)}"
            )
        return _unit(vector_D)

    def _encode_text(self, text: str) -> FloatArray:
        return _unit(self._encoder.encode_texts([text])[0])

    def _entry(self, hit: Hit) -> RecalledEntry:
        image = str(self._memory.image(hit.entry_id)) if hit.pictured and self._memory is not None else ""
        return RecalledEntry(
            id=format_id(hit.entry_id),
            stream=hit.stream,
            t0_s=hit.t0_s,
            t1_s=hit.t1_s,
            cosine=hit.cosine,
            vector=hit.vector_D,
            pose=hit.pose,
            text=hit.text,
            image=image,
        )


class _OpenEvents:
    """Frames that the database does not hold yet. Thread-safe.

    Args:
        hold_s: How long a frame is held, seconds of its stream's time.
    """

    def __init__(self, hold_s: float) -> None:
        self._hold_s = hold_s
        self._frames: dict[str, deque[FreshFrame]] = {}
        self._lock = threading.Lock()
        self.as_of: Mapping[str, tuple[int, float]] = {}

    def add(self, fresh: Fresh) -> None:
        """Take what the writer told."""
        with self._lock:
            self.as_of = fresh.as_of
            for frame in fresh.frames:
                held = self._frames.setdefault(frame.stream, deque(maxlen=MOST_OPEN))
                if held and held[-1].time_s == frame.time_s:
                    held.pop()
                held.append(frame)
                while held[0].until_s < frame.until_s - self._hold_s:
                    held.popleft()

    def streams(self) -> list[str]:
        """Names of the streams that have any."""
        with self._lock:
            return list(self._frames)

    def close(self, ends_s: Mapping[str, float]) -> None:
        """Give up the frames that were written down: up to these times, by stream."""
        with self._lock:
            for stream, end_s in ends_s.items():
                held = self._frames.get(stream)
                while held and held[0].until_s < end_s:
                    held.popleft()
                if held is not None and not held:
                    del self._frames[stream]

    def search(self, vector_D: FloatArray | None, condition: Condition) -> list[RecalledEntry]:
        """The frame of each stream that is nearest to a question and meets the conditions."""
        with self._lock:
            every = [list(held) for held in self._frames.values()]
        found = []
        for frames in every:
            meeting = [frame for frame in frames if _meets(frame, condition)]
            if meeting:
                cosines = [0.0 if vector_D is None else float(_unit(f.vector) @ vector_D) for f in meeting]
                best = max(range(len(meeting)), key=lambda k: (cosines[k], meeting[k].until_s))
                found.append(_entry_of(meeting[best], cosines[best]))
        return found


def _meets(frame: FreshFrame, condition: Condition) -> bool:
    if condition.streams is not None and not any(
        frame.stream == name or frame.stream.startswith(name + "/") for name in condition.streams
    ):
        return False
    if condition.after_s is not None and frame.until_s <= condition.after_s:
        return False
    if condition.before_s is not None and frame.time_s >= condition.before_s:
        return False
    if condition.near is None and condition.heading is None:
        return True
    if frame.pose is None:
        return False
    pose = frame.pose.astype(np.float64)
    if condition.near is not None:
        x, y, radius = condition.near
        if not np.hypot(pose[0] - x, pose[1] - y) <= radius:
            return False
    if condition.heading is not None:
        asked, tolerance = condition.heading
        off = np.angle(np.exp(1j * (headings(pose[None])[0] - asked)))
        return bool(abs(off) <= tolerance)
    return True


def _entry_of(frame: FreshFrame, cosine: float) -> RecalledEntry:
    return RecalledEntry(
        id="",
        stream=frame.stream,
        t0_s=frame.time_s,
        t1_s=frame.until_s,
        cosine=cosine,
        vector=_unit(frame.vector),
        pose=None if frame.pose is None else frame.pose.astype(np.float64),
        text=frame.text,
    )


def _kind(question: object) -> str:
    if not isinstance(question, np.ndarray):
        return type(question).__name__
    return f"{question.dtype} {list(question.shape)}"


def _unit(vector_D: FloatArray) -> FloatArray:
    length = float(np.linalg.norm(vector_D))
    return vector_D if length == 0 else (vector_D / length).astype(np.float32)
