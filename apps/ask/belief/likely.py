"""Of moments that are believed nearly alike, those first whose sentences name what was asked for.

A belief says how near a picture comes to a text; of five rooms of a house all may come near to "the bedroom". A
sentence is the phrase of many that comes nearest to the picture: where it says "bedroom", this one is meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hippocam.apps.ask.nouns import names_place
from hippocam.memory.recall.words import content_words
from hippocam.memory.records import Evidence
from hippocam.models.readers.reading import SEEN_FROM, nearly_as_likely

# Words that many sentences have in common.
_GENERAL = frozenset({"room", "place", "person", "people", "man", "men", "woman", "women"})


def named_first(text: str, moments: Sequence[Evidence]) -> list[Evidence]:
    """Order moments anew as far as their beliefs leave open which comes first.

    Args:
        text: What was looked for.
        moments: The strongest first. Those that words speak for keep their places.
    """
    if not moments or moments[0].score < SEEN_FROM or moments[0].noted:
        return list(moments)
    best, asked = moments[0].score, _words(text) - _GENERAL or _words(text)
    believed = [moment for moment in moments if moment.score >= SEEN_FROM and not moment.noted]
    if names_place(text) and any(asked & _words(moment.sentence) for moment in believed):
        return _that_place(asked, moments)
    open_ = [moment for moment in believed if nearly_as_likely(moment.score, best)]
    ordered = sorted(open_, key=lambda moment: -len(asked & _words(moment.sentence)))  # stable
    return [*ordered, *(moment for moment in moments if moment not in open_)]


def _that_place(asked: set[str], moments: Sequence[Evidence]) -> list[Evidence]:
    """Believe no moment whose sentence names another place more than that it may be this one, too."""
    held = [
        moment
        if moment.noted or asked & _words(moment.sentence)
        else replace(moment, score=min(moment.score, SEEN_FROM))
        for moment in moments
    ]
    return sorted(held, key=lambda moment: -moment.score)  # stable


def _words(text: str) -> set[str]:
    return {word.removesuffix("s") for word in content_words(text)}
