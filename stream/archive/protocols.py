"""What running an archive asks of its caller: somebody who writes memories, and somebody who keeps book of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from hippocam.stream.archive.plan import Segment


class Writer(Protocol):
    """Writes parts into one memory, in order; made in whichever process writes it."""

    def take(self, *arguments: Any) -> Any:
        """Write a segment, given what `Book.begin` said of it; return what `Book.end` is told."""

    def close(self) -> None:
        """End; what was not made safe counts as not written."""


class Book(Protocol):
    """Keeps book of what memories take, in the process that runs it all."""

    def writer_of(self, memory: str) -> Callable[[], Writer]:
        """What makes the writer of a memory; picklable."""

    def begin(self, segment: Segment) -> tuple[Any, ...]:
        """A memory is about to take a segment; return what its writer must know."""

    def end(self, segment: Segment, taken: Any) -> None:
        """A memory has taken a segment."""

    def lost(self, memory: str) -> Segment:
        """The process that wrote a memory died: return the segment with which its memory begins again."""

    def workers(self, count: int) -> None:
        """So many workers are there now."""

    def note(self, text: str) -> None:
        """Something that whoever runs it should know, in one line."""

    def left_out(self, machine: str, reason: str) -> None:
        """A machine cannot be used."""
