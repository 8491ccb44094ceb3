"""Forgetting: what is told to go goes from the disk, with everything that was made of it.

An entry that was seen in a time to be forgotten goes whole, also where it was seen at other times: its picture and
vectors may be of either. With it go what had gone into it asleep, the summaries, notes, probes and journal rows of
that time, the visits of things that touch it, the context of its stream, and what was learned from all (it is
learned again from what is left). SQLite overwrites what is deleted (`secure_delete`), the full text is merged
until nothing deleted is left in it, and the log is emptied.

What remains is a journal row without a stream or a time, which tells an index that an id is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from hippocam.memory.errors import DiskError
from hippocam.memory.filter import Filter
from hippocam.memory.longterm.longterm import LongTerm
from hippocam.memory.store.database import Store
from hippocam.memory.store.schema import FULL_TEXTS

# Entries that go in one transaction, so that the log stays small; pages of full text merged in one.
_BATCH, _MERGE_PAGES = 32, 16


class Forgotten(NamedTuple):
    """What went: entries, whole streams, summaries, notes."""

    entries: int
    streams: int
    summaries: int
    notes: int = 0


class _Time(NamedTuple):
    """A stretch of one stream's time that is forgotten, in seconds."""

    stream: str
    t0_s: float
    t1_s: float


def forget(store: Store, longterm: LongTerm, what: Filter | Sequence[int]) -> Forgotten:
    """Delete entries by their ids, or all that a stream, camera or stretch of time left behind.

    Args:
        store: The memory's database, writable.
        longterm: Of the same memory.
        what: Ids; or a filter with any of stream, camera, after_s, before_s. Without a time the streams go whole,
            and watching them again starts anew.

    Raises:
        ValueError: The filter names something else.
        DiskError: A process that reads keeps the log from being emptied; what was deleted is still in it.
    """
    if isinstance(what, Filter):
        if what != Filter(stream=what.stream, camera=what.camera, after_s=what.after_s, before_s=what.before_s):
            raise ValueError("forget takes stream, camera, after_s and before_s, or ids")
        times = list(_times_of(store, what))
        whole = what.after_s is None and what.before_s is None
        numbers = store.lookup.select(what)
    else:
        numbers, whole = list(what), False
        entries = [entry for number in numbers if (entry := store.entries.get(number)) is not None]
        times = [_Time(entry.stream, span.t0_s, span.t1_s) for entry in entries for span in entry.spans]
        numbers = [entry.id for entry in entries]
    numbers = list(dict.fromkeys([*numbers, *_heirs(store, times)]))
    notes = store.notes.count()
    connection = store.connection
    connection.execute("PRAGMA synchronous = FULL")
    for start in range(0, len(numbers), _BATCH):
        longterm.forget(numbers[start : start + _BATCH])
    with store.transaction():
        gone, summaries = _forget_times(store, times)
        for time in times:
            longterm.entities.delete(time.stream, time.t0_s, time.t1_s)
        streams = _forget_streams(store, times, whole=whole)
        for number in sorted(gone - set(numbers)):
            longterm.note_forgotten(number)
    longterm.summaries.reload()
    longterm.relearn()
    longterm.recount_notes()
    _scrub(store)
    return Forgotten(entries=len(numbers), streams=streams, summaries=summaries, notes=notes - store.notes.count())


def _times_of(store: Store, wanted: Filter) -> Iterator[_Time]:
    after_s = float("-inf") if wanted.after_s is None else wanted.after_s
    before_s = float("inf") if wanted.before_s is None else wanted.before_s
    return (_Time(s.id, after_s, before_s) for s in store.streams.statuses() if wanted.of_stream(s.id))


def _heirs(store: Store, times: Iterable[_Time]) -> list[int]:
    """Entries into which something of these times went asleep."""
    found = list[int]()
    for time in times:
        rows = store.connection.execute(
            "WITH RECURSIVE up (id) AS (SELECT heir FROM tombstone WHERE stream = :stream AND last_s >= :t0 AND "
            "t0_s <= :t1 UNION SELECT t.heir FROM tombstone t JOIN up ON t.id = up.id) "
            "SELECT id FROM entry WHERE id IN up",
            {"stream": time.stream, "t0": time.t0_s, "t1": time.t1_s},
        )
        found += [number for (number,) in rows]
    return found


def _forget_times(store: Store, times: Iterable[_Time]) -> tuple[set[int], int]:
    """Delete what tells of some times: ids that the journal spoke of, and how many summaries went."""
    gone, summaries = set[int](), 0
    for time in times:
        values = {"stream": time.stream, "t0": time.t0_s, "t1": time.t1_s}
        overlaps = (
            "stream = :stream AND t1_s >= :t0 AND t0_s <= :t1 AND "
            "(t1_s > :t0 AND t0_s < :t1 OR t0_s = t1_s OR :t0 = :t1)"
        )
        summaries += store.connection.execute(f"DELETE FROM summary WHERE {overlaps}", values).rowcount
        for table in ("probe", "note"):
            store.connection.execute(f"DELETE FROM {table} WHERE {overlaps}", values)
        told = (
            "stream = :stream AND (time_s BETWEEN :t0 AND :t1 OR json_extract(why, '$.at_s') BETWEEN :t0 AND :t1 "
            "OR (json_extract(why, '$.t1_s') >= :t0 AND json_extract(why, '$.t0_s') <= :t1))"
        )
        rows = store.connection.execute(f"SELECT DISTINCT entry FROM journal WHERE {told}", values)
        gone |= {number for (number,) in rows}
        store.connection.execute(f"DELETE FROM journal WHERE {told}", values)
        store.connection.execute(
            "DELETE FROM tombstone WHERE stream = :stream AND last_s >= :t0 AND t0_s <= :t1", values
        )
    store.connection.execute("UPDATE summary SET parent = NULL WHERE parent NOT IN (SELECT id FROM summary)")
    return gone - store.entries.ids(sorted(gone)), summaries


def _forget_streams(store: Store, times: Iterable[_Time], *, whole: bool) -> int:
    """Delete the context of streams, or all that is known of them; how many went whole."""
    streams = sorted({(time.stream,) for time in times})
    for table in ("place", "tracked"):
        store.connection.executemany(f"DELETE FROM {table} WHERE stream = ?", streams)
    if not whole:
        store.connection.executemany("UPDATE stream SET state = NULL WHERE id = ?", streams)
        return 0
    for table, column in (("journal", "stream"), ("note", "stream"), ("stream", "id")):
        store.connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", streams)
    return len(streams)


def _scrub(store: Store) -> None:
    """Leave nothing of what was deleted in the full text, in free pages or in the log."""
    connection = store.connection
    for words in FULL_TEXTS:
        while True:
            before = connection.total_changes
            connection.execute(f"INSERT INTO {words} ({words}, rank) VALUES ('merge', ?)", (-_MERGE_PAGES,))
            if connection.total_changes - before < 2:  # as the manual of FTS5 has it: nothing was left to merge
                break
            store.fold_log()
    store.shrink()
    if not store.fold_log():
        raise DiskError(
            store.path.parent,
            "deleted, but a process that reads this memory keeps its log from being emptied, and the log still "
            "holds what was deleted; end that process and forget again",
        )
