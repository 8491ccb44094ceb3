"""What is archived: footage, cut into segments of some minutes that workers read side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hippocam.stream.protocols import Source
from hippocam.stream.records import Stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """A source that is archived.

    Attributes:
        source: What is watched.
        key: A file name that is different for any other content, or any other way to encode it.
        segments: How many segments it is cut into, 1 or more.
        after_seq: Only frames after this position are wanted, -1 for all; segments before it stay empty.
        after_s: Only notes that are known from this time on are wanted; None for all.
    """

    source: Source
    key: str
    segments: int
    after_seq: int = -1
    after_s: float | None = None

    def stretch(self, number: int, *, segment_s: float, index_file: Path) -> Stretch:
        """One of its segments, as its source is asked for it; the arguments are those of `Stretch`."""
        return Stretch(number=number, count=self.segments, segment_s=segment_s, index_file=index_file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment of a run: the index of its footage in the list, and its number in that footage, from 0."""

    index: int
    number: int
