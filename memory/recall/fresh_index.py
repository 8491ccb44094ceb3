"""An index that follows the store: after a write only the rows that changed are taken out or put in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from hippocam.memory.recall.following import Following
from hippocam.memory.recall.index import KeyIndex
from hippocam.memory.store.database import Store
from hippocam.stream.records import FloatArray

# Rows that are read at a time.
_BATCH = 8192


class FreshIndex:
    """Finds the nearest entries as they are now; not safe to use from several threads.

    The journal says which entries may differ since the last question. Where it does not go back so far, or rows
    were deleted from it, the bank's versions do, a few bytes an entry. Where all rows were replaced, or a memory
    has no versions, every entry is compared by a digest of its vectors. Either way only rows that do differ are
    read. From the first question on a thread follows the store every second; what was written since is followed
    by the question itself, which so finds whatever was committed before it.

    Args:
        store: The memory's database.
        read: Gives the rows of some ids, float32 [N, D] in their order.
        lock: Held by whoever asks, and by the thread; None for no thread.
    """

    def __init__(
        self,
        store: Store,
        read: Callable[[Sequence[int]], FloatArray],
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        self._store = store
        self._read = read
        self._index: KeyIndex | None = None
        self._version: tuple[int, int] | None = None
        self._generation = -1
        self._journal_id = 0
        self._digests: dict[int, int] = {}  # of the vectors that each row of the index was made of
        self._versions: dict[int, int] = {}  # of all entries, when they were last looked at
        self._following = None if lock is None else Following(lock, self._follow_aside)

    def now(self, dim: int) -> KeyIndex:
        """Bring the index up to date and return it.

        Args:
            dim: Length D of a row, always the same.
        """
        if self._index is None:
            self._index = KeyIndex(dim, self._read)
        elif self._index.due():  # from the second question on: one is answered sooner than an index is built
            self._index.rebuild()
        self._follow_version(self._index)
        if self._following is not None:
            self._following.asked()
        return self._index

    def close(self) -> None:
        """End the thread; the store may be closed under the lock after this."""
        if self._following is not None:
            self._following.close()

    def _follow_aside(self) -> None:
        if self._index is not None:
            with self._store.snapshot():
                self._follow_version(self._index)

    def _follow_version(self, index: KeyIndex) -> None:
        version = self._store.version()
        if version != self._version:
            self._follow(index)
            self._version = version

    def _follow(self, index: KeyIndex) -> None:
        generation = self._store.generation()
        journal_id, changed = self._store.journal.changed_since(self._journal_id)
        if generation != self._generation:
            changed, self._versions = None, self._store.bank.versions() or {}
        elif changed is None:
            changed = self._by_version()
        held, indexed = self._store.entries.digests(changed), self._digests
        if changed is not None:
            indexed = {entry_id: indexed[entry_id] for entry_id in changed if entry_id in indexed}
        old = sorted(entry_id for entry_id, digest in indexed.items() if held.get(entry_id) != digest)
        new = sorted(entry_id for entry_id, digest in held.items() if indexed.get(entry_id) != digest)
        index.remove(old)
        for entry_id in old:
            del self._digests[entry_id]
        for start in range(0, len(new), _BATCH):
            batch = new[start : start + _BATCH]
            index.add(batch, self._read(batch))
            self._digests.update((entry_id, held[entry_id]) for entry_id in batch)
        self._generation, self._journal_id = generation, journal_id

    def _by_version(self) -> list[int] | None:
        """Ids of the entries that may differ, by their versions; None where these do not tell of all entries."""
        versions = self._store.bank.versions()
        if versions is None or not self._store.entries.ids() <= versions.keys():
            return None
        before, self._versions = self._versions, versions
        ids = versions.keys() | self._digests.keys()
        return [entry_id for entry_id in ids if versions.get(entry_id) != before.get(entry_id, -1)]
