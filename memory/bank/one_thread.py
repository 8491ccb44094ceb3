"""NumPy's products on one thread: they are small here, and threads that wait for a busy processor make them slow.

The eigenvectors of a matrix of 32 x 32 take 0.1 ms on one thread; on two of a busy machine with two cores they
took 26 ms, since each of many small products waits until both threads have run.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import threadpoolctl

_lock = threading.Lock()
_inside = 0
_limit: Any = None


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, NumPy multiplies on one thread, in the whole process; threads may be inside together."""
    global _inside, _limit
    with _lock:
        if not _inside:
            _limit = _numpy().limit(limits=1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _limit.restore_original_limits()


@functools.cache
def _numpy() -> Any:
    """What multiplies for NumPy; looked for once, since that takes some milliseconds."""
    import numpy  # noqa: F401  so that it is there to be found

    return threadpoolctl.ThreadpoolController().select(user_api="blas")
