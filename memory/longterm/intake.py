"""What comes into long-term memory: events, continuations, notes, things, and entries of other memories.

An event that shows the same thing in the same place again goes into the entry that holds it, as one more span; any
other becomes an entry of its own. Before anything is written, the budget makes room for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Protocol

from hippocam.memory.bank.bank import Bank, Match
from hippocam.memory.bank.one_thread import one_thread
from hippocam.memory.codec import is_short, rounded, unpack
from hippocam.memory.longterm.budget import ByteBudget
from hippocam.memory.longterm.journal import Journal, Why
from hippocam.memory.longterm.notes import BATCH, KeptNotes
from hippocam.memory.records import Continuation, Entry, Event, Level, Slot, Span, id_of
from hippocam.memory.spans import MAX_SPANS, join_spans, union_of
from hippocam.memory.store.entries import EntryRow, EntryTable
from hippocam.memory.store.exemplars import Exemplars
from hippocam.memory.store.notes import NoteRow, bytes_of
from hippocam.memory.store.probes import ProbeTable
from hippocam.memory.store.streams import StreamTable
from hippocam.memory.working.working import WorkingState
from hippocam.stream.robot.motion import Motion

# Bytes of new pages for what is new of a stream's things, at most, and the share of a small budget.
_TRACKED_BYTES = 65_536
_TRACKED_SHARE = 1 / 12
# How much of that once there is a state, which later ones replace: what more things add, and their visits.
_MORE_TRACKED = 0.625
# Seconds of pause, for each unit of strength, from which use again counts as spaced.
_SPACED_S = 60.0


class Tables(Protocol):
    """The tables that events go into, in one database."""

    entries: EntryTable
    streams: StreamTable
    probes: ProbeTable

    def transaction(self) -> AbstractContextManager[None]:
        """All statements inside take effect together, or none."""


class KeptBank(Protocol):
    """Keeps the bank."""

    def transaction(self) -> AbstractContextManager[None]:
        """A transaction of the tables that covers what the bank holds: if it fails, both are taken back."""


class Scenes(Protocol):
    """What a time was like as a whole, kept as events come in."""

    def add(self, event: Event, entry_id: int) -> None:
        """Take the next event of a stream."""

    def extend(self, more: Continuation) -> None:
        """Take what goes on unchanged."""

    def reload(self) -> None:
        """Go on from what the database holds."""


class Things(Protocol):
    """Follows the things that streams show."""

    def has_new(self, stream: str, *, beyond_state: bool = False) -> bool:
        """Whether there is something of a stream to write, or more than a short state."""

    def write(self, stream: str) -> bytes:
        """Write what is new of a stream, inside a transaction; return the state to go on from."""


class Progress(Protocol):
    """How far streams are kept."""

    def advance(self, event: Event, state: WorkingState) -> None:
        """Move a stream on past an event, inside a transaction."""

    def extend(self, more: Continuation, state: WorkingState) -> None:
        """Move a stream on past a continuation, inside a transaction."""

    def follow(self, stream: str, tracked: bytes) -> None:
        """Keep the state of what follows a stream's things, inside a transaction."""

    def follows(self, stream: str) -> bool:
        """Whether there is such a state of a stream, which the next replaces."""

    def forget(self) -> None:
        """Write nothing of what waits for a commit: it was taken back."""


class Intake:
    """Takes in what is to be kept.

    Args:
        tables: Tables of the memory.
        exemplars: Pictures of the entries.
        bank: Says whether an event is known.
        kept: Keeps the bank.
        scenes: Scenes, chapters and days.
        things: What streams show.
        budget: Makes room.
        notes: Keeps notes.
        journal: Says why each thing happened.
        progress: How far streams are kept.
        probe_rows: Views that are kept to ask with.
    """

    def __init__(
        self,
        tables: Tables,
        exemplars: Exemplars,
        bank: Bank,
        kept: KeptBank,
        scenes: Scenes,
        things: Things,
        *,
        budget: ByteBudget,
        notes: KeptNotes,
        journal: Journal,
        progress: Progress,
        probe_rows: int,
    ) -> None:
        self._tables = tables
        self._exemplars = exemplars
        self._bank = bank
        self._kept = kept
        self._scenes = scenes
        self._things = things
        self._budget = budget
        self._notes = notes
        self._journal = journal
        self._progress = progress
        self._probe_rows = probe_rows
        self._ready = False

    def make_ready(self) -> None:
        """Give up a little ahead of the next events, some steps each time, until that suffices."""
        if not self._ready:
            with one_thread():
                self._ready = self._budget.make_ready()

    def add(self, event: Event, state: WorkingState) -> None:
        """Keep an event, giving up others where the budget asks for it; a replayed event is a no-op.

        Args:
            event: What is kept.
            state: The stream's working memory just after it, stored in the same transaction.
        """
        if id_of(event.stream, event.first_seq) in self._bank:
            return
        event = replace(event, key=rounded(event.key), scene=rounded(event.scene))
        words_bytes = _words_bytes(event.text, event.labels, event.motion)
        while not self._ready:
            self.make_ready()
        # before anything is learned from it: what cannot be kept leaves no trace
        own_bytes = len(event.jpeg) + 2 * len(event.key) + words_bytes
        self._budget.make_room(own_bytes + self._budget.insert_bytes, picture_bytes=len(event.jpeg))
        with self._written():
            match = self._bank.match(event.stream, event.place, event.key, event.t0_s)
            bears = match is not None and (match.same or match.again)
            known = self._tables.entries.get(match.entry_id) if match is not None and bears else None
            if match is not None and known is not None and match.same and self._can_hold(known, event):
                self._add_span(known, event, match, state)
            else:
                self._add_entry(event, known, match, state, words_bytes)
            self._follow_on(event.stream)

    def extend(self, more: Continuation, state: WorkingState) -> None:
        """Prolong the newest entry of a stream, which went on unchanged, or was there again behind a gap."""
        self._budget.make_room(self._budget.insert_bytes)
        newest = self._tables.streams.newest(more.stream)
        known = None if newest is None else self._tables.entries.get(newest)
        again = 0
        with self._written():
            if known is not None:
                spans = prolonged(known.spans, more)
                again = int(spans is None)
                if spans is None:
                    new = Span(t0_s=more.t0_s, t1_s=more.t1_s, known_s=more.t0_s)
                    spans = join_spans([*known.spans, new])
                    why: Why = {"at_s": more.t0_s, "met": known.met + 1}
                    self._journal.add(more.stream, more.t1_s, "seen again", known.id, None, why)
                self._set_spans(known, spans, met=known.met + again, strength=known.strength)
                self._tables.entries.add_repeats(known.id, more.repeats)
                self._bank.touch(known.id, last_s=more.t1_s, met=again)
            self._scenes.extend(more)
            self._progress.extend(more, state)
            self._follow_on(more.stream)

    def restore(self, row: EntryRow, jpeg: bytes) -> bool:
        """Take in an entry of another memory as it is; False where it is held already.

        Args:
            row: What is taken in; its stream must be known to the store.
            jpeg: Its picture, empty where it has none.
        """
        entry = row.entry
        if entry.id in self._bank:
            return False
        words_bytes = _words_bytes(entry.text, entry.labels, entry.motion)
        vectors_bytes = sum(len(blob) for blob in (row.key, row.scene) if blob is not None)
        self.make_room(len(jpeg) + vectors_bytes + words_bytes + self._budget.insert_bytes)
        if jpeg:
            self._exemplars.write(entry.id, jpeg)
        last_s = entry.spans[-1].t1_s
        with self._kept.transaction():
            self._tables.entries.restore(row._replace(entry=replace(entry, jpeg_bytes=len(jpeg))), jpeg)
            self._journal.add(entry.stream, last_s, "imported", entry.id)
            self._bank.add(
                Slot(
                    entry_id=entry.id,
                    first_seq=entry.first_seq,
                    stream=entry.stream,
                    place=entry.place,
                    key_D=None if row.key is None else unpack(row.key),
                    utility=entry.utility,
                    last_s=last_s,
                    jpeg_bytes=len(jpeg),
                    words_bytes=words_bytes,
                    strength=entry.strength,
                    met=entry.met,
                    pinned=entry.pinned,
                    level=entry.level,
                    short=row.key is not None and is_short(row.key),
                )
            )
        return True

    def keep_notes(self, rows: Sequence[NoteRow]) -> int:
        """Keep notes, giving up others where they take more than their share; return how many were new."""
        new = 0
        for start in range(0, len(rows), BATCH):
            batch = self._notes.unkept(rows[start : start + BATCH])
            if not batch:  # as after a kill: no room must be made twice
                continue
            self.make_room(sum(bytes_of(row.note) for row in batch) + self._budget.insert_bytes)
            new += self._notes.keep(batch)
        return new

    def keep_things(self, stream: str) -> None:
        """Write down what was followed of a stream's things, with the state to go on from.

        Where there was nothing to be followed, the state goes with the event that comes next.
        """
        if not self._things.has_new(stream, beyond_state=True):  # or room would be made twice after a kill
            return
        first = not self._progress.follows(stream)  # later states replace earlier ones
        most_bytes = min(_TRACKED_BYTES, self._budget.given_bytes * _TRACKED_SHARE)
        self.make_room(int(most_bytes if first else most_bytes * _MORE_TRACKED))
        try:
            with self._tables.transaction():
                self._progress.follow(stream, self._things.write(stream))
        except BaseException:
            self._progress.forget()
            raise

    def _follow_on(self, stream: str) -> None:
        """Keep the state of what follows a stream's things where they told of none; inside a transaction."""
        if self._things.has_new(stream):
            self._progress.follow(stream, self._things.write(stream))

    def make_room(self, needed_bytes: int) -> None:
        """Let the budget make room for more bytes."""
        self._ready = False
        self._budget.make_room(needed_bytes)

    def _add_span(self, known: Entry, event: Event, match: Match, state: WorkingState) -> None:
        """Keep an event as one more span of the entry that holds the same thing; inside a transaction."""
        strength = strengthened(known, event.t0_s)
        why: Why = {"cosine": match.cosine, "at_s": event.t0_s, "met": known.met + 1}
        spans = join_spans([*known.spans, _span_of(event)])
        self._set_spans(known, spans, met=known.met + 1, strength=strength)
        self._tables.streams.set_newest(event.stream, known.id)
        self._journal.add(event.stream, event.t1_s, "seen again", known.id, None, why)
        self._scenes.add(event, known.id)
        self._progress.advance(event, state)
        self._bank.touch(known.id, last_s=event.t1_s, met=1, strength=strength)

    def _add_entry(
        self, event: Event, known: Entry | None, match: Match | None, state: WorkingState, words_bytes: int
    ) -> None:
        """Keep an event as an entry of its own; the entry that it meets again, elsewhere, grows stronger.

        Inside a transaction.
        """
        entry_id = id_of(event.stream, event.first_seq)
        met = known if match is not None and match.again else None
        if event.jpeg:
            self._exemplars.write(entry_id, event.jpeg)
        self._tables.entries.insert(event)
        self._scenes.add(event, entry_id)
        kept: Why = {"cut": event.cut, "surprise": event.surprise}
        self._journal.add(event.stream, event.t1_s, "kept", entry_id, None, kept)
        if met is not None and match is not None:
            strength = strengthened(met, event.t0_s)
            self._set_spans(met, met.spans, met=met.met, strength=strength)
            why: Why = {"cosine": match.cosine, "at_s": event.t0_s}
            self._journal.add(event.stream, event.t1_s, "met again", met.id, entry_id, why)
            self._bank.touch(met.id, last_s=met.spans[-1].t1_s, strength=strength)
        if event.view is not None:
            self._tables.probes.add(
                "view", event.stream, event.t0_s, event.t1_s, event.view, keep=self._probe_rows
            )
        self._progress.advance(event, state)
        self._bank.add(
            Slot(
                entry_id=entry_id,
                first_seq=event.first_seq,
                stream=event.stream,
                place=event.place,
                key_D=event.key,
                utility=event.utility,
                last_s=event.t1_s,
                jpeg_bytes=len(event.jpeg),
                words_bytes=words_bytes,
                level=Level.FULL if event.jpeg else Level.VECTORS,
            )
        )

    def _can_hold(self, known: Entry, event: Event) -> bool:
        """Whether an entry can take an event as one more span.

        One into which sleep merged several must lose none for it. What a robot does under another task is another
        moment, however alike it looks: the task, which would be lost, is what one asks for.
        """
        of_robot = event.motion is not None
        if of_robot and not set(event.text.splitlines()) <= set(known.text.splitlines()):
            return False
        spans = union_of([*known.spans, _span_of(event)])
        return len(spans) <= MAX_SPANS or not self._tables.entries.slept(known.id)

    def _set_spans(self, known: Entry, spans: Sequence[Span], *, met: int, strength: float) -> None:
        first, *further = spans
        self._tables.entries.set_spans(known.id, first=first, further=further, met=met, strength=strength)

    @contextmanager
    def _written(self) -> Iterator[None]:
        """A transaction that covers what scenes and the bank hold too: if it fails, all is taken back."""
        self._ready = False
        try:
            with self._kept.transaction():
                yield
        except BaseException:
            self._scenes.reload()
            self._progress.forget()
            raise


def prolonged(spans: Sequence[Span], more: Continuation) -> list[Span] | None:
    """The spans of an entry that went on unchanged; None where that begins in none of them, behind a gap."""
    for index, span in enumerate(spans):
        if span.t0_s <= more.t0_s <= span.t1_s:
            longer = replace(span, t1_s=max(span.t1_s, more.t1_s))
            return union_of([*spans[:index], longer, *spans[index + 1 :]])
    return None


def strengthened(known: Entry, now_s: float) -> float:
    """Strength of an entry that is met again: re-use after a long pause counts for more, and for 1 at most."""
    pause_s = max(0.0, now_s - known.spans[-1].t1_s)
    return known.strength + 1 - math.exp(-pause_s / (_SPACED_S * known.strength))


def _span_of(event: Event) -> Span:
    return Span(t0_s=event.t0_s, t1_s=event.t1_s, known_s=event.known_s)


def _words_bytes(text: str, labels: Sequence[str], motion: Motion | None) -> int:
    """Bytes of an entry's words, full text included, and of what its robot did."""
    words_bytes = len(text.encode()) + sum(len(label.encode()) for label in labels)
    return 2 * words_bytes + (0 if motion is None else motion.size)
