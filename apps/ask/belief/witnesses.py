"""What its picture says for a moment, apart from words that cannot be the answer: see memory/recall/trust.py."""

from __future__ import annotations

from dataclasses import replace

from hippocam.memory.recall.trust import joined
from hippocam.memory.records import Evidence


def is_in_words(moment: Evidence) -> bool:
    """Whether words speak for a moment and can be the answer, so that its picture has no say."""
    return moment.noted > 0 and moment.witnessed is None


def shown_belief(moment: Evidence) -> float:
    """Belief in a moment without words that cannot be the answer."""
    return moment.score if moment.witnessed is None else moment.witnessed


def together(moment: Evidence) -> float:
    """Belief in what a moment shows and in what is told of it together; 0 where nothing is."""
    return 1 - (1 - shown_belief(moment)) * (1 - moment.told) if moment.told else 0.0


def believed_anew(moment: Evidence, shown: float, why: str) -> Evidence:
    """Believe a moment's picture more or less; its words count on as far as that bears them out.

    Args:
        moment: The moment; no claim.
        shown: What is believed of it now without words that cannot be the answer.
        why: As in Evidence.
    """
    if moment.witnessed is None:
        return replace(moment, score=shown, why=why)
    told = 1 - (1 - moment.score) / (1 - moment.witnessed) if moment.score > moment.witnessed else 0.0
    score, claimed = joined(shown, [told], in_words=False)
    return replace(moment, score=score, witnessed=shown, claimed=claimed, why=why)
