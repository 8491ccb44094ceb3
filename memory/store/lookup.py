"""Which entries a question, a moment or the first digits of an id mean; reads entries alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from hippocam.memory.filter import Filter, within
from hippocam.memory.records import Span
from hippocam.memory.store.columns import unpack_poses, unpack_spans


class Blocks(Protocol):
    """The entries that are in blocks."""

    def select(self, statement: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        """The rows of a statement that reads the view of all entries, `every_entry`."""


class EntryLookup:
    """Ids of entries, by conditions or by time; made by `Store`, in whose transactions it works.

    Args:
        blocks: Reads entries, in rows or in blocks.
    """

    def __init__(self, blocks: Blocks) -> None:
        self._select = blocks.select

    def select(self, wanted: Filter) -> list[int]:
        """Ids of the entries that meet some conditions."""
        clauses, values = ["1"], list[object]()
        for names in ((wanted.stream,) if wanted.stream is not None else None, wanted.streams):
            if names is not None:
                clauses.append(f"({' OR '.join(['stream = ? OR substr(stream, 1, ?) = ?'] * len(names)) or '0'})")
                values += [value for name in names for value in (name, len(name) + 1, name + "/")]
        if wanted.camera is not None:
            clauses.append("(stream = ? OR substr(stream, ?) = ?)")
            values += [wanted.camera, -len(wanted.camera) - 1, "/" + wanted.camera]
        for clause, value in (
            ("place = ?", wanted.place),
            ("last_s > ?", wanted.after_s),
            ("t0_s < ?", wanted.before_s),
            ("max(known_s, frame_s) <= ?", wanted.at_s),
        ):
            if value is not None:
                clauses.append(clause)
                values.append(value)
        rows = self._select(
            "SELECT id, spans, t0_s, t1_s, known_s, frame_s, stream, first_seq"
            f"{', pose, motion' if wanted.near else ''} FROM every_entry "
            f"WHERE {' AND '.join(clauses)} ORDER BY id",
            values,
        )
        found = []
        for entry_id, packed, t0_s, t1_s, known_s, frame_s, stream, first_seq, *rest in rows:
            if wanted.apart is not None and wanted.apart.holds_entry(stream, first_seq):
                continue
            if wanted.near is not None and not within(unpack_poses(*rest), wanted.near):
                continue
            if packed is not None:  # SQL knows of the first span and of the end of the last
                spans = (Span(t0_s=t0_s, t1_s=t1_s, known_s=known_s), *unpack_spans(packed))
                if not wanted.passing(spans, frame_s):
                    continue
            found.append(entry_id)
        return found

    def between(self, first: int, last: int, most: int) -> list[int]:
        """Ids from first to last, rising: of entries, and of those that only the journal remembers."""
        rows = self._select(
            "SELECT id FROM every_entry WHERE id BETWEEN :first AND :last "
            "UNION SELECT entry FROM journal WHERE entry BETWEEN :first AND :last ORDER BY 1 LIMIT :most",
            {"first": first, "last": last, "most": most},
        )
        return [row[0] for row in rows]

    def pictured(
        self,
        stream: str,
        time_s: float,
        at_s: float | None = None,
        within: tuple[float, float] | None = None,
    ) -> int | None:
        """Id of the entry with a picture that covers a time of a stream, else of the nearest; None without one.

        Args:
            stream: Which stream.
            time_s: The time.
            at_s: As if the stream ended here: no entry that rests on a later frame.
            within: Where an entry's picture was taken between these times, as while somebody was there, the one
                whose picture is nearest to the time comes before all others.
        """
        first_s, last_s = within or (None, None)
        rows = self._select(
            "SELECT id FROM every_entry WHERE stream = ?1 AND jpeg_bytes > 0 "
            "AND (?3 IS NULL OR max(known_s, frame_s) <= ?3) "
            "ORDER BY frame_s BETWEEN ?4 AND ?5 DESC, "
            "CASE WHEN frame_s BETWEEN ?4 AND ?5 THEN abs(frame_s - ?2) ELSE 0 END, "
            "max(t0_s - ?2, ?2 - t1_s, 0), t0_s DESC LIMIT 1",
            (stream, time_s, at_s, first_s, last_s),
        )
        return int(rows[0][0]) if rows else None

    def passed_by(self, stream: str, t0_s: float, t1_s: float, most: int = 64) -> list[int]:
        """Ids of the entries of a stream that overlap a stretch of time or touch it, the latest first.

        Only the `most` newest that begin before its end are looked at.
        """
        rows = self._select(
            "SELECT id, last_s FROM every_entry WHERE stream = ? AND t0_s <= ? ORDER BY t0_s DESC, id LIMIT ?",
            (stream, t1_s, most),
        )
        return [entry_id for entry_id, last_s in rows if last_s >= t0_s]

    def beside(self, stream: str, t0_s: float, t1_s: float, gap_s: float) -> list[int]:
        """Ids of the entries of a stream just before and just after a stretch of time, no further than a gap."""
        before = self._select(
            "SELECT id, t1_s FROM every_entry WHERE stream = ? AND t0_s < ? ORDER BY t0_s DESC, id LIMIT 1",
            (stream, t0_s),
        )
        after = self._select(
            "SELECT id FROM every_entry WHERE stream = ? AND t0_s >= ? AND t0_s > ? AND t0_s <= ? "
            "ORDER BY t0_s, id LIMIT 1",
            (stream, t1_s, t0_s, t1_s + gap_s),
        )
        return [entry_id for entry_id, end_s in before if end_s >= t0_s - gap_s] + [row[0] for row in after]

    def around(self, stream: str, t0_s: float, t1_s: float, most: int = 32) -> list[list[tuple[int, Span]]]:
        """Spans of a stream's entries before a stretch of time, and those after it, however far; nearest first.

        Returns:
            Two lists of entry ids with a span each: ended by the start of the stretch, begun at its end or later.
        """
        single = "SELECT id, t0_s, t1_s, known_s FROM every_entry WHERE stream = ? AND spans IS NULL AND"
        rows = self._select(f"{single} t1_s <= ? ORDER BY t1_s DESC, id LIMIT ?", (stream, t0_s, most))
        rows += self._select(f"{single} t0_s >= ? ORDER BY t0_s, id LIMIT ?", (stream, t1_s, most))
        spans = [(row[0], Span(t0_s=row[1], t1_s=row[2], known_s=row[3])) for row in rows]
        several = "SELECT id, t0_s, t1_s, known_s, spans FROM every_entry WHERE stream = ? AND spans IS NOT NULL"
        for entry_id, first_s, end_s, known_s, packed in self._select(several, (stream,)):
            own = (Span(t0_s=first_s, t1_s=end_s, known_s=known_s), *unpack_spans(packed))
            spans += [(entry_id, span) for span in own]
        before = sorted(
            (each for each in spans if each[1].t1_s <= t0_s), key=lambda each: (-each[1].t1_s, each[0])
        )
        after = sorted((each for each in spans if each[1].t0_s >= t1_s), key=lambda each: (each[1].t0_s, each[0]))
        return [before[:most], after[:most]]

    def begun_within(self, stream: str, t0_s: float, t1_s: float) -> list[int]:
        """Ids of the entries of a stream that begin in a stretch of time (at its end no more), in order."""
        rows = self._select(
            "SELECT id FROM every_entry WHERE stream = :stream AND t0_s >= :t0 AND (t0_s < :t1 OR t0_s = :t0) "
            "ORDER BY t0_s, id",
            {"stream": stream, "t0": t0_s, "t1": t1_s},
        )
        return [row[0] for row in rows]
