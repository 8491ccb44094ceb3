"""An ONNX model into a session of ONNX Runtime on the CPU, set up to share the cores with decoding."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime


def open_session(model: bytes | str, threads: int) -> onnxruntime.InferenceSession:
    """Open a model.

    Args:
        model: The model itself, or its path.
        threads: Threads for one run, 0 for one on each core that this process may use. (ONNX Runtime's own 0 is
            one on each core of the machine, bound to it, whatever cores the process was given.)
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or usable_cores()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # decoding needs the core
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def usable_cores() -> int:
    """How many cores this process may use; no more than OMP_NUM_THREADS, which an archive's workers set."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(told)) if told.isdigit() and int(told) else cores
