"""Checks an answer against records: a model that cannot see may only say what they say."""

from __future__ import annotations

from collections.abc import Sequence

from hippocam.memory.recall.words import content_words
from hippocam.models.readers.context import Shown
from hippocam.models.readers.marks import MARKS

# Words that say nothing of what was there, in addition to those that content_words leaves out.
_NEUTRAL = frozenset(
    "answer answers appear appeared appears camera cameras evidence found moments occurred question record records"
    " saw second seconds showed showing shown shows stream visible".split()
)
# Share of a sentence's words that must be known.
_SHARE = 0.5


def grounded(sentence: str, cited: Sequence[Shown], question: str) -> bool:
    """Whether half of a sentence's words stand in the records that it cites, or in the question.

    The question counts, since the memory's belief says that the moment shows what it describes. Numbers, and words
    that say nothing, do not.
    """
    said = {word for word in content_words(MARKS.sub(" ", sentence)) if not _counts_not(word)}
    notes = [note.text for shown in cited if shown.evidence is not None for note in shown.evidence.notes]
    texts = [question, *notes, *(" ".join((shown.stream, shown.text, shown.sentence)) for shown in cited)]
    known = {word for text in texts for word in content_words(text)}
    return len(said & known) >= _SHARE * len(said)


def _counts_not(word: str) -> bool:
    return word in _NEUTRAL or any(character.isdigit() for character in word)
