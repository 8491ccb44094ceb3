"""Which of the moments that were found come first, where somebody may have planted some: see trust.py.

Shapes: D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from hippocam.memory.recall.query import Candidate
from hippocam.memory.recall.trust import BELIEVED_FROM
from hippocam.stream.records import FloatArray

# Cosine of their scenes from which two moments of one source are near-copies: 19 in 20 of a picture that
# was cropped, lit, compressed and noised anew, four times each, over seven clips, by the default encoder.
COPY_COSINE = 0.93
# Belief in a picture from which it is nearly believed.
_NEARLY = 0.25
# Near-copies that keep their places: what a still camera shows twice is mostly two things that happened.
_ALIKE = 2


def with_doubted_behind(found: Sequence[Candidate]) -> list[Candidate]:
    """Put what came with an import, and no look at its picture has borne out, behind footage that is believed.

    Args:
        found: Candidates, the strongest first.

    Returns:
        The same, in the same order, with what is doubted believed less than the least other moment that is
        believed.
    """
    sure = [c.score for c in found if not c.doubted and c.score >= BELIEVED_FROM]
    most = min(sure, default=1.0)
    return [c if not c.doubted or c.score < most else replace(c, score=_just_below(most)) for c in found]


def with_claims_behind(found: Sequence[Candidate]) -> list[Candidate]:
    """Put claims behind pictures that are nearly believed, where another picture is believed.

    So a claim takes no place from what may be one more moment of the same. Where no picture is believed, claims
    stay first: the words of an honest screen mostly are what was asked for.

    Args:
        found: Candidates, the strongest first.

    Returns:
        The same, in the same order, with claims believed less than the least picture that is nearly believed.
    """
    if not any(c.score >= BELIEVED_FROM for c in found):
        return list(found)
    most = min((c.score for c in found if not c.claimed and c.seen >= _NEARLY), default=BELIEVED_FROM)
    return [c if not c.claimed or c.score < most else replace(c, score=_just_below(most)) for c in found]


def varied(found: Sequence[Candidate], scenes: Mapping[int, FloatArray], top: int) -> list[Candidate]:
    """Let what one source tells again and again make way for other moments.

    Args:
        found: Candidates, the strongest first.
        scenes: What they show in all, float32 [D] by id; what has none is no copy.
        top: How many are wanted.

    Returns:
        `top` of them at most: of those that are believed the first few of each group of near-copies, then the
        strongest of the others, claims of a source only the first few as long as there is anything else; the
        strongest first.
    """
    chosen = list[Candidate]()
    for candidate in found:
        if candidate.score < BELIEVED_FROM or len(chosen) == top:
            break
        if sum(_copies(candidate, other, scenes) for other in chosen) < _ALIKE:
            chosen.append(candidate)
    taken = {candidate.entry.id for candidate in chosen}
    rest, repeated = list[Candidate](), list[Candidate]()
    for candidate in found:
        if candidate.entry.id not in taken:
            again = candidate.claimed and sum(_claim_both(candidate, other) for other in rest) >= _ALIKE
            (repeated if again else rest).append(candidate)
    kept = {candidate.entry.id for candidate in [*chosen, *[*rest, *repeated][: top - len(chosen)]]}
    return [candidate for candidate in found if candidate.entry.id in kept]


def _one_source(one: Candidate, other: Candidate) -> bool:
    """Whether two moments are of one stream, or came with one import."""
    return one.entry.stream == other.entry.stream or (one.made_by is not None and one.made_by == other.made_by)


def _claim_both(one: Candidate, other: Candidate) -> bool:
    return one.claimed and other.claimed and _one_source(one, other)


def _copies(one: Candidate, other: Candidate, scenes: Mapping[int, FloatArray]) -> bool:
    """Whether two moments of one source show the same picture nearly."""
    a_D, b_D = scenes.get(one.entry.id), scenes.get(other.entry.id)
    if a_D is None or b_D is None or not _one_source(one, other):
        return False
    lengths = float(np.linalg.norm(a_D) * np.linalg.norm(b_D))
    return float(a_D @ b_D) >= COPY_COSINE * max(lengths, 1e-9)


def _just_below(belief: float) -> float:
    return max(0.0, belief - 1e-4)
