"""Footage through simulated clusters of growing size, into one memory and into many."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import av
import numpy as np

from hippocam.apps.archive.book import ArchiveBook
from hippocam.apps.archive.ledger import LEDGER, Ledger
from hippocam.apps.archive.planning import Planner
from hippocam.apps.archive.records import ArchiveRequest
from hippocam.apps.archive.resuming import settled
from hippocam.apps.archive.setup import Setup
from hippocam.apps.archive.writer import ArchiveWriter, Taken
from hippocam.apps.bench.cluster.waiting import WaitingEncoder, read_work, waiting_writer
from hippocam.stream.archive.nodes import WorkersConfig
from hippocam.stream.archive.plan import Segment
from hippocam.stream.archive.runner import Order, run_on_ray
from hippocam.stream.archive.work_folder import WorkFolder
from hippocam.stream.archive.worker import Work
from hippocam.stream.errors import HippocamError
from hippocam.stream.ray import simulated_cluster
from hippocam.stream.sources import open_sources

# Real seconds: a core makes footage at 8.5 times real time (bench ingest), a memory takes it at 140 times.
ENCODED_X, WRITTEN_X = 8.5, 140.0
# Of the footage: a segment is one chunk of pictures, and so one wait of the encoder.
_SEGMENT_S, _RATE = 6.0, 2
_MANY = 16
_UNIT_S = 3600.0


class MeasuringBook(ArchiveBook):
    """Keeps book, begins the measurement once all workers are ready, and notes when each segment was taken.

    Attributes:
        began_s: When it began, seconds that only rise; None before.
        taken_s: When each segment was taken.
    """

    def measure(self, workers: int, write_s: float, go: Path) -> None:
        """Say what is waited for: so many workers, and so many seconds for each segment that is written."""
        self._expected, self._write_s, self._go = workers, write_s, go
        self.began_s: float | None = None
        self.taken_s: list[float] = []

    def writer_of(self, memory: str) -> Callable[[], ArchiveWriter]:
        """What makes a writer that waits."""
        made = super().writer_of(memory)
        assert isinstance(made, partial)
        return partial(waiting_writer, self._write_s, *made.args)

    def workers(self, count: int) -> None:
        """Begin once all are there."""
        super().workers(count)
        if count >= self._expected and self.began_s is None:
            self.began_s = time.monotonic()
            self._go.touch()

    def end(self, segment: Segment, taken: Taken) -> None:
        """Note when a segment was taken."""
        super().end(segment, taken)
        self.taken_s.append(time.monotonic())


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterRun:
    """One cluster.

    Attributes:
        nodes: Nodes with workers; the head has none.
        workers: Workers on all of them.
        memories: Memories that the footage goes into.
        segments: Segments that were made and taken.
        seconds: From when all workers were ready to when the last segment was taken.
        at_work: How many workers were at work, on average over that time.
        steady: The same while there was something left to hand out: without the end of the run.
    """

    nodes: int
    workers: int
    memories: int
    segments: int
    seconds: float
    at_work: float
    steady: float


def run(
    *,
    nodes: Sequence[int],
    one_memory: Sequence[int],
    workers_a_node: int = 8,
    wait_s: float = 35.0,
    rounds: int = 4,
) -> list[ClusterRun]:
    """Measure clusters.

    Args:
        nodes: Sizes at which the footage goes into many memories.
        one_memory: Sizes at which it goes into one.
        workers_a_node: Workers on each node.
        wait_s: Seconds that a segment is encoded; it is written in that much less time as is real.
        rounds: Segments for each worker.
    """
    plans = [*((count, _MANY) for count in nodes), *((count, 1) for count in one_memory)]
    found = []
    for count, memories in plans:
        with tempfile.TemporaryDirectory() as folder:
            made = _run(Path(folder), count, count * workers_a_node, memories, wait_s, rounds)
            found.append(made)
    return found


def _run(folder: Path, nodes: int, workers: int, memories: int, wait_s: float, rounds: int) -> ClusterRun:
    footage, root = folder / "footage", folder / "memories"
    segments = max(1, round(workers * rounds / _MANY))  # of each camera
    for camera in range(_MANY):
        _render(footage / f"camera{camera:02d}.mp4", camera, round(segments * _SEGMENT_S))
    root.mkdir()
    request = ArchiveRequest(
        paths=(str(footage),),
        per="all" if memories == 1 else "camera",
        encoder="palette",
        segment_s=_SEGMENT_S,
        time_from="none",
        duplicates=True,
    )
    with (
        Ledger(root / LEDGER) as ledger,
        simulated_cluster(nodes, cores=workers // nodes) as address,
    ):
        setup = Setup(settled(ledger, request, resume=False))
        planner = Planner(root, folder / "copies", ledger, setup, retry=False)
        todos = planner.plan(open_sources(setup.request.paths, setup.settings.sources))
        work_folder = WorkFolder.begin(folder / "work", {todo.footage.key for todo in todos})
        book = MeasuringBook(
            todos,
            ledger=ledger,
            work=work_folder,
            root=root,
            copies=folder / "copies",
            openings={name: setup.opening(hours) for name, hours in planner.hours.items()},
            unit_s=_UNIT_S,
            on_progress=lambda _: None,
            on_whole=lambda _: None,
            on_note=lambda _: None,
        )
        book.measure(workers, wait_s * ENCODED_X / WRITTEN_X, folder / "go")
        every = [todo.footage for todo in todos]
        work = Work(folder=work_folder, pipeline=setup.pipeline, segment_s=_SEGMENT_S)
        make = partial(WaitingEncoder, wait_s, folder / "go")
        order = Order(footage=every, work=work, make_encoder=make, book=book)
        run_on_ray(order, WorkersConfig(address=address, memory_mb=0), ahead=64)
    assert book.began_s is not None
    worked, end_s = read_work(folder / "go"), book.taken_s[-1]
    return ClusterRun(
        nodes=nodes,
        workers=workers,
        memories=memories,
        segments=sum(one.segments for one in every),
        seconds=end_s - book.began_s,
        at_work=average(worked, book.began_s, end_s),
        steady=average(worked, book.began_s, max(began_s for began_s, _ in worked)),
    )


def average(worked: Sequence[tuple[float, float]], from_s: float, to_s: float) -> float:
    """How many were at work between two times, on average.

    Args:
        worked: From and to of each piece of work.
        from_s: Begin of the time, on the same clock.
        to_s: End of it, later.
    """
    shared = (max(0.0, min(ended_s, to_s) - max(began_s, from_s)) for began_s, ended_s in worked)
    return sum(shared) / (to_s - from_s)


def _render(path: Path, seed: int, seconds: int) -> None:
    """Write a small video whose picture changes every few seconds, with a key frame every second."""
    random = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_RATE, options={"preset": "ultrafast", "g": str(_RATE)})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(seconds * _RATE):
            if index % (3 * _RATE) == 0:
                picture = random.integers(0, 256, (6, 8, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def table(runs: Sequence[ClusterRun], wait_s: float) -> str:
    """The figures as Markdown."""
    rows = [
        f"| {one.workers} on {one.nodes} | {one.memories} | {one.segments} | {one.seconds:.1f} s | "
        f"{one.at_work:.1f} | {one.steady:.1f} | {one.steady * ENCODED_X:.0f}x |"
        for one in sorted(runs, key=lambda one: (-one.memories, one.workers))
    ]
    head = (
        "| workers on nodes | memories | segments | took | at work, whole run | at work, while more was left |"
        " the same as footage |"
    )
    written_s = wait_s * ENCODED_X / WRITTEN_X
    told = (
        f"A cluster of nodes simulated on one machine with {os.cpu_count()} cores. Encoders are replaced by a wait"
        f" of {wait_s:g} s a segment, and writing takes {written_s:.2f} s a segment besides, the ratio of a core"
        f" that makes footage at {ENCODED_X:g} times real time and a memory that takes it at {WRITTEN_X:g}"
        " times. Ray, decoding, part files, memories, copies and the ledger are real, and all of them share those"
        " cores. A run begins when all workers are ready, each somewhere in its first segment, as in one that has"
        " gone on for a while. The last column is arithmetic: workers at work, times"
        f" {ENCODED_X:g}."
    )
    return "\n".join([told, "", head, "|---|---|---|---|---|---|---|", *rows])


def plot(runs: Sequence[ClusterRun], path: Path) -> None:
    """Draw workers at work against workers: while there is more to make, and over the whole run.

    Raises:
        HippocamError: matplotlib is missing.
    """
    if find_spec("matplotlib") is None:
        raise HippocamError("plots need matplotlib: pip install 'hippocam[bench]'")
    figure: Any = import_module("matplotlib.figure").Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    most = max(one.workers for one in runs)
    axes.plot([0, most], [0, most], linestyle=":", color="grey", label="every worker always at work")
    for memories, label, colour in ((_MANY, f"{_MANY} memories", "tab:blue"), (1, "one memory", "tab:orange")):
        mine = sorted((one for one in runs if one.memories == memories), key=lambda one: one.workers)
        if mine:
            workers = [one.workers for one in mine]
            axes.plot(workers, [one.steady for one in mine], "o-", color=colour, label=f"{label}, more to make")
            axes.plot(workers, [one.at_work for one in mine], "o:", color=colour, label=f"{label}, whole run")
    axes.set_xlabel("workers")
    axes.set_ylabel("workers at work")
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
