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


def varied(found: Sequence[Candidate], scenes: Mapping[int, FloatArray], top: int) -> list[Candidate]:
    """Let what one source tells again and again make way for other moments.

    Args:
        found: Candidates, the strongest first.
        scenes: What they show in all, float32 [D] by id; what has none is no copy.
        top: How many are wanted.

    Returns:
        `top` of them at most: of each group of near-copies, and of the claims of a source, the first few, then the
        strongest of the others; the strongest first.
    """
    chosen = list[Candidate]()
    for candidate in found:
        if len(chosen) == top:
            break
        if sum(_again(candidate, other, scenes) for other in chosen) < _ALIKE:
            chosen.append(candidate)
    taken = {candidate.entry.id for candidate in chosen}
    rest = [candidate for candidate in found if candidate.entry.id not in taken]
    kept = {candidate.entry.id for candidate in [*chosen, *rest[: top - len(chosen)]]}
    return [candidate for candidate in found if candidate.entry.id in kept]


def _again(one: Candidate, other: Candidate, scenes: Mapping[int, FloatArray]) -> bool:
    """Whether two moments of one source, a stream or an import, are both claims, or nearly one picture."""
    same = one.entry.stream == other.entry.stream or (one.made_by is not None and one.made_by == other.made_by)
    return same and (
        (one.claimed and other.claimed) or _alike(scenes.get(one.entry.id), scenes.get(other.entry.id))
    )


def _alike(a_D: FloatArray | None, b_D: FloatArray | None) -> bool:
    if a_D is None or b_D is None:
        return False
    lengths = float(np.linalg.norm(a_D) * np.linalg.norm(b_D))
    return float(a_D @ b_D) >= COPY_COSINE * max(lengths, 1e-9)


def _just_below(belief: float) -> float:
    return max(0.0, belief - 1e-4)
