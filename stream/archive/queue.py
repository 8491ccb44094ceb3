"""Which segment is made next, and which one its memory takes next, where many are made and taken side by side.

Each memory takes its segments in order, so their order is that of a run on one core; memories wait for no other. A
few memories are worked on at a time, the longest first, so that no long one is left over at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hippocam.stream.archive.plan import Footage, Segment, segments_of


@dataclass(slots=True)
class _Line:
    """The segments of one memory.

    Attributes:
        segments: In the order in which the memory takes them.
        handed: How many have been handed out to be made.
        taken: How many the memory has taken.
        made: Those that are made, by their index here.
        back: Those that were handed out and came back unmade.
        busy: Whether the memory is taking one.
    """

    segments: list[Segment] = field(default_factory=list)
    handed: int = 0
    taken: int = 0
    made: set[int] = field(default_factory=set)
    back: set[int] = field(default_factory=set)
    busy: bool = False

    @property
    def unhanded(self) -> int:
        """How many nobody is making yet."""
        return len(self.segments) - self.handed + len(self.back)


class Queue:
    """The segments of a run on their way into memories.

    Args:
        footage: All that is archived.
        ahead: How many segments may be made ahead of each memory, 1 or more.
    """

    def __init__(self, footage: Sequence[Footage], *, ahead: int) -> None:
        self._ahead = ahead
        self._lines: dict[str, _Line] = {}
        self._at: dict[Segment, tuple[_Line, int]] = {}
        for segment in segments_of(footage):
            line = self._lines.setdefault(footage[segment.index].memory, _Line())
            self._at[segment] = line, len(line.segments)
            line.segments.append(segment)
        self._unopened = sorted(self._lines.values(), key=lambda line: -len(line.segments))
        self._open: list[_Line] = []
        self._going: list[_Line] = []  # of which something was handed out, and not all is taken
        self._untaken = len(self._at)
        self._unmade = len(self._at)

    @property
    def untaken(self) -> int:
        """How many segments no memory has taken."""
        return self._untaken

    @property
    def unmade(self) -> int:
        """How many segments are not made."""
        return self._unmade

    @property
    def is_held_back(self) -> bool:
        """Whether other memories wait while those that are worked on are too far behind."""
        return bool(self._unopened) and any(line.unhanded for line in self._open)

    def hand_out(self, together: int) -> Segment | None:
        """Give the segment that is to be made next; None where nothing is to be made now.

        Args:
            together: How many memories may have segments that nobody is making yet, 1 or more.
        """
        self._open = [line for line in self._open if line.unhanded]
        while self._unopened and len(self._open) < together:
            self._open.append(self._unopened.pop(0))
            self._going.append(self._open[-1])
        near = [line for line in self._open if line.back or line.handed - line.taken < self._ahead]
        if not near:
            return None
        line = max(near, key=lambda line: (bool(line.back), line.unhanded))
        if line.back:  # the memory is waiting for these
            at = min(line.back)
            line.back.remove(at)
        else:
            at, line.handed = line.handed, line.handed + 1
        return line.segments[at]

    def give_back(self, segment: Segment) -> None:
        """Say that a segment was not made after all."""
        line, at = self._at[segment]
        line.back.add(at)
        if not any(line is other for other in self._open):
            self._open.append(line)

    def made(self, segment: Segment) -> None:
        """Say that a segment is made."""
        line, at = self._at[segment]
        line.made.add(at)
        self._unmade -= 1

    def takeable(self) -> list[Segment]:
        """The segments that are made and whose memories could take them now."""
        self._going = [line for line in self._going if line.taken < len(line.segments)]
        lines = (line for line in self._going if not line.busy and line.taken in line.made)
        return [line.segments[line.taken] for line in lines]

    def take(self, segment: Segment) -> None:
        """Say that a memory is taking a segment."""
        self._at[segment][0].busy = True

    def taken(self, segment: Segment) -> None:
        """Say that a memory has taken a segment."""
        line, at = self._at[segment]
        line.busy, line.taken = False, at + 1
        self._untaken -= 1

    def rewind(self, segment: Segment) -> None:
        """Say that a memory must begin again with a segment that it had taken, or was taking."""
        line, at = self._at[segment]
        self._untaken += line.taken - at
        if not any(line is other for other in self._going):
            self._going.append(line)
        line.busy, line.taken = False, at

    def ends(self, memory: str) -> bool:
        """Whether a memory has taken all of its segments."""
        line = self._lines[memory]
        return line.taken == len(line.segments)
