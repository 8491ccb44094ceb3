"""Notes that say one thing together, and what they say beside a question, by meaning rather than by letters.

What begins on the screen in one look is one passage: a slide's title means little without its lines. Sentences,
subtitles and chapters stand alone. A cosine between sentences says how alike two meanings are. How likely a
passage at that cosine is what was asked for was set on those questions of `tests/golden/words/questions.json` that
may be looked at: the best passage for what was never written came to .35, and most right ones lay above .38.

Shapes: N passages.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from hippocam.stream.records import FloatArray, Note

# Kind of the notes that are read off a picture, several lines at a time.
SCREEN = "screen"
# Cosine at which a passage is as likely as not what was asked for, and the steepness of that belief.
_MIDPOINT = 0.365
_SLOPE = 25.0


class Sentences(Protocol):
    """Tells how alike sentences are in meaning; safe to use from several threads."""

    def likeness(self, text: str, others: Sequence[str]) -> FloatArray:
        """Cosines of a text with N others, float32 [N]; -1 for those that are plainly further than the nearest."""


class Row(Protocol):
    """A note as it is stored."""

    @property
    def id(self) -> int:
        """Its identity."""

    @property
    def note(self) -> Note:
        """What was noted."""


R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Passage(Generic[R]):
    """Notes of one stream that say one thing together.

    Attributes:
        rows: One or more, in the order in which one reads them.
    """

    rows: tuple[R, ...]

    @property
    def text(self) -> str:
        """All of its words."""
        return " ".join(row.note.text for row in self.rows)


def passages(rows: Iterable[R]) -> list[Passage[R]]:
    """Put notes together that say one thing.

    Args:
        rows: In any order.
    """
    together = dict[tuple[str, float] | int, list[R]]()
    for row in rows:
        note = row.note
        together.setdefault((note.stream, note.t0_s) if note.kind == SCREEN else row.id, []).append(row)
    return [Passage(tuple(sorted(group, key=lambda row: (row.note.line, row.id)))) for group in together.values()]


def believed(cosine: float) -> float:
    """How likely a passage at this cosine is what was asked for, 0 to 1."""
    return 1 / (1 + math.exp(-_SLOPE * (cosine - _MIDPOINT)))
