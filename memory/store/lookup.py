"""Which entries a question, a moment or the first digits of an id mean, and all that a bank weighs; only reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from hippocam.memory.bank.slots import Slots
from hippocam.memory.codec import are_short, unpack_many
from hippocam.memory.filter import Filter, within
from hippocam.memory.records import Span
from hippocam.memory.store.columns import (
    SLOT,
    WORDS_BYTES,
    listed,
    listed_ids,
    slot_from,
    unpack_poses,
    unpack_spans,
)
from hippocam.stream.records import FloatArray

_SLOT_LISTED = listed((*SLOT, WORDS_BYTES))
# What a row of SLOT and WORDS_BYTES calls its last column, and the types of all of them.
_WORDS = "words_bytes"
_SLOT_TYPES: dict[str, set[type]] = {
    **{name: {int} for name in (*SLOT, _WORDS)},
    **{name: {float, int} for name in ("last_s", "utility", "strength")},
    "stream": {str},
    "key": {bytes, type(None)},
}
# Vectors that are unpacked together, and entries that are asked for by their ids in one statement.
_AT_ONCE = 4096


class Blocks(Protocol):
    """The entries that are in blocks."""

    def select(self, statement: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        """The rows of a statement that reads the view of all entries, `every_entry`."""


class EntryLookup:
    """Entries by conditions or by time, or all for a bank; made by `Store`, in whose transactions it works.

    Args:
        blocks: Reads entries, in rows or in blocks.
    """

    def __init__(self, blocks: Blocks) -> None:
        self._select = blocks.select

    def every_slot(self) -> Slots:
        """What a bank holds of all entries, in no order; `EntryTable.slots` gives them one by one."""
        return _slots(self._select(f"SELECT {_SLOT_LISTED} FROM every_entry"))

    def slots(self, entry_ids: Sequence[int]) -> Slots:
        """The same of some entries that are held, in the order given."""
        rows = dict[int, Any]()
        for start in range(0, len(entry_ids), _AT_ONCE):
            ids = listed_ids(entry_ids[start : start + _AT_ONCE])
            found = self._select(f"SELECT {_SLOT_LISTED} FROM every_entry WHERE id IN ({ids})")
            rows |= {row[0]: row for row in found}
        return _slots([rows[entry_id] for entry_id in entry_ids])

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


def _slots(rows: Sequence[Sequence[Any]]) -> Slots:
    """Entries as the bank weighs them, from rows of the columns SLOT and WORDS_BYTES, read together."""
    held: dict[str, tuple[Any, ...]] = dict.fromkeys((*SLOT, _WORDS), ())
    held |= dict(zip(held, zip(*rows, strict=True), strict=True)) if rows else {}
    for name, column in held.items():
        if not set(map(type, column)) <= _SLOT_TYPES[name]:
            return Slots.of(map(slot_from, rows))  # which tells what is damaged
    keyed = [k for k, key in enumerate(held["key"]) if key is not None]
    packed = [held["key"][k] for k in keyed]
    short = np.zeros(len(rows), np.bool_)
    try:
        keys_KD = _unpacked(packed)
        short[keyed] = are_short(packed)
    except ValueError:
        return Slots.of(map(slot_from, rows))
    return Slots(
        entry_id=np.array(held["id"], np.int64),
        stream=held["stream"],
        first_seq=np.array(held["first_seq"], np.int64),
        place=np.array(held["place"], np.int64),
        utility=np.array(held["utility"], np.float64),
        last_s=np.array(held["last_s"], np.float64),
        jpeg_bytes=np.array(held["jpeg_bytes"], np.int64),
        words_bytes=np.array(held[_WORDS], np.int64),
        strength=np.array(held["strength"], np.float64),
        met=np.array(held["met"], np.int64),
        uses=np.array(held["uses"], np.int64),
        pinned=np.array(held["pinned"], np.bool_),
        level=np.array(held["level"], np.int64),
        short=short,
        keyed=np.array(keyed, np.int64),
        keys=keys_KD,
    )


def _unpacked(packed: Sequence[bytes]) -> FloatArray:
    """Vectors that `pack` wrote, float32 [N, D], some at a time: what is made on the way is as large again."""
    if not packed:
        return np.zeros((0, 0), np.float32)
    first_ND = unpack_many(packed[:_AT_ONCE])
    keys_ND = np.empty((len(packed), first_ND.shape[1]), np.float32)
    for start in range(0, len(packed), _AT_ONCE):
        keys_ND[start : start + _AT_ONCE] = unpack_many(packed[start : start + _AT_ONCE])
    return keys_ND
