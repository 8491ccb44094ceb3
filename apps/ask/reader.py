"""Who words an answer, as asking sees it; `hippocam.models.readers` has some, and a user may bring another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hippocam.models.readers.context import Context, ContextConfig
from hippocam.models.readers.reading import Reading


class Reader(Protocol):
    """Turns what it is given into an answer."""

    @property
    def id(self) -> str:
        """Name of the reader, kept with its answers."""

    @property
    def budget(self) -> ContextConfig:
        """What it is to be given."""

    def read(self, context: Context, on_token: Callable[[str], None] | None = None) -> Reading:
        """Answer a question; on_token gets the words as they come, before they are checked."""
