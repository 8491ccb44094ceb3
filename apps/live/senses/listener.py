"""A process that writes down what is said in windows of sound, and lets all else on the machine go first."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hippocam.stream.errors import HippocamError
from hippocam.stream.live.child import start_child
from hippocam.stream.records import FloatArray

# How much less the process insists on the processor than what looks at pictures.
_NICE = 10
_END_S = 5.0


class Sentence(NamedTuple):
    """What was said, and when, in seconds of the window."""

    t0_s: float
    t1_s: float
    text: str


class Heard(NamedTuple):
    """What was said in a window, and how many seconds of the processor it took to hear it."""

    sentences: Sequence[Sentence]
    took_s: float


class Writing(Protocol):
    """Writes down what is said; picklable before it hears. See models/senses/speech.py."""

    @property
    def id(self) -> str:
        """Name and version."""

    def said(self, sound_N: FloatArray) -> Iterator[tuple[float, float, str]]:
        """Yield what is said in float32 [N] at 16 kHz: start and end in seconds, and the words."""


class Listener:
    """The running process.

    Args:
        writing: Writes down what is said.

    Raises:
        OSError: No process can be started.
    """

    def __init__(self, writing: Writing) -> None:
        self._connection, theirs = multiprocessing.get_context("spawn").Pipe()
        try:
            self._process = start_child("hears", _listen, theirs, writing)
        finally:
            theirs.close()

    @property
    def pid(self) -> int | None:
        """Id of the process."""
        return self._process.pid

    def hear(self, samples_N: NDArray[np.int16]) -> Heard:
        """Write down what is said in a window, int16 [N] at 16 kHz; blocks until that is done.

        Raises:
            HippocamError: Nothing can be heard here: weights cannot be fetched, or a library failed.
            EOFError: The process is gone.
        """
        try:
            self._connection.send(samples_N)
            answer: Heard | str = self._connection.recv()
        except OSError as error:
            raise EOFError from error
        if isinstance(answer, str):
            raise HippocamError(answer)
        return answer

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join(_END_S)
        with suppress(OSError):
            self._connection.close()


def _listen(connection: Connection, writing: Writing) -> None:
    os.nice(_NICE)
    with suppress(EOFError, OSError):  # nobody asks any more
        while True:
            samples_N = connection.recv()
            connection.send(_heard(writing, samples_N))


def _heard(writing: Writing, samples_N: NDArray[np.int16]) -> Heard | str:
    began_s = time.process_time()
    try:
        said = [Sentence(*each) for each in writing.said(np.divide(samples_N, 32768, dtype=np.float32))]
    except HippocamError as error:
        return str(error)
    except Exception as error:  # a network may raise anything; the cameras are not at fault
        return f"{type(error).__name__}: {error}"
    return Heard(said, time.process_time() - began_s)
