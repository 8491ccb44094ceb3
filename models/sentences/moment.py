"""What a sentence is made from: all that is known of a moment, and nothing about where it is kept.

Shapes: D embedding dimension.
"""

from __future__ import annotations

from dataclasses import dataclass

from hippocam.models.sentences.picture import Look
from hippocam.stream.records import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Things of one kind that a detector saw at the same time.

    Attributes:
        label: What they are: "person", "car".
        count: How many, 1 or more.
        colour: Name of their colour, of people that of their clothes; "" where they have none in common.
        side: "left" or "right" where all of them are on that side of the picture; "" elsewhere.
        kind: "man", "woman", "boy", "girl" or "child" where all of some people are such; "" elsewhere.
        moves: Whether they go somewhere or stay where they are; None where that is not known.
    """

    label: str
    count: int
    colour: str = ""
    side: str = ""
    kind: str = ""
    moves: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is known of a stretch of time.

    Attributes:
        scene_D: float32 [D], what was shown; None where no vector is kept.
        around_D: float32 [D], what is shown around that time in general; None where that is not known.
        look: What the pixels of its picture tell; None where no picture is kept.
        subjects: What a detector saw, people first, then what moves by itself, then the rest.
        lines: What was to be read, in reading order. Untrusted.
        standing: What stands there all the time, like the name of a camera or a menu. Untrusted.
    """

    scene_D: FloatArray | None
    around_D: FloatArray | None = None
    look: Look | None = None
    subjects: tuple[Subject, ...] = ()
    lines: tuple[str, ...] = ()
    standing: tuple[str, ...] = ()
