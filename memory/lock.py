"""One writer a memory: an advisory lock on a file, which the kernel frees when its process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from hippocam.memory.errors import LockedError
from hippocam.stream.private import FILE_MODE


class WriterLock:
    """Held from construction until release.

    Raises:
        LockedError: Another process or session writes to this memory.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise LockedError(path.parent) from None

    def release(self) -> None:
        """Let others write."""
        os.close(self._file)
