"""Long-term memory: closed events in, entries under a hard byte budget.

Before an event is written, the weakest entries are given up until it fits. Everything in the memory's folder
counts, as `du -sb` counts it: database, its log, pictures, the folders themselves.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hippocam.memory.errors import MemoryFolderError
from hippocam.memory.exemplars import Exemplars
from hippocam.memory.records import Continuation, Event, entry_id
from hippocam.memory.slots import SlotTable
from hippocam.memory.store import PAGE_BYTES, WAL_PAGES, Store

# SQLite's shared-memory file beside the log.
_SHM_BYTES = 32768
# The log holds one transaction beyond the pages at which it is folded back, with 24 bytes a page.
_LOG_BYTES = (WAL_PAGES + 16) * (PAGE_BYTES + 24)
# An insert takes at most this many new pages: the row, two indexes, full text.
_INSERT_PAGES = 6


class LongTerm:
    """Entries of one memory, held within a budget.

    Args:
        folder: The memory's folder.
        store: Its database, writable.
        exemplars: Its pictures; files without an entry are removed.
        dim: Length D of the encoder's vectors.
        budget_bytes: What the whole folder may take.

    Raises:
        MemoryFolderError: Not even an empty memory fits into the budget.
    """

    def __init__(self, folder: Path, store: Store, exemplars: Exemplars, *, dim: int, budget_bytes: int) -> None:
        self._folder = folder
        self._store = store
        self._exemplars = exemplars
        self._budget_bytes = budget_bytes
        self._slots = SlotTable(dim)
        for row in store.slots():
            self._slots.add(row.id, row.stream, row.utility, row.jpeg_bytes, row.vectors_2D[:dim])
        exemplars.sweep(self._slots.ids())
        if self._projected(0) > budget_bytes:
            self._compact()

    def add(self, event: Event, state: bytes) -> None:
        """Keep an event, giving up others where the budget asks for it; a replayed event is a no-op.

        Args:
            event: What is kept.
            state: The stream's working memory just after it, stored in the same transaction.
        """
        number = entry_id(event.stream, event.first_seq)
        if number in self._slots:
            return
        self._make_room(len(event.jpeg))
        self._exemplars.write(number, event.jpeg)
        with self._store.transaction():
            self._store.insert(event)
            self._store.advance(
                event.stream,
                last_seq=event.last_seq,
                end_s=event.t1_s,
                seen=event.frames + event.repeats,
                encoded=event.frames,
                events=1,
                state=state,
            )
        key_D = event.key.astype(np.float16)
        self._slots.add(number, event.stream, event.utility, len(event.jpeg), key_D)

    def extend(self, more: Continuation, state: bytes) -> None:
        """Prolong the newest entry of a stream, which went on unchanged."""
        with self._store.transaction():
            self._store.extend(more.stream, more.t1_s, more.repeats)
            self._store.advance(
                more.stream,
                last_seq=more.last_seq,
                end_s=more.t1_s,
                seen=more.repeats,
                encoded=0,
                events=0,
                state=state,
            )

    def _make_room(self, jpeg_bytes: int) -> None:
        """Give up the weakest entries until a picture of jpeg_bytes and its row fit into the budget."""
        while self._projected(jpeg_bytes) > self._budget_bytes:
            if not len(self._slots):
                raise MemoryFolderError(
                    f"{self._folder}: a budget of {self._budget_bytes / 1e6:g} MB does not hold one picture; "
                    "give a larger --budget-mb"
                )
            self._evict(self._slots.weakest())

    def _projected(self, jpeg_bytes: int, *, compacted: bool = False) -> int:
        """Bytes of the folder once an event with a picture of jpeg_bytes is written.

        Args:
            jpeg_bytes: Size of the picture, 0 where nothing is written.
            compacted: Count the database as it would be without its free pages.
        """
        database = self._store.live_bytes() + (_INSERT_PAGES * PAGE_BYTES if jpeg_bytes else 0)
        if not compacted:
            database = max(database, self._store.path.stat().st_size)
        log = self._store.path.with_name(self._store.path.name + "-wal")
        log_bytes = max(_LOG_BYTES, log.stat().st_size if log.exists() else 0) + _SHM_BYTES
        # a folder grows by a block when its names no longer fit
        folders = self._folder.stat().st_size + self._exemplars.folder.stat().st_size + PAGE_BYTES
        return database + log_bytes + folders + self._slots.jpeg_total + jpeg_bytes

    def _compact(self) -> None:
        """Meet a budget that is smaller than the one that the memory was filled with."""
        while len(self._slots) and self._projected(0, compacted=True) > self._budget_bytes:
            self._evict(self._slots.weakest())
        self._store.vacuum()
        self._make_room(0)

    def _evict(self, number: int) -> None:
        with self._store.transaction():
            self._store.delete(number)
        self._exemplars.remove(number)
        self._slots.remove(number)
