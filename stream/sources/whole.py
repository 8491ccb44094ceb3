"""What sources have in common that are read whole, and come without words and sound unless they say so."""

from __future__ import annotations

from collections.abc import Iterator

from hippocam.stream.protocols import Hearing
from hippocam.stream.records import Note, Stretch


class WholeSource:
    """A source of one segment, without key frames."""

    @property
    def keyframes_only(self) -> bool:
        """No: there are no key frames in it."""
        return False

    def notes(
        self, stream: str, *, hearing: Hearing | None, stretch: Stretch | None = None, after_s: float | None = None
    ) -> Iterator[tuple[float, Note]]:
        """Yield nothing: no words come with it, and no sound."""
        return iter(())

    def segments(self, segment_s: float) -> int:
        """Return 1: it can only be read whole."""
        return 1
