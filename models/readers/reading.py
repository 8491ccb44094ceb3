"""What a reader gives back: an answer and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An answer to a question, out of evidence.

    Attributes:
        answer: One or a few sentences.
        unknown: Whether the evidence does not support an answer.
        evidence_ids: Ids of the evidence that the answer rests on; empty when unknown.
    """

    answer: str
    unknown: bool
    evidence_ids: tuple[str, ...] = ()
