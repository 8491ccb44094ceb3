"""The table of entries.

Shapes: N entries, D embedding dimension.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from hippocam.memory.bank.codes import Code, Signs
from hippocam.memory.codec import coarse, pack, unpack_many
from hippocam.memory.records import Entry, Event, Held, Level, Slot, Span, id_of
from hippocam.memory.store.blocks.rows import COLUMNS, Row
from hippocam.memory.store.columns import (
    ENTRY,
    HELD,
    SLOT,
    VECTORS,
    WORDS_BYTES,
    entry_from,
    held_from,
    listed,
    listed_ids,
    pack_spans,
    slot_from,
    values_of,
)
from hippocam.memory.store.sums import picture_sum
from hippocam.memory.stress import to_reduce
from hippocam.stream.records import FloatArray

# Entries that are asked for by their ids in one statement.
_AT_ONCE = 1024


class EntryRow(NamedTuple):
    """One entry with its vectors as the codec packs them; None at level WORDS."""

    entry: Entry
    key: bytes | None
    scene: bytes | None


class Blocks(Protocol):
    """The entries that are in blocks."""

    def select(self, statement: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        """The rows of a statement that reads the view of all entries, `every_entry`."""

    def take_in(self) -> int:
        """Move some rows that may move into a block, if there are enough; return how many have moved."""

    def put(self, rows: Sequence[Row]) -> None:
        """Keep entries as these rows, in blocks; they have no picture and are not pinned."""

    def take_out(self, entry_id: int) -> bool:
        """Make an entry a row of the table again; False where it is in no block."""

    def delete(self, entry_id: int) -> bool:
        """Delete an entry; False where it is in no block."""


class EntryTable:
    """Reads and writes entries, in rows or in blocks; made by `Store`, in whose transactions it works.

    Args:
        db: The store's connection.
        blocks: Those that are in blocks: an entry that changes leaves its block first.
    """

    def __init__(self, db: sqlite3.Connection, blocks: Blocks) -> None:
        self._db = db
        self._blocks = blocks

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
            level=Level.FULL if event.jpeg else Level.VECTORS,
            jpeg_bytes=len(event.jpeg),
            sensors=event.sensors,
            motion=event.motion,
        )
        values = values_of(entry, pack(event.key), pack(event.scene))
        _write(self._db, "INSERT OR IGNORE", values | {"jpeg_sum": picture_sum(event.jpeg)})
        self._db.execute("UPDATE stream SET newest = ? WHERE id = ?", (entry.id, event.stream))
        return entry.id

    def restore(self, row: EntryRow, jpeg: bytes = b"") -> None:
        """Store an entry as it was in another memory, with the checksum of its picture."""
        values = values_of(row.entry, row.key, row.scene) | {"jpeg_sum": picture_sum(jpeg)}
        _write(self._db, "INSERT", values)

    def add_repeats(self, entry_id: int, repeats: int) -> None:
        """Count unchanged frames of an entry."""
        if repeats:
            self._update(entry_id, "repeats = repeats + ?", repeats)

    def set_spans(self, entry_id: int, *, first: Span, further: Sequence[Span], met: int, strength: float) -> None:
        """Set an entry's spans, and how often it was met."""
        last_s = max(span.t1_s for span in (first, *further))
        self._update(
            entry_id,
            "t0_s = ?, t1_s = ?, known_s = ?, spans = ?, met = ?, strength = ?, last_s = ?",
            *(first.t0_s, first.t1_s, first.known_s, pack_spans(further), met, strength, last_s),
        )

    def demote(
        self,
        entry_ids: Sequence[int],
        level: int,
        *,
        jpeg_bytes: int = 0,
        jpeg_sum: int | None = None,
        code: Code | None = None,
        as_one: bool = False,
    ) -> None:
        """Note that entries keep less of their evidence: see `Level`. The last level has no vectors.

        What else of an entry is only weighed is kept to three digits once its vectors are reduced.

        Args:
            entry_ids: Their ids.
            level: What each keeps.
            jpeg_bytes: Bytes of its picture.
            jpeg_sum: Checksum of that.
            code: What its vectors are reduced to at the level SIGNS; None for signs.
            as_one: Whether one vector then stands for both, however far they are apart.
        """
        if level < Level.SIGNS:
            for entry_id in entry_ids:
                self._update(entry_id, "level = ?, jpeg_bytes = ?, jpeg_sum = ?", level, jpeg_bytes, jpeg_sum)
            return
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in _among(self._blocks, listed(COLUMNS), entry_ids)]
        if level == Level.SIGNS and rows:
            _reduce(rows, code, as_one=as_one)
        else:
            for row in rows:
                row |= dict.fromkeys(("key", "scene", "state", "action", "motion"))
        for row in rows:
            row["level"] = level
        pinned = [row["id"] for row in rows if row["pinned"]]
        self._blocks.put([tuple(row.values()) for row in rows])
        for entry_id in pinned:
            self._blocks.take_out(entry_id)
        self._blocks.take_in()

    def pin(self, entry_id: int, pinned: bool) -> bool:
        """Keep an entry whatever comes, or no longer; False where it is not held."""
        return self._update(entry_id, "pinned = ?", pinned)

    def count_use(self, entry_id: int, strength: float) -> None:
        """Count that an entry was used as evidence."""
        self._update(entry_id, "uses = uses + 1, strength = ?", strength)

    def inherit(self, heir: int, *, slept: int, place: int, vectors: tuple[FloatArray, FloatArray] | None) -> None:
        """Count entries as merged into one asleep, and set its place and its vectors.

        Args:
            heir: Id of the entry that they were merged into.
            slept: How many more.
            place: The place of all of them; 0 where they were in several.
            vectors: Key and scene that stand for all, [D] each; None where the heir keeps its own.
        """
        self._update(heir, "slept = slept + ?, place = ?", slept, place)
        if vectors is not None:
            self._update(heir, "key = ?, scene = ?", *map(pack, vectors))

    def delete(self, entry_id: int) -> None:
        """Delete an entry and its words; its stream counts it among those that are no longer held."""
        self._db.execute(
            "UPDATE stream SET evicted = evicted + 1 WHERE id = (SELECT stream FROM every_entry WHERE id = ?)",
            (entry_id,),
        )
        if not self._blocks.delete(entry_id):
            self._db.execute("DELETE FROM entry WHERE id = ?", (entry_id,))

    # read ------------------------------------------------------------------------------------------------

    def get(self, entry_id: int) -> Entry | None:
        """An entry by its id, None where it is not held."""
        return self.several((entry_id,)).get(entry_id)

    def several(self, entry_ids: Sequence[int]) -> dict[int, Entry]:
        """Entries by their ids, those that are held, in the order given."""
        found = {row[0]: entry_from(row) for row in _among(self._blocks, listed(ENTRY), entry_ids)}
        return {entry_id: found[entry_id] for entry_id in entry_ids if entry_id in found}

    def rows(self, stream: str, after: tuple[float, int], most: int) -> list[EntryRow]:
        """The next entries of a stream by the time of their first span, then by id.

        Args:
            stream: Which stream.
            after: Time and id of the last one that was read.
            most: How many at most.
        """
        rows = self._blocks.select(
            f"SELECT {listed((*VECTORS, *ENTRY))} FROM every_entry WHERE stream = ? AND (t0_s, id) > (?, ?) "
            "ORDER BY t0_s, id LIMIT ?",
            (stream, *after, most),
        )
        return [EntryRow(entry_from(plain), key, scene) for key, scene, *plain in rows]

    def slots(self, among: Sequence[int] | None = None) -> Iterator[Slot]:
        """What the bank holds of each entry, or of those among some, each stream in the order of its events."""
        columns = listed((*SLOT, WORDS_BYTES))
        if among is not None:
            return map(slot_from, _among(self._blocks, columns, among))
        return map(slot_from, self._blocks.select(f"SELECT {columns} FROM every_entry ORDER BY stream, first_seq"))

    def picture_bytes(self) -> dict[int, int]:
        """Bytes of the pictures of the entries that came with one and have not given it up, by id."""
        rows = self._db.execute(
            "SELECT id, jpeg_bytes FROM entry WHERE level < ? AND jpeg_bytes > 0", (Level.VECTORS,)
        )
        return dict(rows.fetchall())

    def held(self, entry_id: int | None = None) -> list[Held]:
        """All entries with vectors, or one of them; each stream in the order of its events."""
        one = "" if entry_id is None else "AND id = :id"
        rows = self._blocks.select(
            f"SELECT {listed(HELD)} FROM every_entry WHERE key IS NOT NULL {one} ORDER BY stream, first_seq, id",
            {"id": entry_id},
        )
        return [held_from(row) for row in rows]

    def vectors(self, entry_ids: Sequence[int]) -> tuple[FloatArray, FloatArray]:
        """Keys and scenes of entries that have them, float32 [N, D] each, in the order given."""
        rows = list(_among(self._blocks, "id, key, scene", entry_ids))
        if not rows:
            return np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32)
        index = {entry_id: k for k, (entry_id, _, _) in enumerate(rows)}
        order = [index[entry_id] for entry_id in entry_ids]
        try:
            keys_ND = unpack_many([key for _, key, _ in rows])
            scenes_ND = keys_ND.copy()
            if apart := [k for k, (_, key, scene) in enumerate(rows) if scene != key]:
                scenes_ND[apart] = unpack_many([rows[k][2] for k in apart])
        except (TypeError, ValueError) as error:
            raise sqlite3.DatabaseError(f"vectors of entries cannot be read: {error}") from error
        return keys_ND[order], scenes_ND[order]

    def ids(self, among: Sequence[int] | None = None) -> set[int]:
        """Ids of all entries that still have vectors, or of those among some."""
        if among is None:
            return {row[0] for row in self._blocks.select("SELECT id FROM every_entry WHERE key IS NOT NULL")}
        return {row[0] for row in _among(self._blocks, "id", among, "key IS NOT NULL")}

    def digests(self, among: Sequence[int] | None = None) -> dict[int, int]:
        """A number for each entry that still has vectors, or for those among some, by id.

        Numbers of this process: equal where the vectors are equal to the byte, else different (but for one pair
        in 2**60).
        """
        rows: Iterable[Any] = (
            self._blocks.select("SELECT id, key, scene FROM every_entry WHERE key IS NOT NULL")
            if among is None
            else _among(self._blocks, "id, key, scene", among, "key IS NOT NULL")
        )
        return {entry_id: hash((key, scene)) for entry_id, key, scene in rows}

    def count(self) -> int:
        """Number of entries."""
        ((count,),) = self._blocks.select("SELECT count(*) FROM every_entry")
        return int(count)

    def slept(self, entry_id: int) -> int:
        """How many entries sleep has merged into one."""
        rows = self._blocks.select("SELECT slept FROM every_entry WHERE id = ?", (entry_id,))
        return int(rows[0][0]) if rows else 0

    def slept_share(self) -> tuple[int, int]:
        """Number of entries with vectors, and how many there would be had sleep merged none."""
        ((count, ever),) = self._blocks.select(
            "SELECT count(*), coalesce(sum(1 + slept), 0) FROM every_entry WHERE key IS NOT NULL"
        )
        return int(count), int(ever)

    def last_place(self, stream: str) -> int:
        """The greatest number of a place among the entries of a stream; 0 without one."""
        ((place,),) = self._blocks.select(
            "SELECT coalesce(max(place), 0) FROM every_entry WHERE stream = ?", (stream,)
        )
        return int(place)

    def _update(self, entry_id: int, setting: str, *values: object) -> bool:
        """Set columns of an entry, which leaves its block for that; False where it is not held."""
        self._blocks.take_out(entry_id)
        return self._db.execute(f"UPDATE entry SET {setting} WHERE id = ?", (*values, entry_id)).rowcount == 1


def _among(blocks: Blocks, columns: str, entry_ids: Sequence[int], where: str = "1") -> Iterator[Any]:
    """Columns of the entries among some that are held and meet a condition.

    Their ids stand in the statement: of a list that it has to read first, SQLite would go through all entries.
    """
    for start in range(0, len(entry_ids), _AT_ONCE):
        ids = listed_ids(entry_ids[start : start + _AT_ONCE])
        yield from blocks.select(f"SELECT {columns} FROM every_entry WHERE id IN ({ids}) AND {where}")


def _reduce(rows: Sequence[dict[str, Any]], code: Code | None, *, as_one: bool) -> None:
    """Reduce the vectors of entries to a code, and what else of them is only weighed to three digits."""
    keys_ND, scenes_ND = (unpack_many([row[name] for row in rows]) for name in VECTORS)
    chosen = code or Signs(keys_ND.shape[1])
    for row, key_D, scene_D in zip(rows, keys_ND, scenes_ND, strict=True):
        one = to_reduce(key_D, scene_D, as_searched=chosen.as_searched, as_one=as_one)
        key = chosen.pack(one[0])
        row |= {"key": key, "scene": key if one[1] is one[0] else chosen.pack(one[1]), "motion": None}
        row |= {"surprise": coarse(row["surprise"]), "utility": coarse(row["utility"])}


def _write(db: sqlite3.Connection, insert: str, values: dict[str, object]) -> None:
    places = ", ".join(f":{name}" for name in values)
    db.execute(f"{insert} INTO entry ({listed(tuple(values))}) VALUES ({places})", values)
