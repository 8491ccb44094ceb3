"""The table of probes: what is kept to ask the memory with, and where the answer is."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hippocam.memory.codec import pack, unpack
from hippocam.memory.store.schema import OVERLAPS
from hippocam.stream.records import FloatArray

Times = Sequence[tuple[float, float]]


class Probe(NamedTuple):
    """Something to ask, and where its answer is.

    Attributes:
        kind: "view" that was held out of an event's key, "question" that somebody asked, "drawn" (sleep/views.py).
        stream: Stream in which the answer is.
        times: Start and end of each stretch that answers it.
        vector_D: float32 [D], of length 1.
        found: What was found when it was first asked, as the bits of sleep.replay.FIRST; None where it never was.
        id: In the store; None for a drawn one.
    """

    kind: str
    stream: str
    times: Times
    vector_D: FloatArray
    found: int | None = None
    id: int | None = None


class ProbeTable:
    """Reads and writes probes; made by `Store`, in whose transactions it works."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, kind: str, stream: str, t0_s: float, t1_s: float, vector_D: FloatArray, *, keep: int) -> None:
        """Keep a probe. Once there are more than `keep` of a kind, every second one is deleted."""
        self._db.execute(
            "INSERT INTO probe (kind, stream, t0_s, t1_s, vector) VALUES (?, ?, ?, ?, ?)",
            (kind, stream, t0_s, t1_s, pack(vector_D)),
        )
        (count,) = self._db.execute("SELECT count(*) FROM probe WHERE kind = ?", (kind,)).fetchone()
        if count > keep:
            self._db.execute(
                "DELETE FROM probe WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n "
                "FROM probe WHERE kind = ?) WHERE n % 2 = 0)",
                (kind,),
            )

    def every(self) -> list[Probe]:
        """All probes, the oldest first."""
        rows = self._db.execute("SELECT kind, stream, t0_s, t1_s, vector, found, id FROM probe ORDER BY id")
        return [
            Probe(kind, stream, ((t0_s, t1_s),), unpack(vector), found, probe_id)
            for kind, stream, t0_s, t1_s, vector, found, probe_id in rows
        ]

    def set_found(self, found: Mapping[int, int]) -> None:
        """Keep what probes found when they were first asked, by their ids."""
        self._db.executemany(
            "UPDATE probe SET found = ? WHERE id = ? AND found IS NULL",
            [(bits, probe_id) for probe_id, bits in found.items()],
        )

    def delete_within(self, stream: str, t0_s: float, t1_s: float) -> None:
        """Delete the probes of a stream whose answers overlap a stretch of time."""
        self._db.execute(f"DELETE FROM probe WHERE {OVERLAPS}", {"stream": stream, "t0": t0_s, "t1": t1_s})
