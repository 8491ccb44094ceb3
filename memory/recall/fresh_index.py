"""An index that follows the store: after a write only the rows that changed are taken out or put in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hippocam.memory.recall.index import KeyIndex
from hippocam.memory.store.database import Store
from hippocam.stream.records import FloatArray

# Rows that are read at a time.
_BATCH = 8192


class FreshIndex:
    """The nearest entries as of now; not safe to use from several threads.

    Args:
        store: The memory's database.
        read: Gives the rows of some ids, float32 [N, D] in their order.
    """

    def __init__(self, store: Store, read: Callable[[Sequence[int]], FloatArray]) -> None:
        self._store = store
        self._read = read
        self._index: KeyIndex | None = None
        self._version: tuple[int, int] | None = None
        self._journal_id = 0

    def now(self, dim: int) -> KeyIndex:
        """Bring the index up to date and return it.

        Args:
            dim: Length D of a row, always the same.
        """
        if self._index is None:
            self._index = KeyIndex(dim, self._read)
        elif self._index.due():  # from the second question on: one is answered sooner than an index is built
            self._index.rebuild()
        version = self._store.version()
        if version != self._version:
            self._follow(self._index)
            self._version = version
        return self._index

    def _follow(self, index: KeyIndex) -> None:
        journal_id, changed = self._store.journal.changed_since(self._journal_id)
        known = self._version is not None and changed is not None
        held = self._store.entries.ids(changed if known else None)
        indexed = index.ids(changed if known else None)
        rekeyed = self._store.journal.rekeyed_since(self._journal_id) if known else indexed
        index.remove(sorted(indexed - held | indexed & rekeyed))
        new = sorted(held - (indexed - rekeyed))
        for start in range(0, len(new), _BATCH):
            batch = new[start : start + _BATCH]
            index.add(batch, self._read(batch))
        self._journal_id = journal_id
