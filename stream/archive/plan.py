"""What is archived: footage, cut into segments of some minutes that workers read side by side."""

from __future__ import annotations

from collections.abc import Sequence
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
        memory: Name of the memory that takes it. A memory takes its footage in order; several may do so at a time.
        after_seq: Only frames after this position are wanted, -1 for all; segments before it stay empty.
        after_s: Only notes that are known from this time on are wanted; None for all.
    """

    source: Source
    key: str
    segments: int
    memory: str = ""
    after_seq: int = -1
    after_s: float | None = None

    def stretch(self, number: int, *, segment_s: float, index_file: Path) -> Stretch:
        """One of its segments, as its source is asked for it; the arguments are those of `Stretch`."""
        return Stretch(number=number, count=self.segments, segment_s=segment_s, index_file=index_file)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Segment:
    """One segment of a run: the index of its footage in the list, and its number in that footage, from 0."""

    index: int
    number: int


def segments_of(footage: Sequence[Footage]) -> list[Segment]:
    """All segments of a run in the order in which their memories take them."""
    return [
        Segment(index=index, number=number) for index, one in enumerate(footage) for number in range(one.segments)
    ]
