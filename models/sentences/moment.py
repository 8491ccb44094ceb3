"""What a sentence is made from: all that is known of a moment, and nothing about where it is kept.

Shapes: D embedding dimension.
"""

from __future__ import annotations

from dataclasses import dataclass

from hippocam.stream.records import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Things of one kind that a detector saw at the same time.

    Attributes:
        label: What they are: "person", "car".
        count: How many, 1 or more.
        look: What they look like, to be said behind them: "in black"; "" where it is not known.
        position: Where they are in the picture: "on the left"; "" where it is not known.
    """

    label: str
    count: int
    look: str = ""
    position: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is known of a stretch of time.

    Attributes:
        scene_D: float32 [D], what was shown; None where no vector is kept.
        around_D: float32 [D], what is shown around that time in general; None where that is not known.
        subjects: What a detector saw, people first, then the kinds of which there are most.
        lines: What was to be read, in reading order. Untrusted.
        standing: What stands there all the time, like the name of a camera or a menu. Untrusted.
    """

    scene_D: FloatArray | None
    around_D: FloatArray | None = None
    subjects: tuple[Subject, ...] = ()
    lines: tuple[str, ...] = ()
    standing: tuple[str, ...] = ()
