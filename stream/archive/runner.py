"""Footage into parts, on Ray Data or in this process, in the same order either way.

Each core runs an actor that makes the parts of segments and writes them into the work folder. Only a few numbers a
segment travel through Ray, so its object store may be as small as Ray allows; it lies in /tmp where /dev/shm is
smaller still, as in a container with 64 MB. Ray restarts an actor that dies, and it begins its segment again. The
caller takes the parts one by one, and workers that get too far ahead wait for it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hippocam.stream.archive.plan import Segment
from hippocam.stream.archive.work_folder import order
from hippocam.stream.archive.worker import SegmentWorker, Work
from hippocam.stream.errors import (
    HippocamError,
    NoFreeCoreError,
    NoFreeGpuError,
    RayError,
    TooManyWorkersError,
    WorkersLateError,
)
from hippocam.stream.protocols import Encoder
from hippocam.stream.ray import first_line, running_ray

# Ray asks for 75 MiB at least; our rows of a few numbers need none of it.
OBJECT_STORE_BYTES = 80 << 20
# Seconds after which an actor that has not started counts as one that has no room.
_START_S = 300
# One thread a worker, however many cores there are, so that every machine adds up in the same order.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_MIN_GPU_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersConfig:
    """How many workers there are, and where.

    Attributes:
        address: Address of a Ray cluster to join; None starts Ray on this machine, "local" too.
        workers: How many, each with one core; None for one on every free core.
        gpu_share: Share of a GPU that each worker has, 0 to 1; None divides all GPUs among them.
    """

    address: str | None = None
    workers: int | None = None
    gpu_share: float | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"workers must be 1 or more, found {self.workers}")
        if self.gpu_share is not None and not 0 <= self.gpu_share <= 1:
            raise ValueError(f"gpu_share must be 0 to 1, found {self.gpu_share}")


def run_here(work: Work, make_encoder: Callable[[], Encoder]) -> Generator[Segment, None, None]:
    """Make the parts one after the other in this process; yield each segment when its part is ready.

    Raises:
        HippocamError: The run cannot go on.
    """
    worker = SegmentWorker(work, make_encoder)
    for at, segment in enumerate(order([footage.segments for footage in work.footage])):
        worker.make(at, segment)
        yield segment
        work.folder.take(at + 1)


def run_ray_data(
    work: Work, make_encoder: Callable[[], Encoder], config: WorkersConfig, *, on_start: Callable[[int], None]
) -> Generator[Segment, None, None]:
    """Make the parts on Ray Data; yield each segment, in order, when its part is ready.

    Args:
        work: What is to be done; sources are pickled.
        make_encoder: Builds the encoder inside each worker.
        config: Which workers.
        on_start: Called with the number of workers.

    Raises:
        HippocamError: Ray cannot start, has no room for the workers, or the run cannot go on.
    """
    segments = order([footage.segments for footage in work.footage])
    if not segments:
        return
    with running_ray(config.address or "local", object_store_bytes=OBJECT_STORE_BYTES) as ray:
        workers, gpu_share = room(ray, config, len(segments))
        on_start(workers)
        try:
            for at in _rows(segments, work, make_encoder, workers, gpu_share):
                yield segments[at]
                work.folder.take(at + 1)
        except ray.exceptions.GetTimeoutError as error:
            raise WorkersLateError(workers, _START_S) from error
        except ray.exceptions.RayError as error:
            raise RayError(
                f"Ray gave up ({first_line(error)}); archive again to go on: what was made is kept"
            ) from error


def room(ray: Any, config: WorkersConfig, segments: int) -> tuple[int, float]:
    """Return how many workers there is room for, and the share of a GPU that each gets.

    Args:
        ray: The module, connected.
        config: What was asked for.
        segments: How many segments there are.

    Raises:
        RayError: There is less room than was asked for.
    """
    free, all_cores = ray.available_resources(), int(ray.cluster_resources().get("CPU", 0))
    cores, gpus = int(free.get("CPU", 0)), float(free.get("GPU", 0))
    if cores < 1:  # Ray would let the actors wait for one without telling anybody
        raise NoFreeCoreError(all_cores)
    if config.workers is not None and config.workers > cores:
        raise TooManyWorkersError(config.workers, free=cores, cores=all_cores)
    workers = min(config.workers or cores, segments)
    if not gpus and config.gpu_share:
        raise NoFreeGpuError(config.gpu_share)
    if not gpus or config.gpu_share == 0:
        return workers, 0.0
    share = config.gpu_share
    if share is None:
        share = min(1.0, max(_MIN_GPU_SHARE, math.floor(1000 * gpus / workers) / 1000))
    return max(1, min(workers, math.floor(gpus + 1e-9) * math.floor(1 / share + 1e-9))), share


def _rows(
    segments: Sequence[Segment], work: Work, make_encoder: Callable[[], Encoder], workers: int, gpu_share: float
) -> Iterator[int]:
    """Run the Ray Data job; yield the indices of the segments in order."""
    import ray.data
    from ray.data import ActorPoolStrategy, DataContext

    context = DataContext.get_current().copy()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.wait_for_min_actors_s = _START_S
    context.execution_no_progress_timeout_s = -1  # a segment may be a whole dataset, and take hours
    for name in ("ray.data", "ray.data._internal.execution.streaming_executor"):
        logging.getLogger(name).setLevel(logging.ERROR)
    rows = [{"at": at, "index": s.index, "number": s.number} for at, s in enumerate(segments)]
    with DataContext.current(context):
        data = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
            SegmentWorker,
            fn_constructor_args=(work, make_encoder),
            # One at a time: the segment that the memory needs next must not queue behind one that waits for it.
            compute=ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
            num_cpus=1,
            num_gpus=gpu_share or None,
            runtime_env={"env_vars": _ONE_THREAD},
        )
    for row in data.iter_rows():
        if row["fatal"]:
            raise HippocamError(row["fatal"])
        yield int(row["at"])
