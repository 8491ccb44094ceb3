"""The same pipeline on Ray: jobs in, chunks out, several jobs at a time.

Each actor decodes, gates and encodes one job at a time, so that only vectors and JPEGs travel, never frames.
An actor computes one chunk ahead of the consumer and no more, which bounds what is in flight.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hippocam.stream.errors import HippocamError, NoFreeCoreError, SourceError
from hippocam.stream.guard import blamed_on
from hippocam.stream.ingest import Ingest
from hippocam.stream.metrics import Meter
from hippocam.stream.pipeline import NO_SENSES, Chunk, Job, PipelineConfig, Senses
from hippocam.stream.protocols import Encoder
from hippocam.stream.ray import first_line, running_ray
from hippocam.stream.records import Item


class Worker:
    """What an actor runs: one encoder, its senses, one job at a time."""

    def __init__(self, make_encoder: Callable[[], Encoder], config: PipelineConfig, senses: Senses) -> None:
        self._encoder = make_encoder()
        self._config, self._senses = config, senses
        self._index = -1
        self._meter = Meter()
        self._items: Iterator[list[Item]] = iter(())

    def start(self, index: int, job: Job) -> Chunk:
        """Begin a job and give its first chunk."""
        self._index, self._meter = index, Meter()
        self._items = Ingest(self._encoder, self._config, self._senses, self._meter).run(job)
        return self.next()

    def next(self) -> Chunk:
        """Give the next chunk of the job."""
        try:
            items = next(self._items, None)
        except SourceError as error:
            return Chunk(job=self._index, items=[], ended=True, error=error, stages=self._meter.status())
        stages = self._meter.status() if items is None else ()
        return Chunk(job=self._index, items=items or [], ended=items is None, stages=stages)


def run_ray(
    jobs: Sequence[Job],
    make_encoder: Callable[[], Encoder],
    config: PipelineConfig,
    senses: Senses = NO_SENSES,
) -> Iterator[Chunk]:
    """Run jobs on Ray actors, as many at a time as there are free cores; chunks of one job come in order.

    Args:
        jobs: What is watched; sources are pickled.
        make_encoder: Builds the encoder inside each actor.
        config: As for the local run.
        senses: As for the local run; pickled.

    Raises:
        RayError: Ray cannot start, or has no room for an actor.
    """
    if not jobs:
        return
    # an actor would otherwise be given one OpenMP thread, and sum in another order than the local run
    threads = os.environ.get("OMP_NUM_THREADS", str(os.cpu_count() or 1))
    with running_ray() as ray:
        count = min(len(jobs), int(ray.available_resources().get("CPU", 0)))
        if count < 1:
            raise NoFreeCoreError(int(ray.cluster_resources().get("CPU", 0)))
        actor = ray.remote(num_cpus=1, runtime_env={"env_vars": {"OMP_NUM_THREADS": threads}})(Worker)
        yield from _drive(ray, [actor.remote(make_encoder, config, senses) for _ in range(count)], jobs)


def _drive(ray: Any, actors: Sequence[Any], jobs: Sequence[Job]) -> Iterator[Chunk]:
    """Keep every actor one chunk ahead; give an actor that has ended its job the next one."""
    waiting = iter(enumerate(jobs))
    running: dict[Any, tuple[Any, int]] = {}
    unsent: list[Chunk] = []

    def start(actor: Any) -> None:
        """Give an actor the next job that can be sent to it."""
        for index, job in waiting:
            try:
                with blamed_on(job.source.uri, "sending it to a worker"):
                    running[actor.start.remote(index, job)] = (actor, index)
            except SourceError as error:
                unsent.append(Chunk(job=index, items=[], ended=True, error=error))
                continue
            break

    for actor in actors:
        start(actor)
    while running or unsent:
        yield from unsent
        unsent.clear()
        if not running:
            break
        (ready, *_), _ = ray.wait(list(running), num_returns=1)
        actor, index = running.pop(ready)
        try:
            chunk: Chunk = ray.get(ready)
        except ray.exceptions.RayActorError:
            lost = SourceError(jobs[index].source.uri, "its worker died (out of memory?); watch it again to go on")
            yield Chunk(job=index, items=[], ended=True, error=lost)
            continue  # the actor is gone; the others take what is left
        except ray.exceptions.RayTaskError as failed:
            if isinstance(failed.cause, HippocamError):  # the encoder cannot be had: no source could go on
                raise failed.cause from None
            reason = f"its worker failed ({first_line(failed.cause or failed)})"  # as where it cannot be unpickled
            chunk = Chunk(job=index, items=[], ended=True, error=SourceError(jobs[index].source.uri, reason))
        if not chunk.ended:
            running[actor.next.remote()] = (actor, index)
        yield chunk
        if chunk.ended:
            start(actor)
    for index, job in waiting:
        error = SourceError(job.source.uri, "no worker was left to watch it; watch it again")
        yield Chunk(job=index, items=[], ended=True, error=error)
