"""Transactions of one connection, some of which may share a commit.

A commit writes each page that changed to the log, and every event changes the same few. Where many events come at
once, as from an archive or a replay, some of them share a commit: they are kept together or not at all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Call = Callable[[], None]


class Transactions:
    """Makes the transactions of one connection.

    Args:
        db: The connection.
        committed: Is called after each commit.

    Attributes:
        before_commit: Are called when one is about to be committed, with for how many it counts.
        undone: Are called where one fails that could have shared a commit, and takes back those that did: what
            main memory holds of them must go.
    """

    def __init__(self, db: sqlite3.Connection, committed: Call) -> None:
        self._db = db
        self._committed = committed
        self.before_commit = list[Callable[[int], None]]()
        self.undone = list[Call]()
        self._most = 1
        self._waiting = 0  # transactions that have ended and are not committed
        self._with_commit: list[Call] = []
        self._after_commit: list[Call] = []

    @contextmanager
    def one(self, of: int = 1) -> Iterator[None]:
        """All statements inside take effect together, or none.

        Args:
            of: For how many it counts where commits are shared.
        """
        if self._waiting and self._waiting + of > self._most:
            self.settle()
        if not self._waiting:
            self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            if self._waiting + of >= self._most:
                self._commit(self._waiting + of)
                return
        except BaseException:
            self._take_back()
            raise
        self._waiting += of

    @contextmanager
    def together(self, most: int) -> Iterator[None]:
        """Let up to `most` transactions inside share a commit; all are committed behind it, whatever is raised.

        Inside another such block they share that one's commits, unless something is to be done behind one.
        """
        around = self._most
        self._most = most if around == 1 else around
        try:
            yield
        finally:
            self._most = around
            if self._waiting >= around or self._after_commit:
                self.settle()

    def with_commit(self, write: Call) -> None:
        """Inside a transaction: call `write` once, in the same transaction, when it is about to be committed."""
        if write not in self._with_commit:
            self._with_commit.append(write)

    def after_commit(self, call: Call) -> None:
        """Outside of transactions: call `call` once those that have ended are committed; never if they are not."""
        if self._waiting:
            self._after_commit.append(call)
        else:
            call()

    def settle(self) -> None:
        """Commit what waits to be committed."""
        if not self._waiting:
            return
        try:
            self._commit(self._waiting)
        except BaseException:
            self._take_back()
            raise

    def _commit(self, transactions: int) -> None:
        for write in self._with_commit:
            write()
        for call in self.before_commit:
            call(transactions)
        self._db.execute("COMMIT")
        calls, self._after_commit = self._after_commit, []
        self._waiting, self._with_commit = 0, []
        for done in calls:
            done()
        self._committed()

    def _take_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        shared = self._waiting > 0 or self._most > 1
        self._waiting, self._with_commit, self._after_commit = 0, [], []
        if shared:
            for call in self.undone:
                call()
