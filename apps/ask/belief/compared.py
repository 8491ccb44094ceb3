"""A belief that rests on the pictures of one memory, where those of several were compared."""

from __future__ import annotations

import math

from hippocam.memory.recall.recall import midpoint
from hippocam.stream.records import EncoderSpec


def shift(spec: EncoderSpec, own: int, compared: int) -> float:
    """How much the log odds of a belief rise when it rests on another number of compared pictures."""
    return -spec.slope * (midpoint(spec, compared) - midpoint(spec, own))


def shifted(score: float, by: float) -> float:
    """A belief with its log odds shifted."""
    if by == 0:
        return score
    score = min(max(score, 1e-12), 1 - 1e-12)
    return 1 / (1 + math.exp(-(math.log(score / (1 - score)) + by)))
