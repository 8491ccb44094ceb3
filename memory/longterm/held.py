"""The entries that are held: their rows, their pictures and what the bank knows of them, changed together.

Here entries lose a level of their evidence, are merged, given up and deleted. A picture is written before its row
and deleted after it, so that a crash leaves a file too many, never one too few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Protocol

from hippocam.memory.bank.bank import Bank, Step
from hippocam.memory.errors import PicturesMissingError
from hippocam.memory.longterm.journal import Journal, Why
from hippocam.memory.longterm.merging import SleepMerge
from hippocam.memory.records import Level
from hippocam.memory.spans import join_spans
from hippocam.memory.store.entries import EntryTable
from hippocam.memory.store.exemplars import Exemplars
from hippocam.memory.store.streams import StreamTable
from hippocam.memory.store.sums import picture_sum
from hippocam.memory.store.tombstones import TombstoneTable

# Share of the pictures up to which missing ones are taken for deleted on purpose; one always is.
_MISSING_SHARE = 0.02
# What the journal calls the step to a level; that to SIGNS by what is left of the vectors.
_ACTIONS = {Level.VECTORS: "no picture", Level.SIGNS: "{what} only", Level.WORDS: "words only"}


class Tables(Protocol):
    """The tables that tell of entries, in one database."""

    entries: EntryTable
    streams: StreamTable
    tombstones: TombstoneTable

    def transaction(self) -> AbstractContextManager[None]:
        """All statements inside take effect together, or none."""

    def after_commit(self, call: Callable[[], None]) -> None:
        """Outside of transactions: call `call` once those that have ended are committed."""

    def settle(self) -> None:
        """Commit what shares a commit with what may follow."""


class KeptBank(Protocol):
    """Keeps the bank."""

    def transaction(self) -> AbstractContextManager[None]:
        """A transaction of the tables that covers what the bank holds: if it fails, both are taken back."""


class HeldEntries:
    """Changes entries that are held.

    Args:
        tables: Tables of the memory.
        exemplars: Their pictures.
        bank: Which of them is worth what.
        kept: Keeps the bank.
        journal: Says why each thing happened.
    """

    def __init__(self, tables: Tables, exemplars: Exemplars, bank: Bank, kept: KeptBank, journal: Journal) -> None:
        self._tables = tables
        self._exemplars = exemplars
        self._bank = bank
        self._kept = kept
        self._journal = journal

    def check_pictures(self) -> None:
        """Bring files and rows into line: a picture may be missing, another than its row says, or nobody's.

        Raises:
            PicturesMissingError: More are missing or changed than somebody may have deleted one by one; nothing
                was changed.
        """
        said = self._tables.entries.picture_bytes()
        self._exemplars.settle(said)
        sizes = self._exemplars.sizes()
        missing = [entry_id for entry_id in said if entry_id not in sizes]
        changed = [entry_id for entry_id in said if sizes.get(entry_id, said[entry_id]) != said[entry_id]]
        if len(missing) + len(changed) > max(1, _MISSING_SHARE * len(said)):
            raise PicturesMissingError(
                self._exemplars.folder.parent, missing=len(missing), changed=len(changed), of=len(said)
            )
        self._exemplars.keep_only(said)
        for entry_id in missing:
            self.give_up_entry(entry_id, "its picture was removed", {})
        for entry_id in changed:
            self._go_on_without(entry_id, shrunk=0 < 2 * sizes[entry_id] < said[entry_id])

    def _go_on_without(self, entry_id: int, *, shrunk: bool) -> None:
        """Let an entry go on without its picture, which is not the one that its row tells of."""
        entry = self._tables.entries.get(entry_id)
        if entry is not None and entry.level == Level.FULL and shrunk and self._exemplars.is_thumbnail(entry_id):
            # an older hippocam crashed after it had written a thumbnail
            self._demote(entry_id, Level.SMALL, self._exemplars.read(entry_id))
            return
        with self._pictures_after([entry_id]):
            self._demote(entry_id, Level.VECTORS, b"", "its picture was changed", {})

    # for the user ----------------------------------------------------------------------------------------

    def pin(self, entry_id: int, pinned: bool) -> bool:
        """Never give up an entry, or do so like any other; False where it is not held."""
        with self._tables.transaction():
            held = self._tables.entries.pin(entry_id, pinned)
        if held:
            self._bank.pin(entry_id, pinned)
        return held

    def delete(self, entry_ids: Sequence[int]) -> None:
        """Delete entries in one transaction, with what went into them and what the journal says of them."""
        with self._kept.transaction():
            for entry_id in entry_ids:
                self._tables.entries.delete(entry_id)
                self._tables.tombstones.delete_heirs(entry_id)
                self._tables.tombstones.delete_of(entry_id)
                self._journal.delete_of(entry_id)
                if entry_id in self._bank:
                    self._bank.delete(entry_id)
        for entry_id in entry_ids:
            self._exemplars.delete(entry_id)

    @property
    def given_up(self) -> tuple[int, int]:
        """Steps that were taken since the last event, and about how many more bytes they freed than it took."""
        return self._bank.learning.given_up

    # for the budget --------------------------------------------------------------------------------------

    def give_up(self) -> int:
        """Take the step that costs the least worth for its bytes.

        Returns:
            About how many bytes that frees; 0 where nothing may be given up.
        """
        step = self._bank.next_step()
        if step is None:
            return 0
        steps, freed_bytes = self._bank.learning.given_up
        self._bank.learning.given_up = steps + 1, freed_bytes + step.freed_bytes
        why = {"worth": step.worth, "redundancy": step.redundancy}
        if step.to is not None:
            self._step_down(step, step.to, why)
        elif step.twin is not None:
            self.merge([step.entry_id], step.twin, "merged", why)
        else:
            self.give_up_entry(step.entry_id, "given up", why)
        return step.freed_bytes

    def give_up_entry(self, entry_id: int, action: str, why: Why) -> None:
        """Give up an entry, with what went into it."""
        with self._pictures_after([entry_id]), self._kept.transaction():
            self.note(entry_id, action, None, why)
            self._tables.entries.delete(entry_id)
            self._tables.tombstones.delete_heirs(entry_id)
            self._bank.delete(entry_id)

    def _step_down(self, step: Step, level: Level, why: Why) -> None:
        if level == Level.SMALL:
            small = self._exemplars.thumbnail(step.entry_id)
            if small is not None:
                self._exemplars.write_smaller(step.entry_id, small)
                self._demote(step.entry_id, Level.SMALL, small, "smaller picture", why)
                self._tables.settle()
                self._exemplars.settle_smaller(step.entry_id)
                return
            level = Level.VECTORS  # it cannot be made smaller
        action = _ACTIONS[level].format(what=self._bank.codes.code(short=step.short).what)
        with self._pictures_after([step.entry_id]):
            self._demote(step.entry_id, level, b"", action, why, short=step.short)

    def _demote(
        self,
        entry_id: int,
        level: Level,
        jpeg: bytes,
        action: str = "",
        why: Why | None = None,
        *,
        short: bool = False,
    ) -> None:
        """Let an entry keep less of its evidence: this picture or none. An action is noted in the journal."""
        with self._kept.transaction():
            if action:
                self.note(entry_id, action, None, why or {})
            self._lower(entry_id, level, jpeg, short=short)

    def _lower(self, entry_id: int, level: Level, jpeg: bytes, *, short: bool = False) -> None:
        """Inside a transaction: let an entry fall to a level, in its row and in the bank."""
        code = self._bank.codes.code(short=short)
        self._tables.entries.demote(entry_id, level, len(jpeg), picture_sum(jpeg), code=code, as_one=short)
        reduced = next(self._tables.entries.slots(entry_id)) if level >= Level.SIGNS else None
        self._bank.demote(entry_id, level, len(jpeg), reduced, short=short)

    @contextmanager
    def _pictures_after(self, entry_ids: Sequence[int]) -> Iterator[None]:
        """Delete the pictures of entries, if what happens inside leaves them without, once that is committed."""
        before_bytes = self._bank.picture_bytes
        yield
        if self._bank.picture_bytes < before_bytes:
            for entry_id in entry_ids:
                self._tables.after_commit(partial(self._exemplars.delete, entry_id))

    # merging ---------------------------------------------------------------------------------------------

    def merge(
        self, entry_ids: Sequence[int], heir: int, action: str, why: Why, sleep: SleepMerge | None = None
    ) -> None:
        """Move the spans of some entries to another entry, and give up the former.

        Args:
            entry_ids: Those that are given up.
            heir: The entry that takes over.
            action: What the journal calls it.
            why: The numbers behind it.
            sleep: What else sleep decided; None where it was not sleep.
        """
        tables = self._tables
        every = [tables.entries.get(entry_id) for entry_id in (heir, *entry_ids)]
        kept, *merged = (entry for entry in every if entry is not None)
        spans = join_spans([span for entry in (kept, *merged) for span in entry.spans])
        if sleep is not None and sleep.vectors is not None:  # they rest on all of these
            spans[0] = replace(spans[0], known_s=max(span.known_s for span in spans))
        first, *further = spans
        met, strength = sum(e.met for e in (kept, *merged)), max(e.strength for e in (kept, *merged))
        met_more = sum(entry.met for entry in merged)
        with self._pictures_after(entry_ids), self._kept.transaction():
            if sleep is not None:
                self._inherit(heir, entry_ids, sleep)
            tables.entries.set_spans(heir, first=first, further=further, met=met, strength=strength)
            for entry_id in entry_ids:
                tables.streams.move_newest(entry_id, heir)
                self.note(entry_id, action, heir, why)
                tables.entries.delete(entry_id)
                if sleep is None:
                    tables.tombstones.delete_heirs(entry_id)
                self._bank.delete(entry_id)
            self._bank.touch(heir, last_s=max(s.t1_s for s in spans), met=met_more, strength=strength)
            if sleep is not None and sleep.vectors is not None:
                self._bank.rekey(heir, sleep.vectors[0])

    def _inherit(self, heir: int, entry_ids: Sequence[int], sleep: SleepMerge) -> None:
        """Keep what sleep replaces, and write what the heir is from now on."""
        tables = self._tables
        if sleep.sleep:
            for entry_id in (heir, *entry_ids):
                tables.tombstones.bury(entry_id, heir=heir, sleep=sleep.sleep, made_s=sleep.now_s)
        tables.entries.inherit(heir, slept=sleep.slept, place=sleep.place, vectors=sleep.vectors)
        key = "its own" if sleep.vectors is None else "of all"
        self.note(heir, "slept", None, {"entries": len(entry_ids), "key": key})

    def reduce(self, entry_ids: Sequence[int], *, sleep: int, now_s: float) -> None:
        """Reduce the vectors of entries without pictures, as a sleep decided.

        Args:
            entry_ids: The entries.
            sleep: Number of the sleep, to take it back by; 0 where it is not to be taken back.
            now_s: Time by the clock on the wall.
        """
        with self._kept.transaction():
            for entry_id in entry_ids:
                if sleep:
                    self._tables.tombstones.bury(entry_id, heir=entry_id, sleep=sleep, made_s=now_s)
                self.note(entry_id, "slept", None, {"key": f"its {self._bank.codes.code(short=False).what}"})
                self._lower(entry_id, Level.SIGNS, b"")

    def note(self, entry_id: int, action: str, other_id: int | None, why: Why) -> None:
        """Note in the journal what happens to an entry, inside a transaction; nothing where it is not held."""
        entry = self._tables.entries.get(entry_id)
        if entry is not None:
            self._journal.add_of(entry, self._tables.streams.end_s(entry.stream), action, other_id, why)
