"""The table of runs in which streams were looked at; bounded, coarser where room is short."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hippocam.memory.asof.coverage import Coverage, Run, coarser, without
from hippocam.memory.store.schema import COVERAGE_OF_OLDER

# Share of the rows that is given up at once where there are too many, so that it is not done for every event.
_AHEAD = 0.1


class Look(NamedTuple):
    """Frames of a stream that were looked at without a gap.

    Attributes:
        t0_s: The first of them.
        t1_s: The end of the last one.
        looks: How many.
    """

    t0_s: float
    t1_s: float
    looks: int


class CoverageTable:
    """Reads and writes when streams were looked at; made by `Store`, in whose transactions it works."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._by: dict[str, tuple[str, ...]] = {}

    def looked_at_by(self, stream: str, by: Sequence[str]) -> None:
        """Say which encoder and senses look at a stream from now on, in this process."""
        self._by[stream] = tuple(by)

    def add(self, stream: str, looks: Iterable[Look], *, most: int) -> None:
        """Note that a stream was looked at, after all that was noted of it.

        Args:
            stream: Which stream.
            looks: When, in order.
            most: Rows that all streams may take together; there is one of each stream at least.
        """
        by, last, changed = self._by.get(stream, ()), self._last(stream), False
        for look in looks:
            new = Run(stream, look.t0_s, look.t1_s, look.t1_s - look.t0_s, look.looks, by)
            if last is not None and last.goes_on(new):
                last, changed = last.joined(new), True
                continue
            if last is not None and changed:
                self._prolong(last)
            self._put([new])
            self._keep_within(most)
            last, changed = self._last(stream), False  # for want of room it may be joined to others by now
        if last is not None and changed:
            self._prolong(last)

    def _last(self, stream: str) -> Run | None:
        row = self._db.execute(
            "SELECT stream, t0_s, t1_s, looked_s, looks, looked_by FROM coverage WHERE stream = ? "
            "ORDER BY t0_s DESC LIMIT 1",
            (stream,),
        ).fetchone()
        return None if row is None else _run(*row)

    def _prolong(self, run: Run) -> None:
        self._db.execute(
            "UPDATE coverage SET t1_s = ?, looked_s = ?, looks = ? WHERE stream = ? AND t0_s = ?",
            (run.t1_s, run.looked_s, run.looks, run.stream, run.t0_s),
        )

    def take_in(self, run: Run, *, most: int) -> bool:
        """Write a run of another memory; False where it is held already.

        Args:
            run: When its stream was looked at.
            most: As for `add`.
        """
        if any(own.t0_s <= run.t0_s and run.t1_s <= own.t1_s for own in self._read(run.stream)):
            return False
        self._put([run])
        self._keep_within(most)
        return True

    def of(self, stream: str) -> Coverage:
        """When a stream was looked at."""
        return Coverage(stream=stream, runs=tuple(self._read(stream)))

    def every(self) -> dict[str, Coverage]:
        """When each stream was looked at, by its name."""
        runs = dict[str, list[Run]]()
        for run in self._read(None):
            runs.setdefault(run.stream, []).append(run)
        return {stream: Coverage(stream=stream, runs=tuple(own)) for stream, own in runs.items()}

    def delete_within(self, stream: str, t0_s: float = -math.inf, t1_s: float = math.inf) -> None:
        """Delete that a stream was looked at in a stretch of time, as if nobody had."""
        before = self._read(stream)
        after = without(before, t0_s, t1_s)
        if after != before:
            self._db.execute("DELETE FROM coverage WHERE stream = ?", (stream,))
            self._put(after)

    def _keep_within(self, most: int) -> None:
        (count,) = self._db.execute("SELECT count(*) FROM coverage").fetchone()
        if count <= most:
            return
        runs = self._read(None)
        left = coarser(runs, int(most * (1 - _AHEAD)))
        changed = {run.stream for run in set(runs) ^ set(left)}
        self._db.executemany("DELETE FROM coverage WHERE stream = ?", [(stream,) for stream in changed])
        self._put(run for run in left if run.stream in changed)

    def _put(self, runs: Iterable[Run]) -> None:
        self._db.executemany(
            "INSERT INTO coverage (stream, t0_s, t1_s, looked_s, looks, looked_by) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET t1_s = max(t1_s, excluded.t1_s), looks = looks + excluded.looks, "
            "looked_s = max(looked_s, excluded.looked_s)",
            [(*run[:5], json.dumps(run.by)) for run in runs],
        )

    def _read(self, stream: str | None) -> list[Run]:
        there = self._db.execute("SELECT 1 FROM main.sqlite_schema WHERE name = 'coverage'").fetchone()
        source = "coverage" if there else f"({COVERAGE_OF_OLDER})"
        rows = self._db.execute(
            f"SELECT stream, t0_s, t1_s, looked_s, looks, looked_by FROM {source} "
            "WHERE ?1 IS NULL OR stream = ?1 ORDER BY stream, t0_s",
            (stream,),
        )
        return [_run(*row) for row in rows]


def _run(stream: str, t0_s: float, t1_s: float, looked_s: float, looks: int, by: str) -> Run:
    return Run(stream, t0_s, t1_s, looked_s, looks, tuple(json.loads(by)))
