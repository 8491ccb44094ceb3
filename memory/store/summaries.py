"""Rows of the table of summaries: scenes, chapters and days, as records.

Shapes: D embedding dimension.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from hippocam.memory.codec import pack, unpack, unpack_many
from hippocam.memory.store.schema import OVERLAPS, putting
from hippocam.stream.records import FloatArray


class Kind(IntEnum):
    """What a summary spans: each is made of the one before it."""

    SCENE = 1
    CHAPTER = 2
    DAY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A stretch of one stream as a whole. It may outlive the entries that it was made of.

    Attributes:
        id: Positive, 63 bits; depends on the stream, the kind and where it begins, on nothing else.
        stream: Which stream.
        kind: Scene, chapter or day.
        parent: The summary that this one is part of; None where there is none (yet).
        first_seq: Position of its first frame.
        t0_s: The earliest start of what is in it.
        t1_s: The latest end.
        known_s: Time of the last frame that it rests on.
        seconds: How much of that time events covered, above 0: its weight in a mean.
        events: How many events it was made of.
        place: The place that all of them were in; 0 where that is not known or not one.
        exemplar: Id of the entry that was nearest to its mean; the entry may not be held any more.
        vector_D: float32 [D], of length 1: mean of what was shown, by duration.
        words: The most frequent labels and words with their counts, the most frequent first. Untrusted.
        state: What is needed to go on with it, as bytes; None once it is closed.
    """

    id: int
    stream: str
    kind: Kind
    parent: int | None
    first_seq: int
    t0_s: float
    t1_s: float
    known_s: float
    seconds: float
    events: int
    place: int
    exemplar: int | None
    vector_D: FloatArray
    words: tuple[tuple[str, int], ...]
    state: bytes | None = None


class Top(NamedTuple):
    """A summary that is part of none: its id, its kind and how many seconds of it events covered."""

    id: int
    kind: int
    seconds: float


_COLUMNS = (
    "id", "stream", "kind", "parent", "first_seq", "t0_s", "t1_s", "known_s", "seconds", "events", "place",
    "exemplar", "vector", "words", "state",
)  # fmt: skip
_LISTED = ", ".join(_COLUMNS)
_PUT = putting("summary", _COLUMNS, ("id",))


class SummaryTable:
    """Reads and writes summaries; made by `Store`, in whose transactions it works."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def put(self, summary: Summary) -> None:
        """Keep a summary as it is now."""
        values = {name: getattr(summary, name) for name in _COLUMNS if name != "vector"}
        values["vector"] = pack(summary.vector_D)
        values["words"] = json.dumps(summary.words, ensure_ascii=False, separators=(",", ":"))
        self._db.execute(_PUT, values)

    def adopt(self, parent: int, children: Iterable[int]) -> None:
        """Put summaries under a parent."""
        self._db.executemany("UPDATE summary SET parent = ? WHERE id = ?", [(parent, child) for child in children])

    def delete(self, summary_ids: Iterable[int]) -> None:
        """Delete summaries."""
        self._db.executemany("DELETE FROM summary WHERE id = ?", [(one,) for one in summary_ids])

    def delete_within(self, stream: str, t0_s: float, t1_s: float) -> int:
        """Delete the summaries of a stream that overlap a stretch of time; return how many were deleted."""
        values = {"stream": stream, "t0": t0_s, "t1": t1_s}
        return self._db.execute(f"DELETE FROM summary WHERE {OVERLAPS}", values).rowcount

    def mend_parents(self) -> None:
        """Clear the parent of summaries whose parent is no longer held."""
        self._db.execute("UPDATE summary SET parent = NULL WHERE parent NOT IN (SELECT id FROM summary)")

    def get(self, summary_id: int) -> Summary | None:
        """A summary by its id, None where it is not held."""
        return next(iter(self._select("id = ?", (summary_id,))), None)

    def of(self, stream: str, kind: Kind | None = None) -> list[Summary]:
        """Summaries of a stream in the order in which they began, coarse ones after the finer ones."""
        if kind is None:
            return self._select("stream = ? ORDER BY kind, first_seq", (stream,))
        return self._select("stream = ? AND kind = ? ORDER BY first_seq", (stream, int(kind)))

    def at(self, stream: str, kind: Kind, time_s: float) -> Summary | None:
        """The summary of a kind that a time of a stream lies in; the first of several."""
        where = "stream = ? AND kind = ? AND t0_s <= ? AND t1_s >= ? ORDER BY first_seq LIMIT 1"
        return next(iter(self._select(where, (stream, int(kind), time_s, time_s))), None)

    def roots(self, stream: str, kind: Kind) -> list[Summary]:
        """Closed summaries of a kind that have no parent (yet), in the order in which they began."""
        where = "stream = ? AND kind = ? AND parent IS NULL AND state IS NULL ORDER BY first_seq"
        return self._select(where, (stream, int(kind)))

    def latest_root(self, stream: str, kind: Kind) -> Summary | None:
        """The last of the `roots`, None where there are none."""
        where = "stream = ? AND kind = ? AND parent IS NULL AND state IS NULL ORDER BY first_seq DESC LIMIT 1"
        return next(iter(self._select(where, (stream, int(kind)))), None)

    def children(self, summary: Summary) -> list[Summary]:
        """What a chapter or a day was made of and is still held, in order."""
        where = "stream = ? AND kind = ? AND parent = ? ORDER BY first_seq"
        return self._select(where, (summary.stream, int(summary.kind) - 1, summary.id))

    def open_scene(self, stream: str) -> Summary | None:
        """The scene that a stream is in now."""
        where = "stream = ? AND kind = ? AND parent IS NULL AND state IS NOT NULL"
        return next(iter(self._select(where, (stream, int(Kind.SCENE)))), None)

    def every(self, known_by_s: float | None = None) -> list[Summary]:
        """All summaries that rest on nothing later than a time, by stream, kind and order."""
        where = "known_s <= coalesce(?, known_s) ORDER BY stream, kind, first_seq"
        return self._select(where, (known_by_s,))

    def tops(self) -> tuple[list[tuple[int, str, float]], FloatArray]:
        """All chapters, and summaries outside them: scenes of open chapters, and days whose chapters are not held.

        Returns:
            Id, stream and start of each, and their vectors, float32 [N, D].
        """
        rows = self._db.execute(
            "SELECT id, stream, t0_s, vector FROM summary WHERE kind = :chapter OR (parent IS NULL AND (kind < "
            ":chapter OR id NOT IN (SELECT parent FROM summary WHERE kind = :chapter AND parent IS NOT NULL)))",
            {"chapter": int(Kind.CHAPTER)},
        ).fetchall()
        vectors_ND = unpack_many([row[3] for row in rows]) if rows else np.zeros((0, 0), np.float32)
        return [row[:3] for row in rows], vectors_ND

    def count(self) -> int:
        """How many there are."""
        (count,) = self._db.execute("SELECT count(*) FROM summary").fetchone()
        return int(count)

    def oldest_parts(self, kind: Kind, share: int) -> list[int]:
        """Ids of the oldest summaries of a kind that are part of another, in the stream that has the most of them.

        Args:
            kind: Kind of the summaries.
            share: One in this many of that stream's is named, and one at least.
        """
        found = self._db.execute(
            "SELECT stream, count(*) AS n FROM summary WHERE kind = ? AND parent IS NOT NULL "
            "GROUP BY stream ORDER BY n DESC, stream LIMIT 1",
            (int(kind),),
        ).fetchone()
        if found is None:
            return []
        rows = self._db.execute(
            "SELECT id FROM summary WHERE stream = ? AND kind = ? AND parent IS NOT NULL "
            "ORDER BY first_seq LIMIT ?",
            (found[0], int(kind), max(1, found[1] // share)),
        )
        return [summary_id for (summary_id,) in rows]

    def closed_tops(self) -> dict[str, list[Top]]:
        """Closed summaries that are part of none, by stream, in the order in which they began."""
        rows = self._db.execute(
            "SELECT stream, id, kind, seconds FROM summary WHERE parent IS NULL AND state IS NULL "
            "ORDER BY stream, first_seq"
        )
        tops: dict[str, list[Top]] = {}
        for stream, *top in rows:
            tops.setdefault(stream, []).append(Top._make(top))
        return tops

    def smallest(self) -> int | None:
        """Id of the closed summary with the fewest events."""
        found = self._db.execute(
            "SELECT id FROM summary WHERE state IS NULL ORDER BY events, t1_s, id LIMIT 1"
        ).fetchone()
        return None if found is None else int(found[0])

    def near_mean(self, summary: Summary, most: int) -> list[tuple[int, FloatArray]]:
        """Ids and scene vectors [D] of the first entries that begin within a summary and have them."""
        rows = self._db.execute(
            "SELECT id, scene FROM every_entry "
            "WHERE stream = :stream AND t0_s >= :t0 AND (t0_s < :t1 OR t0_s = :t0) AND scene IS NOT NULL "
            "ORDER BY t0_s, id LIMIT :most",
            {"stream": summary.stream, "t0": summary.t0_s, "t1": summary.t1_s, "most": most},
        )
        return [(entry_id, unpack(scene)) for entry_id, scene in rows]

    def _select(self, where: str, values: Sequence[object]) -> list[Summary]:
        rows = self._db.execute(f"SELECT {_LISTED} FROM summary WHERE {where}", values)
        return [_summary(row) for row in rows]


def _summary(row: Sequence[Any]) -> Summary:
    values = dict(zip(_COLUMNS, row, strict=True))
    vector, words = values.pop("vector"), json.loads(values.pop("words"))
    return Summary(
        **values
        | {
            "kind": Kind(values["kind"]),
            "vector_D": unpack(vector),
            "words": tuple((word, count) for word, count in words),
        }
    )
