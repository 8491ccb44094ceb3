"""Writes what sleep decided: merges groups of entries so that it can be taken back, and takes it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from hippocam.memory.bank.bank import Bank
from hippocam.memory.bank.ladder import ROW_BYTES
from hippocam.memory.longterm.budget import TOMBSTONE_BYTES, ByteBudget, Log
from hippocam.memory.longterm.journal import Why
from hippocam.memory.longterm.merging import Consolidated, SleepMerge, made_of
from hippocam.memory.records import Held
from hippocam.memory.store.entries import EntryTable
from hippocam.memory.store.probes import ProbeTable
from hippocam.memory.store.streams import StreamTable
from hippocam.memory.store.tombstones import TombstoneTable


class Tables(Protocol):
    """The tables that sleep changes, in one database."""

    entries: EntryTable
    streams: StreamTable
    tombstones: TombstoneTable

    def transaction(self) -> AbstractContextManager[None]:
        """All statements inside take effect together, or none."""


class KeptBank(Protocol):
    """Keeps the bank."""

    def transaction(self) -> AbstractContextManager[None]:
        """A transaction of the tables that covers what the bank holds: if it fails, both are taken back."""


class Merges(Protocol):
    """Changes the entries that are held."""

    def merge(self, entry_ids: Sequence[int], heir: int, sleep: SleepMerge) -> None:
        """Move the spans of some entries to another entry, and give up the former."""

    def reduce(self, entry_ids: Sequence[int], *, sleep: int, now_s: float) -> None:
        """Reduce the vectors of some entries."""

    def note(self, entry_id: int, action: str, other_id: int | None, why: Why) -> None:
        """Note in the journal what happens to an entry."""


class Tombstones(Protocol):
    """What sleeps replaced, kept within its share of the budget."""

    def make_room(self, count: int) -> bool:
        """Give up old tombstones until `count` more may be kept; False if more than that may never be kept."""

    def give_up_before(self, made_s: float) -> None:
        """Give up the tombstones that were made before a time."""


class SleepWriter:
    """Writes what sleep decided, and takes it back.

    Args:
        tables: Tables of the memory.
        probes: What is kept to ask with.
        held: Merges entries.
        bank: The entries.
        kept: Keeps the bank.
        dim: Length D of their vectors.
        budget: Makes room for what comes back.
        log: Log of the database.
        tombstones: What sleeps replaced.
    """

    def __init__(
        self,
        tables: Tables,
        probes: ProbeTable,
        held: Merges,
        bank: Bank,
        kept: KeptBank,
        *,
        dim: int,
        budget: ByteBudget,
        log: Log,
        tombstones: Tombstones,
    ) -> None:
        self._tables = tables
        self._probes = probes
        self._held = held
        self._bank = bank
        self._kept = kept
        self._dim = dim
        self._budget = budget
        self._log = log
        self._tombstones = tombstones

    def merge(self, group: Consolidated, *, sleep: int, now_s: float) -> bool:
        """Write what sleep decided about a group; False where one of its entries is not what it was.

        Args:
            group: The entries as they were, and what becomes of them.
            sleep: Its number, so that it can be taken back.
            now_s: Time by the clock on the wall.
        """
        if not all(self._is_unchanged(one) for one in (group.heir, *group.others)):
            return False
        heir, vectors, parts = group.heir.id, group.new_vectors, group.parts()
        for part in parts:
            if not self._can_remember(1 + len(part)):  # all of it can be taken back, or nothing
                with self._tables.transaction():
                    self._tables.tombstones.delete(sleep, heir)
                sleep = 0
            decided = SleepMerge(
                sleep=sleep,
                now_s=now_s,
                slept=sum(1 + one.slept for one in part),
                place=group.after.place,
                vectors=vectors if part is parts[-1] else None,
            )
            self._held.merge([one.id for one in part], heir, decided)
        if group.is_reduced:
            self._held.reduce([heir], sleep=sleep, now_s=now_s)
        return True

    def reduce(self, held: Sequence[Held], *, sleep: int, now_s: float) -> int:
        """Reduce the vectors of entries, in one transaction; return how many were still so.

        Args:
            held: The entries as they were when that was decided.
            sleep: Its number, so that it can be taken back.
            now_s: Time by the clock on the wall.
        """
        unchanged = [one.id for one in held if self._is_unchanged(one)]
        can_remember = self._can_remember(len(unchanged))
        self._held.reduce(unchanged, sleep=sleep if can_remember else 0, now_s=now_s)
        return len(unchanged)

    def wake(self, sleep: int) -> int:
        """Take a sleep back, as far as what it changed is what it made of it.

        Returns:
            How many entries came back, or have their whole vectors back.
        """
        count = 0
        for heir, before in list(self._tables.tombstones.groups(sleep)):
            now = self._tables.entries.held(heir)
            if not now or not made_of(now[0], before):
                continue
            words_bytes = sum(2 * len(one.text.encode()) for one in before)
            rows_bytes = len(before) * (2 * self._dim + ROW_BYTES)
            self._budget.make_room(rows_bytes + words_bytes + self._budget.insert_bytes)
            if not self._tables.entries.held(heir) or not self._tables.tombstones.has(sleep, heir):
                continue  # making room cost one of them
            self._take_back(sleep, heir, before)
            count += max(1, len(before) - 1)
        return count

    def note_found(self, found: Mapping[int, int]) -> None:
        """Keep what probes found when they were first asked, by their ids."""
        self._log.keep_small()
        with self._tables.transaction():
            self._probes.set_found(found)

    def give_up_before(self, made_s: float) -> None:
        """Give up what sleeps before a time replaced: they cannot be taken back any more."""
        self._tombstones.give_up_before(made_s)

    def _is_unchanged(self, one: Held) -> bool:
        now = self._tables.entries.held(one.id)
        return bool(now) and one.unchanged(now[0])

    def _can_remember(self, count: int) -> bool:
        """Whether `count` tombstones can be kept, once older ones are given up for them."""
        if not self._tombstones.make_room(count):
            return False
        self._log.keep_small()
        return self._budget.fits(count * (2 * self._dim + TOMBSTONE_BYTES) + self._budget.insert_bytes)

    def _take_back(self, sleep: int, heir: int, before: Sequence[Held]) -> None:
        """Make the entries of a group what they were."""
        latest = max(before, key=lambda one: one.spans[-1].t1_s)
        with self._kept.transaction():
            self._tables.tombstones.take_back(sleep, heir)
            self._tables.streams.move_newest(heir, latest.id)
            for one in before:
                self._held.note(one.id, "taken back", None if one.id == heir else heir, {})
            self._bank.delete(heir)
            for one in before:
                for slot in self._tables.entries.slots([one.id]):
                    self._bank.add(slot)
