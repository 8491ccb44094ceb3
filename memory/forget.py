"""Delete what a user names from the disk, with everything that was made of it.

An entry that was seen in a time to be deleted is deleted whole, also where it was seen at other times: its picture
and vectors may be of either. With it are deleted the entries that it took in asleep, the summaries, notes, probes
and journal rows of that time, the visits of things that touch it, the context of its stream, and what was learned
from all (it is learned again from what is left). SQLite overwrites what is deleted (`secure_delete`), the full
text is merged until nothing deleted is left in it, and the log is emptied.

What remains is a journal row without a stream or a time, which tells an index that an id is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from hippocam.memory.filter import Filter
from hippocam.memory.store.database import Store

# Entries that are deleted in one transaction, so that the log stays small.
_BATCH = 32


class Forgotten(NamedTuple):
    """How many entries, whole streams, summaries and notes were deleted."""

    entries: int
    streams: int
    summaries: int
    notes: int = 0


class _Time(NamedTuple):
    """A stretch of one stream's time, in seconds, of which everything is deleted."""

    stream: str
    t0_s: float
    t1_s: float


class LongTerm(Protocol):
    """Keeps entries, and what was learned from them."""

    def delete(self, entry_ids: Sequence[int]) -> None:
        """Delete entries, with what went into them and what the journal says of them."""

    def note_deleted(self, entry_id: int) -> None:
        """Tell an index that an id is gone."""

    def relearn(self) -> None:
        """Learn from what is held, as if there had been nothing else."""


class Things(Protocol):
    """Knows the things that streams showed."""

    def delete(self, stream: str, after_s: float, before_s: float) -> int:
        """Delete the visits to a stream that touch a stretch of time."""


def forget(store: Store, longterm: LongTerm, things: Things, what: Filter | Sequence[int]) -> Forgotten:
    """Delete entries by their ids, or all that a stream, camera or stretch of time left behind.

    Args:
        store: The memory's database, writable.
        longterm: The same memory's entries.
        things: The same memory's things.
        what: Ids; or a filter with any of stream, camera, after_s, before_s. Without a time whole streams are
            deleted, and watching them again starts anew.

    Raises:
        ValueError: The filter names something else.
        DiskError: A process that reads keeps the log from being emptied; what was deleted is still in it.
    """
    if isinstance(what, Filter):
        if what != Filter(stream=what.stream, camera=what.camera, after_s=what.after_s, before_s=what.before_s):
            raise ValueError("forget takes stream, camera, after_s and before_s, or ids")
        times = list(_times_of(store, what))
        whole = what.after_s is None and what.before_s is None
        entry_ids = store.lookup.select(what)
    else:
        whole = False
        entries = [entry for entry_id in what if (entry := store.entries.get(entry_id)) is not None]
        times = [_Time(entry.stream, span.t0_s, span.t1_s) for entry in entries for span in entry.spans]
        entry_ids = [entry.id for entry in entries]
    heirs = [heir for time in times for heir in store.tombstones.heirs_within(*time)]
    entry_ids = list(dict.fromkeys([*entry_ids, *heirs]))
    notes = store.notes.count()
    store.sync_commits()
    for start in range(0, len(entry_ids), _BATCH):
        longterm.delete(entry_ids[start : start + _BATCH])
    with store.transaction():
        spoken_of, summaries = _delete_times(store, times)
        for time in times:
            things.delete(time.stream, time.t0_s, time.t1_s)
        streams = _delete_streams(store, times, whole=whole)
        for entry_id in sorted(spoken_of - set(entry_ids)):
            longterm.note_deleted(entry_id)
    longterm.relearn()
    store.scrub()
    return Forgotten(
        entries=len(entry_ids), streams=streams, summaries=summaries, notes=notes - store.notes.count()
    )


def _times_of(store: Store, wanted: Filter) -> Iterator[_Time]:
    after_s = float("-inf") if wanted.after_s is None else wanted.after_s
    before_s = float("inf") if wanted.before_s is None else wanted.before_s
    return (_Time(s.id, after_s, before_s) for s in store.streams.rows() if wanted.of_stream(s.id))


def _delete_times(store: Store, times: Iterable[_Time]) -> tuple[set[int], int]:
    """Delete what tells of some times.

    Returns:
        Ids that the journal spoke of and that have no vectors any more, and how many summaries were deleted.
    """
    spoken_of, summaries = set[int](), 0
    for time in times:
        summaries += store.summaries.delete_within(*time)
        store.probes.delete_within(*time)
        store.notes.delete_within(*time)
        spoken_of |= store.journal.delete_within(*time)
        store.tombstones.delete_within(*time)
    store.summaries.mend_parents()
    return spoken_of - store.entries.ids(sorted(spoken_of)), summaries


def _delete_streams(store: Store, times: Iterable[_Time], *, whole: bool) -> int:
    """Delete the context of streams, or all that is known of them; return how many were deleted whole."""
    streams = sorted({time.stream for time in times})
    for stream in streams:
        store.places.delete_stream(stream)
        store.tracked.delete(stream)
        if whole:
            store.journal.delete_stream(stream)
            store.notes.delete_stream(stream)
            store.streams.delete(stream)
        else:
            store.streams.delete_state(stream)
    return len(streams) if whole else 0
