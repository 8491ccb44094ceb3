"""Thousands of hours in many memories: bytes, write rate and latency against size, and what a cluster needs.

Footage is synthetic, the store and the index are the real ones. A short stretch goes the whole way of
`Memory.write`, with pictures, and gives bytes an hour and how many frames a second one writer takes. For the
latency, memories of many hours (shards) are filled row by row without pictures, and asked together through
`Search`. Sizes that do not fit into the allowed time and disk are not run, but extrapolated.

Shapes: N entries, D numbers a vector, Q queries.
"""

from __future__ import annotations

import math
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from hippocam.apps.ask.memories import Memories
from hippocam.apps.ask.search import Search
from hippocam.apps.bench import scale
from hippocam.apps.bench.scale_report import HoursResult, Size, Written
from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.stream.records import Embedding, EncodedImages, FloatArray, Image

# Measured: 77 entries with pictures of 15.9 kB in 444 s of moving footage, at 1 frame a second with the bundled
# encoder (driveway_prius_60s, intel_car_detection, intel_one_by_one_person_detection, wanna_work_together_cc,
# openeqa_hm3d_house_tour, udacity_challenge02). A still camera makes a small part of that.
ENTRIES_AN_HOUR = 625
JPEG_BYTES = 16_000
HOURS = (10, 100, 1_000, 10_000)
SHARD_HOURS = 100
DIM = 768  # a large CLIP's, twice the bundled encoder's
_WRITTEN_HOURS = 2
_TEXT = "a person with thing17"
_ASKED = 64  # questions that are made for each memory, at most
# Share of the remaining time that a size may be expected to take; the estimate is rough.
_SHARE = 0.9


class _Asker:
    """Stands in for an encoder: returns the vector of the next question."""

    def __init__(self, dim: int) -> None:
        self.spec = scale._spec(dim)
        self.next: FloatArray = np.zeros(dim, np.float32)

    def encode_images(self, images: Sequence[Image]) -> EncodedImages:
        """Never asked for."""
        raise NotImplementedError

    def encode_texts(self, texts: Sequence[str]) -> FloatArray:
        """The next question's vector, whatever the words."""
        return np.repeat(self.next[None], len(texts), axis=0)


def run(
    hours: Sequence[int] = HOURS,
    *,
    dim: int = DIM,
    entries_an_hour: int = ENTRIES_AN_HOUR,
    shard_hours: int = SHARD_HOURS,
    seconds: float = 300.0,
    disk_bytes: float = 4e9,
    queries: int = 40,
    report: Callable[[str], None] = lambda line: None,
) -> HoursResult:
    """Write, fill and ask, size by size, as far as time and disk allow.

    Args:
        hours: Sizes, rising, 1 or more each.
        dim: Numbers a vector.
        entries_an_hour: Entries that an hour of footage makes.
        shard_hours: What one memory holds at most.
        seconds: Roughly how long all of it may take.
        disk_bytes: What the memories may take together.
        queries: Questions at each size.
        report: Called with a line of progress after each step.
    """
    start = time.monotonic()
    written = run_written(_WRITTEN_HOURS, dim, entries_an_hour)
    report(f"{written.hours:g} hours written in {written.seconds:.1f} s")
    sizes, left_out, why = list[Size](), list[int](), ""
    with tempfile.TemporaryDirectory() as folder:
        shards = _Shards(Path(folder), dim, entries_an_hour, shard_hours)
        for size in sorted(hours):
            left_s = seconds - (time.monotonic() - start)
            why = why or _too_much(size, sizes, left_s, disk_bytes)
            if why:
                left_out.append(size)
                continue
            before_s = time.monotonic()
            sizes.append(_run_size(size, shards, queries))
            report(f"{size} hours in {time.monotonic() - before_s:.0f} s")
    return HoursResult(
        dim=dim,
        entries_an_hour=entries_an_hour,
        shard_hours=shard_hours,
        written=written,
        sizes=tuple(sizes),
        left_out=tuple(left_out),
        why=why,
    )


def _too_much(hours: int, sizes: Sequence[Size], left_s: float, disk_bytes: float) -> str:
    """Return why a size is not run; "" if it is."""
    if not sizes:
        return ""
    last = sizes[-1]
    more = hours / last.hours
    needed_s = more * (last.fill_s * last.entries / max(1, last.fill_rows) + last.first_s + last.settle_s)
    if needed_s > _SHARE * left_s:
        return f"{hours:,} hours would take about {needed_s:,.0f} s more, and {max(0.0, left_s):.0f} s were left"
    if more * last.disk_bytes > disk_bytes:
        return (
            f"{hours:,} hours would take {more * last.disk_bytes / 1e9:.0f} GB of databases, and "
            f"{disk_bytes / 1e9:g} GB were allowed"
        )
    return ""


# writing ----------------------------------------------------------------------------------------------------


def run_written(hours: float, dim: int, entries_an_hour: int, *, seed: int = 0) -> Written:
    """Write a stretch of one camera, 1 frame a second, as a watch does after its encoder."""
    frames = round(3600 * hours)
    with tempfile.TemporaryDirectory() as folder:
        path, config = Path(folder) / "m", MemoryConfig(budget_bytes=10**12)
        with Memory.open_writer(path, encoder="bench", spec=scale._spec(dim), config=config) as memory:
            memory.begin("bench", uri="bench", fps=1.0)
            chunks = list(_frames(frames, dim, 3600 / entries_an_hour, seed))
            start = time.perf_counter()
            for chunk in chunks:
                memory.write(chunk)
            memory.finish("bench")
            took = time.perf_counter() - start
            (status,) = memory.streams()
            return Written(
                hours=hours,
                frames=frames,
                entries=status.entries,
                seconds=took,
                folder_bytes=memory.bytes(),
                picture_bytes=sum(p.stat().st_size for p in (path / "exemplars").iterdir()),
            )


def _frames(frames: int, dim: int, scene_s: float, seed: int) -> Iterator[list[Embedding]]:
    """Frames a second apart, in scenes of a given mean length in seconds, 8 at a time."""
    rng = np.random.default_rng(seed)
    scene, look = -1, np.zeros(dim, np.float32)
    for first in range(0, frames, 8):
        chunk = []
        for seq in range(first, min(frames, first + 8)):
            if int(seq / scene_s) != scene:
                scene, look = int(seq / scene_s), scale._unit(rng.standard_normal((1, dim), np.float32))[0]
            vector = look + np.float32(0.2 / math.sqrt(dim)) * rng.standard_normal(dim, np.float32)
            vector /= np.linalg.norm(vector)
            jpeg = rng.bytes(JPEG_BYTES)
            labels = (f"thing{scene % 1000}", "person")
            chunk.append(
                Embedding(
                    stream="bench", seq=seq, time_s=float(seq), vector=vector.astype(np.float32), labels=labels,
                    jpeg=jpeg,
                )
            )  # fmt: skip
        yield chunk


# asking -----------------------------------------------------------------------------------------------------


class _Shards:
    """Memories that are filled when they are needed, and reused for larger sizes."""

    def __init__(self, folder: Path, dim: int, entries_an_hour: int, shard_hours: int) -> None:
        self._folder, self._dim = folder, dim
        self._rate, self._shard_hours = entries_an_hour, shard_hours
        self._asked: dict[Path, tuple[FloatArray, list[float]]] = {}
        self.asker = _Asker(dim)

    def of(self, hours: int) -> tuple[list[Path], int]:
        """The memories that hold a number of hours, and how many rows were stored for that."""
        whole, rest = divmod(hours, self._shard_hours)
        wanted = [(f"shard{k:04}", self._shard_hours) for k in range(whole)]
        wanted += [(f"of{rest}", rest)] if rest else []
        rows = 0
        for k, (name, held) in enumerate(wanted):
            path = self._folder / name
            if path not in self._asked:
                path.mkdir()
                codes_ND = scale._clustered(held * self._rate, self._dim, seed=k)
                scale._fill(path, codes_ND)
                asked_QD = scale._queries(codes_ND, _ASKED, 0.9, np.random.default_rng(k))
                chosen = np.random.default_rng(k).choice(len(codes_ND), _ASKED)  # the rows that these were made of
                self._asked[path] = asked_QD, [5.0 * row for row in chosen.tolist()]
                rows += len(codes_ND)
        return [self._folder / name for name, _ in wanted], rows

    def entries(self, hours: int) -> int:
        """How many entries some hours have."""
        return hours * self._rate

    def questions(self, paths: Sequence[Path], count: int) -> Iterator[tuple[FloatArray, str, float]]:
        """Vectors with the stream and the time of the entry that each is near to, of the memories in turn."""
        for k in range(count):
            path = paths[k % len(paths)]
            asked_QD, times_s = self._asked[path]
            row = k // len(paths) % len(asked_QD)
            stream = f"{path.name}/bench/cam" if len(paths) > 1 else "bench/cam"
            yield asked_QD[row], stream, times_s[row]


def _run_size(hours: int, shards: _Shards, queries: int) -> Size:
    start = time.perf_counter()
    paths, rows = shards.of(hours)
    fill_s, before_mb = time.perf_counter() - start, scale._rss_mb()
    questions = list(shards.questions(paths, queries + 1))

    def ask(question: tuple[FloatArray, str, float]) -> tuple[float, bool]:
        shards.asker.next, stream, t0_s = question
        begun = time.perf_counter()
        (best, *_) = search.search(_TEXT, {})
        return time.perf_counter() - begun, (best.stream, best.t0_s) == (stream, t0_s)

    with closing(Memories(paths, MemoryConfig())) as memories:
        search = Search(memories, shards.asker)
        first_s, _ = ask(questions[0])
        start = time.perf_counter()
        ask(questions[0])  # from the second on large memories build their view
        for builder in [thread for thread in threading.enumerate() if thread.name == "index"]:
            builder.join()
        settle_s = time.perf_counter() - start
        asked = [ask(question) for question in questions[1:]]
        took = [1000 * seconds for seconds, _ in asked]
        return Size(
            hours=hours,
            shards=len(paths),
            entries=shards.entries(hours),
            fill_s=fill_s,
            fill_rows=rows,
            disk_bytes=sum((path / "memory.db").stat().st_size for path in paths),
            rss_mb=scale._rss_mb() - before_mb,
            first_s=first_s,
            settle_s=settle_s,
            p50_ms=float(np.percentile(took, 50)),
            p95_ms=float(np.percentile(took, 95)),
            found=float(np.mean([found for _, found in asked])),
        )
