"""Full text is merged a little with each commit, never much at once.

FTS5 writes the words of a transaction as a segment of their own, and left alone merges many of them in one
transaction, more than a small memory's budget has room for. Here it merges nothing by itself: each commit merges
a few pages, as many as keep up with what is written (https://sqlite.org/fts5.html, "merge"). What is deleted
stays until it is merged, and so do deletions: where these are in the way more is merged, some pages at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from hippocam.memory.store.schema import full_texts

# Pages that are merged for each transaction in a commit; and at once where more is merged, so that the log stays
# small.
_PAGES = 2
_PAGES_AT_ONCE = 16
# Settings that FTS5 keeps with the database: it merges by itself only from very many segments on, which merging
# ahead keeps it from; and two segments may be merged.
_SETTINGS = {"automerge": 0, "crisismerge": 64, "usermerge": 2}
# Bytes of its own pages, so that a few of them are little, and what a row of one takes in a page of the database.
_PAGE_BYTES = 1000
_ROW_BYTES = 62


class FullTexts:
    """Merges the full text of entries, where it is on disk, and of notes.

    Args:
        db: The connection of a writer.
        page_bytes: Bytes of a page of the database.
    """

    def __init__(self, db: sqlite3.Connection, page_bytes: int) -> None:
        self._db = db
        self._tables = full_texts(db)
        self._settings = _SETTINGS | {"pgsz": min(_PAGE_BYTES, page_bytes - _ROW_BYTES)}

    def prepare(self) -> None:
        """Have FTS5 merge nothing by itself."""
        for words in self._tables:
            settings = dict(self._db.execute(f"SELECT k, v FROM {words}_config").fetchall())
            for name, value in self._settings.items():
                if settings.get(name) != value:
                    self._db.execute(f"INSERT INTO {words} ({words}, rank) VALUES (?, ?)", (name, value))

    def merge(self, transactions: int) -> None:
        """Inside a transaction: merge as much as so many of them may have added."""
        for words in self._tables:
            self._merge(words, _PAGES * transactions)

    def merge_more(self, steps: int) -> Iterator[None]:
        """Merge so many times a few pages, each in a transaction of its own, and come back after each."""
        for words in self._tables:
            for _ in range(steps):
                if not self._merge(words, _PAGES_AT_ONCE):
                    break
                yield

    def merge_all(self) -> Iterator[None]:
        """Merge until each table is one segment, and come back after each few pages."""
        for words in self._tables:
            while self._merge(words, -_PAGES_AT_ONCE):
                yield

    def _merge(self, words: str, pages: int) -> bool:
        """Merge some pages of a table, with fewer than 0 to the end; return whether anything was merged."""
        before = self._db.total_changes
        self._db.execute(f"INSERT INTO {words} ({words}, rank) VALUES ('merge', ?)", (pages,))
        return self._db.total_changes - before >= 2  # as the manual of FTS5 has it
