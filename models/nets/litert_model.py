"""A TFLite model in int8 into a function from picture to arrays, run by LiteRT, whose own format it is.

Its products stay whole numbers as its makers rounded them, so every processor gets the same.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from hippocam.models.nets.onnx_session import usable_cores
from hippocam.stream.records import FloatArray


class LiteRtModel:
    """A model with one picture in and one or more arrays out.

    Args:
        model: The file's bytes.
        threads: Threads for one run, 0 for one on each core that this process may use.
    """

    def __init__(self, model: bytes, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        with _told_nobody():
            self._interpreter = Interpreter(model_content=model, num_threads=threads or usable_cores())
            self._interpreter.allocate_tensors()
        (self._input,) = (given["index"] for given in self._interpreter.get_input_details())
        self._outputs = [given["index"] for given in self._interpreter.get_output_details()]
        self._lock = threading.Lock()  # an interpreter holds the tensors of one run

    def run(self, picture_1HWC: NDArray[np.uint8]) -> list[FloatArray]:
        """Give what the model makes of a picture, uint8 [1, H, W, 3] of the size that it takes."""
        with self._lock:
            self._interpreter.set_tensor(self._input, picture_1HWC)
            self._interpreter.invoke()
            return [np.asarray(self._interpreter.get_tensor(index), np.float32) for index in self._outputs]


@contextmanager
def _told_nobody() -> Iterator[None]:
    """Keep LiteRT's note on its delegate from the terminal: it writes to the file itself, and has no switch."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
