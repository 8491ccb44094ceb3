"""How search and writing hold up at scale: a million keys, a million frames.

Keys are random unit vectors in clusters, so that each has true neighbours. Queries are rows with noise, at the
cosine at which a picture finds its like (0.9), and at those at which words find pictures (0.5, 0.3). Results are
compared with a full pass over the same rows. The stream's frames are random scenes of a few frames each, with
tiny pictures, written through `Memory.write` into a small budget.

Shapes: N rows, Q queries, D numbers a row.
"""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.config import MemoryConfig
from hippocam.memory.memory import Memory
from hippocam.memory.recall.index import KeyIndex
from hippocam.memory.recall.query import Query
from hippocam.memory.records import Event
from hippocam.memory.store.database import Store
from hippocam.stream.records import Embedding, EncoderSpec, FloatArray

COSINES = (0.9, 0.5, 0.3)
_TOP = 10
# Rows a cluster.
_CLUSTER = 50
# Length of their noise, against the centre's 1.
_SPREAD = 0.6
_STEP = 50_000
# Generated rows are held as the store holds them, in one byte a number.
_SCALE = np.float32(0.5 / 127)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """Search in an index of N rows, for queries at one cosine with their row.

    Attributes:
        view: "flat" or "ivf".
        rows: N.
        dim: D.
        cosine: Cosine of a query with the row that it was made from.
        p50_ms: Median time of a search of the ten best, without a text encoder, in ms.
        p95_ms: 95th percentile.
        recall: Share of the true ten best that were found.
        build_s: Time in which the view was built, in s.
        index_bytes: What its rows and ids take.
    """

    view: str
    rows: int
    dim: int
    cosine: float
    p50_ms: float
    p95_ms: float
    recall: float
    build_s: float
    index_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallResult:
    """Questions to a memory of N entries on disk, words and all but the text encoder.

    Attributes:
        entries: N.
        dim: D.
        first_s: The first question after opening, which fills the index, in s.
        p50_ms: Median time of a later one, in ms.
        p95_ms: 95th percentile.
        after_write_ms: Median time of one just after something was written.
        store_bytes: Bytes of the database.
    """

    entries: int
    dim: int
    first_s: float
    p50_ms: float
    p95_ms: float
    after_write_ms: float
    store_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamResult:
    """A long stream written into a small budget.

    Attributes:
        frames: How many were written.
        dim: D.
        events: Into how many events they were cut.
        entries: Entries held at the end.
        frame_us: Mean processor time a frame in each tenth of the stream, in microseconds.
        rss_mb: Resident memory at the start, the end of the warm-up, and the end.
        slope_mb: Growth of the resident memory after the warm-up, in MB per 100,000 frames (least squares).
        slope_error_mb: Its standard error.
        budget_bytes: What the folder may take.
        most_bytes: The most that it took, by its files' sizes as `du -sb` counts them.
    """

    frames: int
    dim: int
    events: int
    entries: int
    frame_us: tuple[float, ...]
    rss_mb: tuple[float, float, float]
    slope_mb: float
    slope_error_mb: float
    budget_bytes: int
    most_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleResult:
    """The results of all measurements."""

    search: tuple[SearchResult, ...]
    recall: tuple[RecallResult, ...]
    stream: tuple[StreamResult, ...]


def run(
    *,
    rows: int = 1_000_000,
    dims: Sequence[int] = (512, 64),
    entries: int = 100_000,
    frames: int = 1_000_000,
    queries: int = 200,
) -> ScaleResult:
    """Measure everything; a million rows of 512 take about 4 GB of memory and some minutes."""
    return ScaleResult(
        search=tuple(result for dim in dims if rows for result in run_search(rows, dim, queries=queries)),
        recall=(run_recall(entries, dims[0], queries=queries),) if entries else (),
        stream=(run_stream(frames),) if frames else (),
    )


# search -----------------------------------------------------------------------------------------------------


def run_search(rows: int, dim: int, *, queries: int = 200, seed: int = 0) -> Iterator[SearchResult]:
    """Search in the flat view, then in the large memory's view where there is one."""
    codes_ND = _clustered(rows, dim, seed)
    rng = np.random.default_rng(seed + 1)
    asked = {cosine: _queries(codes_ND, queries, cosine, rng) for cosine in COSINES}
    truth = {cosine: _true_best(codes_ND, asked_QD) for cosine, asked_QD in asked.items()}
    index = KeyIndex(dim, lambda numbers: codes_ND[np.asarray(numbers)] * _SCALE)
    start = time.perf_counter()
    for first in range(0, rows, _STEP):
        last = min(rows, first + _STEP)
        index.add(range(first, last), codes_ND[first:last] * _SCALE)
    yield from _search(index, asked, truth, time.perf_counter() - start)
    if index.due():
        start = time.perf_counter()
        index.rebuild(wait=True)
        yield from _search(index, asked, truth, time.perf_counter() - start)


def _search(
    index: KeyIndex, asked: dict[float, FloatArray], truth: dict[float, NDArray[np.int64]], build_s: float
) -> Iterator[SearchResult]:
    for cosine, asked_QD in asked.items():
        times, hits = [], 0
        for query, best in zip(asked_QD, truth[cosine], strict=True):
            start = time.perf_counter()
            found = index.search(query, _TOP)
            times.append(1000 * (time.perf_counter() - start))
            hits += len({entry_id for entry_id, _ in found} & set(best.tolist()))
        yield SearchResult(
            view="flat" if index.exact else "ivf",
            rows=len(index),
            dim=index.dim,
            cosine=cosine,
            p50_ms=float(np.percentile(times, 50)),
            p95_ms=float(np.percentile(times, 95)),
            recall=hits / (_TOP * len(asked_QD)),
            build_s=build_s,
            index_bytes=index.bytes,
        )


def _clustered(rows: int, dim: int, seed: int) -> NDArray[np.int8]:
    """Unit vectors in clusters, int8 [N, D], in shuffled order of their clusters."""
    rng = np.random.default_rng(seed)
    centres = _unit(rng.standard_normal((max(1, rows // _CLUSTER), dim), np.float32))
    cluster = rng.permutation(rows) % len(centres)
    codes = np.empty((rows, dim), np.int8)
    for first in range(0, rows, _STEP):
        noise = rng.standard_normal((min(_STEP, rows - first), dim), np.float32)
        vectors = _unit(centres[cluster[first : first + _STEP]] + np.float32(_SPREAD / math.sqrt(dim)) * noise)
        codes[first : first + _STEP] = np.clip(np.rint(vectors / _SCALE), -127, 127).astype(np.int8)
    return codes


def _queries(codes_ND: NDArray[np.int8], count: int, cosine: float, rng: np.random.Generator) -> FloatArray:
    rows = _unit(codes_ND[rng.choice(len(codes_ND), count)].astype(np.float32))
    noise = rng.standard_normal(rows.shape, np.float32)
    noise = _unit(noise - (noise * rows).sum(axis=1, keepdims=True) * rows)
    turned: FloatArray = (cosine * rows + math.sqrt(1 - cosine**2) * noise).astype(np.float32)
    return turned


def _true_best(codes_ND: NDArray[np.int8], asked_QD: FloatArray) -> NDArray[np.int64]:
    """Indices of the ten rows of greatest inner product with each query, int64 [Q, 10], by brute force."""
    best = np.full((len(asked_QD), _TOP), -np.inf, np.float32)
    indices = np.full((len(asked_QD), _TOP), -1, np.int64)
    for first in range(0, len(codes_ND), _STEP):
        step = codes_ND[first : first + _STEP]
        scores = np.concatenate([best, asked_QD @ (step.astype(np.float32) * _SCALE).T], axis=1)
        here = np.broadcast_to(np.arange(first, first + len(step)), (len(asked_QD), len(step)))
        every = np.concatenate([indices, here], axis=1)
        top = np.argpartition(-scores, _TOP - 1, axis=1)[:, :_TOP]
        best, indices = np.take_along_axis(scores, top, axis=1), np.take_along_axis(every, top, axis=1)
    return indices


def _unit(rows_ND: FloatArray) -> FloatArray:
    rows: FloatArray = (rows_ND / np.linalg.norm(rows_ND, axis=1, keepdims=True)).astype(np.float32)
    return rows


# recall -----------------------------------------------------------------------------------------------------


def run_recall(entries: int, dim: int, *, queries: int = 200, seed: int = 0) -> RecallResult:
    """Ask a memory of many entries, right after opening it and when it has been open for a while."""
    codes_ND = _clustered(entries, dim, seed)
    asked_QD = _queries(codes_ND, queries, COSINES[1], np.random.default_rng(seed + 1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        _fill(path, codes_ND)
        with Memory.open_reader(path) as memory:
            start = time.perf_counter()
            memory.recall(_question(asked_QD[0]))
            first_s = time.perf_counter() - start
            times = [_timed_ms(memory, query) for query in asked_QD]
            store = Store(path / "memory.db", writable=True)
            after = []
            for k, query in enumerate(asked_QD[:50]):
                with store.transaction():
                    entry_id = store.entries.insert(_event(entries + k, codes_ND[k] * _SCALE))
                    store.journal.add("bench/cam", 0.0, "kept", entry_id, None, "{}", keep=10**9)
                after.append(_timed_ms(memory, query))
            store.close()
        return RecallResult(
            entries=entries,
            dim=dim,
            first_s=first_s,
            p50_ms=float(np.percentile(times, 50)),
            p95_ms=float(np.percentile(times, 95)),
            after_write_ms=float(np.median(after)),
            store_bytes=(path / "memory.db").stat().st_size,
        )


def _fill(path: Path, codes_ND: NDArray[np.int8]) -> None:
    store = Store(path / "memory.db", writable=True)
    with store.transaction():
        store.meta.set_encoder("bench", _spec(codes_ND.shape[1]))
        store.streams.add("bench/cam", "bench", "bench", "", None)
    for first in range(0, len(codes_ND), _STEP // 10):
        with store.transaction():
            for k in range(first, min(len(codes_ND), first + _STEP // 10)):
                entry_id = store.entries.insert(_event(k, codes_ND[k] * _SCALE))
                store.journal.add("bench/cam", 5.0 * k, "kept", entry_id, None, "{}", keep=10**9)
    store.close()


def _event(k: int, vector_D: FloatArray) -> Event:
    t0_s = 5.0 * k
    labels = (f"thing{k % 1000}", "person")
    return Event(
        stream="bench/cam",
        first_seq=5 * k,
        last_seq=5 * k + 4,
        t0_s=t0_s,
        t1_s=t0_s + 5,
        known_s=t0_s + 4,
        key=vector_D,
        scene=vector_D,
        surprise=0.5,
        utility=1.0,
        frame_s=t0_s,
        jpeg=b"",
        labels=labels,
    )


def _question(vector_D: FloatArray) -> Query:
    return Query(text="a person with thing17", vector=vector_D)


def _timed_ms(memory: Memory, vector_D: FloatArray) -> float:
    start = time.perf_counter()
    memory.recall(_question(vector_D))
    return 1000 * (time.perf_counter() - start)


def _spec(dim: int) -> EncoderSpec:
    return EncoderSpec(id=f"bench-{dim}:1", dim=dim, normalised=True, midpoint=0.5, slope=20.0)


# stream -----------------------------------------------------------------------------------------------------


def run_stream(
    frames: int = 1_000_000, dim: int = 64, *, budget_bytes: int = 4_000_000, seed: int = 0
) -> StreamResult:
    """Write a long stream, measuring processor time, resident memory and bytes on disk on the way."""
    step, samples, most_bytes = max(100, frames // 200), list[tuple[int, float]](), 0
    spent = np.zeros(10)
    with tempfile.TemporaryDirectory() as folder:
        config = MemoryConfig(budget_bytes=budget_bytes)
        path = Path(folder) / "m"
        with Memory.open_writer(path, encoder="bench", spec=_spec(dim), config=config) as memory:
            memory.begin("bench", uri="bench")
            before_mb = _rss_mb()
            for first, chunk in _frames(frames, dim, step, seed):
                start = time.process_time()
                memory.write(chunk)
                spent[min(9, 10 * first // frames)] += time.process_time() - start
                samples.append((first + len(chunk), _rss_mb()))
                most_bytes = max(most_bytes, memory.bytes())
            memory.finish("bench")
            most_bytes = max(most_bytes, memory.bytes())
            (status,) = memory.streams()
    warm = [(frame, mb) for frame, mb in samples if frame >= frames // 5]
    slope, error = _slope(warm)
    return StreamResult(
        frames=frames,
        dim=dim,
        events=status.events,
        entries=status.entries,
        frame_us=tuple(float(us) for us in 1e6 * spent / (frames / 10)),
        rss_mb=(before_mb, warm[0][1], warm[-1][1]),
        slope_mb=1e5 * slope,
        slope_error_mb=1e5 * error,
        budget_bytes=budget_bytes,
        most_bytes=most_bytes,
    )


def _frames(frames: int, dim: int, step: int, seed: int) -> Iterator[tuple[int, list[Embedding]]]:
    """Frames in chunks: scenes of 8 to 10 frames, one in four of them seen before."""
    rng = np.random.default_rng(seed)
    known = _unit(rng.standard_normal((64, dim), np.float32))
    look, left = known[0], 0
    for first in range(0, frames, step):
        chunk = []
        noise = np.float32(0.2 / math.sqrt(dim)) * rng.standard_normal((step, dim), np.float32)
        for k in range(min(step, frames - first)):
            if not left:
                left = int(rng.integers(8, 11))
                new = rng.standard_normal((1, dim), np.float32)
                look = known[rng.integers(64)] if rng.random() < 0.25 else _unit(new)[0]
            left -= 1
            vector = look + noise[k]
            seq = first + k
            chunk.append(
                Embedding(
                    stream="bench",
                    seq=seq,
                    time_s=float(seq),
                    vector=(vector / np.linalg.norm(vector)).astype(np.float32),
                    labels=(f"thing{seq % 97}",),
                    jpeg=rng.bytes(500),
                )
            )
        yield first, chunk


def _slope(samples: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Slope of a least-squares line and its standard error."""
    x, y = np.asarray(samples, np.float64).T
    x = x - x.mean()
    spread = float((x**2).sum())
    if len(x) < 3 or spread == 0:
        return math.nan, math.nan
    slope = float((x * y).sum()) / spread
    left = y - y.mean() - slope * x
    return slope, math.sqrt(float((left**2).sum()) / (len(x) - 2) / spread)


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


# report -----------------------------------------------------------------------------------------------------


def table(result: ScaleResult) -> str:
    """The result as Markdown."""
    lines = list[str]()
    if result.search:
        lines += [
            "Search of the ten best among random unit vectors in clusters of 50, without a text encoder; recall "
            "against a full pass over the same rows. A query is a row turned away to the cosine given: noise in "
            "all directions, which is harder than real words are.",
            "",
            "| rows | D | view | cosine | p50 ms | p95 ms | recall@10 | built in s | MB |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {r.rows:,} | {r.dim} | {r.view} | {r.cosine} | {r.p50_ms:.1f} | {r.p95_ms:.1f} | {r.recall:.3f} "
            f"| {r.build_s:.0f} | {r.index_bytes / 1e6:.0f} |"
            for r in result.search
        ]
        lines.append("")
    for q in result.recall:
        lines += [
            f"A memory of {q.entries:,} entries (D = {q.dim}, {q.store_bytes / 1e6:.0f} MB): the first question "
            f"after opening takes {q.first_s:.1f} s, a later one {q.p50_ms:.1f} ms (p95 {q.p95_ms:.1f} ms), one "
            f"just after a write {q.after_write_ms:.1f} ms; full text included, the text encoder not.",
            "",
        ]
    for s in result.stream:
        lines += [
            f"A stream of {s.frames:,} frames (D = {s.dim}, {s.events:,} events) into "
            f"{s.budget_bytes / 1e6:g} MB: "
            f"at most {s.most_bytes:,} bytes on disk; processor time a frame by tenths of the stream "
            f"{', '.join(f'{us:.0f}' for us in s.frame_us)} us (last by second: "
            f"{s.frame_us[-1] / max(s.frame_us[1], 1e-9):.2f}; the bank fills in the first); "
            f"resident memory {s.rss_mb[1]:.0f} MB after the warm-up and {s.rss_mb[2]:.0f} MB at the end, "
            f"{s.slope_mb:+.2f} MB (standard error {s.slope_error_mb:.2f}) per 100,000 frames.",
            "",
        ]
    return "\n".join(lines).strip()
