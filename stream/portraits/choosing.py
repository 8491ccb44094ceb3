"""The things of some frames into the few whose own pictures are worth encoding.

A thing is small beside its frame, and the vector of a whole frame says little of it. So the best cut-outs of each
thing go through the same encoder. That costs as much as a frame each, so they are few: a thing gets a first one,
and another only when it is shown much better; and of all that some frames show, the best come first.

What is one thing is judged roughly here, by label, look and nearness: who is who over longer times is told in
memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hippocam.stream.portraits.cutting import quality
from hippocam.stream.records import Box, FloatArray, Frame, Thing

# Dot product of looks from which two detections of one label are taken for one thing.
_SAME_LOOK = 0.8
# Distance of their middles, in sides of the larger, beyond which two detections are two things.
_REACH = 2.5
# How many may be left over for later frames: what a crowd takes at once.
_MOST_LEFT = 3.0
# How many of a stream's things are remembered.
_REMEMBERED = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class PortraitConfig:
    """Which things are encoded by themselves.

    Attributes:
        a_frame: Most of them for each frame that is encoded, on average; 0 for none, at most 10.
        a_thing: Most of one thing while it is in sight, 1 or more.
        better: How many times better a further one of a thing must show it, 1 or more.
        least_px: Shorter side of a box from which it is worth it, pixels, 1 or more.
        least_score: Score of the detector from which it is worth it, 0 to 1.
        margin: By how much what is cut out is larger than the thing, as a share of its longer side, 0 to 4.
    """

    a_frame: float = 0.375
    a_thing: int = 3
    better: float = 1.5
    least_px: int = 12
    least_score: float = 0.42
    margin: float = 0.25

    def __post_init__(self) -> None:
        for name, low, high in (("a_frame", 0, 10), ("a_thing", 1, 100), ("better", 1, 100), ("margin", 0, 4)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"portraits.{name} must be {low} to {high}, found {value}")
        if self.least_px < 1:
            raise ValueError(f"portraits.least_px must be 1 or more, found {self.least_px}")
        if not 0 <= self.least_score <= 1:
            raise ValueError(f"portraits.least_score must be 0 to 1, found {self.least_score}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A detection to be encoded by itself: its frame and thing, both as indices."""

    frame: int
    thing: int


@dataclass(slots=True, kw_only=True, eq=False)
class _Subject:
    """Something that was seen in a stream, as it was last.

    Attributes:
        best: How well the best of its portraits shows it; 0 where it has none.
        count: How many it has.
        next: The best detection that may become its next one, with how well it shows it.
    """

    label: str
    box: Box
    look: FloatArray
    best: float = 0.0
    count: int = 0
    next: tuple[float, Chosen] | None = None


class PortraitChooser:
    """Chooses, chunk by chunk, and remembers which things of each stream have been encoded.

    Args:
        config: Which are.
    """

    def __init__(self, config: PortraitConfig) -> None:
        self._config = config
        self._subjects: dict[str, list[_Subject]] = {}
        self._left = 1.0  # what earlier frames left over

    def restart(self, stream: str) -> None:
        """Forget what a stream showed, as after a gap."""
        self._subjects.pop(stream, None)

    def choose(self, frames: Sequence[Frame], things: Sequence[Sequence[Thing]]) -> list[Chosen]:
        """Choose among what a chunk of frames shows.

        Args:
            frames: Those of a chunk, of one stream or several, each stream by time.
            things: What was found in each.

        Returns:
            By frame and thing.
        """
        if not self._config.a_frame:
            return []
        self._left = min(self._left, _MOST_LEFT) + self._config.a_frame * len(frames)
        for index, (frame, found) in enumerate(zip(frames, things, strict=True)):
            self._see(index, frame, found)
        waiting = [each for own in self._subjects.values() for each in own if each.next is not None]
        waiting.sort(key=_most_urgent)
        chosen = list[Chosen]()
        for subject in waiting:
            assert subject.next is not None
            if self._left >= 1:
                self._left -= 1
                subject.best, subject.count = subject.next[0], subject.count + 1
                chosen.append(subject.next[1])
            subject.next = None
        return sorted(chosen, key=lambda each: (each.frame, each.thing))

    def _see(self, index: int, frame: Frame, found: Sequence[Thing]) -> None:
        config, height, width = self._config, *frame.image.shape[:2]
        own = self._subjects.setdefault(frame.stream, [])
        seen = list[_Subject]()
        for thing_index, thing in enumerate(found):
            x0, y0, x1, y1 = thing.box
            if thing.score < config.least_score or min((x1 - x0) * width, (y1 - y0) * height) < config.least_px:
                continue
            subject = next((each for each in own if each not in seen and _is_same(each, thing)), None)
            if subject is None:
                subject = _Subject(label=thing.label, box=thing.box, look=thing.vector)
            else:
                own.remove(subject)
                subject.box, subject.look = thing.box, thing.vector
            own.insert(0, subject)  # the newest first
            seen.append(subject)
            if subject.count < config.a_thing:
                shows = quality(frame.image, thing.box, thing.score)
                waits = subject.next[0] if subject.next is not None else 0.0
                if shows > max(waits, config.better * subject.best):
                    subject.next = shows, Chosen(frame=index, thing=thing_index)
        del own[_REMEMBERED:]


def _most_urgent(subject: _Subject) -> tuple[int, float, int, int]:
    """Sort key: what has fewest portraits first, then what is shown best."""
    assert subject.next is not None
    shows, chosen = subject.next
    return subject.count, -shows, chosen.frame, chosen.thing


def _is_same(subject: _Subject, thing: Thing) -> bool:
    """Whether a detection may be of something that was seen just before."""
    if subject.label != thing.label or len(subject.look) != len(thing.vector):
        return False
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = subject.box, thing.box
    large = max(ax1 - ax0, ay1 - ay0, bx1 - bx0, by1 - by0)
    apart = max(abs(ax0 + ax1 - bx0 - bx1), abs(ay0 + ay1 - by0 - by1)) / 2
    return apart < _REACH * large and float(np.dot(subject.look, thing.vector)) >= _SAME_LOOK
