"""The workers of a run, wherever their machines are: they come with machines, and go with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from hippocam.stream.archive import host
from hippocam.stream.archive.nodes import Room, WorkersConfig, room_on
from hippocam.stream.archive.plan import Footage, Segment
from hippocam.stream.archive.protocols import Book
from hippocam.stream.archive.worker import Made
from hippocam.stream.errors import HippocamError, NoUsableMachineError
from hippocam.stream.ray import first_line

# Workers of a machine that died before they were ready, after which it is left out.
_MAX_DEATHS = 3

# Has something called in the loop's own thread once a future is done.
Post = Callable[[Future[Any], Callable[[Future[Any]], None]], None]


@dataclass(slots=True, eq=False)
class Worker:
    """A process that makes segments.

    Attributes:
        actor: Its `Host`.
        machine: Id of its machine.
        ready: Whether all networks are loaded.
        segment: What it is making.
    """

    actor: Any
    machine: str
    ready: bool = False
    segment: Segment | None = None


class Crew:
    """Starts workers on every machine that has room for them, and tells which of them have nothing to do.

    Args:
        ray: The module, connected.
        packed: What makes the object that each worker holds, pickled.
        config: Which workers.
        book: Is told of machines.
        post: See `Post`.
        lost: Called with a segment that was not made because its worker is gone.
    """

    def __init__(
        self,
        ray: Any,
        packed: bytes,
        config: WorkersConfig,
        *,
        book: Book,
        post: Post,
        lost: Callable[[Segment], None],
    ) -> None:
        ray.cloudpickle.register_pickle_by_value(host)
        self._ray, self._packed, self._config = ray, packed, config
        self._book, self._post, self._lost = book, post, lost
        self._host = ray.remote(host.Host)
        self._workers: list[Worker] = []
        self._names: dict[str, str] = {}
        self._rooms: dict[str, Room] = {}
        self._out: dict[str, str] = {}
        self._deaths: Counter[str] = Counter()
        self._died_with: dict[str, list[Segment]] = {}
        self._looked = False

    @property
    def ready(self) -> int:
        """How many workers can make segments."""
        return sum(worker.ready for worker in self._workers)

    def idle(self) -> list[Worker]:
        """Workers that have nothing to do."""
        return [worker for worker in self._workers if worker.ready and worker.segment is None]

    def look(self, wanted: int) -> list[Segment]:
        """Look which machines there are, and start workers on them.

        Args:
            wanted: How many workers there is work for.

        Returns:
            The segments whose workers died because their machine left.

        Raises:
            HippocamError: No machine can be used.
        """
        alive = {node["NodeID"]: node for node in self._ray.nodes() if node["Alive"]}
        innocent: list[Segment] = []
        for machine in self._names.keys() - alive.keys():
            name = self._names.pop(machine)
            del self._rooms[machine]
            innocent += self._died_with.pop(machine, [])
            if self._out.pop(machine, None) is None:
                self._book.note(f"{name} has left the cluster; what it was doing is done elsewhere")
        for machine, node in alive.items():
            if machine not in self._names:
                self._meet(machine, node)
        self._looked = True
        while len(self._workers) < wanted and (roomiest := self._roomiest()) is not None:
            self._hire(roomiest)
        return innocent

    def make(self, worker: Worker, segment: Segment, footage: Footage, made: Callable[[Made], None]) -> None:
        """Have a worker make a segment; `made` is told what became of it, unless the worker is lost.

        Raises:
            Exception: The footage cannot be sent: whatever pickling it raised.
        """
        call = worker.actor.call.remote("make", footage, segment.number)
        worker.segment = segment
        self._post(call.future(), partial(self._made, worker, made))

    def machine_for_a_writer(self, taken: Counter[str]) -> str | None:
        """The machine with ready workers that has fewest of those that are taken; None where none is ready."""
        ready = {worker.machine for worker in self._workers if worker.ready}
        return min(sorted(ready), key=lambda machine: taken[machine], default=None)

    def host_on(self, machine: str) -> Any:
        """A process on a machine that needs no core of its own."""
        return self._host.options(num_cpus=0, scheduling_strategy=self._on(machine)).remote()

    def leave_out(self, machine: str, problem: str) -> None:
        """Use a machine no more.

        Raises:
            HippocamError: No other machine is left.
        """
        if machine in self._out or machine not in self._names:
            return
        self._out[machine] = problem
        self._book.left_out(self._names[machine], problem)
        for worker in [worker for worker in self._workers if worker.machine == machine]:
            self._dismiss(worker)
        if not self._names.keys() - self._out.keys():
            if not self._config.joins:
                raise HippocamError(problem)
            raise NoUsableMachineError({self._names[out]: why for out, why in self._out.items()})

    def end(self) -> None:
        """End all workers."""
        for worker in self._workers:
            with suppress(Exception):  # its machine, or the cluster, may be gone
                self._ray.kill(worker.actor)
        self._workers = []

    def _meet(self, machine: str, node: dict[str, Any]) -> None:
        host_name, given = node["NodeManagerHostname"], node.get("NodeName")
        name = given if given and given != node["NodeManagerAddress"] else host_name
        self._names[machine] = name
        # Of a Ray of this machine others may hold something; on a cluster workers wait until it is theirs.
        free = node["Resources"] if self._config.joins else self._ray.available_resources()
        self._rooms[machine] = room = room_on(free, self._config)
        if room.for_memory:
            told = f"{name}: memory for {room.workers} workers, {room.for_memory} fewer than it has cores for"
            self._book.note(told)
        if self._looked and room.workers:
            self._book.note(f"{name} has joined the cluster, with room for {room.workers} workers")

    def _roomiest(self) -> str | None:
        """The machine with the most room that is not taken; None where all is taken."""
        counts = Counter(worker.machine for worker in self._workers)
        left = {
            machine: room.workers - counts[machine]
            for machine, room in self._rooms.items()
            if machine not in self._out
        }
        machine = max(left, key=lambda machine: left[machine], default="")
        return machine if machine and left[machine] > 0 else None

    def _hire(self, machine: str) -> None:
        room = self._rooms[machine]
        actor = self._host.options(
            num_cpus=1,
            num_gpus=room.gpu_share or None,
            memory=room.memory_bytes or None,
            scheduling_strategy=self._on(machine),
        ).remote()
        worker = Worker(actor, machine)
        self._workers.append(worker)
        self._post(actor.start.remote(self._packed).future(), partial(self._started, worker))

    def _on(self, machine: str) -> Any:
        return self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(machine, soft=False)

    def _started(self, worker: Worker, future: Future[Any]) -> None:
        if worker not in self._workers:
            return
        try:
            _, problem = future.result()
        except self._ray.exceptions.RayError as error:
            self._dismiss(worker)
            self._deaths[worker.machine] += 1
            if self._deaths[worker.machine] >= _MAX_DEATHS:
                self.leave_out(worker.machine, f"its workers die as they start ({first_line(error)})")
            return
        if problem:
            self.leave_out(worker.machine, problem)
            return
        worker.ready = True
        self._deaths.pop(worker.machine, None)
        self._book.workers(self.ready)

    def _made(self, worker: Worker, made: Callable[[Made], None], future: Future[Any]) -> None:
        if worker not in self._workers:
            return
        try:
            found: Made = future.result()
        except self._ray.exceptions.RayTaskError as failed:  # as where its source cannot be unpickled
            found = Made(f"its worker failed ({first_line(failed.cause or failed)})", "footage")
        except self._ray.exceptions.RayError:
            if worker.segment is not None:
                self._died_with.setdefault(worker.machine, []).append(worker.segment)
            self._dismiss(worker)
            return
        worker.segment = None
        made(found)

    def _dismiss(self, worker: Worker) -> None:
        """End a worker; what it was making is lost."""
        self._workers.remove(worker)
        with suppress(Exception):  # it may be gone already
            self._ray.kill(worker.actor)
        self._book.workers(self.ready)
        if worker.segment is not None:
            self._lost(worker.segment)
