"""The table of entries.

Shapes: N entries, D embedding dimension.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from hippocam.memory.codec import pack, signs, unpack, unpack_many
from hippocam.memory.records import Entry, Event, Held, Level, Slot, Span, id_of
from hippocam.memory.store.columns import (
    ENTRY,
    HELD,
    SLOT,
    VECTORS,
    WORDS_BYTES,
    entry_from,
    held_from,
    listed,
    pack_spans,
    slot_from,
    values_of,
)
from hippocam.memory.store.sums import picture_sum
from hippocam.stream.records import FloatArray


class EntryRow(NamedTuple):
    """One entry with its vectors as the codec packs them; None at level WORDS."""

    entry: Entry
    key: bytes | None
    scene: bytes | None


class EntryTable:
    """Reads and writes entries; made by `Store`, in whose transactions it works."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    # write -----------------------------------------------------------------------------------------------

    def insert(self, event: Event) -> int:
        """Store an event as the newest entry of its stream and return its id; the same event again is a no-op."""
        entry = Entry(
            id=id_of(event.stream, event.first_seq),
            stream=event.stream,
            first_seq=event.first_seq,
            t0_s=event.t0_s,
            t1_s=event.t1_s,
            known_s=event.known_s,
            spans=(Span(t0_s=event.t0_s, t1_s=event.t1_s, known_s=event.known_s),),
            frame_s=event.frame_s,
            surprise=event.surprise,
            utility=event.utility,
            place=event.place,
            labels=event.labels,
            text=event.text,
            frames=event.frames,
            repeats=event.repeats,
            jpeg_bytes=len(event.jpeg),
            sensors=event.sensors,
            motion=event.motion,
        )
        values = values_of(entry, event.key, event.scene)
        self._write("INSERT OR IGNORE", values | {"jpeg_sum": picture_sum(event.jpeg)})
        self._db.execute("UPDATE stream SET newest = ? WHERE id = ?", (entry.id, event.stream))
        return entry.id

    def restore(
        self, entry: Entry, key_D: FloatArray | None, scene_D: FloatArray | None, jpeg: bytes = b""
    ) -> None:
        """Store an entry as it was in another memory, with the checksum of its picture."""
        self._write("INSERT", values_of(entry, key_D, scene_D) | {"jpeg_sum": picture_sum(jpeg)})

    def add_repeats(self, entry_id: int, repeats: int) -> None:
        """Count unchanged frames of an entry."""
        self._db.execute("UPDATE entry SET repeats = repeats + ? WHERE id = ?", (repeats, entry_id))

    def set_spans(self, entry_id: int, *, first: Span, further: Sequence[Span], met: int, strength: float) -> None:
        """Set an entry's spans, and how often it was met."""
        last_s = max(span.t1_s for span in (first, *further))
        self._db.execute(
            "UPDATE entry SET t0_s = ?, t1_s = ?, known_s = ?, spans = ?, met = ?, strength = ?, last_s = ? "
            "WHERE id = ?",
            (first.t0_s, first.t1_s, first.known_s, pack_spans(further), met, strength, last_s, entry_id),
        )

    def demote(self, entry_id: int, level: int, jpeg_bytes: int, jpeg_sum: int | None = None) -> None:
        """Note that an entry keeps less of its evidence: see `Level`. The last level has no vectors."""
        self._db.execute(
            "UPDATE entry SET level = ?, jpeg_bytes = ?, jpeg_sum = ? WHERE id = ?",
            (level, jpeg_bytes, jpeg_sum, entry_id),
        )
        if level == Level.SIGNS:
            key, scene = self._db.execute("SELECT key, scene FROM entry WHERE id = ?", (entry_id,)).fetchone()
            packed = (pack(signs(unpack(blob))) for blob in (key, scene))
            self._db.execute(
                "UPDATE entry SET key = ?, scene = ?, motion = NULL WHERE id = ?", (*packed, entry_id)
            )
        if level == Level.WORDS:
            self._db.execute(
                "UPDATE entry SET key = NULL, scene = NULL, state = NULL, action = NULL, motion = NULL "
                "WHERE id = ?",
                (entry_id,),
            )

    def pin(self, entry_id: int, pinned: bool) -> bool:
        """Keep an entry whatever comes, or no longer; False where it is not held."""
        return self._db.execute("UPDATE entry SET pinned = ? WHERE id = ?", (pinned, entry_id)).rowcount == 1

    def count_use(self, entry_id: int, strength: float) -> None:
        """Count that an entry was used as evidence."""
        self._db.execute("UPDATE entry SET uses = uses + 1, strength = ? WHERE id = ?", (strength, entry_id))

    def inherit(self, heir: int, *, slept: int, place: int, vectors: tuple[FloatArray, FloatArray] | None) -> None:
        """Count entries as merged into one asleep, and set its place and its vectors.

        Args:
            heir: Id of the entry that they were merged into.
            slept: How many more.
            place: The place of all of them; 0 where they were in several.
            vectors: Key and scene that stand for all, [D] each; None where the heir keeps its own.
        """
        self._db.execute("UPDATE entry SET slept = slept + ?, place = ? WHERE id = ?", (slept, place, heir))
        if vectors is not None:
            self._db.execute("UPDATE entry SET key = ?, scene = ? WHERE id = ?", (*map(pack, vectors), heir))

    def delete(self, entry_id: int) -> None:
        """Delete an entry and its words; its stream counts it among those that are no longer held."""
        self._db.execute(
            "UPDATE stream SET evicted = evicted + 1 WHERE id = (SELECT stream FROM entry WHERE id = ?)",
            (entry_id,),
        )
        self._db.execute("DELETE FROM entry WHERE id = ?", (entry_id,))

    # read ------------------------------------------------------------------------------------------------

    def get(self, entry_id: int) -> Entry | None:
        """An entry by its id, None where it is not held."""
        row = self._db.execute(f"SELECT {listed(ENTRY)} FROM entry WHERE id = ?", (entry_id,)).fetchone()
        return None if row is None else entry_from(row)

    def rows(self, stream: str, after: tuple[float, int], most: int) -> list[EntryRow]:
        """The next entries of a stream by the time of their first span, then by id.

        Args:
            stream: Which stream.
            after: Time and id of the last one that was read.
            most: How many at most.
        """
        rows = self._db.execute(
            f"SELECT {listed((*VECTORS, *ENTRY))} FROM entry WHERE stream = ? AND (t0_s, id) > (?, ?) "
            "ORDER BY t0_s, id LIMIT ?",
            (stream, *after, most),
        ).fetchall()
        return [EntryRow(entry_from(plain), key, scene) for key, scene, *plain in rows]

    def slots(self, entry_id: int | None = None) -> Iterator[Slot]:
        """What the bank holds of each entry or of one, each stream in the order of its events."""
        for row in self._db.execute(
            f"SELECT {listed((*SLOT, WORDS_BYTES))} "
            f"FROM entry {'' if entry_id is None else 'WHERE id = :id'} ORDER BY stream, first_seq",
            {"id": entry_id},
        ):
            yield slot_from(row)

    def held(self, entry_id: int | None = None) -> list[Held]:
        """All entries with vectors, or one of them; each stream in the order of its events."""
        rows = self._db.execute(
            f"SELECT {listed(HELD)} FROM entry WHERE key IS NOT NULL AND id = coalesce(?, id) "
            "ORDER BY stream, first_seq, id",
            (entry_id,),
        )
        return [held_from(row) for row in rows]

    def vectors(self, entry_ids: Sequence[int]) -> tuple[FloatArray, FloatArray]:
        """Keys and scenes of entries that have them, float32 [N, D] each, in the order given."""
        rows = self._db.execute(
            "SELECT id, key, scene FROM entry WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(entry_ids)),),
        ).fetchall()
        if not rows:
            return np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32)
        index = {entry_id: k for k, (entry_id, _, _) in enumerate(rows)}
        order = [index[entry_id] for entry_id in entry_ids]
        try:
            keys_ND, scenes_ND = (unpack_many([row[column] for row in rows]) for column in (1, 2))
        except (TypeError, ValueError) as error:
            raise sqlite3.DatabaseError(f"vectors of entries cannot be read: {error}") from error
        return keys_ND[order], scenes_ND[order]

    def ids(self, among: Sequence[int] | None = None) -> set[int]:
        """Ids of all entries that still have vectors, or of those among some."""
        if among is None:
            return {row[0] for row in self._db.execute("SELECT id FROM entry WHERE key IS NOT NULL")}
        rows = self._db.execute(
            "SELECT id FROM entry WHERE id IN (SELECT value FROM json_each(?)) AND key IS NOT NULL",
            (json.dumps(list(among)),),
        )
        return {row[0] for row in rows}

    def digests(self, among: Sequence[int] | None = None) -> dict[int, int]:
        """A number for each entry that still has vectors, or for those among some, by id.

        Numbers of this process: equal where the vectors are equal to the byte, else different (but for one pair
        in 2**60).
        """
        if among is None:
            rows = self._db.execute("SELECT id, key, scene FROM entry WHERE key IS NOT NULL")
        else:
            rows = self._db.execute(
                "SELECT id, key, scene FROM entry "
                "WHERE id IN (SELECT value FROM json_each(?)) AND key IS NOT NULL",
                (json.dumps(list(among)),),
            )
        return {entry_id: hash((key, scene)) for entry_id, key, scene in rows}

    def count(self) -> int:
        """Number of entries."""
        (count,) = self._db.execute("SELECT count(*) FROM entry").fetchone()
        return int(count)

    def slept(self, entry_id: int) -> int:
        """How many entries sleep has merged into one."""
        row = self._db.execute("SELECT slept FROM entry WHERE id = ?", (entry_id,)).fetchone()
        return int(row[0]) if row else 0

    def slept_share(self) -> tuple[int, int]:
        """Number of entries with vectors, and how many there would be had sleep merged none."""
        row = self._db.execute("SELECT count(*), coalesce(sum(1 + slept), 0) FROM entry WHERE key IS NOT NULL")
        count, ever = row.fetchone()
        return int(count), int(ever)

    def last_place(self, stream: str) -> int:
        """The greatest number of a place among the entries of a stream; 0 without one."""
        (place,) = self._db.execute(
            "SELECT coalesce(max(place), 0) FROM entry WHERE stream = ?", (stream,)
        ).fetchone()
        return int(place)

    def _write(self, insert: str, values: dict[str, object]) -> None:
        places = ", ".join(f":{name}" for name in values)
        self._db.execute(f"{insert} INTO entry ({listed(tuple(values))}) VALUES ({places})", values)
