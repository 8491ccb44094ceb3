"""An ONNX model into a session of ONNX Runtime on the CPU, set up to share the cores with decoding."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime


def open_session(model: bytes | str, threads: int) -> onnxruntime.InferenceSession:
    """Open a model.

    Args:
        model: The model itself, or its path.
        threads: Threads for one run, 0 for as many as ONNX Runtime likes (one per core).
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # decoding needs the core
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
