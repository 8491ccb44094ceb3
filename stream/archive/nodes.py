"""How many workers fit on the machines of a Ray cluster, and whether its head still answers."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

_MIN_GPU_SHARE = 0.1
# What a process takes that writes memories, bytes: room is left for one on every machine.
_WRITER_BYTES = 400_000_000
# Seconds without an answer after which a cluster's head counts as gone, and for which one try may take.
_HEAD_S, _TRY_S = 20.0, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersConfig:
    """How many workers there are, and where.

    Attributes:
        address: Address of a Ray cluster to join; None starts Ray on this machine, "local" too.
        workers: How many at most, each with one core; None for one on every core, also of machines that join.
        gpu_share: Share of a GPU that each worker has, 0 to 1; None divides all GPUs among them.
        memory_mb: Main memory that is reserved for each worker, in millions of bytes, 0 or more: with the default
            encoder and its senses it takes 700 to 900.
    """

    address: str | None = None
    workers: int | None = None
    gpu_share: float | None = None
    memory_mb: float = 900.0

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"workers must be 1 or more, found {self.workers}")
        if self.gpu_share is not None and not 0 <= self.gpu_share <= 1:
            raise ValueError(f"gpu_share must be 0 to 1, found {self.gpu_share}")
        if not self.memory_mb >= 0:
            raise ValueError(f"memory_mb must be 0 or more, found {self.memory_mb:g}")

    @property
    def joins(self) -> bool:
        """Whether a cluster is joined that somebody else runs, to which machines may come."""
        return self.address not in (None, "local")


class Room(NamedTuple):
    """What fits on a machine.

    Attributes:
        workers: How many.
        gpu_share: The share of a GPU that each has.
        memory_bytes: What is reserved for each.
        for_memory: How many cores are left without a worker because main memory does not suffice.
    """

    workers: int
    gpu_share: float = 0.0
    memory_bytes: int = 0
    for_memory: int = 0


def room_on(free: Mapping[str, float], config: WorkersConfig) -> Room:
    """Say what fits on a machine, at least one worker wherever there is a core.

    Args:
        free: What Ray says is there: "CPU", "GPU" and "memory", the last in bytes.
        config: What was asked for.
    """
    cores, gpus = int(free.get("CPU", 0)), float(free.get("GPU", 0))
    memory_bytes, each = free.get("memory", 0.0), int(config.memory_mb * 1e6)
    if cores < 1 or (config.gpu_share and not gpus):
        return Room(0)
    workers = min(cores, config.workers or cores)
    fit = workers if not each else max(1, int((memory_bytes - _WRITER_BYTES) // each))
    for_memory, workers = max(0, workers - fit), min(workers, fit)
    share = 0.0
    if gpus and config.gpu_share != 0:
        even = min(1.0, max(_MIN_GPU_SHARE, math.floor(1000 * gpus / workers) / 1000))
        share = config.gpu_share or even
        workers = max(1, min(workers, math.floor(gpus + 1e-9) * math.floor(1 / share + 1e-9)))
    return Room(workers, share, int(min(each, memory_bytes)), for_memory)


class Head:
    """Tells whether a cluster's head still takes connections.

    Ray itself goes on trying for a minute, and then ends the process without a word.

    Args:
        address: HOST:PORT.
        clock: Seconds that only rise.
    """

    def __init__(self, address: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.address, self._clock = address, clock
        host, _, port = address.rpartition(":")
        self._at = host.strip("[]"), int(port)
        self._answered_s = clock()

    def answers(self) -> bool:
        """Whether it answers now."""
        try:
            socket.create_connection(self._at, timeout=_TRY_S).close()
        except OSError:
            return False
        self._answered_s = self._clock()
        return True

    def is_gone(self) -> bool:
        """Whether it has not answered for so long that nothing is to be hoped for."""
        return self._clock() - self._answered_s > _HEAD_S
