"""Long-term memory: closed events in, entries under a hard byte budget.

Before an event is written, the weakest entries are given up until it fits. Everything in the memory's folder
counts, as `du -sb` counts it: database, its log, pictures, the folders themselves.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hippocam.memory.errors import DiskError, MemoryFolderError
from hippocam.memory.exemplars import Exemplars
from hippocam.memory.records import Continuation, Event, entry_id
from hippocam.memory.schema import PAGE_BYTES, WAL_PAGES
from hippocam.memory.slots import SlotTable
from hippocam.memory.store import Store

# SQLite's shared-memory file beside the log.
_SHM_BYTES = 32768
# The log holds one transaction beyond the pages at which it is folded back, with 24 bytes a page.
_LOG_BYTES = (WAL_PAGES + 32) * (PAGE_BYTES + 24)
# An insert takes at most this many new pages: the row, two indexes, full text.
_INSERT_PAGES = 6
# The database of an empty memory.
_EMPTY_BYTES = 24 * PAGE_BYTES


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
        for number in exemplars.sweep(self._slots.ids()):  # a picture that somebody removed
            self._evict(number)
        self._make_room(0)

    def add(self, event: Event, state: bytes) -> None:
        """Keep an event, giving up others where the budget asks for it; a replayed event is a no-op.

        Args:
            event: What is kept.
            state: The stream's working memory just after it, stored in the same transaction.
        """
        number = entry_id(event.stream, event.first_seq)
        if number in self._slots:
            return
        row = 4 * len(event.key) + 2 * (len(event.text.encode()) + sum(map(len, event.labels)))
        self._make_room(len(event.jpeg) + row + _INSERT_PAGES * PAGE_BYTES)
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

    def _make_room(self, needed: int) -> None:
        """Give up the weakest entries until needed bytes (a picture, its row, its words) fit into the budget."""
        self._fold_log()
        self._refuse(self._fixed_bytes() + _EMPTY_BYTES + needed, needed)  # before anything is given up for it
        while self._fold_log() and len(self._slots) and self._projected(needed) > self._budget_bytes:
            self._evict(self._slots.weakest())
        self._refuse(self._projected(needed), needed)
        if self._projected(needed) + self._free_bytes() > self._budget_bytes:
            self._store.shrink()

    def _refuse(self, total: int, needed: int) -> None:
        if total > self._budget_bytes:
            raise MemoryFolderError(
                f"{self._folder}: a budget of {self._budget_bytes / 1e6:g} MB does not hold one more picture of "
                f"{needed / 1e6:.1f} MB; give a larger --budget-mb"
            )

    def _projected(self, needed: int) -> int:
        """Bytes of the folder once needed more are written, without the database's free pages."""
        return self._fixed_bytes() + self._store.live_bytes() + self._slots.jpeg_total + needed

    def _free_bytes(self) -> int:
        return max(0, self._store.path.stat().st_size - self._store.live_bytes())

    def _fixed_bytes(self) -> int:
        # a folder grows by a block when its names no longer fit
        folders = self._folder.stat().st_size + self._exemplars.folder.stat().st_size + PAGE_BYTES
        return max(_LOG_BYTES, self._log_bytes()) + _SHM_BYTES + folders

    def _fold_log(self) -> bool:
        """Keep the log small: entries must never be given up because readers keep it from being folded back."""
        if self._log_bytes() > _LOG_BYTES and not self._store.fold_log():
            raise DiskError(
                f"{self._folder}: a process that reads this memory keeps its log from being folded back (is one "
                "stopped?); end it and watch again: what was kept is safe"
            )
        return True

    def _log_bytes(self) -> int:
        log = self._store.path.with_name(self._store.path.name + "-wal")
        return log.stat().st_size if log.exists() else 0

    def _evict(self, number: int) -> None:
        with self._store.transaction():
            self._store.delete(number)
        self._exemplars.remove(number)
        self._slots.remove(number)
