"""The database's log, folded into its file by a thread aside: whoever writes need not wait for the disk."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path


class Folding:
    """Folds a log into its database when it is woken, as far as readers let it.

    A thread of its own with a connection of its own: to fold means to wait for the disk twice.

    Args:
        path: The database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = threading.Condition()
        self._wanted, self._busy, self._over = False, False, False
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Fold what is in the log by now, without waiting for it."""
        with self._changed:
            self._wanted = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="folding", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def wait(self) -> None:
        """Wait until what it was woken for is done."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._wanted or self._busy))

    def close(self) -> None:
        """End the thread, once what it does now is done."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        uri = f"{self._path.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=0)) as db:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._wanted or self._over)
                    if self._over:
                        self._wanted = False
                        return
                    self._wanted, self._busy = False, True
                try:
                    with suppress(sqlite3.OperationalError):  # the disk is full: whoever writes will be told
                        db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                finally:
                    with self._changed:
                        self._busy = False
                        self._changed.notify_all()
