"""What its picture says for a moment, apart from words that cannot be the answer: see memory/recall/trust.py."""

from __future__ import annotations

from dataclasses import replace

from hippocam.memory.recall.trust import BELIEVED_FROM, joined
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
        moment: The moment. What words claim is no claim any more where its picture is believed now; else it keeps
            its place, or gets the one that its picture has, if that is better.
        shown: What is believed of it now without words that cannot be the answer.
        why: As in Evidence.
    """
    if moment.witnessed is None:
        return replace(moment, score=shown, why=why)
    if moment.claimed:
        if shown < BELIEVED_FROM:
            return replace(moment, score=max(moment.score, shown), witnessed=shown, why=why)
        t0_s, t1_s = _span_of_picture(moment)
        return replace(moment, t0_s=t0_s, t1_s=t1_s, score=shown, witnessed=shown, noted=0, claimed=False, why=why)
    told = 1 - (1 - moment.score) / (1 - moment.witnessed) if moment.score > moment.witnessed else 0.0
    score, claimed = joined(shown, [told], in_words=False)
    return replace(moment, score=score, witnessed=shown, claimed=claimed, why=why)


def _span_of_picture(moment: Evidence) -> tuple[float, float]:
    """When a moment was seen, which may be longer than words of its time were said."""
    own = (span for span in moment.spans if span[0] <= moment.frame_s <= span[1])
    return next(own, (moment.t0_s, moment.t1_s))
