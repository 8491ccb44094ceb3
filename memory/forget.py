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
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple, Protocol

from hippocam.memory.errors import DiskError
from hippocam.memory.filter import Filter
from hippocam.memory.provenance.records import Origin, Quarantine
from hippocam.memory.records import format_id
from hippocam.memory.store.database import Store
from hippocam.memory.store.meta import MetaTable
from hippocam.memory.store.notes import NoteRow

log = logging.getLogger(__name__)

# Name of the mark among the memory's settings.
_MARK = "forgetting"
# Entries that are deleted in one transaction, so that the log stays small.
_BATCH = 32


class Deleted(NamedTuple):
    """What was deleted for a user.

    Attributes:
        entries: How many entries.
        streams: How many streams, whole.
        summaries: How many scenes, chapters and days.
        notes: How many notes.
        files: Videos that were deleted with them, by their paths: the page keeps uploads beside a memory.
        kept: Such videos that stay, each with the reason.
    """

    entries: int
    streams: int
    summaries: int
    notes: int = 0
    files: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


class Time(NamedTuple):
    """A stretch of one stream's time, in seconds, of which everything is deleted."""

    stream: str
    t0_s: float
    t1_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """What is being deleted, as the mark in the database says it.

    Attributes:
        wanted: What was named, where streams, times or an import were.
        origin: The import or the sense that was named, else None. Of a sense only notes are deleted.
        entry_ids: The entries that were named, where entries were.
        times: The stretches of time of which everything is deleted.
        entries: How many entries there were to delete when it began.
        notes: How many notes the memory had then.
        ended_only: Whether visits that go on after these times stay, whole.
    """

    wanted: tuple[Filter, ...]
    origin: Origin | None
    entry_ids: tuple[int, ...]
    times: tuple[Time, ...]
    entries: int
    notes: int
    ended_only: bool = False

    def whole(self, stream: str) -> bool:
        """Whether a stream is deleted whole."""
        return any(w.of_stream(stream) and w.after_s is None and w.before_s is None for w in self.wanted)

    def __str__(self) -> str:
        if self.origin is not None:
            return str(self.origin)
        if not self.wanted:
            return "entry " + ", ".join(map(format_id, self.entry_ids))
        named = [pair for one in self.wanted for pair in asdict(one).items()]
        return ", ".join(f"{name} {value}" for name, value in named if value is not None)

    def as_mark(self) -> dict[str, object]:
        """What the mark says, as JSON has it."""
        return asdict(self)

    @classmethod
    def of_mark(cls, mark: dict[str, Any]) -> Deletion:
        """Read what `as_mark` gave."""
        wanted, origin = mark["wanted"] or [], mark.get("origin")
        wanted = [wanted] if isinstance(wanted, dict) else wanted  # as marks were before there were origins
        return cls(
            wanted=tuple(Filter(**one) for one in wanted),
            origin=None if origin is None else Origin(**origin),
            entry_ids=tuple(mark["entry_ids"]),
            times=tuple(Time(*time) for time in mark["times"]),
            entries=mark["entries"],
            notes=mark["notes"],
            ended_only=mark.get("ended_only", False),
        )


class FinishedDeletion(NamedTuple):
    """A deletion that an earlier writer began and this one has finished."""

    deletion: Deletion
    gone: Deleted


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

    def delete(self, stream: str, after_s: float, before_s: float, *, ended_only: bool) -> int:
        """Delete the visits to a stream that touch a stretch of time, or only those that ended within it."""


def forget(
    store: Store,
    longterm: LongTerm,
    things: Things,
    what: Filter | Origin | Sequence[int],
    *,
    ended_only: bool = False,
) -> Deleted:
    """Delete entries by their ids, all that a stream, camera or stretch of time left behind, or by provenance.

    Args:
        store: The memory's database, writable.
        longterm: The same memory's entries.
        things: The same memory's things.
        what: Ids; or a filter with any of stream, camera, after_s, before_s. Without a time whole streams are
            deleted, and watching them again starts anew. Or an origin: all that came with an import, or the notes
            that came by a sense.
        ended_only: The streams go on meanwhile: of visits only those that ended within the times are deleted, and
            what a stream's places look like stays.

    Raises:
        ValueError: The filter names something else, or an origin neither an import nor a sense.
        DiskError: A process that reads keeps the log from being emptied; what was deleted is still in it, and the
            deletion stays pending.
    """
    finish_pending(store, longterm, things)
    wanted, origin, named, times = tuple[Filter, ...](), None, tuple[int, ...](), list[Time]()
    if isinstance(what, Origin):
        origin, wanted = what, filters_of(store, what)
    elif isinstance(what, Filter):
        if what != Filter(stream=what.stream, camera=what.camera, after_s=what.after_s, before_s=what.before_s):
            raise ValueError("forget takes stream, camera, after_s and before_s, or ids")
        wanted = (what,)
    else:
        entries = [entry for entry_id in what if (entry := store.entries.get(entry_id)) is not None]
        named = tuple(entry.id for entry in entries)
        times = [Time(entry.stream, span.t0_s, span.t1_s) for entry in entries for span in entry.spans]
    times += [time for one in wanted for time in times_of(store, one)]
    begun = Deletion(
        wanted=wanted,
        origin=origin,
        entry_ids=named,
        times=tuple(times),
        entries=0,
        notes=store.notes.count(),
        ended_only=ended_only,
    )
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


def _finish(store: Store, longterm: LongTerm, things: Things, begun: Deletion) -> Deleted:
    """Delete what is left of what a mark names, then the mark; each step may have been done before."""
    if begun.origin is not None and begun.origin.sense is not None:
        return _finish_notes(store, longterm, begun, begun.origin)
    entry_ids = _entry_ids(store, begun)
    for start in range(0, len(entry_ids), _BATCH):
        longterm.delete(entry_ids[start : start + _BATCH])
    with store.transaction():
        spoken_of, summaries = _delete_times(store, begun.times)
        for time in begun.times:
            things.delete(time.stream, time.t0_s, time.t1_s, ended_only=begun.ended_only)
        streams = _delete_streams(store, begun)
        store.provenance.forget(begun.origin or Origin())
        for entry_id in sorted(spoken_of - set(entry_ids)):
            longterm.note_deleted(entry_id)
    longterm.relearn()
    notes = begun.notes - store.notes.count()
    _unmark(store)
    return Deleted(entries=begun.entries, streams=streams, summaries=summaries, notes=notes)


def _finish_notes(store: Store, longterm: LongTerm, begun: Deletion, origin: Origin) -> Deleted:
    """Delete the notes that came by a sense, then the mark."""
    with store.transaction():
        store.notes.delete(note.id for note in notes_of(store, origin))
        store.provenance.forget(origin)
    longterm.relearn()
    notes = begun.notes - store.notes.count()
    _unmark(store)
    return Deleted(entries=0, streams=0, summaries=0, notes=notes)


def _unmark(store: Store) -> None:
    """Scrub what was deleted, then delete the mark."""
    store.scrub()
    with store.transaction():
        store.meta.delete(_MARK)
    store.scrub()  # the mark named streams


def filters_of(store: Store, origin: Origin) -> tuple[Filter, ...]:
    """What is to be deleted of an import, a filter for each of its streams; none where only notes are.

    A stream that was watched on behind the import loses what it got with it, by its time.

    Raises:
        ValueError: The origin names neither an import nor a sense.
    """
    if origin.sense is not None:
        return ()
    if origin.import_id is None:
        raise ValueError("forget takes an origin with an import or a sense")
    rows = {row.id: row for row in store.streams.rows()}
    found = []
    for stream, part in store.provenance.parts().items():
        if stream in rows and origin.of_stream(stream) and origin.of_part(part):
            on = rows[stream].last_seq > part.last_seq
            found.append(Filter(stream=stream, before_s=math.nextafter(part.end_s, math.inf) if on else None))
    return tuple(found)


def notes_of(store: Store, origin: Origin) -> list[NoteRow]:
    """The notes of an origin, by stream and time."""
    single = Quarantine(origins=(origin,), parts=store.provenance.parts())
    streams = [row.id for row in store.streams.rows() if origin.of_stream(row.id)]
    return [row for stream in streams for row in store.notes.of(stream) if single.holds_note(row.note)]


def _entry_ids(store: Store, begun: Deletion) -> list[int]:
    """Ids of the entries that are there still and are to be deleted, with those that others were merged into."""
    named = [*begun.entry_ids, *(entry_id for one in begun.wanted for entry_id in store.lookup.select(one))]
    heirs = [heir for time in begun.times for heir in store.tombstones.heirs_within(*time)]
    return [entry_id for entry_id in dict.fromkeys([*named, *heirs]) if store.entries.get(entry_id) is not None]


def times_of(store: Store, wanted: Filter) -> Iterator[Time]:
    """The stretches of time of each stream that a filter means."""
    after_s = float("-inf") if wanted.after_s is None else wanted.after_s
    before_s = float("inf") if wanted.before_s is None else wanted.before_s
    return (Time(s.id, after_s, before_s) for s in store.streams.rows() if wanted.of_stream(s.id))


def _delete_times(store: Store, times: Iterable[Time]) -> tuple[set[int], int]:
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
        store.coverage.delete_within(*time)
    store.summaries.mend_parents()
    return spoken_of - store.entries.ids(sorted(spoken_of)), summaries


def _delete_streams(store: Store, begun: Deletion) -> int:
    """Delete the context of streams, or all that is known of them; return how many were deleted whole."""
    if begun.ended_only:  # their cameras go on, and so does what is known of how they look
        return 0
    streams = sorted({time.stream for time in begun.times})
    for stream in streams:
        store.places.delete_stream(stream)
        store.tracked.delete(stream)
        if begun.whole(stream):
            store.journal.delete_stream(stream)
            store.notes.delete_stream(stream)
            store.coverage.delete_within(stream)
            store.streams.delete(stream)
        else:
            store.streams.delete_state(stream)
    return sum(map(begun.whole, streams))
