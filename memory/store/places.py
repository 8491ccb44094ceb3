"""The table of places: what each place of the streams under way looks like in general."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from hippocam.memory.codec import pack
from hippocam.memory.store.schema import putting
from hippocam.stream.records import FloatArray


class PlaceRow(NamedTuple):
    """One place of a stream that is not complete.

    Attributes:
        stream: Which stream.
        number: Which of its places, from 1.
        vector: Its mean, as the codec packs it.
        seen: How often it was seen.
        last_s: When it was seen last.
    """

    stream: str
    number: int
    vector: bytes
    seen: int
    last_s: float


_PUT = putting("place", ("stream", "id", "vector", "seen", "last_s"), ("stream", "id"))


class PlaceTable:
    """Reads and writes places; made by `Store`, in whose transactions it works."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def put(self, stream: str, number: int, vector_D: FloatArray, seen: int, last_s: float) -> None:
        """Keep a place of a stream as it is now."""
        self._db.execute(
            _PUT,
            {"stream": stream, "id": number, "vector": pack(vector_D), "seen": seen, "last_s": last_s},
        )

    def of(self, stream: str) -> list[PlaceRow]:
        """The places of a stream, by number."""
        rows = self._db.execute(
            "SELECT stream, id, vector, seen, last_s FROM place WHERE stream = ? ORDER BY id", (stream,)
        )
        return [PlaceRow._make(row) for row in rows.fetchall()]

    def delete(self, stream: str, number: int) -> None:
        """Delete a place of a stream."""
        self._db.execute("DELETE FROM place WHERE stream = ? AND id = ?", (stream, number))

    def delete_stream(self, stream: str) -> None:
        """Delete the places of a stream."""
        self._db.execute("DELETE FROM place WHERE stream = ?", (stream,))
