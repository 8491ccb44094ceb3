"""Delete what a user names from the disk, with everything that was made of it.

An entry that was seen in a time to be deleted is deleted whole, also where it was seen at other times: its picture
and vectors may be of either. With it are deleted the entries that it took in asleep, the summaries, notes, probes
and journal rows of that time, the visits of things that touch it, the context of its stream, and what was learned
from all (it is learned again from what is left). SQLite overwrites what is deleted (`secure_delete`), the full
text is merged until nothing deleted is left in it, and the log is emptied.

What remains is a journal row without a stream or a time, which tells an index that an id is gone.

Before anything is deleted, a mark in the database says what is to go; it is deleted last. A deletion that was cut
short is finished by the next writer, as it opens the memory.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple, Protocol

from hippocam.memory.errors import DiskError
from hippocam.memory.filter import Filter
from hippocam.memory.records import format_id
from hippocam.memory.store.database import Store
from hippocam.memory.store.meta import MetaTable

log = logging.getLogger(__name__)

# Name of the mark among the memory's settings.
_MARK = "forgetting"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What is being deleted, as the mark in the database says it.

    Attributes:
        wanted: What was named, where streams or times were.
        entry_ids: The entries that were named, where entries were.
        times: The stretches of time of which everything is deleted.
        entries: How many entries there were to delete when it began.
        notes: How many notes the memory had then.
    """

    wanted: Filter | None
    entry_ids: tuple[int, ...]
    times: tuple[_Time, ...]
    entries: int
    notes: int

    @property
    def whole(self) -> bool:
        """Whether streams are deleted whole."""
        return self.wanted is not None and self.wanted.after_s is None and self.wanted.before_s is None

    def __str__(self) -> str:
        if self.wanted is None:
            return "entry " + ", ".join(map(format_id, self.entry_ids))
        named = asdict(self.wanted)
        return ", ".join(f"{name} {value}" for name, value in named.items() if value is not None)

    def as_mark(self) -> dict[str, object]:
        """What the mark says, as JSON has it."""
        return asdict(self)

    @classmethod
    def of_mark(cls, mark: dict[str, Any]) -> Deletion:
        """Read what `as_mark` gave."""
        wanted = mark["wanted"]
        return cls(
            wanted=None if wanted is None else Filter(**wanted),
            entry_ids=tuple(mark["entry_ids"]),
            times=tuple(_Time(*time) for time in mark["times"]),
            entries=mark["entries"],
            notes=mark["notes"],
        )


class FinishedDeletion(NamedTuple):
    """A deletion that an earlier writer began and this one has finished."""

    deletion: Deletion
    gone: Forgotten


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
        DiskError: A process that reads keeps the log from being emptied; what was deleted is still in it, and the
            deletion stays pending.
    """
    finish_pending(store, longterm, things)
    if isinstance(what, Filter):
        if what != Filter(stream=what.stream, camera=what.camera, after_s=what.after_s, before_s=what.before_s):
            raise ValueError("forget takes stream, camera, after_s and before_s, or ids")
        wanted, named, times = what, tuple[int, ...](), list(_times_of(store, what))
    else:
        entries = [entry for entry_id in what if (entry := store.entries.get(entry_id)) is not None]
        wanted, named = None, tuple(entry.id for entry in entries)
        times = [_Time(entry.stream, span.t0_s, span.t1_s) for entry in entries for span in entry.spans]
    begun = Deletion(wanted=wanted, entry_ids=named, times=tuple(times), entries=0, notes=store.notes.count())
    begun = replace(begun, entries=len(_entry_ids(store, begun)))
    store.sync_commits()
    with store.transaction():
        store.meta.put(**{_MARK: begun.as_mark()})
    return _finish(store, longterm, things, begun)


def pending(store: Store) -> Deletion | None:
    """The deletion that was begun in a memory and not finished; None where there is none."""
    return pending_in(store.meta)


def pending_in(meta: MetaTable) -> Deletion | None:
    """The same, by the memory's settings alone."""
    mark = meta.get(_MARK)
    return Deletion.of_mark(mark) if isinstance(mark, dict) else None


def finish_pending(store: Store, longterm: LongTerm, things: Things) -> FinishedDeletion | None:
    """Finish the deletion that was begun and cut short; None where there is none.

    Raises:
        DiskError: A process that reads keeps the log from being emptied; the deletion stays pending.
    """
    begun = pending(store)
    if begun is None:
        return None
    store.sync_commits()
    return FinishedDeletion(begun, _finish(store, longterm, things, begun))


def finish_when_opened(store: Store, longterm: LongTerm, things: Things) -> FinishedDeletion | None:
    """Finish the deletion that was begun and cut short; where a reader keeps the log, it stays pending."""
    try:
        return finish_pending(store, longterm, things)
    except DiskError as error:
        log.warning("an interrupted deletion is still pending: %s", error)
        return None


def _finish(store: Store, longterm: LongTerm, things: Things, begun: Deletion) -> Forgotten:
    """Delete what is left of what a mark names, then the mark; each step may have been done before."""
    entry_ids = _entry_ids(store, begun)
    for start in range(0, len(entry_ids), _BATCH):
        longterm.delete(entry_ids[start : start + _BATCH])
    with store.transaction():
        spoken_of, summaries = _delete_times(store, begun.times)
        for time in begun.times:
            things.delete(time.stream, time.t0_s, time.t1_s)
        streams = _delete_streams(store, begun.times, whole=begun.whole)
        for entry_id in sorted(spoken_of - set(entry_ids)):
            longterm.note_deleted(entry_id)
    longterm.relearn()
    notes = store.notes.count()
    store.scrub()
    with store.transaction():
        store.meta.delete(_MARK)
    store.scrub()  # the mark named streams
    return Forgotten(entries=begun.entries, streams=streams, summaries=summaries, notes=begun.notes - notes)


def _entry_ids(store: Store, begun: Deletion) -> list[int]:
    """Ids of the entries that are there still and are to be deleted, with those that others were merged into."""
    named = begun.entry_ids if begun.wanted is None else store.lookup.select(begun.wanted)
    heirs = [heir for time in begun.times for heir in store.tombstones.heirs_within(*time)]
    return [entry_id for entry_id in dict.fromkeys([*named, *heirs]) if store.entries.get(entry_id) is not None]


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
