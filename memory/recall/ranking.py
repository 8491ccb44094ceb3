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


def behind_own(found: Sequence[Candidate]) -> list[Candidate]:
    """Put what came with an import behind all own footage that is believed.

    Args:
        found: Candidates, the strongest first.

    Returns:
        The same, with imports believed less than the least own moment that is believed; the strongest first.
    """
    own = [c.score for c in found if c.made_by is None and c.score >= BELIEVED_FROM]
    most = min(own, default=1.0)
    moved = [c if c.made_by is None or c.score < most else replace(c, score=_just_below(most)) for c in found]
    return sorted(moved, key=lambda c: -c.score)  # stable


def varied(found: Sequence[Candidate], scenes: Mapping[int, FloatArray], top: int) -> list[Candidate]:
    """Let near-copies make way for other moments that are believed.

    Args:
        found: Candidates, the strongest first.
        scenes: What they show in all, float32 [D] by id; what has none is no copy.
        top: How many are wanted.

    Returns:
        `top` of them at most: of each group of near-copies of a source the first few that are believed, then the
        strongest of the others; the strongest first.
    """
    chosen = list[Candidate]()
    for candidate in found:
        if candidate.score < BELIEVED_FROM or len(chosen) == top:
            break
        if sum(_copies(candidate, other, scenes) for other in chosen) < _ALIKE:
            chosen.append(candidate)
    taken = {candidate.entry.id for candidate in chosen}
    rest = [candidate for candidate in found if candidate.entry.id not in taken]
    kept = {candidate.entry.id for candidate in [*chosen, *rest[: top - len(chosen)]]}
    return [candidate for candidate in found if candidate.entry.id in kept]


def _copies(one: Candidate, other: Candidate, scenes: Mapping[int, FloatArray]) -> bool:
    """Whether two moments of one source, a stream or an import, show the same picture nearly."""
    same = one.entry.stream == other.entry.stream or (one.made_by is not None and one.made_by == other.made_by)
    a_D, b_D = scenes.get(one.entry.id), scenes.get(other.entry.id)
    if not same or a_D is None or b_D is None:
        return False
    lengths = float(np.linalg.norm(a_D) * np.linalg.norm(b_D))
    return float(a_D @ b_D) >= COPY_COSINE * max(lengths, 1e-9)


def _just_below(belief: float) -> float:
    return max(0.0, belief - 1e-4)
