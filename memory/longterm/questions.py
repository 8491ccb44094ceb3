"""Questions that were answered become part of what is kept: their evidence is worth more, and sleep must find it.

Readers leave them in the journal of questions (memory/questions.py). Here a writer takes them in, a few in a
transaction with the token of the last of them, so that a kill in between neither loses a question nor counts it
twice.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from hippocam.memory.bank.bank import Bank
from hippocam.memory.longterm.budget import ByteBudget
from hippocam.memory.questions import AnsweredQuestion, QuestionJournal
from hippocam.memory.store.entries import EntryTable
from hippocam.memory.store.meta import MetaTable
from hippocam.memory.store.probes import ProbeTable
from hippocam.memory.working.context import unit

# Questions in one transaction, so that the log stays small.
_BATCH = 4


class Tables(Protocol):
    """The tables that questions go into, in one database."""

    entries: EntryTable
    probes: ProbeTable
    meta: MetaTable

    def transaction(self) -> AbstractContextManager[None]:
        """All statements inside take effect together, or none."""


class KeptBank(Protocol):
    """Keeps the bank."""

    def transaction(self) -> AbstractContextManager[None]:
        """A transaction of the tables that covers what the bank holds: if it fails, both are taken back."""


class QuestionIntake:
    """Takes questions out of the journal into the memory.

    Args:
        tables: Tables of the memory.
        bank: What entries are worth.
        kept: Keeps the bank.
        budget: Makes room.
        journal: Where readers leave questions.
        dim: Length D of a vector.
        probe_rows: Questions that are kept to ask with.
    """

    def __init__(
        self,
        tables: Tables,
        bank: Bank,
        kept: KeptBank,
        *,
        budget: ByteBudget,
        journal: QuestionJournal,
        dim: int,
        probe_rows: int,
    ) -> None:
        self._tables = tables
        self._bank = bank
        self._kept = kept
        self._budget = budget
        self._journal = journal
        self._dim = dim
        self._probe_rows = probe_rows

    def take_in(self) -> int:
        """Learn from all questions that were answered since the last time; return how many there were.

        Raises:
            BudgetTooSmallError: Not even a probe fits into the budget.
        """
        taken = self._tables.meta.get("question_taken")
        questions = self._journal.read(self._dim, after=str(taken or ""))
        for start in range(0, len(questions), _BATCH):
            batch = questions[start : start + _BATCH]
            self._budget.make_room(self._budget.insert_bytes)
            with self._kept.transaction():
                strengths = [pair for question in batch for pair in self._put(question)]
                self._tables.meta.put(question_taken=batch[-1].token)
                for entry_id, strength in strengths:
                    self._bank.use(entry_id, strength=strength)
        if questions:
            self._journal.delete(questions[-1].token)
        return len(questions)

    def _put(self, question: AnsweredQuestion) -> list[tuple[int, float]]:
        """Write a question, inside a transaction.

        Returns:
            Each entry of its evidence that is still held, with the strength that it has from now on.
        """
        strengths = []
        for cited in question.cited:
            if question.vector is not None:
                vector_D = unit(question.vector)
                self._tables.probes.add(
                    "question", cited.stream, cited.t0_s, cited.t1_s, vector_D, keep=self._probe_rows
                )
            entry = self._tables.entries.get(cited.entry_id)
            if entry is not None:
                strength = entry.strength + 1 / (1 + entry.uses)
                self._tables.entries.count_use(entry.id, strength)
                strengths.append((entry.id, strength))
        return strengths
