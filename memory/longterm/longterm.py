"""Long-term memory: closed events in, entries under a hard byte budget.

An event that shows the same thing in the same place again goes into the entry that holds it, as one more span; any
other becomes an entry of its own. Before it is written, the bank (bank.py) names step by step what gives up what,
until it fits. Everything in the memory's folder counts, as `du -sb` counts it: database, its log, pictures, the
folders themselves. The journal says why each thing happened.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hippocam.memory.codec import rounded
from hippocam.memory.entities.bank import EntityMemory
from hippocam.memory.entities.records import EntityConfig
from hippocam.memory.errors import BudgetTooSmallError, DiskError
from hippocam.memory.longterm.bank import REFRESH_EVENTS, Bank, Step
from hippocam.memory.longterm.config import BankConfig
from hippocam.memory.longterm.ladder import ROW_BYTES
from hippocam.memory.longterm.priors import load_prior
from hippocam.memory.longterm.summaries import Summaries
from hippocam.memory.longterm.utility import Utility
from hippocam.memory.records import Continuation, Entry, Event, Held, Level, Slot, Span, id_of
from hippocam.memory.spans import MAX_SPANS, join_spans, union_of
from hippocam.memory.store.database import Store
from hippocam.memory.store.exemplars import Exemplars, thumbnail
from hippocam.memory.store.notes import NoteRow, bytes_of
from hippocam.memory.store.schema import PAGE_BYTES, WAL_PAGES
from hippocam.memory.working.working import WorkingState
from hippocam.stream.records import EncoderSpec, FloatArray

# SQLite's shared-memory file beside the log.
_SHM_BYTES = 32768
# The log holds one transaction beyond the pages at which it is folded back, with 24 bytes a page.
_LOG_BYTES = (WAL_PAGES + 32) * (PAGE_BYTES + 24)
# New pages for what is new of a stream's things, at most.
_TRACKED_PAGES = 16
# Share of the budget that entities may take at most, and what they are left with at least, in bytes.
_ENTITY_SHARE, _ENTITY_BYTES = 0.05, 50_000
# Notes in one transaction, so that the log stays small; share of the notes that goes when they are too many.
_NOTES, _NOTES_GO = 8, 1 / 16
# An insert takes at most this many new pages: the row, indexes, full text, journal, place, summary.
_INSERT_PAGES = 12
_UPDATE_PAGES = 4  # what a row that is there may grow by
# The database of an empty memory.
_EMPTY_BYTES = 48 * PAGE_BYTES
# What the journal calls the step to a level.
_ACTIONS = {Level.VECTORS: "no picture", Level.SIGNS: "signs only", Level.WORDS: "words only"}
# Share of the budget that the journal, the probes and the streams without entries may take each, and what one of
# their rows takes, about.
_SIDE_SHARE, _JOURNAL_BYTES, _PROBE_BYTES, _STREAM_BYTES = 0.01, 200, 100, 300
# What a tombstone takes without its vectors, about; entries that go asleep in one transaction.
_TOMBSTONE_BYTES, _GROUP = 400, 4


class Asleep(NamedTuple):
    """What sleep decided about a group beside its merging.

    Attributes:
        number: Of the sleep, to take it back by; 0 where it is not to be taken back.
        now_s: Time by the clock on the wall.
        slept: How many entries have gone into the heir by it.
        place: Of the heir, from now on.
        vectors: Key and scene of the heir from now on; None where it keeps its own.
    """

    number: int
    now_s: float
    slept: int
    place: int
    vectors: tuple[FloatArray, FloatArray] | None


class Consolidated(NamedTuple):
    """Entries that sleep found could be one: as they were, and as that one is."""

    heir: Held
    others: Sequence[Held]
    after: Held


class LongTerm:
    """Entries of one memory, held within a budget.

    Args:
        folder: The memory's folder.
        store: Its database, writable.
        exemplars: Its pictures; files without an entry are removed.
        spec: Of the encoder.
        budget_bytes: What the whole folder may take.
        config: When events are the same, and how entries fade.
        sleep_share: Share of the budget that is kept to take sleeps back.
        notes_share: Share of the budget that notes may take.
        entities: When detections are one thing, and the most bytes that entities may take.

    Raises:
        MemoryFolderError: Not even an empty memory fits into the budget.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        exemplars: Exemplars,
        *,
        spec: EncoderSpec,
        budget_bytes: int,
        config: BankConfig | None = None,
        sleep_share: float = 0.05,
        notes_share: float = 0.1,
        entities: EntityConfig | None = None,
    ) -> None:
        self._folder = folder
        self._store = store
        self._exemplars = exemplars
        self._budget_bytes = budget_bytes
        self._journal_rows = max(64, int(_SIDE_SHARE * budget_bytes) // _JOURNAL_BYTES)
        self._probe_rows = max(16, int(_SIDE_SHARE * budget_bytes) // (_PROBE_BYTES + spec.dim))
        self.bank = open_bank(store, spec, config)
        self.summaries = Summaries(store.summaries, dim=spec.dim, budget_bytes=budget_bytes)
        self._learned_at = self.bank.events
        self._stream_rows = max(16, int(_SIDE_SHARE * budget_bytes) // _STREAM_BYTES)
        self._dim = spec.dim
        entities = entities or EntityConfig()
        most = max(_ENTITY_BYTES, min(entities.budget_bytes, int(_ENTITY_SHARE * budget_bytes)))
        self.entities = EntityMemory(store.connection, replace(entities, budget_bytes=most))
        self._note_bytes, self._noted = int(notes_share * budget_bytes), store.notes.bytes()
        self._tombstone_rows = int(sleep_share * budget_bytes) // (2 * spec.dim + _TOMBSTONE_BYTES)
        pictures = {slot.entry_id: slot.jpeg_bytes for slot in store.entries.slots() if slot.level < Level.VECTORS}
        sizes = exemplars.keep_only(pictures)
        for number, said in pictures.items():
            if number not in sizes:  # a picture that somebody removed
                self._give_up(number, "its picture was removed", {})
            elif sizes[number] != said:  # a crash came after the thumbnail was written
                self._note_level(number, Level.SMALL, sizes[number])
        self.make_room(0)

    # in ---------------------------------------------------------------------------------------------------

    def add(self, event: Event, state: WorkingState) -> None:
        """Keep an event, giving up others where the budget asks for it; a replayed event is a no-op.

        Args:
            event: What is kept.
            state: The stream's working memory just after it, stored in the same transaction.
        """
        number = id_of(event.stream, event.first_seq)
        if number in self.bank:
            return
        event = replace(event, key=rounded(event.key), scene=rounded(event.scene))
        words = 2 * (len(event.text.encode()) + sum(map(len, event.labels)))
        # before anything is learned from it: what cannot be kept leaves no trace
        self.make_room(len(event.jpeg) + 2 * len(event.key) + words + _INSERT_PAGES * PAGE_BYTES)
        match = self.bank.match(event.stream, event.place, event.key, event.t0_s)
        known = self._store.entries.get(match.entry_id) if match is not None else None
        if match is not None and known is not None and match.same and self._has_room(known, event):
            with self._written():
                self._seen_again(known, event, match.cosine)
                self.summaries.add(event, known.id)
                self._advance(event, state)
            self.bank.touch(known.id, last_s=event.t1_s, met=1, strength=strengthened(known, event.t0_s))
            return
        if event.jpeg:
            self._exemplars.write(number, event.jpeg)
        with self._written():
            self._store.entries.insert(event)
            self.summaries.add(event, number)
            self._note(event, "kept", number, None, {"cut": event.cut, "surprise": event.surprise})
            if match is not None and known is not None and match.again:
                self._met_again(known, event, number, match.cosine)
            if event.view is not None:
                self._store.probes.add(
                    "view", event.stream, event.t0_s, event.t1_s, event.view, keep=self._probe_rows
                )
            self._advance(event, state)
        if match is not None and known is not None and match.again:
            self.bank.touch(known.id, last_s=known.spans[-1].t1_s, strength=strengthened(known, event.t0_s))
        self.bank.add(
            Slot(
                entry_id=number,
                stream=event.stream,
                place=event.place,
                key_D=event.key,
                utility=event.utility,
                last_s=event.t1_s,
                jpeg_bytes=len(event.jpeg),
                words_bytes=words,
                level=Level.FULL if event.jpeg else Level.VECTORS,
            )
        )

    def extend(self, more: Continuation, state: WorkingState) -> None:
        """Prolong the newest entry of a stream, which went on unchanged, or was there again behind a gap."""
        number = self._store.streams.newest(more.stream)
        known = None if number is None else self._store.entries.get(number)
        again = 0
        with self._written():
            if known is not None:
                spans = prolonged(known.spans, more)
                again = int(spans is None)
                if spans is None:
                    new = Span(t0_s=more.t0_s, t1_s=more.t1_s, known_s=more.t0_s)
                    spans = join_spans([*known.spans, new])
                    why = reasons({"at_s": more.t0_s, "met": known.met + 1})
                    self._store.journal.add(
                        more.stream, more.t1_s, "seen again", known.id, None, why, keep=self._journal_rows
                    )
                first, *further = spans
                self._store.entries.set_spans(
                    known.id, first=first, further=further, met=known.met + again, strength=known.strength
                )
                self._store.entries.add_repeats(known.id, more.repeats)
            self.summaries.extend(more)
            self._place(more.stream, state)
            self._store.streams.advance(
                more.stream,
                last_seq=more.last_seq,
                end_s=more.t1_s,
                seen=more.repeats,
                encoded=0,
                events=0,
                state=state.blob,
            )
        if known is not None and known.id in self.bank:
            self.bank.touch(known.id, last_s=more.t1_s, met=again)

    def restore(self, entry: Entry, key: FloatArray | None, scene: FloatArray | None, jpeg: bytes) -> bool:
        """Take in an entry of another memory as it is; False where it is held already.

        Args:
            entry: What is taken in; its stream must be known to the store.
            key: float32 [D], None at the level WORDS.
            scene: float32 [D], None at the level WORDS.
            jpeg: Its picture, empty where it has none.
        """
        if entry.id in self.bank:
            return False
        words = 2 * (len(entry.text.encode()) + sum(map(len, entry.labels)))
        dim = 0 if key is None else len(key)
        self.make_room(len(jpeg) + 2 * dim + words + _INSERT_PAGES * PAGE_BYTES)
        if jpeg:
            self._exemplars.write(entry.id, jpeg)
        with self._store.transaction():
            self._store.entries.restore(replace(entry, jpeg_bytes=len(jpeg)), key, scene)
            self._store.journal.add(
                entry.stream, entry.spans[-1].t1_s, "imported", entry.id, None, "{}", keep=self._journal_rows
            )
        self.bank.add(
            Slot(
                entry_id=entry.id,
                stream=entry.stream,
                place=entry.place,
                key_D=key,
                utility=entry.utility,
                last_s=entry.spans[-1].t1_s,
                jpeg_bytes=len(jpeg),
                words_bytes=words,
                strength=entry.strength,
                met=entry.met,
                pinned=entry.pinned,
                level=entry.level,
            )
        )
        return True

    def keep_notes(self, rows: Sequence[NoteRow]) -> int:
        """Keep notes, giving up others where they take more than their share; how many were new."""
        new = 0
        for start in range(0, len(rows), _NOTES):
            batch = rows[start : start + _NOTES]
            self.make_room(sum(bytes_of(row.note) for row in batch) + _INSERT_PAGES * PAGE_BYTES)
            with self._store.transaction():
                for row in batch:
                    if self._store.notes.put(row):
                        new += 1
                        self._noted += bytes_of(row.note)
            while self._noted > self._note_bytes and self._give_up_notes():
                pass
        return new

    def keep_things(self, stream: str) -> None:
        """Write down what was followed of the things of a stream, with the state to go on from."""
        first = not self._store.tracked.get(stream)  # later states take the place of earlier ones
        self.make_room((_TRACKED_PAGES if first else _UPDATE_PAGES) * PAGE_BYTES)
        with self._store.transaction():
            self._store.tracked.put(stream, self.entities.write(stream))

    def _give_up_notes(self) -> bool:
        """Give up some notes: what comes again first, then the oldest; False where there are none."""
        gone = self._store.notes.get(self._store.notes.least(max(1, int(_NOTES_GO * self._store.notes.count()))))
        for start in range(0, len(gone), _NOTES):
            batch = gone[start : start + _NOTES]
            self._fold_log()
            with self._store.transaction():
                self._store.notes.delete(row.id for row in batch)
            self._noted -= sum(bytes_of(row.note) for row in batch)
        return bool(gone)

    def recount_notes(self) -> None:
        """Count the notes anew, as after some were forgotten."""
        self._noted = self._store.notes.bytes()

    def pin(self, number: int, pinned: bool) -> bool:
        """Never give up an entry, or do so like any other; False where it is not held."""
        with self._store.transaction():
            held = self._store.entries.pin(number, pinned)
        if held:
            self.bank.pin(number, pinned)
        return held

    def use(self, numbers: Iterable[int]) -> None:
        """Note that entries were used as evidence: they grow stronger, and fade later."""
        with self._store.transaction():
            for number in numbers:
                entry = self._store.entries.get(number)
                if entry is not None:
                    strength = entry.strength + 1 / (1 + entry.uses)
                    self._store.entries.count_use(number, strength)
                    self.bank.touch(number, last_s=entry.spans[-1].t1_s, strength=strength)

    def save_learned(self) -> None:
        """Keep what was learned from the streams so far."""
        with self._store.transaction():
            for name, value in self.bank.learned().items():
                self._store.learned.put(name, value)
        self._learned_at = self.bank.events

    def finish(self, recording: str, streams: Iterable[str], *, complete: bool) -> None:
        """Keep what was learned from a recording; where it came to its end, close what is open of its streams."""
        if complete:
            with self._written():
                for stream in streams:
                    self.summaries.finish(stream)
                self._store.streams.complete(recording)
                if self._store.streams.give_up(self._stream_rows):
                    self.summaries.reload()
        self.save_learned()

    @contextmanager
    def _written(self) -> Iterator[None]:
        """A transaction with what summaries hold in memory: both are taken back where it fails."""
        try:
            with self._store.transaction():
                yield
        except BaseException:
            self.summaries.reload()
            raise

    def _advance(self, event: Event, state: WorkingState) -> None:
        self._place(event.stream, state)
        self._store.streams.advance(
            event.stream,
            last_seq=event.last_seq,
            end_s=event.t1_s,
            seen=event.frames + event.repeats,
            encoded=event.frames,
            events=1,
            state=state.blob,
        )
        if self.bank.events - self._learned_at >= REFRESH_EVENTS:
            for name, value in self.bank.learned().items():
                self._store.learned.put(name, value)
            self._learned_at = self.bank.events

    def _place(self, stream: str, state: WorkingState) -> None:
        if state.change is not None:
            place = state.change.place
            if state.change.dropped is not None:
                self._store.places.delete(stream, state.change.dropped)
            self._store.places.put(stream, place.number, place.vector, place.seen, place.last_s)

    def _has_room(self, known: Entry, event: Event) -> bool:
        """Whether an entry can take one more time: one that holds several things asleep loses none for it."""
        span = Span(t0_s=event.t0_s, t1_s=event.t1_s, known_s=event.known_s)
        return len(union_of([*known.spans, span])) <= MAX_SPANS or not self._store.entries.slept(known.id)

    def _seen_again(self, known: Entry, event: Event, cosine: float) -> None:
        span = Span(t0_s=event.t0_s, t1_s=event.t1_s, known_s=event.known_s)
        first, *further = join_spans([*known.spans, span])
        strength = strengthened(known, event.t0_s)
        self._store.entries.set_spans(known.id, first=first, further=further, met=known.met + 1, strength=strength)
        self._store.streams.set_newest(event.stream, known.id)
        self._note(
            event, "seen again", known.id, None, {"cosine": cosine, "at_s": event.t0_s, "met": known.met + 1}
        )

    def _met_again(self, known: Entry, event: Event, number: int, cosine: float) -> None:
        first, *further = known.spans
        strength = strengthened(known, event.t0_s)
        self._store.entries.set_spans(known.id, first=first, further=further, met=known.met, strength=strength)
        self._note(event, "met again", known.id, number, {"cosine": cosine, "at_s": event.t0_s})

    def _note(self, event: Event, action: str, entry: int, other: int | None, why: dict[str, float | str]) -> None:
        self._store.journal.add(
            event.stream, event.t1_s, action, entry, other, reasons(why), keep=self._journal_rows
        )

    # out --------------------------------------------------------------------------------------------------

    def make_room(self, needed: int) -> None:
        """Let the bank give up what it can miss until needed bytes (a picture, its row, its words) fit."""
        self._fold_log()
        self._refuse(self._fixed_bytes() + _EMPTY_BYTES + needed, needed)  # before anything is given up for it
        while self._fold_log() and self._projected(needed) > self._budget_bytes:
            if self._forget_asleep():
                continue
            step = self.bank.next_step()
            if step is None:
                if self._give_up_notes():
                    continue
                break
            self._carry_out(step)
        self._refuse(self._projected(needed), needed)
        if self._projected(needed) + self._free_bytes() > self._budget_bytes:
            self._store.shrink()

    def _carry_out(self, step: Step) -> None:
        why: dict[str, float | str] = {"worth": step.worth, "redundancy": step.redundancy}
        if step.to is None and step.twin is not None:
            self._merge([step.entry_id], step.twin, "merged", why)
        elif step.to is None:
            self._give_up(step.entry_id, "given up", why)
        elif step.to == Level.SMALL:
            small = thumbnail(self._exemplars.read(step.entry_id))
            if small is None:  # cannot be made smaller
                self._note_level(step.entry_id, Level.VECTORS, 0, "no picture", why)
                self._exemplars.delete(step.entry_id)
            else:
                self._exemplars.write(step.entry_id, small)
                self._note_level(step.entry_id, Level.SMALL, len(small), "smaller picture", why)
        else:
            self._note_level(step.entry_id, step.to, 0, _ACTIONS[step.to], why)
            self._exemplars.delete(step.entry_id)

    def _note_level(
        self,
        number: int,
        level: Level,
        jpeg_bytes: int,
        action: str = "",
        why: dict[str, float | str] | None = None,
    ) -> None:
        with self._store.transaction():
            self._store.entries.demote(number, level, jpeg_bytes)
            if action:
                self._tombstone(number, action, None, why or {})
        self.bank.demote(number, level, jpeg_bytes)

    def _merge(
        self,
        numbers: Sequence[int],
        heir: int,
        action: str,
        why: dict[str, float | str],
        asleep: Asleep | None = None,
    ) -> None:
        """Give the spans of some entries to another, and these up; asleep, also what else sleep decided."""
        every = [self._store.entries.get(number) for number in (heir, *numbers)]
        kept, *gone = (entry for entry in every if entry is not None)
        spans = join_spans([span for entry in (kept, *gone) for span in entry.spans])
        if asleep is not None and asleep.vectors is not None:  # they rest on all of these
            spans[0] = replace(spans[0], known_s=max(span.known_s for span in spans))
        first, *further = spans
        met, strength = sum(e.met for e in (kept, *gone)), max(e.strength for e in (kept, *gone))
        with self._store.transaction():
            if asleep is not None:
                for number in (heir, *numbers) if asleep.number else ():
                    self._store.tombstones.bury(number, heir=heir, sleep=asleep.number, made_s=asleep.now_s)
                self._store.entries.inherit(heir, slept=asleep.slept, place=asleep.place, vectors=asleep.vectors)
                key = "its own" if asleep.vectors is None else "of all"
                self._tombstone(heir, "slept", None, {"entries": len(numbers), "key": key})
            self._store.entries.set_spans(heir, first=first, further=further, met=met, strength=strength)
            for number in numbers:
                self._store.streams.move_newest(number, heir)
                self._tombstone(number, action, heir, why)
                self._store.entries.delete(number)
                if asleep is None:
                    self._store.tombstones.delete_heirs(number)
        for number in numbers:
            self._exemplars.delete(number)
            self.bank.delete(number)
        met_more = sum(entry.met for entry in gone)
        self.bank.touch(heir, last_s=max(s.t1_s for s in spans), met=met_more, strength=strength)
        if asleep is not None and asleep.vectors is not None:
            self.bank.rekey(heir, asleep.vectors[0])

    def forget(self, numbers: Sequence[int]) -> None:
        """Delete entries in one transaction, with what went into them and what the journal says of them."""
        self._fold_log()
        with self._store.transaction():
            for number in numbers:
                self._store.entries.delete(number)
                self._store.tombstones.delete_heirs(number)
                self._store.tombstones.delete_of(number)
                self._store.journal.delete_of(number)
                self.note_forgotten(number)
        for number in numbers:
            self._exemplars.delete(number)
            if number in self.bank:
                self.bank.delete(number)

    def note_forgotten(self, number: int) -> None:
        """Tell an index that an id is gone, and nothing else; inside a transaction."""
        self._store.journal.add("", 0.0, "forgotten", number, None, "{}", keep=self._journal_rows)

    def relearn(self) -> None:
        """Learn from the entries that are held, as if there had been no others."""
        self.bank.relearn()
        self.save_learned()

    # asleep -----------------------------------------------------------------------------------------------

    def consolidate(self, group: Consolidated, *, sleep: int, now_s: float) -> bool:
        """Write what sleep decided about a group; False where one of its entries is not what it was.

        Args:
            group: The entries as they were, and what becomes of them.
            sleep: Its number, so that it can be taken back.
            now_s: Time by the clock on the wall.
        """
        for one in (group.heir, *group.others):
            now = self._store.entries.held(one.id)
            if not now or not one.unchanged(now[0]):
                return False
        after = group.after
        place, key, scene = after.place, after.key_D, after.scene_D
        heir = group.heir
        new = not (np.array_equal(key, heir.key_D) and np.array_equal(scene, heir.scene_D))
        parts = _parts(heir, group.others)
        for some in parts:
            asleep = Asleep(
                number=sleep if self._room_to_remember(1 + len(some)) else 0,
                now_s=now_s,
                slept=sum(1 + one.slept for one in some),
                place=place,
                vectors=(key, scene) if new and some is parts[-1] else None,
            )
            if not asleep.number:  # all of it can be taken back, or nothing
                with self._store.transaction():
                    self._store.tombstones.delete(sleep, heir.id)
                sleep = 0
            self._merge([one.id for one in some], heir.id, "slept into", {}, asleep)
        return True

    def wake(self, sleep: int) -> int:
        """Take a sleep back, as far as its groups are what it made of them; how many entries came back."""
        count = 0
        for heir, before in list(self._store.tombstones.groups(sleep)):
            now = self._store.entries.held(heir)
            if not now or not _made_of(now[0], before):
                continue
            words = sum(2 * len(one.text.encode()) for one in before)
            self.make_room(len(before) * (2 * self._dim + ROW_BYTES) + words + _INSERT_PAGES * PAGE_BYTES)
            if not self._store.entries.held(heir) or not self._store.tombstones.has(sleep, heir):
                continue  # making room cost one of them
            latest = max(before, key=lambda one: one.spans[-1].t1_s)
            with self._store.transaction():
                self._store.tombstones.take_back(sleep, heir)
                self._store.streams.move_newest(heir, latest.id)
                for one in before:
                    self._tombstone(one.id, "taken back", None if one.id == heir else heir, {})
            self.bank.delete(heir)
            for one in before:
                for slot in self._store.entries.slots(one.id):
                    self.bank.add(slot)
            count += len(before) - 1
        return count

    def note_found(self, found: Mapping[int, int]) -> None:
        """Keep what probes found when they were first asked."""
        self._fold_log()
        with self._store.transaction():
            self._store.probes.set_found(found)

    def expire(self, before_s: float) -> None:
        """Forget what sleeps before a time replaced."""
        while self._fold_log():
            with self._store.transaction():
                if not self._store.tombstones.give_up_before(before_s, _GROUP):
                    return

    def _room_to_remember(self, count: int) -> bool:
        """Make room for tombstones within their share; False where not even so many fit."""
        needed = count * (2 * self._dim + _TOMBSTONE_BYTES)
        while self._store.tombstones.count() + count > self._tombstone_rows:
            if not self._forget_asleep():
                return False
        self._fold_log()
        fits = self._projected(needed + _INSERT_PAGES * PAGE_BYTES) + self._free_bytes() <= self._budget_bytes
        return fits and count <= self._tombstone_rows

    def _forget_asleep(self) -> bool:
        """Drop some of the oldest tombstones; False where there are none."""
        if not self._store.tombstones.newest():
            return False
        with self._store.transaction():
            return self._store.tombstones.give_up_oldest(_GROUP) > 0

    def _give_up(self, number: int, action: str, why: dict[str, float | str]) -> None:
        with self._store.transaction():
            self._tombstone(number, action, None, why)
            self._store.entries.delete(number)
            self._store.tombstones.delete_heirs(number)
        self._exemplars.delete(number)
        self.bank.delete(number)

    def _tombstone(self, number: int, action: str, other: int | None, why: dict[str, float | str]) -> None:
        """Write into the journal what happens to an entry, with its place in time: its row may be gone soon."""
        entry = self._store.entries.get(number)
        if entry is None:
            return
        times = {"t0_s": entry.t0_s, "t1_s": entry.spans[-1].t1_s, "surprise": entry.surprise, "met": entry.met}
        now_s = self._store.streams.end_s(entry.stream)
        self._store.journal.add(
            entry.stream, now_s, action, number, other, reasons({**times, **why}), keep=self._journal_rows
        )

    def _refuse(self, total: int, needed: int) -> None:
        if total > self._budget_bytes:
            raise BudgetTooSmallError(self._folder, needed_bytes=needed, given_bytes=self._budget_bytes)

    def _projected(self, needed: int) -> int:
        """Bytes of the folder once needed more are written, without the database's free pages."""
        return self._fixed_bytes() + self._store.live_bytes() + self.bank.picture_bytes + needed

    def _free_bytes(self) -> int:
        return max(0, self._store.path.stat().st_size - self._store.live_bytes())

    def _fixed_bytes(self) -> int:
        # a folder grows by a block when its names no longer fit
        folders = self._folder.stat().st_size + self._exemplars.folder.stat().st_size + PAGE_BYTES
        return max(_LOG_BYTES, self._log_bytes()) + _SHM_BYTES + folders

    def _fold_log(self) -> bool:
        """Keep the log small: entries must never be given up because readers keep it from being folded back."""
        if self._log_bytes() > _LOG_BYTES and not self._store.fold_log():
            raise DiskError(
                self._folder,
                "a process that reads this memory keeps its log from being folded back (is one stopped?); end it "
                "and watch again: what was kept is safe",
            )
        return True

    def _log_bytes(self) -> int:
        log = self._store.path.with_name(self._store.path.name + "-wal")
        return log.stat().st_size if log.exists() else 0


def _parts(heir: Held, others: Sequence[Held]) -> list[list[Held]]:
    """Those that go into an heir, a few at a time, so that it has no more spans in between than it may have."""
    left, parts, spans = list(others), list[list[Held]](), list(heir.spans)
    while left:
        part = list[Held]()
        while len(part) < _GROUP:
            fits = (one for one in left if len(union_of([*spans, *one.spans])) <= MAX_SPANS)
            one = next(fits, None)
            if one is None:
                break
            spans = union_of([*spans, *one.spans])
            left.remove(one)
            part.append(one)
        if not part:  # only all together leave so few
            part, left = left, []
        parts.append(part)
    return parts


def _made_of(now: Held, before: Sequence[Held]) -> bool:
    """Whether an entry is what sleep made of a group, and nothing was seen in it since."""
    kept = [one for one in before if one.id == now.id]
    slept = sum(1 + one.slept for one in before if one.id != now.id)
    return (
        bool(kept)
        and now.met == sum(one.met for one in before)
        and now.slept == kept[0].slept + slept
        and now.spans[-1].t1_s == max(one.spans[-1].t1_s for one in before)
    )


def open_bank(store: Store, spec: EncoderSpec, config: BankConfig | None = None) -> Bank:
    """The bank of a memory as its store has it, for writing or to explain; nothing is written."""
    bank = Bank(spec.dim, config, Utility(spec.dim, load_prior(spec)))
    bank.load(store.entries.slots())
    bank.restore(
        {name: value for name in ("again", "all", "bank") if (value := store.learned.get(name)) is not None}
    )
    bank.refresh()
    return bank


def prolonged(spans: Sequence[Span], more: Continuation) -> list[Span] | None:
    """The spans of an entry that went on unchanged; None where that begins in none of them, behind a gap."""
    for place, span in enumerate(spans):
        if span.t0_s <= more.t0_s <= span.t1_s:
            longer = replace(span, t1_s=max(span.t1_s, more.t1_s))
            return union_of([*spans[:place], longer, *spans[place + 1 :]])
    return None


def strengthened(known: Entry, now_s: float) -> float:
    """Strength of an entry that is met again: re-use after a long pause counts for more, and for 1 at most."""
    pause_s = max(0.0, now_s - known.spans[-1].t1_s)
    return known.strength + 1 - math.exp(-pause_s / (60.0 * known.strength))


def reasons(why: dict[str, float | str]) -> str:
    """Numbers behind a decision as short JSON."""
    return json.dumps(
        {k: round(v, 4) if isinstance(v, float) else v for k, v in why.items()}, separators=(",", ":")
    )
