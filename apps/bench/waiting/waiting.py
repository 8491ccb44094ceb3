"""How long `Memory.write` and `Memory.recall` wait beside each other, in a memory whose budget is full.

The stream is that of `scale`. It fills the memory as fast as it can; then frames come at a camera's rate, and
questions from another thread of the same process. Processor time is told beside the clock's, since the disk and
other work on the machine are in the latter.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hippocam.apps.bench.scale import _frames, _spec
from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory, MemoryWriter
from hippocam.memory.recall.query import Query
from hippocam.stream.records import Embedding, FloatArray

# Questions a second.
_ASKED = 4.0
# Frames that are generated at a time.
_STEP = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Milliseconds that calls took: median, 99th percentile, longest."""

    p50_ms: float
    p99_ms: float
    max_ms: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Times:
        """Times of some calls, in seconds."""
        p50, p99, most = np.percentile(1000 * np.asarray(seconds), [50, 99, 100]).tolist()
        return cls(p50_ms=p50, p99_ms=p99, max_ms=most)

    def __str__(self) -> str:
        return f"{self.p50_ms:.2f} | {self.p99_ms:.1f} | {self.max_ms:.0f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingResult:
    """What was measured.

    Attributes:
        dim: Length D of a vector.
        budget_bytes: What the folder may take.
        entries: Entries held at the end.
        frames: Frames that were written at a camera's rate.
        fps: That rate, frames a second.
        write: Times of a write by the clock.
        write_cpu: Processor time of the thread that wrote.
        recall_alone: Times of a question while nothing is written.
        recall: Times of a question beside the writer, by the clock.
        questions: How many were asked beside it.
    """

    dim: int
    budget_bytes: int
    entries: int
    frames: int
    fps: float
    write: Times
    write_cpu: Times
    recall_alone: Times
    recall: Times
    questions: int


def run(
    *, fill: int = 40_000, seconds: float = 60.0, fps: float = 30.0, dim: int = 64, budget_bytes: int = 2_000_000
) -> WaitingResult:
    """Fill a memory with so many frames, then write at `fps` for so many seconds while it is asked."""
    frames = int(seconds * fps)
    with tempfile.TemporaryDirectory() as folder:
        config = MemoryConfig(budget_bytes=budget_bytes)
        with Memory.open_writer(Path(folder) / "m", encoder="bench", spec=_spec(dim), config=config) as memory:
            memory.begin("bench", uri="bench")
            stream = _every(fill + frames, dim)
            for _, frame in zip(range(fill), stream, strict=False):
                memory.write([frame])
            alone = [_ask(memory, asked_D) for asked_D in _questions(dim)]
            beside = beside_questions(memory, stream, dim=dim, fps=fps)
            (status,) = memory.streams()
    return WaitingResult(
        dim=dim,
        budget_bytes=budget_bytes,
        entries=status.entries,
        frames=len(beside.writes_s),
        fps=fps,
        write=Times.of(beside.writes_s),
        write_cpu=Times.of(beside.writes_cpu_s),
        recall_alone=Times.of(alone[1:]),  # the first fills the index
        recall=Times.of(beside.questions_s),
        questions=len(beside.questions_s),
    )


class Beside(NamedTuple):
    """Seconds that calls took beside each other: writes by the clock and of processor time, questions."""

    writes_s: list[float]
    writes_cpu_s: list[float]
    questions_s: list[float]


def beside_questions(memory: MemoryWriter, stream: Iterator[Embedding], *, dim: int, fps: float) -> Beside:
    """Write a stream's frames one by one at a rate, while another thread asks."""
    over, took = threading.Event(), list[float]()
    asker = threading.Thread(target=_ask_on, args=(memory, _questions(dim), over, took))
    asker.start()
    wall, cpu = _write_at(memory, stream, fps)
    over.set()
    asker.join()
    return Beside(wall, cpu, took)


def _questions(dim: int) -> FloatArray:
    questions: FloatArray = np.random.default_rng(1).standard_normal((64, dim)).astype(np.float32)
    return questions


def _every(frames: int, dim: int) -> Iterator[Embedding]:
    for _, chunk in _frames(frames, dim, _STEP, 0):
        yield from chunk


def _write_at(memory: MemoryWriter, stream: Iterator[Embedding], fps: float) -> tuple[list[float], list[float]]:
    """Write the rest of a stream at a rate; seconds of each write by the clock, and of processor time."""
    wall, cpu = list[float](), list[float]()
    due = time.perf_counter()
    for frame in stream:
        due += 1 / fps
        time.sleep(max(0.0, due - time.perf_counter()))
        start, spent = time.perf_counter(), time.thread_time()
        memory.write([frame])
        cpu.append(time.thread_time() - spent)
        wall.append(time.perf_counter() - start)
    return wall, cpu


def _ask(memory: Memory, asked_D: FloatArray) -> float:
    start = time.perf_counter()
    memory.recall(Query(text="a person with thing17", vector=asked_D))
    return time.perf_counter() - start


def _ask_on(memory: Memory, asked_QD: FloatArray, over: threading.Event, took: list[float]) -> None:
    """Ask until it is over, at a steady rate, at least once."""
    while not took or not over.wait(1 / _ASKED):
        took.append(_ask(memory, asked_QD[len(took) % len(asked_QD)]))


def table(result: WaitingResult) -> str:
    """The result as Markdown."""
    r = result
    return "\n".join(
        [
            f"Frames at {r.fps:g} a second into a full memory of {r.budget_bytes / 1e6:g} MB (D = {r.dim}, "
            f"{r.entries:,} entries), {r.frames:,} writes, and {r.questions:,} questions meanwhile from another "
            "thread, without the text encoder:",
            "",
            "| | p50 ms | p99 ms | max ms |",
            "|---|---|---|---|",
            f"| write, by the clock | {r.write} |",
            f"| write, processor time | {r.write_cpu} |",
            f"| recall while nothing is written | {r.recall_alone} |",
            f"| recall beside the writer, by the clock | {r.recall} |",
        ]
    )
