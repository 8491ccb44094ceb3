"""A memory within another budget, tried out in main memory: what the budget would give up, step by step.

Nothing is estimated anew. The bank is the memory's own, loaded a second time; the steps are those that it names;
and the loop that takes them is the budget's (longterm/budget.py), over a database of which only the bytes are
counted. What no row tells beforehand comes from elsewhere: how large thumbnails will be from a few that are made,
how many bytes come free with a row from the ladder.

Shapes: D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from hippocam.memory.bank.bank import Bank, Step
from hippocam.memory.bank.codes import Codes
from hippocam.memory.bank.config import BankConfig
from hippocam.memory.bank.ladder import SMALL_BYTES
from hippocam.memory.longterm.budget import TOMBSTONE_BYTES, ByteBudget, Log, LogSizes
from hippocam.memory.longterm.longterm import open_bank
from hippocam.memory.questions import QuestionJournal
from hippocam.memory.records import Held, Level, Slot
from hippocam.memory.spans import join_spans
from hippocam.memory.store.database import Store
from hippocam.memory.store.exemplars import Exemplars
from hippocam.memory.stress import to_reduce
from hippocam.stream.records import EncoderSpec

# Thumbnails that are made to know how large they are.
_THUMBNAILS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Smaller:
    """What a memory would hold within another budget.

    Attributes:
        budget_bytes: The budget.
        bytes: What its folder would take, about; less the journal of questions, which is kept free.
        levels: What each entry that would be held keeps of its evidence, by its id.
        short: Ids of those of whose vectors only a short outline would be left.
        codes: What vectors are reduced to.
        pictured: Ids of those that keep a picture or a thumbnail.
        merged: Ids of those that would be merged, with the entry that takes over their times.
        given_up: Ids of those of which nothing would be left, in the order in which they go.
    """

    budget_bytes: int
    bytes: int
    levels: dict[int, Level]
    short: frozenset[int]
    codes: Codes
    pictured: frozenset[int]
    merged: dict[int, int]
    given_up: tuple[int, ...]

    def left_of(self, held: Iterable[Held]) -> list[Held]:
        """What would be left of entries with vectors: those that stay, with the times that they take over."""
        now = {one.id: one for one in held}
        for entry_id, heir in self.merged.items():  # in the order in which they are merged
            gone, taker = now.pop(entry_id, None), now.get(heir)
            if gone is not None and taker is not None:
                now[heir] = replace(taker, spans=tuple(join_spans([*taker.spans, *gone.spans])))
        return [
            _reduced(one, self.levels[one.id], self.codes, short=one.id in self.short)
            for one in now.values()
            if self.levels.get(one.id, Level.WORDS) < Level.WORDS
        ]


def _reduced(one: Held, level: Level, codes: Codes, *, short: bool) -> Held:
    """An entry with what a level, or a short outline, leaves of its vectors."""
    if not short and (level < Level.SIGNS or one.level >= Level.SIGNS):
        return one
    code = codes.code(short=short)
    key_D, scene_D = map(
        code.reduced, to_reduce(one.key_D, one.scene_D, as_searched=code.as_searched, as_one=short)
    )
    return replace(one, level=level, key_D=key_D, scene_D=scene_D)


@dataclass(slots=True)
class _Counted:
    """A database of which only the bytes are counted: nothing in it changes."""

    path: Path
    page_bytes: int
    real_bytes: int
    freed_bytes: int = 0

    def live_bytes(self) -> int:
        return self.real_bytes - self.freed_bytes

    def log_bytes(self) -> int:
        return 0

    def shrink(self, least_bytes: float) -> None:
        """Its file stays as it is."""

    def fold_log(self, *, waits: bool = True) -> bool:
        """It has no log."""
        return True

    def merge_words(self, steps: int | None = None) -> None:
        """Its full text stays as it is."""


@dataclass(slots=True)
class _Tombstones:
    """What sleeps replaced, given up all at once."""

    database: _Counted
    bytes: int

    def give_up(self) -> int:
        freed_bytes, self.bytes = self.bytes, 0
        self.database.freed_bytes += freed_bytes
        return freed_bytes


class _Notes:
    """Words with a time of their own: with this many bytes left, none are given up."""

    def give_up(self) -> int:
        return 0


@dataclass(slots=True)
class _Entries:
    """Entries that fall as their bank says; the bank is nobody else's."""

    bank: Bank
    database: _Counted
    levels: dict[int, Level]
    pictured: set[int]
    ends_s: dict[int, float]
    small_bytes: int
    most_steps: int
    short: set[int] = field(default_factory=set)
    merged: dict[int, int] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    given_up: tuple[int, int] = (0, 0)

    def give_up(self, least_bytes: int = 1) -> int:
        steps = self.bank.next_steps(least_bytes, self.most_steps)
        for step in steps:
            self._take(step)
        return sum(step.freed_bytes for step in steps)

    def _take(self, step: Step) -> None:
        before_bytes = self.bank.picture_bytes
        if step.to is None:
            self._leave(step)
        else:
            small_bytes = self.small_bytes if step.to == Level.SMALL else 0
            self.bank.demote([step.entry_id], step.to, jpeg_bytes=small_bytes, short=step.short)
            if step.short:
                self.short.add(step.entry_id)
            self.levels[step.entry_id] = step.to
            if step.to != Level.SMALL:
                self.pictured.discard(step.entry_id)
        if step.to not in (Level.SMALL, Level.VECTORS):  # those free pictures alone
            self.database.freed_bytes += step.freed_bytes - (before_bytes - self.bank.picture_bytes)

    def _leave(self, step: Step) -> None:
        """Merge an entry into its twin, where it names one, or give it up."""
        if step.twin is None:
            self.gone.append(step.entry_id)
        else:
            self.merged[step.entry_id] = step.twin
            end_s = max(self.ends_s[step.entry_id], self.ends_s[step.twin])
            self.ends_s[step.twin] = end_s
            self.bank.touch(step.twin, last_s=end_s, met=self.bank.met(step.entry_id))
        del self.levels[step.entry_id]
        self.pictured.discard(step.entry_id)
        self.bank.delete(step.entry_id)


def within(
    store: Store, spec: EncoderSpec, budget_bytes: int, *, pictures: Path, config: BankConfig | None = None
) -> Smaller:
    """Try out what a memory would hold within a budget; nothing of it is changed.

    Args:
        store: The memory's database, open to read; its folder is the memory's.
        spec: Spec of its encoder.
        budget_bytes: What its folder may take.
        pictures: Folder of its pictures.
        config: As the memory's writer has it.

    Raises:
        BudgetTooSmallError: Not even an empty memory fits.
    """
    slots = list(store.entries.slots())
    bank = open_bank(store, spec, config)
    sizes = LogSizes.of(budget_bytes, store.page_bytes)
    counted = _Counted(store.path, store.page_bytes, store.live_bytes())
    entries = _Entries(
        bank,
        counted,
        {slot.entry_id: slot.level for slot in slots},
        {slot.entry_id for slot in slots if slot.jpeg_bytes},
        {slot.entry_id: slot.last_s for slot in slots},
        _thumbnail_bytes(Exemplars(pictures), slots),
        sizes.steps,
    )
    folder = store.path.parent
    budget = ByteBudget(
        folder,
        counted,
        pictures,
        given_bytes=budget_bytes,
        picture_bytes=lambda: bank.picture_bytes,
        log=Log(folder, counted, sizes),
        tombstones=_Tombstones(counted, store.tombstones.count() * (TOMBSTONE_BYTES + 2 * spec.dim)),
        entries=entries,
        notes=_Notes(),
        reserved_bytes=QuestionJournal(folder, budget_bytes).most_bytes,
    )
    budget.make_room(0)
    return Smaller(
        budget_bytes=budget_bytes,
        bytes=budget.used_bytes() - budget.reserved_bytes,
        levels=entries.levels,
        short=frozenset(entries.short),
        codes=bank.codes,
        pictured=frozenset(entries.pictured),
        merged=entries.merged,
        given_up=tuple(entries.gone),
    )


def _thumbnail_bytes(exemplars: Exemplars, slots: list[Slot]) -> int:
    """How large a thumbnail is, about: the mean of some that are made of pictures from all over the memory."""
    whole = [slot.entry_id for slot in slots if slot.level == Level.FULL and slot.jpeg_bytes > 2 * SMALL_BYTES]
    chosen = whole[:: max(1, len(whole) // _THUMBNAILS)]
    sizes = [len(small) for each in chosen if (small := exemplars.thumbnail(each)) is not None]
    return round(float(np.mean(sizes))) if sizes else SMALL_BYTES
