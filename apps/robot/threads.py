"""How many threads the processes beside a control loop compute on."""

from __future__ import annotations

import os

import threadpoolctl


def compute_on(threads: int) -> None:
    """Have this process compute on so many threads, for good; before its networks are loaded.

    Threads that share a busy processor wait for each other in each of many small products: on two cores of which
    both were busy, a text of eight words took two threads 430 ms by the clock, and takes one thread 8 ms.
    """
    os.environ["OMP_NUM_THREADS"] = str(threads)
    threadpoolctl.threadpool_limits(threads)


def all_but_one() -> int:
    """The cores that this process may use but for one, which is left to the control loop; 1 at least."""
    return max(1, len(os.sched_getaffinity(0)) - 1)
