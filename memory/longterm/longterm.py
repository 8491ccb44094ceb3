"""Long-term memory: closed events in, entries under a hard byte budget.

`LongTerm` is put together here from its parts: `intake` takes in what is to be kept, `held` changes what is held,
`sleep` writes what sleep decided, all within the byte budget (budget.py). The bank says what is worth keeping, and
the journal says why each thing happened.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from hippocam.memory.bank.bank import Bank
from hippocam.memory.bank.codes import codes_of
from hippocam.memory.bank.config import BankConfig
from hippocam.memory.bank.ladder import BLOCK_BYTES
from hippocam.memory.bank.one_thread import one_thread
from hippocam.memory.bank.priors import load_prior
from hippocam.memory.bank.utility import Utility
from hippocam.memory.longterm.budget import ByteBudget, Log, LogSizes, Shares
from hippocam.memory.longterm.held import HeldEntries
from hippocam.memory.longterm.intake import Intake, Things
from hippocam.memory.longterm.journal import Journal
from hippocam.memory.longterm.kept_bank import KeptBank, load
from hippocam.memory.longterm.notes import KeptNotes
from hippocam.memory.longterm.progress import Progress
from hippocam.memory.longterm.questions import QuestionIntake
from hippocam.memory.longterm.relearning import MOST, Lived, live_through
from hippocam.memory.longterm.sleep_writer import SleepWriter
from hippocam.memory.longterm.summaries import Summaries
from hippocam.memory.longterm.tombstones import KeptTombstones
from hippocam.memory.questions import QuestionJournal
from hippocam.memory.store.database import Store
from hippocam.memory.store.exemplars import Exemplars
from hippocam.stream.records import EncoderSpec


class LongTerm:
    """Entries of one memory, held within a budget.

    Args:
        folder: The memory's folder.
        store: Its database, writable.
        exemplars: Its pictures; files without an entry are deleted.
        things: Follows what streams show.
        spec: Spec of the encoder.
        budget_bytes: What the whole folder may take.
        config: When events are the same, and how entries fade.
        sleep_share: Share of the budget that is kept to take sleeps back.
        notes_share: Share of the budget that notes may take.
        questions: Where readers leave questions to learn from; None where that is switched off.

    Attributes:
        bank: What entries are worth.
        budget: Makes room.
        held: Pins, demotes, merges, gives up and deletes entries.
        intake: Takes in what is to be kept.
        notes: Keeps notes.
        sleep: Writes what sleep decided.
        summaries: Scenes, chapters and days.
        coverage_rows: Rows that may say when streams were looked at.

    Raises:
        BudgetTooSmallError: Not even an empty memory fits into the budget.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        exemplars: Exemplars,
        things: Things,
        *,
        spec: EncoderSpec,
        budget_bytes: int,
        config: BankConfig | None = None,
        sleep_share: float = 0.05,
        notes_share: float = 0.1,
        questions: QuestionJournal | None = None,
    ) -> None:
        shares = Shares.of(budget_bytes, spec.dim, sleep_share=sleep_share, notes_share=notes_share)
        self._store, self._spec, self._config = store, spec, config
        self._stream_rows = shares.stream_rows
        sizes = LogSizes.of(budget_bytes, store.page_bytes, free_bytes=shutil.disk_usage(folder).free)
        self._log = Log(folder, store, sizes)
        store.folded_from_bytes = self._log.sizes.folded_from
        store.transactions.undone.append(self._undone)
        self._journal = Journal(store.journal, shares.journal_rows)
        self.bank = bank = open_bank(store, spec, config)
        self._kept = KeptBank(store, bank)
        self.coverage_rows = shares.coverage_rows
        self._progress = progress = Progress(store, bank, coverage_rows=shares.coverage_rows)
        self.summaries = Summaries(
            store.summaries, dim=spec.dim, budget_bytes=budget_bytes, with_commit=store.with_commit
        )
        self.notes = KeptNotes(store, self._log, shares.note_bytes)
        self.held = HeldEntries(
            store, exemplars, bank, self._kept, self._journal, most_steps=self._log.sizes.steps
        )
        tombstones = KeptTombstones(store, self._log, shares.tombstone_rows)
        self.budget = ByteBudget(
            folder,
            store,
            exemplars.folder,
            given_bytes=budget_bytes,
            picture_bytes=lambda: bank.picture_bytes,
            log=self._log,
            tombstones=tombstones,
            entries=self.held,
            notes=self.notes,
            reserved_bytes=0 if questions is None else questions.most_bytes,
        )
        self._questions: QuestionIntake | None = None
        if questions is not None:
            self._questions = QuestionIntake(
                store,
                bank,
                self._kept,
                budget=self.budget,
                journal=questions,
                dim=spec.dim,
                probe_rows=shares.probe_rows,
            )
        self.intake = Intake(
            store,
            exemplars,
            bank,
            self._kept,
            self.summaries,
            things,
            budget=self.budget,
            notes=self.notes,
            journal=self._journal,
            progress=progress,
            probe_rows=shares.probe_rows,
        )
        self.sleep = SleepWriter(
            store,
            store.probes,
            self.held,
            bank,
            self._kept,
            dim=spec.dim,
            budget=self.budget,
            log=self._log,
            tombstones=tombstones,
        )
        self._kept.save()  # of an older format nothing was kept
        self.held.check_pictures()
        self._leave()  # where a process was killed in between
        self.budget.make_room(0)

    @contextmanager
    def together(self, items: int) -> Iterator[None]:
        """Let what comes in inside, so many frames and notes, share commits as far as the log's share allows."""
        many = one_thread() if items > 1 else nullcontext()  # else it is set for each event
        with many, self._store.transactions.together(self._log.sizes.together):
            yield

    def _undone(self) -> None:
        """Hold what the database does, once several events were taken back."""
        load(self.bank, self._store)
        self.summaries.reload()
        self._progress.forget()
        self.notes.recount()

    def finish(self, recording: str, streams: Iterable[str], *, complete: bool) -> None:
        """Close what is open of a recording's streams, where it came to its end; a little in each transaction."""
        if not complete:
            return
        try:
            for stream in streams:
                self._log.keep_small()
                with self._store.transaction():
                    self.summaries.finish(stream)
            self._log.keep_small()
            with self._store.transaction():
                self._store.streams.complete(recording)
                if self._store.streams.give_up(self._stream_rows):
                    self.summaries.reload()
        except BaseException:
            self.summaries.reload()
            raise
        self._leave()

    def _leave(self) -> None:
        """Delete what was kept to go on with recordings that are complete."""
        left = True
        while left:
            self._log.keep_small()
            with self._store.transaction():
                left = self._store.streams.leave()

    def learn_from_questions(self) -> int:
        """Learn from the questions that were answered since the last time; return how many there were."""
        return self._questions.take_in() if self._questions is not None else 0

    def delete(self, entry_ids: Sequence[int]) -> None:
        """Delete entries for a user, with what went into them and what the journal says of them."""
        self._log.keep_small()
        self.held.delete(entry_ids)

    def note_deleted(self, entry_id: int) -> None:
        """Tell an index that an id is gone, and nothing else; inside a transaction."""
        self._journal.add_deleted(entry_id)

    def relearn(self) -> None:
        """Learn from what is held, as if there had been nothing else, once rows were deleted."""
        self.summaries.reload()
        if len(self.bank) <= MOST:
            self._live_through()
        else:
            with self._kept.transaction():
                self._store.bank.delete_lessons()
                self.bank.learning.relearn()
        self.notes.recount()

    def _live_through(self) -> None:
        slots = {slot.entry_id: slot for slot in self._store.entries.slots()}
        held = self._store.entries.several(list(self.bank))
        entries = [Lived(slot=slots[each], spans=held[each].spans) for each in self.bank if each in held]
        change = live_through(new_bank(self._spec, self._config), entries)
        self._log.keep_small()
        self._kept.replace(change)


def open_bank(store: Store, spec: EncoderSpec, config: BankConfig | None = None) -> Bank:
    """The bank of a memory as its store has it, for writing or to explain; nothing is written."""
    bank = new_bank(spec, config)
    with one_thread():
        load(bank, store)
    return bank


def new_bank(spec: EncoderSpec, config: BankConfig | None = None) -> Bank:
    """A bank that holds nothing and knows what was trained for an encoder."""
    return Bank(
        spec.dim,
        config,
        Utility(spec.dim, load_prior(spec)),
        block_bytes=BLOCK_BYTES,
        codes=codes_of(spec.id, spec.dim),
    )
