"""The vectors of things' own pictures, of all visits that have one, as one matrix that is read once.

There are few of them: the budget of entities bounds them to some thousands, so they are compared one and all.

Shapes: N portraits, D embedding dimension.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np

from hippocam.memory.codec import unpack_many
from hippocam.stream.records import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class PortraitKey:
    """Whose a portrait is, and when.

    Attributes:
        visit_id: The visit.
        stream: Its stream.
        t0_s: Start of the visit.
        t1_s: End of the visit.
        known_s: From when on the portrait, and that the visit is one, are known.
    """

    visit_id: int
    stream: str
    t0_s: float
    t1_s: float
    known_s: float


class PortraitTable:
    """Reads portraits; made by `Store`, in whose transactions it works."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._version: tuple[int, int] | None = None
        self._held: tuple[tuple[PortraitKey, ...], FloatArray] = ((), np.zeros((0, 0), np.float32))

    def every(self) -> tuple[tuple[PortraitKey, ...], FloatArray]:
        """All portraits as they are now: whose they are, and float32 [N, D]; none in an older format."""
        (others,) = self._db.execute("PRAGMA data_version").fetchone()
        version = int(others), self._db.total_changes
        if version != self._version:
            self._held, self._version = self._read(), version
        return self._held

    def _read(self) -> tuple[tuple[PortraitKey, ...], FloatArray]:
        if all(name != "portrait" for _, name, *_ in self._db.execute("PRAGMA main.table_info(visit)")):
            return (), np.zeros((0, 0), np.float32)
        rows = self._db.execute(
            "SELECT id, stream, t0_s, t1_s, max(known_s, coalesce(portrait_s, known_s)), portrait FROM visit "
            "WHERE portrait IS NOT NULL ORDER BY id"
        ).fetchall()
        keys = tuple(
            PortraitKey(visit_id=visit_id, stream=stream, t0_s=t0_s, t1_s=t1_s, known_s=known_s)
            for visit_id, stream, t0_s, t1_s, known_s, _ in rows
        )
        return keys, unpack_many([row[-1] for row in rows]) if rows else np.zeros((0, 0), np.float32)
