"""Which alerts and visits somebody has looked at already: kept beside the memory, for all who open its page."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from pathlib import Path

from hippocam.apps.web.beside import page_folder, read_json, write_json


class Reviewed:
    """The ids of what was reviewed, in a file beside the memory. Safe to use from several threads.

    Args:
        memory: The memory's folder.
    """

    def __init__(self, memory: Path) -> None:
        self._path = page_folder(memory) / "reviewed.json"
        self._mutex = threading.Lock()

    def ids(self) -> frozenset[str]:
        """What was reviewed; nothing where the file cannot be read."""
        found = read_json(self._path)
        return frozenset(map(str, found)) if isinstance(found, list) else frozenset()

    def mark(self, ids: Iterable[str], reviewed: bool, *, known: Collection[str]) -> None:
        """Mark some as reviewed, or no longer.

        Args:
            ids: Which.
            reviewed: Whether they were.
            known: What can be reviewed at all: the marks of what is no longer held go.
        """
        with self._mutex:
            before = self.ids()
            marked = before | set(ids) if reviewed else before - set(ids)
            write_json(self._path, sorted(marked & set(known)))
