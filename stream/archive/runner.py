"""Footage into parts and parts into memories, in this process or on Ray, with the same result either way.

Each core runs a process that makes the parts of segments and writes them into the work folder; only a few numbers
a segment travel through Ray, so its object store may be as small as Ray allows. Every memory is written by one
process at a time, several memories side by side: by this one, and by one for every few workers beyond that.

Machines that join are used from the next second on, those that leave are survived, and those that lack something
are named and left out. What was being made on a machine that left is made elsewhere; what was being written is put
back and written again from the parts.
"""

from __future__ import annotations

import math
import pickle
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

from hippocam.stream.archive.crew import Crew, Worker
from hippocam.stream.archive.desks import Desk, DeskHere, DeskThere
from hippocam.stream.archive.nodes import Head, WorkersConfig, room_on
from hippocam.stream.archive.plan import Footage, Segment, segments_of
from hippocam.stream.archive.protocols import Book, Writer
from hippocam.stream.archive.queue import Queue
from hippocam.stream.archive.worker import Made, SegmentWorker, Work, give_up
from hippocam.stream.errors import (
    HeadLostError,
    HippocamError,
    NoFreeCoreError,
    NoFreeGpuError,
    RayError,
    TooManyWorkersError,
    WorkersLateError,
)
from hippocam.stream.protocols import Encoder
from hippocam.stream.ray import ask_for, first_line, running_ray

# Ray asks for 75 MiB at least; the few numbers that travel need none of it.
OBJECT_STORE_BYTES = 80 << 20
# Seconds between two looks at the machines.
_LOOK_S = 1.0
# Seconds after which a user is told that nothing has started, and after which a Ray of our own is given up.
_TELL_S, _START_S = 15.0, 300.0
# Workers for each process that writes, at first: one writes over fifteen times as fast as a core encodes.
_WORKERS_A_WRITER = 8
# How often the process that writes a memory may die.
_MAX_LOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a run is to do.

    Attributes:
        footage: What is archived; on Ray its sources are pickled.
        work: How segments are made.
        make_encoder: Builds the encoder in each process that makes segments; on Ray it is pickled.
        book: Keeps book of what memories take.
    """

    footage: Sequence[Footage]
    work: Work
    make_encoder: Callable[[], Encoder]
    book: Book


def run_here(order: Order) -> None:
    """Make the parts one after the other in this process, and have each written when it is made.

    Raises:
        HippocamError: The run cannot go on.
    """
    worker, book = SegmentWorker(order.work, order.make_encoder), order.book
    writer: Writer | None = None
    memory = ""
    try:
        for segment in segments_of(order.footage):
            one = order.footage[segment.index]
            made = worker.make(one, segment.number)
            if made.problem and not give_up(order.work, one, segment.number, made):
                raise HippocamError(made.problem)
            if writer is None or one.memory != memory:
                if writer is not None:
                    writer.close()
                writer, memory = book.writer_of(one.memory)(), one.memory
            book.end(segment, writer.take(*book.begin(segment)))
    finally:
        if writer is not None:
            writer.close()


def run_on_ray(order: Order, config: WorkersConfig, *, ahead: int) -> None:
    """Make the parts on Ray, and have each memory take its own in order.

    Args:
        order: What is to be done.
        config: Which workers.
        ahead: How many segments may wait for each memory.

    Raises:
        HippocamError: Ray cannot start, has no room for the workers, or the run cannot go on.
    """
    if not order.footage:
        return
    with running_ray(config.address or "local", object_store_bytes=OBJECT_STORE_BYTES) as ray:
        run = _Run(ray, order, config, ahead)
        try:
            run.run()
        except ray.exceptions.RayTaskError as failed:
            if isinstance(failed.cause, HippocamError):
                raise failed.cause from None
            raise
        except ray.exceptions.RayError as error:
            raise RayError(
                f"Ray gave up ({first_line(error)}); archive again to go on: what was made is kept"
            ) from error
        finally:
            run.end()


class _Run:
    """One run: workers make segments, desks have memories take them, and one loop hears of all that is done."""

    def __init__(self, ray: Any, order: Order, config: WorkersConfig, ahead: int) -> None:
        self._ray, self._config = ray, config
        self._footage, self._work, self._book = order.footage, order.work, order.book
        self._queue = Queue(order.footage, ahead=ahead)
        self._events: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._desks: list[Desk] = []
        self._losses: Counter[str] = Counter()
        self._head = Head(ray.get_runtime_context().gcs_address)
        self._looked_s = -math.inf
        self._idle_since_s: float | None = time.monotonic()
        self._told = False
        self._more_writers = 0
        packed = pickle.dumps(partial(SegmentWorker, order.work, order.make_encoder))
        self._crew = Crew(ray, packed, config, book=order.book, post=self._post, lost=self._queue.give_back)

    def run(self) -> None:
        """Run to the end."""
        if self._config.joins:
            ask_for(self._config.workers or 1)
        else:
            _check_room(self._ray, self._config)
        while self._queue.untaken:
            if time.monotonic() - self._looked_s >= _LOOK_S:
                self._look()
            self._hand_out()
            self._have_written()
            try:
                self._events.get(timeout=_LOOK_S)()
                while True:
                    self._events.get_nowait()()
            except Empty:
                pass

    def end(self) -> None:
        """End all processes; what is being written by this one is written first."""
        for desk in self._desks:
            desk.end()
        self._crew.end()
        if self._config.joins and self._head.answers():
            ask_for(0)

    def _post(self, future: Future[Any], heard: Callable[[Future[Any]], None]) -> None:
        future.add_done_callback(lambda done: self._events.put(partial(heard, done)))

    def _look(self) -> None:
        """Look at the machines, and at whether anything goes on."""
        if not self._head.answers():  # nothing may be asked of Ray now: it would end this process
            if self._head.is_gone():
                raise HeadLostError(self._head.address)
            return
        self._looked_s = time.monotonic()
        for segment in self._crew.look(min(self._config.workers or self._queue.unmade, self._queue.unmade)):
            self._work.folder.forgive(self._footage[segment.index].key, segment.number)
        if self._crew.ready or not self._queue.unmade:
            self._idle_since_s, self._told = None, False
            return
        self._idle_since_s = self._idle_since_s or time.monotonic()
        idle_s = time.monotonic() - self._idle_since_s
        if not self._config.joins and idle_s > _START_S:
            raise WorkersLateError(self._config.workers or 1, _START_S)
        if idle_s > _TELL_S and not self._told:
            self._told = True
            self._book.note(f"no worker is ready at {self._head.address}: waiting for machines with free cores")

    def _hand_out(self) -> None:
        """Give every idle worker a segment."""
        for worker in self._crew.idle():
            segment = self._queue.hand_out(self._writers)
            if segment is None:
                self._more_writers += self._queue.is_held_back  # workers have nothing to do: writing is too slow
                return
            try:
                heard = partial(self._made, worker, segment)
                self._crew.make(worker, segment, self._footage[segment.index], heard)
            except Exception as error:  # a source of somebody else's may not be sendable
                self._made(
                    worker, segment, Made(f"sending it to a worker failed ({first_line(error)})", "footage")
                )

    def _made(self, worker: Worker, segment: Segment, made: Made) -> None:
        footage = self._footage[segment.index]
        if made.problem and not give_up(self._work, footage, segment.number, made):
            self._queue.give_back(segment)
            self._crew.leave_out(worker.machine, made.problem)
            return
        self._queue.made(segment)

    # memories ---------------------------------------------------------------------------------------------

    @property
    def _writers(self) -> int:
        """How many memories are written at a time."""
        count = math.ceil(self._crew.ready / _WORKERS_A_WRITER) + self._more_writers
        return max(1, min(count, self._crew.ready))

    def _have_written(self) -> None:
        """Have memories take what is made for them."""
        for segment in self._queue.takeable():
            desk = self._desk_of(self._footage[segment.index].memory)
            if desk is not None and desk.ready:
                self._queue.take(segment)
                self._post(desk.take(self._book.begin(segment)), partial(self._taken, desk, segment))

    def _desk_of(self, memory: str) -> Desk | None:
        """The desk at which a memory is written, a free one for one that has none; None where none is free."""
        for desk in self._desks:
            if desk.memory == memory:
                return desk
        free = next((desk for desk in self._desks if not desk.memory), None) or self._another_desk()
        if free is not None:
            self._post(free.open(memory, self._book.writer_of(memory)), partial(self._opened, free))
        return free

    def _another_desk(self) -> Desk | None:
        if not self._desks:
            self._desks.append(DeskHere())
            return self._desks[0]
        if len(self._desks) >= self._writers:
            return None
        machine = self._crew.machine_for_a_writer(Counter(desk.machine for desk in self._desks))
        if machine is None:
            return None
        self._desks.append(DeskThere(self._ray, self._crew.host_on(machine), machine))
        return self._desks[-1]

    def _opened(self, desk: Desk, future: Future[Any]) -> None:
        try:
            _, problem = future.result()
        except self._ray.exceptions.RayError:
            self._lose(desk)
            return
        if problem:
            self._lose(desk)
            self._crew.leave_out(desk.machine, problem)
        desk.ready = not problem

    def _taken(self, desk: Desk, segment: Segment, future: Future[Any]) -> None:
        try:
            taken = future.result()
        except self._ray.exceptions.RayTaskError:
            raise  # the memory, or the ledger, cannot be written
        except self._ray.exceptions.RayError:
            memory = desk.memory
            self._lose(desk)
            self._losses[memory] += 1
            if self._losses[memory] >= _MAX_LOST:
                raise
            self._queue.rewind(self._book.lost(memory))
            return
        self._book.end(segment, taken)
        self._queue.taken(segment)
        if self._queue.ends(desk.memory):
            desk.leave()

    def _lose(self, desk: Desk) -> None:
        self._desks.remove(desk)
        desk.end()


def _check_room(ray: Any, config: WorkersConfig) -> None:
    """Check that a Ray of this machine has room for what was asked for: nobody joins it.

    Raises:
        RayError: It has not.
    """
    free, all_cores = ray.available_resources(), int(ray.cluster_resources().get("CPU", 0))
    cores = int(free.get("CPU", 0))
    if cores < 1:
        raise NoFreeCoreError(all_cores)
    if config.workers is not None and config.workers > cores:
        raise TooManyWorkersError(config.workers, free=cores, cores=all_cores)
    if config.gpu_share and not room_on(free, config).workers:
        raise NoFreeGpuError(config.gpu_share)
