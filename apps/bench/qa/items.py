"""A question of a benchmark, whatever layout it was written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hippocam.apps.ask.question.description import description
from hippocam.apps.bench.qa.saliency import Highlights

Window = tuple[float, float]

# Kinds of local ground truth that only their evidence answers. For a count or a state, earlier footage has another
# answer, which would be no false evidence.
MOMENT = "moment"
WHEN = "when"
# How long before the evidence it is asked, since windows are set by eye.
_MARGIN_S = 2.0
# How much must be watched before.
_LEAST_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QaItem:
    """A question about a video.

    Attributes:
        id: Unique within its file.
        video: Name or path of the video as the file gives it.
        question: In plain words; of a moment, the description that is looked for.
        asks: What a reader is told in addition to the question; "" for nothing.
        options: Texts to choose from, without their letters; empty where the answer is free.
        correct: Index of the right option, None without one.
        answer: The right answer in words; "" where only moments are asked for.
        also: Other answers that count as right.
        asked_at_s: Second of the video at which it is asked; None for its end.
        evidence: Windows [start, end] in seconds that show the answer; empty where the file names none.
        kind: The benchmark's own name for this sort of question.
        answerable: Whether what was seen by then holds the answer.
    """

    id: str
    video: str
    question: str
    asks: str = ""
    options: tuple[str, ...] = ()
    correct: int | None = None
    answer: str = ""
    also: tuple[str, ...] = ()
    asked_at_s: float | None = None
    evidence: tuple[Window, ...] = ()
    kind: str = ""
    answerable: bool = True

    def __post_init__(self) -> None:
        if not self.question.strip():
            raise ValueError(f"question {self.id}: its text is empty")
        if self.correct is not None and not 0 <= self.correct < len(self.options):
            raise ValueError(f"question {self.id}: correct option {self.correct} of {len(self.options)} options")
        if any(end < start for start, end in self.evidence):
            raise ValueError(f"question {self.id}: evidence must be [start, end] with start first")

    @property
    def windows(self) -> tuple[Window, ...]:
        """Its evidence, as far as it was seen when the question is asked."""
        if self.asked_at_s is None:
            return self.evidence
        at_s = self.asked_at_s
        return tuple((start, min(end, at_s)) for start, end in self.evidence if start < at_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class QaFile:
    """What a question file holds.

    Attributes:
        layout: Whose layout it is in: local, absent, openeqa, nextqa, qvhighlights, streamingbench, ovobench.
        items: Its questions.
        left_out: Questions that cannot be put this way, such as those to be answered unasked.
        highlights: For QVHighlights, what people said of each clip, by question id; only predictions are scored
            against it.
    """

    layout: str
    items: tuple[QaItem, ...]
    left_out: int = 0
    highlights: Mapping[str, Highlights] = field(default_factory=dict)


def before_evidence(item: QaItem) -> QaItem | None:
    """The same question asked too early, when nothing seen supports an answer; None where that cannot be told.

    Only for questions that their evidence alone answers, and that do not ask for an absence, which no
    annotation tells in full.
    """
    if not item.evidence or item.kind not in (MOMENT, WHEN) or description(item.question) != item.question:
        return None
    at_s = min(start for start, _ in item.evidence) - _MARGIN_S
    if at_s < _LEAST_S:
        return None
    early = f"{item.id}/before"
    return replace(item, id=early, asked_at_s=at_s, answer="", also=(), kind="too early", answerable=False)
