"""Days of one camera at a frame a second, replayed through `Memory.write` into one memory without pictures.

The stream is that of `bench scale`: random scenes of 8 to 10 frames, one in four of them seen before. It is
replayed a piece at a time, as an archive is, while processor time, resident memory and bytes are measured. Then
frames come one at a time, at a camera's rate, while another thread asks. In the end the memory is closed and
opened again.

Shapes: D numbers a vector.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hippocam.apps.bench.scale import _frames, _rss_mb, _spec
from hippocam.apps.bench.waiting.waiting import Times, beside_questions
from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory, MemoryWriter
from hippocam.stream.records import Embedding

DAY_FRAMES = 86_400
# Frames that are written in one call.
_PIECE = 500
# Parts of the replay that are told apart.
_PARTS = 10
# Frames a second that come beside questions.
_FPS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A tenth of the replay.

    Attributes:
        frames: Frames that were written by its end, since the beginning.
        entries: Entries that are held then.
        frame_us: Processor time of a frame in it, all threads of the writer, in microseconds.
        frame_wall_us: The same by the clock.
        rss_mb: Resident memory at its end.
        bytes: What the folder takes at its end.
    """

    frames: int
    entries: int
    frame_us: float
    frame_wall_us: float
    rss_mb: float
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class YearResult:
    """What was measured.

    Attributes:
        days: How many days were replayed.
        numbers: D.
        budget_bytes: What the folder may take.
        frames: Frames of the replay.
        events: Into how many events they were cut.
        frame_us: Processor time of a frame, in microseconds.
        year_hours: Hours of processor time that a year takes at that.
        parts: By tenths of the replay.
        write: Times of a write of one frame beside questions, by the clock.
        recall: Times of a question beside these, by the clock, without a text encoder.
        recall_p95_ms: 95th percentile of these.
        open_s: Time to open the memory for writing once it was closed, by the clock, in s.
        open_cpu_s: Processor time of that.
    """

    days: float
    numbers: int
    budget_bytes: int
    frames: int
    events: int
    frame_us: float
    year_hours: float
    parts: tuple[Part, ...]
    write: Times
    recall: Times
    recall_p95_ms: float
    open_s: float
    open_cpu_s: float


def run(
    days: float,
    *,
    numbers: int = 64,
    budget_bytes: int = 1_000_000_000,
    seconds: float = 60.0,
    report: Callable[[str], None] = lambda line: None,
) -> YearResult:
    """Replay days into a new memory, then write and ask side by side for some seconds, and open it again."""
    frames = max(_PARTS * _PIECE, int(days * DAY_FRAMES))
    more = int(seconds * _FPS)
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "m"
        pieces = _pieces(frames + more, numbers)
        with _writer(folder, numbers, budget_bytes) as memory:
            memory.begin("bench", uri="bench")
            parts = []
            for part in _replay(memory, pieces, frames):
                report(f"{part.frames:,} frames, {part.frame_us:.0f} us a frame, {part.rss_mb:.0f} MB")
                parts.append(part)
            (status,) = memory.streams()
            rest = (frame for piece in pieces for frame in piece)
            beside = beside_questions(memory, rest, dim=numbers, fps=_FPS)
        start, spent = time.perf_counter(), time.process_time()
        with _writer(folder, numbers, budget_bytes):
            open_s, open_cpu_s = time.perf_counter() - start, time.process_time() - spent
    frame_us = float(np.mean([part.frame_us for part in parts]))
    return YearResult(
        days=frames / DAY_FRAMES,
        numbers=numbers,
        budget_bytes=budget_bytes,
        frames=frames,
        events=status.events,
        frame_us=frame_us,
        year_hours=365 * DAY_FRAMES * frame_us / 3.6e9,
        parts=tuple(parts),
        write=Times.of(beside.writes_s),
        recall=Times.of(beside.questions_s),
        recall_p95_ms=float(np.percentile(beside.questions_s, 95)) * 1000,
        open_s=open_s,
        open_cpu_s=open_cpu_s,
    )


def _writer(folder: Path, numbers: int, budget_bytes: int) -> MemoryWriter:
    config = MemoryConfig(budget_bytes=budget_bytes)
    return Memory.open_writer(folder, encoder="bench", spec=_spec(numbers), config=config)


def _pieces(frames: int, numbers: int) -> Iterator[list[Embedding]]:
    """The stream, a piece at a time, without its pictures."""
    for _, piece in _frames(frames, numbers, _PIECE, 0):
        yield [replace(frame, jpeg=b"") for frame in piece]


def _replay(memory: MemoryWriter, pieces: Iterator[list[Embedding]], frames: int) -> Iterator[Part]:
    written, begun, spent_s, wall_s = 0, 0, 0.0, 0.0
    for share in range(1, _PARTS + 1):
        while written < frames * share // _PARTS:
            piece = next(pieces)
            start, cpu = time.perf_counter(), time.process_time()
            memory.write(piece)
            wall_s += time.perf_counter() - start
            spent_s += time.process_time() - cpu
            written += len(piece)
        yield Part(
            frames=written,
            entries=len(memory.longterm.bank),
            frame_us=1e6 * spent_s / (written - begun),
            frame_wall_us=1e6 * wall_s / (written - begun),
            rss_mb=_rss_mb(),
            bytes=memory.bytes(),
        )
        begun, spent_s, wall_s = written, 0.0, 0.0


def table(result: YearResult) -> str:
    """The result as Markdown."""
    r = result
    lines = [
        f"{r.frames:,} frames ({r.days:.1f} days at one a second, D = {r.numbers}, {r.events:,} events) into "
        f"{r.budget_bytes / 1e6:g} MB without pictures: {r.frame_us:.0f} us of processor time a frame, so that a "
        f"year takes {r.year_hours:.1f} hours of it.",
        "",
        "| frames | entries | us a frame | by the clock | resident MB | MB on disk |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {p.frames:,} | {p.entries:,} | {p.frame_us:.0f} | {p.frame_wall_us:.0f} | {p.rss_mb:.0f} "
        f"| {p.bytes / 1e6:.0f} |"
        for p in r.parts
    ]
    lines += [
        "",
        f"After that, frames one at a time at {_FPS:g} a second, with questions from another thread:",
        "",
        "| | p50 ms | p99 ms | max ms |",
        "|---|---|---|---|",
        f"| write | {r.write} |",
        f"| recall (p95 {r.recall_p95_ms:.1f} ms) | {r.recall} |",
        "",
        f"Opened again for writing in {r.open_s:.1f} s by the clock, {r.open_cpu_s:.1f} s of processor time.",
    ]
    return "\n".join(lines)
