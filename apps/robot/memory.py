"""A robot's memory as its control loop has it: observe and recall, and never wait.

    loop -> observe -> ring in shared memory -> process that encodes and writes
    loop -> recall  -> process that recalls, until the deadline

Both processes are started again when they end. While one of them is stopped, busy or gone, `observe` drops the
oldest pictures and counts them, and `recall` says that it is stale or empty: the policy goes on without memory.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from ctypes import c_bool, c_int
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

from numpy.typing import ArrayLike

from hippocam.apps.encoder_choice import encoder_name
from hippocam.apps.robot.checks import condition_of, finite, name_of
from hippocam.apps.robot.child import Child
from hippocam.apps.robot.intake import Intake, RobotConfig
from hippocam.apps.robot.keeper import KeeperJob, run_keeper
from hippocam.apps.robot.names import UNNAMED, newest_episodes
from hippocam.apps.robot.recaller import RecallerJob, Reply, Request, run_recaller
from hippocam.apps.robot.records import Recalled, RobotStatus, Seen
from hippocam.apps.settings import Settings, budget_bytes
from hippocam.memory.folder import check_writable, has_memory
from hippocam.memory.memory import Memory
from hippocam.memory.recall.rows import Condition
from hippocam.memory.store.migrations import upgrade
from hippocam.models.registry import make_encoder
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import FloatArray, Image
from hippocam.stream.robot.shared_ring import ItemTooLargeError, SharedRing

# Slots between the process that remembers and the one that recalls, and their size: frames without pictures.
_FRESH_SLOTS, _FRESH_BYTES = 64, 1 << 20
# Requests that may be unanswered before no more are sent: a process that is stopped takes none.
_MOST_UNANSWERED = 4
# Requests go through a ring too, since a pipe that holds half a picture blocks. The newest alone is waited for.
_REQUEST_SLOTS = 2
# Observations that may wait in this process behind key events that nobody has taken; then these are dropped too.
_MOST_HELD_BACK = 256
_OPEN_S = 600.0  # networks are loaded, on a machine that may be busy
_CLOSE_S = 60.0
_LOOK_S = 0.05


class RobotMemory:
    """A memory that is attached to a robot's observations; `open` makes one. A context manager.

    `observe`, `acted` and `reset` are for one thread and wait for nobody. `recall` is for any thread and waits
    until its deadline.
    """

    def __init__(self, folder: Path, encoder: str, settings: Settings, config: RobotConfig) -> None:
        self.folder, self.encoder = folder, encoder
        self._config = config
        self._intake = Intake(config, _episodes(folder))
        self._observed = SharedRing(config.slots, config.slot_bytes)
        self._fresh = SharedRing(_FRESH_SLOTS, _FRESH_BYTES)
        self._requests = SharedRing(_REQUEST_SLOTS, config.slot_bytes)
        self._cameras: dict[int, tuple[str, ...]] = {}  # of the pictures in the ring, by the number of the item
        self._key_numbers: set[int] = set()
        self._held_back: deque[Seen] = deque()
        self._dropped: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._number = self._unanswered = 0
        self._told: Connection | None = None
        self._asked: Connection | None = None
        self._error = "not open yet"
        # without a lock: a process that is killed while it holds one would stop the other
        self._stop: Any = multiprocessing.get_context("spawn").Value(c_bool, False, lock=False)
        self._recallers: Any = multiprocessing.get_context("spawn").Value(c_int, 0, lock=False)
        self._keeper = Child("keeper", run_keeper, lambda: self._keeper_arguments(settings))
        self._recaller = Child("recaller", run_recaller, lambda: self._recaller_arguments(settings))

    @classmethod
    def open(
        cls,
        folder: str | Path,
        *,
        encoder: str = "auto",
        budget_mb: float | None = None,
        settings: Settings | None = None,
        config: RobotConfig | None = None,
    ) -> Self:
        """Open a robot's memory, making it where the folder is missing or empty, and start what remembers for it.

        Args:
            folder: Where it is.
            encoder: Name of the encoder; "auto" for the memory's own, or the best on this machine.
            budget_mb: What the folder may take, millions of bytes; None keeps its own.
            settings: Events, budget and the rest.
            config: What is looked at, and how far the memory may lag.

        Raises:
            HippocamError: The folder is foreign or written to by another process, or the encoder cannot be made.
        """
        path, settings = Path(folder), settings or Settings()
        if budget_mb is not None:
            memory = replace(settings.memory, budget_bytes=budget_bytes(budget_mb))
            settings = replace(settings, memory=memory)
        check_writable(path)
        own = None
        if has_memory(path):
            upgrade(path)
            with Memory.open_reader(path) as reader:
                found = reader.encoder()
                own = found[0] if found else None
        name = encoder_name(encoder, own, settings.encoder)
        make_encoder(name)  # or it would be said only by a process that nobody looks at
        memory_of_robot = cls(path, name, settings, config or RobotConfig())
        memory_of_robot._wait_until_open()
        return memory_of_robot

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self, wait_s: float = _CLOSE_S) -> None:
        """Write down what was observed, and end.

        Args:
            wait_s: How long that may take, seconds; what is not written then is lost.
        """
        until_s = time.monotonic() + wait_s
        while self._held_back and self._keeper.alive and time.monotonic() < until_s:
            self._flush()
            time.sleep(_LOOK_S)
        self._stop.value = True
        self._keeper.stop(max(0.0, until_s - time.monotonic()))
        self._recaller.stop(1.0)

    # the loop ------------------------------------------------------------------------------------------------

    def observe(
        self,
        *,
        time_s: float,
        images: Mapping[str, Image] | None = None,
        state: ArrayLike | None = None,
        action: ArrayLike | None = None,
        pose: ArrayLike | None = None,
        text: str = "",
        mark: str = "",
        env: str = "",
    ) -> bool:
        """Take an observation: copy it and return.

        Args:
            time_s: When, seconds on the robot's own clock; it must rise within an episode.
            images: uint8 [H, W, 3] RGB by camera; a camera may be missing, and may change its size.
            state: [S] numbers in the robot's own units.
            action: [A] numbers, the command at this instant; None for what `acted` told since the last one.
            pose: [7], x, y, z in metres and the quaternion qx, qy, qz, qw; or [3], x, y and the heading,
                radians.
            text: The robot's task, or other words. Another one than before makes this a key event.
            mark: Why this is a key event, which is never dropped, in words that can be asked for; "" where it is
                none.
            env: Which of several environments; they are kept apart.

        Returns:
            Whether all of it was taken; `status` counts what was not.
        """
        seen = self._intake.observe(
            time_s=time_s,
            images=images,
            state=state,
            action=action,
            pose=pose,
            text=text,
            mark=mark,
            env=env,
        )
        if seen is None:
            return False
        self._put(seen)
        return not self._intake.refused_now

    def acted(self, time_s: float, action: ArrayLike, *, used: Sequence[str] = (), env: str = "") -> None:
        """Take the action that was chosen, and ids of the entries that it rested on: these are kept longer.

        Args:
            time_s: When, as in `observe`.
            action: [A] numbers.
            used: Ids of recalled entries; "" (an open event) is passed over.
            env: As in `observe`.
        """
        seen = self._intake.acted(time_s, action, used, env)
        if seen is not None:
            self._put(seen)

    def reset(self, *, env: str = "") -> None:
        """End an environment's episode; its next observation begins another, whose time may begin anew."""
        self._intake.reset(env)

    def recall(
        self,
        question: str | Image | FloatArray | None,
        *,
        now: float | None = None,
        deadline_ms: float = 10.0,
        top: int = 8,
        env: str | None = None,
        near: tuple[float, float, float] | None = None,
        heading: float | tuple[float, float] | None = None,
        after_s: float | None = None,
        before_s: float | None = None,
    ) -> Recalled:
        """Recall what bears most on a question, the open events included; what was not answered in time is empty.

        Args:
            question: Words; a picture, uint8 [H, W, 3], of `RobotConfig.slot_bytes` at most; a vector of the
                encoder's space, float32 [D]; or None for the latest moments that meet the conditions.
            now: The time now on the robot's clock, to tell the memory's age; None for that of the newest
                observation.
            deadline_ms: How long to wait, milliseconds.
            top: Moments at most.
            env: Only in this environment; None for all.
            near: x, y and radius in metres: only where the robot was no further from there.
            heading: Only where it looked this way, radians from the x to the y axis; a pair adds how far off it
                may be (else an eighth of a turn).
            after_s: Only what was seen after this.
            before_s: Only what was seen before this.
        """
        asked_s, named = time.monotonic(), None if env is None else name_of(env)
        try:
            until_s = asked_s + finite("deadline_ms", deadline_ms) / 1000
            now = None if now is None else finite("now", now)
            if named is None and env is not None:
                raise ValueError(f"env must be the name of an environment, found {env!r:.100}")
            condition = condition_of(
                streams=None if named is None else (named or UNNAMED,),
                near=near,
                heading=heading,
                after_s=after_s,
                before_s=before_s,
            )
        except ValueError as error:
            return Recalled(error=str(error))
        reply = self._ask(question, condition, max(0, top), until_s)
        if reply is None:
            return Recalled()
        newest = self._intake.newest(named)
        episode, as_of_s = reply.as_of.get(newest.env, (-1, None)) if newest is not None else (-1, None)
        if newest is None or episode != newest.episode:
            as_of_s = None  # what was taken in is of an earlier episode, whose clock says nothing
        now = newest.time_s if now is None and newest is not None else now
        age_ms = float("inf") if as_of_s is None or now is None else max(0.0, 1000 * (now - as_of_s))
        return Recalled(
            entries=reply.entries,
            version=reply.version,
            as_of_s=as_of_s,
            age_ms=age_ms,
            stale=not age_ms <= 1000 * self._config.stale_s,
            complete=reply.complete,
            error=reply.error,
        )

    @property
    def keeper_pid(self) -> int | None:
        """Id of the process that encodes and writes."""
        return self._keeper.pid

    @property
    def recaller_pid(self) -> int | None:
        """Id of the process that recalls."""
        return self._recaller.pid

    def status(self) -> RobotStatus:
        """How the memory keeps up."""
        self._hear()
        return RobotStatus(
            observed=self._intake.observed,
            dropped=dict(self._dropped),
            refused=dict(self._intake.refused),
            waiting=len(self._observed) + len(self._held_back),
            restarts=self._keeper.restarts + self._recaller.restarts,
            error=self._error,
        )

    # into the ring -------------------------------------------------------------------------------------------

    def _put(self, seen: Seen) -> None:
        """Add to the ring, behind what is held back; nothing that is a key event is overwritten."""
        self._flush()
        if self._held_back or not self._put_now(seen):
            key = bool(seen.mark or seen.ends)
            if key and len(self._held_back) < _MOST_HELD_BACK:
                copied = {camera: image.copy() for camera, image in seen.images.items()}
                self._held_back.append(replace(seen, images=copied))
            else:
                self._dropped.update(list(seen.images))
                if key or seen.used:
                    self._intake.refuse("no room")

    def _flush(self) -> None:
        while self._held_back and self._put_now(self._held_back[0]):
            self._held_back.popleft()

    def _put_now(self, seen: Seen) -> bool:
        oldest = self._observed.overwrites()
        if oldest in self._key_numbers:
            return False
        number = self._observed.next_number
        try:
            self._observed.put(seen)
        except ItemTooLargeError:
            self._intake.refuse("too large")
            return True
        if oldest is not None:
            self._dropped.update(self._cameras.get(oldest, ()))
        self._cameras.pop(number - self._config.slots, None)
        self._key_numbers.discard(number - self._config.slots)
        self._cameras[number] = tuple(seen.images)
        if seen.mark or seen.ends:
            self._key_numbers.add(number)
        return True

    # the other processes -------------------------------------------------------------------------------------

    def _ask(
        self, question: str | Image | FloatArray | None, condition: Condition, top: int, until_s: float
    ) -> Reply | None:
        """Send a request and wait for its reply until a time of the monotonic clock; None where none came."""
        if not self._lock.acquire(timeout=max(0.0, until_s - time.monotonic())):
            return None
        try:
            asked = self._asked
            if asked is None:
                return None
            while self._unanswered and asked.poll(0):
                asked.recv()
                self._unanswered -= 1
            if self._unanswered >= _MOST_UNANSWERED:
                return None
            self._number += 1
            self._requests.put(Request(number=self._number, question=question, condition=condition, top=top))
            asked.send(self._number)
            self._unanswered += 1
            while asked.poll(max(0.0, until_s - time.monotonic())):
                reply: Reply | None = asked.recv()
                self._unanswered -= 1
                if reply is not None and reply.number == self._number:
                    return reply
        except ItemTooLargeError:
            return None
        except (EOFError, OSError):
            return None  # that process has ended; the next has a connection of its own
        finally:
            self._lock.release()
        return None

    def _keeper_arguments(self, settings: Settings) -> tuple[object, ...]:
        told, tells = multiprocessing.get_context("spawn").Pipe(duplex=False)
        self._told = told
        pipeline = replace(settings.pipeline, fps=self._config.fps)
        job = KeeperJob(
            folder=self.folder,
            encoder=self.encoder,
            memory=settings.memory,
            pipeline=pipeline,
            observed=self._observed,
            names=(self._config.state_names, self._config.action_names),
            fresh=self._fresh,
            recallers=self._recallers,
            stop=self._stop,
        )
        return job, tells

    def _recaller_arguments(self, settings: Settings) -> tuple[object, ...]:
        ours, theirs = multiprocessing.get_context("spawn").Pipe()
        with self._lock:
            self._asked, self._unanswered = ours, 0
        self._recallers.value += 1
        job = RecallerJob(
            folder=self.folder,
            encoder=self.encoder,
            memory=settings.memory,
            fresh=self._fresh,
            requests=self._requests,
            stop=self._stop,
        )
        return job, theirs

    def _hear(self) -> None:
        """Take what the process that remembers told."""
        told = self._told
        try:
            while told is not None and told.poll(0):
                self._error = told.recv()
        except (EOFError, OSError):
            if not self._error:
                self._error = "the process that remembers ended, and is started again"

    def _wait_until_open(self) -> None:
        """Wait until the memory is open for writing.

        Raises:
            HippocamError: It cannot be.
        """
        until_s = time.monotonic() + _OPEN_S
        while self._error == "not open yet" and time.monotonic() < until_s and self._keeper.alive:
            self._hear()
            time.sleep(_LOOK_S / 10)
        self._hear()
        if self._error:
            error = self._error
            self.close(0)
            raise HippocamError(error if error != "not open yet" else f"{self.folder}: could not be opened")


def _episodes(folder: Path) -> dict[str, int]:
    """The number of the newest episode of each environment that a memory holds."""
    if not has_memory(folder):
        return {}
    with Memory.open_reader(folder) as memory:
        return newest_episodes(row.recording for row in memory.progress())
