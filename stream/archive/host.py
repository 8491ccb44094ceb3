"""A process of an archive run on another machine, which may lack our package: Ray is sent this class whole.

So what is missing there is told with the machine's name, and other machines go on. Nothing of ours is imported.
"""

from __future__ import annotations

import os
import pickle
import socket
from typing import Any

# One thread a process, however many cores there are: there is a process for each, and all machines add up alike.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Host:
    """Holds one object, and calls it."""

    def __init__(self) -> None:
        self._held: Any = None

    def start(self, packed: bytes) -> tuple[str, str]:
        """Make the object that is to be held.

        Args:
            packed: What makes it, pickled; it may have a method `prepare`.

        Returns:
            The machine's name, and why it cannot be had here; "" where it can.
        """
        os.environ.update(_ONE_THREAD)  # before numpy is imported
        try:
            self._held = pickle.loads(packed)()
            if hasattr(self._held, "prepare"):
                self._held.prepare()
        except Exception as error:  # whatever is missing here is not missing elsewhere
            kind = "" if type(error).__module__.startswith("hippocam") else f"{type(error).__name__}: "
            return socket.gethostname(), f"{kind}{' '.join(str(error).split())}"
        return socket.gethostname(), ""

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a method of what is held."""
        return getattr(self._held, name)(*arguments)
