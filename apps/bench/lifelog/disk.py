"""The lifelog in a memory's folder, written and asked through `Memory`, within bytes as `du -sb` counts them.

Shapes: N sentences; Q questions; D embedding dimension.
"""

from __future__ import annotations

import heapq
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.bench.lifelog.records import ITEM_S, Observations, Stored, Told
from hippocam.apps.bench.lifelog.score import TOP, score_found
from hippocam.memory.config import MIN_BUDGET_BYTES, MemoryConfig
from hippocam.memory.folder import folder_bytes
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query
from hippocam.memory.records import Span
from hippocam.stream.records import Embedding, EncoderSpec, FloatArray, Repeat

_BATCH = 64
_RECORDING = "lifelog"


def on_disk(
    seen: Observations,
    asked_QD: FloatArray,
    asked: Told,
    spec: EncoderSpec,
    budget_bytes: int,
    *,
    item_s: float = ITEM_S,
) -> Stored | None:
    """Write a lifelog into a memory, and ask it.

    Args:
        seen: The sentences; each is shown from its start to its end, those at the same time by several streams.
        asked_QD: float32 [Q, D], the questions.
        asked: The times that they are about.
        spec: Spec of the encoder.
        budget_bytes: What the folder may take.
        item_s: Seconds between items while a sentence lasts.

    Returns:
        None where no memory is as small as that.
    """
    if budget_bytes < MIN_BUDGET_BYTES:
        return None
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "memory"
        config = MemoryConfig(budget_bytes=budget_bytes)
        start, items, size = time.process_time(), 0, 0
        with Memory.open_writer(folder, encoder="bundled", spec=spec, config=config) as writer:
            writer.begin(_RECORDING, uri="lifelog", fps=1 / item_s)
            for batch in _batches(_items(seen, item_s)):
                writer.write(batch)
                items += len(batch)
                size = max(size, folder_bytes(folder))
            writer.finish(_RECORDING, end_s=float(seen.t1_N.max()))
        spent_s = time.process_time() - start
        closed = folder_bytes(folder)
        size = max(size, closed)
        with Memory.open_reader(folder) as memory:
            entries, tables = memory.store.entries.count(), _table_bytes(memory)
            found, t0_NS, t1_NS = _ask(memory, asked_QD)
    result = score_found(found, t0_NS, t1_NS, asked, size)
    return Stored(
        score=result,
        entries=entries,
        items=items,
        write_us=1e6 * spent_s / max(items, 1),
        closed_bytes=closed,
        table_bytes=tables,
    )


def _table_bytes(memory: Memory) -> dict[str, int]:
    """What each table takes in pages, with its indexes, the largest first."""
    rows = memory.store.connection.execute(
        "SELECT s.tbl_name, sum(d.pgsize) FROM main.dbstat d JOIN main.sqlite_schema s ON s.name = d.name "
        "GROUP BY s.tbl_name ORDER BY 2 DESC"
    )
    return dict(rows.fetchall())


def _items(seen: Observations, item_s: float) -> Iterator[Embedding | Repeat]:
    """All sentences by time, each as `_shown` has it, in as many streams as there are sentences at once."""
    lanes = _lanes(seen)
    streams = [
        _shown(seen, f"{_RECORDING}/{lane}", np.flatnonzero(lanes == lane), item_s)
        for lane in range(lanes.max() + 1)
    ]
    return heapq.merge(*streams, key=lambda item: item.time_s)


def _lanes(seen: Observations) -> NDArray[np.intp]:
    """The stream that shows each sentence, [N]: the first in which none goes on, for it shows one at a time."""
    ends, lanes = list[float](), np.zeros(len(seen.t0_N), np.intp)
    for row, (t0_s, t1_s) in enumerate(zip(seen.t0_N.tolist(), seen.t1_N.tolist(), strict=True)):
        free = [lane for lane, end_s in enumerate(ends) if end_s <= t0_s]
        lanes[row] = free[0] if free else len(ends)
        ends[lanes[row] : lanes[row] + 1] = [t1_s]
    return lanes


def _shown(seen: Observations, stream: str, rows: NDArray[np.intp], item_s: float) -> Iterator[Embedding | Repeat]:
    """Some sentences, each as a frame, and repeats of it while it lasts and at its end."""
    seq, now_s = 0, -item_s
    for row in rows.tolist():
        now_s = max(float(seen.t0_N[row]), now_s + 1e-3)
        yield Embedding(stream=stream, seq=seq, time_s=now_s, vector=seen.vectors_ND[row])
        seq += 1
        while now_s + item_s < seen.t1_N[row]:
            now_s += item_s
            yield Repeat(stream=stream, seq=seq, time_s=now_s)
            seq += 1
        if now_s < seen.t1_N[row]:  # an event of one frame would be joined with the next
            now_s = float(seen.t1_N[row])
            yield Repeat(stream=stream, seq=seq, time_s=now_s)
            seq += 1


def _batches(items: Iterator[Embedding | Repeat]) -> Iterator[list[Embedding | Repeat]]:
    batch = list[Embedding | Repeat]()
    for item in items:
        batch.append(item)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _ask(memory: Memory, asked_QD: FloatArray) -> tuple[NDArray[np.intp], FloatArray, FloatArray]:
    """Ask each question.

    Returns:
        The first answers, [Q, 5], as rows of the spans; the spans' starts and ends, float64 [N, S], of which row 0
        has none: it stands for no answer.
    """
    row_of: dict[int, int] = {}
    spans: list[tuple[Span, ...]] = [()]
    found_QT = np.zeros((len(asked_QD), TOP), np.intp)
    for found_T, vector_D in zip(found_QT, asked_QD, strict=True):
        for rank, candidate in enumerate(memory.recall(Query(text="", vector=vector_D, top=TOP))[:TOP]):
            if candidate.entry.id not in row_of:
                row_of[candidate.entry.id] = len(spans)
                spans.append(candidate.spans)
            found_T[rank] = row_of[candidate.entry.id]
    t0_NS, t1_NS = (np.full((len(spans), max(1, *map(len, spans))), np.nan) for _ in range(2))
    for row, own in enumerate(spans):
        for column, span in enumerate(own):
            t0_NS[row, column], t1_NS[row, column] = span.t0_s, span.t1_s
    return found_QT, t0_NS, t1_NS
