"""Text into the words that carry meaning; which words can be the answer to a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from hippocam.stream.records import Note

_STOP = frozenset(
    """
    a about after again all an and any anybody anyone anything are as at be been before being but by can
    could did do does doing down during each ever find first for from had has have he her his how i if
    in into is it its last many me more most moment much near no not of off on one or other out over s
    scene see seen she show some somebody someone something t that the their them then there these they
    thing this those through time times to up was we were what when where which while who whose why will
    with would you your
    """.split()
)


def content_words(text: str) -> list[str]:
    """The words of a text that carry meaning, lower case, each once."""
    return [w for w in dict.fromkeys(re.findall(r"[^\W_]+", text.lower())) if w not in _STOP]


class Words(Enum):
    """Which words can be the answer to a question."""

    NONE = "none"
    READ = "what was read in a picture"
    ALL = "all"

    def answer(self, notes: Sequence[Note]) -> bool:
        """Whether some notes that speak for a moment can be the answer."""
        return self is Words.ALL or (self is Words.READ and {note.kind for note in notes} == {"screen"})
