"""The bank and the rows that it goes on from, changed together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from hippocam.memory.bank.bank import Bank
from hippocam.memory.bank.state import BankChange
from hippocam.memory.store.lookup import EntryLookup
from hippocam.memory.store.states import BankTable
from hippocam.memory.store.streams import StreamTable


class Tables(Protocol):
    """The tables that a bank is loaded from and kept in, in one database."""

    lookup: EntryLookup
    streams: StreamTable
    bank: BankTable

    def transaction(self, of: int = 1) -> AbstractContextManager[None]:
        """All statements inside take effect together, or none; where commits are shared it counts for so many."""

    def with_commit(self, write: Callable[[], None]) -> None:
        """Inside a transaction: call `write` once, in the same transaction, when it is about to be committed."""


class KeptBank:
    """Keeps a bank with what it holds: a memory that is killed goes on as if it had not been.

    Args:
        tables: Tables of the memory.
        bank: The bank, loaded from them.
    """

    def __init__(self, tables: Tables, bank: Bank) -> None:
        self._tables = tables
        self._bank = bank

    @contextmanager
    def transaction(self, of: int = 1) -> Iterator[None]:
        """A transaction that covers what the bank holds in main memory too: if it fails, both are taken back.

        Args:
            of: For how many it counts where commits are shared.
        """
        try:
            with self._tables.transaction(of):
                yield
                self._tables.with_commit(self._put)
        except BaseException:
            load(self._bank, self._tables)
            raise

    def _put(self) -> None:
        self._tables.bank.put(self._bank.take_changes())

    def save(self) -> None:
        """Keep what has changed."""
        with self.transaction():
            pass

    def replace(self, state: BankChange) -> None:
        """Keep a whole state in place of the one that is kept, and let the bank go on from it."""
        with self._tables.transaction():
            self._tables.bank.replace(state)
        load(self._bank, self._tables)


def load(bank: Bank, tables: Tables) -> None:
    """Let a bank hold what a memory holds, and go on from what was kept."""
    bank.load(tables.lookup.every_slot(), tables.streams.ends_s(), tables.bank.state())
