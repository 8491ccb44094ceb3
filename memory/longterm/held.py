"""The entries that are held: their rows, their pictures and what the bank knows of them, changed together.

Here entries lose a level of their evidence, are merged, given up and deleted. A picture is written before its row
and deleted after it, so that a crash leaves a file too many, never one too few.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Protocol

from hippocam.memory.bank.bank import Bank, Step
from hippocam.memory.errors import PicturesMissingError
from hippocam.memory.longterm.budget import AHEAD_STEPS, STEPS_TOGETHER, TEXT_TOGETHER_BYTES
from hippocam.memory.longterm.journal import Journal, Noted, Why
from hippocam.memory.longterm.merging import SleepMerge
from hippocam.memory.records import Entry, Level
from hippocam.memory.spans import join_spans
from hippocam.memory.store.entries import EntryTable
from hippocam.memory.store.exemplars import Exemplars
from hippocam.memory.store.lookup import EntryLookup
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
    lookup: EntryLookup
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

    def transaction(self, of: int = 1) -> AbstractContextManager[None]:
        """A transaction of the tables that covers what the bank holds: if it fails, both are taken back.

        It changes as many pages as so many would that only keep an event.
        """


class HeldEntries:
    """Changes entries that are held.

    Args:
        tables: Tables of the memory.
        exemplars: Their pictures.
        bank: Which of them is worth what.
        kept: Keeps the bank.
        journal: Says why each thing happened.
        most_steps: How many steps a transaction may take.
    """

    def __init__(
        self,
        tables: Tables,
        exemplars: Exemplars,
        bank: Bank,
        kept: KeptBank,
        journal: Journal,
        *,
        most_steps: int = 1,
    ) -> None:
        self._tables = tables
        self._exemplars = exemplars
        self._bank = bank
        self._kept = kept
        self._journal = journal
        self._most_steps = most_steps

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
            with self._kept.transaction():
                self._lower([entry_id], Level.SMALL, self._exemplars.read(entry_id))
            return
        with self._changed([entry_id]):
            self.note(entry_id, "its picture was changed", None, {})
            self._lower([entry_id], Level.VECTORS, b"")

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
        """Steps since the last event, and about how many more bytes steps have freed than events took."""
        return self._bank.learning.given_up

    # for the budget --------------------------------------------------------------------------------------

    def give_up(self, least_bytes: int = 1) -> int:
        """Take the steps that cost the least worth for their bytes, all in one transaction.

        Args:
            least_bytes: About how many bytes they are to free, as far as one transaction may.

        Returns:
            About how many bytes that frees; 0 where nothing may be given up.
        """
        wanted = self._bank.next_steps(least_bytes, self._most_steps)
        if not wanted:
            return 0
        entries = self._tables.entries.several([step.entry_id for step in wanted])
        fitting = _of_little_text(wanted, entries)
        steps = wanted[: max(1, fitting)]
        learning, freed_bytes = self._bank.learning, sum(step.freed_bytes for step in steps)
        taken, beyond_bytes = learning.given_up
        # Room of long texts comes with merging, where it is needed: not many of them go ahead of that.
        count = len(steps) if fitting == len(wanted) else AHEAD_STEPS
        learning.given_up = taken + count, beyond_bytes + freed_bytes
        if steps[0].to != Level.SMALL or not self._make_smaller(steps[0]):
            with self._changed([step.entry_id for step in steps]):
                self._take(steps, entries)
        return freed_bytes

    def give_up_entry(self, entry_id: int, action: str, why: Why) -> None:
        """Give up an entry, with what went into it."""
        with self._changed([entry_id]):
            self._note([entry_id], [(action, None, why)])
            self._leave([entry_id])

    def _make_smaller(self, step: Step) -> bool:
        """Make the picture of an entry smaller; False where it cannot be made so."""
        small = self._exemplars.thumbnail(step.entry_id)
        if small is None:
            return False
        self._exemplars.write_smaller(step.entry_id, small)
        with self._kept.transaction():
            self._note([step.entry_id], [("smaller picture", None, _why(step))])
            self._lower([step.entry_id], Level.SMALL, small)
        self._tables.settle()
        self._exemplars.settle_smaller(step.entry_id)
        return True

    def _take(self, steps: Sequence[Step], entries: Mapping[int, Entry]) -> None:
        """Inside a transaction: take steps, of which none bears on another, of these entries."""
        self._note(
            [step.entry_id for step in steps],
            [(self._action(step), step.twin, _why(step)) for step in steps],
            entries,
        )
        lower = [(_level(step), step.short, step.entry_id) for step in steps if step.to is not None]
        for (level, short), group in itertools.groupby(sorted(lower), key=lambda one: one[:2]):
            self._lower([entry_id for _, _, entry_id in group], Level(level), b"", short=short)
        for step in steps:
            if step.twin is not None:
                self._take_over(step.twin, [step.entry_id])
        self._leave([step.entry_id for step in steps if step.to is None])

    def _action(self, step: Step) -> str:
        """What the journal calls a step."""
        if step.to is None:
            return "given up" if step.twin is None else "merged"
        level = _level(step)
        if level != Level.SIGNS:
            return _ACTIONS[level]
        return _ACTIONS[level].format(what=self._bank.codes.code(short=step.short).what)

    def _lower(self, entry_ids: Sequence[int], level: Level, jpeg: bytes, *, short: bool = False) -> None:
        """Inside a transaction: let entries fall to a level, in rows and in the bank, with a picture or none."""
        entries = self._tables.entries
        code = self._bank.codes.code(short=short) if level == Level.SIGNS else None
        entries.demote(entry_ids, level, jpeg_bytes=len(jpeg), jpeg_sum=picture_sum(jpeg), code=code, as_one=short)
        reduced = self._tables.lookup.slots(entry_ids) if level >= Level.SIGNS else None
        self._bank.demote(entry_ids, level, jpeg_bytes=len(jpeg), reduced=reduced, short=short)

    def _leave(self, entry_ids: Sequence[int]) -> None:
        """Inside a transaction: delete entries that are given up, with what sleep merged into them."""
        for entry_id in entry_ids:
            self._tables.entries.delete(entry_id)
            self._tables.tombstones.delete_heirs(entry_id)
        if entry_ids:
            self._bank.delete(*entry_ids)

    @contextmanager
    def _changed(self, entry_ids: Sequence[int]) -> Iterator[None]:
        """A transaction; pictures that entries are left without are deleted once it is committed."""
        before_bytes = self._bank.picture_bytes
        with self._kept.transaction(of=math.ceil(len(entry_ids) / STEPS_TOGETHER)):
            yield
        if self._bank.picture_bytes < before_bytes:
            for entry_id in entry_ids:
                self._tables.after_commit(partial(self._exemplars.delete, entry_id))

    # merging ---------------------------------------------------------------------------------------------

    def merge(self, entry_ids: Sequence[int], heir: int, sleep: SleepMerge) -> None:
        """Move the spans of some entries to another entry, and give up the former, as a sleep decided.

        Args:
            entry_ids: Those that are given up.
            heir: The entry that takes over.
            sleep: What else sleep decided.
        """
        with self._changed(entry_ids):
            self._inherit(heir, entry_ids, sleep)
            self._note(entry_ids, [("slept into", heir, {})] * len(entry_ids))
            self._take_over(heir, entry_ids, vectors_of_all=sleep.vectors is not None)
            for entry_id in entry_ids:
                self._tables.entries.delete(entry_id)
            self._bank.delete(*entry_ids)
            if sleep.vectors is not None:
                self._bank.rekey(heir, sleep.vectors[0])

    def _take_over(self, heir: int, entry_ids: Sequence[int], *, vectors_of_all: bool = False) -> None:
        """Inside a transaction: let an entry take over the spans of others, which are then to be deleted.

        Args:
            heir: Its id.
            entry_ids: The others.
            vectors_of_all: Whether its vectors rest on all of these from now on.
        """
        entries = self._tables.entries.several([heir, *entry_ids])
        kept, merged = entries[heir], [entries[entry_id] for entry_id in entry_ids if entry_id in entries]
        spans = join_spans([span for entry in (kept, *merged) for span in entry.spans])
        if vectors_of_all:
            spans[0] = replace(spans[0], known_s=max(span.known_s for span in spans))
        first, *further = spans
        met_more, strength = sum(entry.met for entry in merged), max(e.strength for e in (kept, *merged))
        self._tables.entries.set_spans(
            heir, first=first, further=further, met=kept.met + met_more, strength=strength
        )
        for entry_id in entry_ids:
            self._tables.streams.move_newest(entry_id, heir)
        self._bank.touch(heir, last_s=max(s.t1_s for s in spans), met=met_more, strength=strength)

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
            self._lower(entry_ids, Level.SIGNS, b"")

    def note(self, entry_id: int, action: str, other_id: int | None, why: Why) -> None:
        """Note in the journal what happens to an entry, inside a transaction; nothing where it is not held."""
        self._note([entry_id], [(action, other_id, why)])

    def _note(
        self,
        entry_ids: Sequence[int],
        whats: Sequence[tuple[str, int | None, Why]],
        entries: Mapping[int, Entry] | None = None,
    ) -> None:
        """The same of several, each with its action, another entry and the numbers behind it.

        Args:
            entry_ids: Their ids.
            whats: What happens to each.
            entries: They as they are, where they were read already.
        """
        entries = self._tables.entries.several(entry_ids) if entries is None else entries
        ends_s = self._tables.streams.ends(sorted({entry.stream for entry in entries.values()}))
        self._journal.add_all(
            [
                Noted(entries[entry_id], ends_s.get(entries[entry_id].stream, 0.0), *what)
                for entry_id, what in zip(entry_ids, whats, strict=True)
                if entry_id in entries
            ]
        )


def _of_little_text(steps: Sequence[Step], entries: Mapping[int, Entry]) -> int:
    """How many of the first steps are of little text together: with each word the full text's pages change."""
    lengths = [len(entries[step.entry_id].text.encode()) if step.entry_id in entries else 0 for step in steps]
    return sum(total <= TEXT_TOGETHER_BYTES for total in itertools.accumulate(lengths))


def _level(step: Step) -> Level:
    """The level to which a step leads; a picture that cannot be made smaller goes."""
    assert step.to is not None
    return Level.VECTORS if step.to == Level.SMALL else step.to


def _why(step: Step) -> Why:
    """The numbers behind a step, for the journal."""
    return {"worth": step.worth, "redundancy": step.redundancy}
