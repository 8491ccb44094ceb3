"""Which of the moments that were found come first, where somebody may have planted some: see trust.py.

Shapes: D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from hippocam.memory.recall.query import Candidate
from hippocam.memory.recall.trust import BELIEVED_FROM
from hippocam.memory.recall.words import content_words
from hippocam.stream.records import FloatArray

# Cosine of their scenes from which two moments of one source are near-copies: 19 in 20 of a picture that
# was cropped, lit, compressed and noised anew, four times each, over seven clips, by the default encoder.
COPY_COSINE = 0.93
# Cosine from which two moments of different sources are the very same picture, so that they are no two witnesses.
SAME_COSINE = 0.98
# Belief in a picture from which it is nearly believed.
_NEARLY = 0.25
# Near-copies that keep their places, since what a still camera shows twice is mostly two things that happened; and
# claims that do.
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


def varied(
    found: Sequence[Candidate], scenes: Mapping[int, FloatArray], top: int, words: Collection[str] = ()
) -> list[Candidate]:
    """Let what is told again and again make way for other moments.

    Args:
        found: Candidates, the strongest first.
        scenes: What they show in all, float32 [D] by id; what has none is no copy.
        top: How many are wanted.
        words: Words of the question.

    Returns:
        `top` of them at most, the strongest first: those that are believed, without copies; what is believed and
        copies others; then the others, those that copy others or are more than a few claims only as long as there
        is nothing else.
    """
    rows = list[list[Candidate]]([[], [], [], []])
    vouching = sorted(found, key=lambda candidate: _spoken_for(candidate, words))  # stable
    claims = 0
    for candidate in found:
        believed = candidate.score >= BELIEVED_FROM
        again = _is_copy(candidate, vouching, scenes)
        if believed:
            again = again or sum(_alike_in_source(candidate, other, scenes) for other in rows[0]) >= _ALIKE
        elif candidate.claimed:
            claims += 1
            again = again or claims > _ALIKE
        rows[2 * (not believed) + again].append(candidate)
    kept = {candidate.entry.id for candidate in [c for row in rows for c in row][:top]}
    return [candidate for candidate in found if candidate.entry.id in kept]


def _spoken_for(candidate: Candidate, words: Collection[str]) -> bool:
    """Whether somebody beside a camera may speak for a moment: by words, a name or an import."""
    named = not set(words).isdisjoint(content_words(candidate.entry.stream))
    return named or candidate.noted is not None or candidate.made_by is not None or candidate.claimed


def _is_copy(candidate: Candidate, vouching: Sequence[Candidate], scenes: Mapping[int, FloatArray]) -> bool:
    """Whether a moment shows the very picture of one of another source that comes first in what vouches."""
    for other in vouching:
        if other is candidate:
            return False
        if not _one_source(candidate, other) and _cosine(candidate, other, scenes) >= SAME_COSINE:
            return True
    return False


def _one_source(one: Candidate, other: Candidate) -> bool:
    """Whether two moments are of one stream, or came with one import."""
    return one.entry.stream == other.entry.stream or (one.made_by is not None and one.made_by == other.made_by)


def _alike_in_source(one: Candidate, other: Candidate, scenes: Mapping[int, FloatArray]) -> bool:
    """Whether two moments of one source show the same picture nearly."""
    return _one_source(one, other) and _cosine(one, other, scenes) >= COPY_COSINE


def _cosine(one: Candidate, other: Candidate, scenes: Mapping[int, FloatArray]) -> float:
    a_D, b_D = scenes.get(one.entry.id), scenes.get(other.entry.id)
    if a_D is None or b_D is None:
        return 0.0
    return float(a_D @ b_D) / max(float(np.linalg.norm(a_D) * np.linalg.norm(b_D)), 1e-9)


def _just_below(belief: float) -> float:
    return max(0.0, belief - 1e-4)
