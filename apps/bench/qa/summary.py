"""Outcomes of questions into the figures of one way to answer them, each with what chance would reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hippocam.apps.bench.qa.items import QaItem
from hippocam.apps.bench.qa.options import free_match
from hippocam.apps.bench.qa.retrieval import Query, best_iou, brief, chance, overlaps, qvhighlights

TOP = 5
_NOTHING = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one question was answered.

    Attributes:
        item: The question.
        seen_s: How much of the video was seen by then, seconds.
        answer: What was said.
        choice: Index of the option that was chosen; None where none was.
        unknown: Whether it was said not to be known.
        cited: Ids that the answer rests on.
        moments: [start, end, belief] of what was found, the strongest first.
        latency_ms: Time from question to answer.
        tokens: Estimate of what the reader was given; 0 for a reader without a model.
        frames: Pictures that the reader was given.
        given: Moments that the reader was given, with or without picture.
    """

    item: QaItem
    seen_s: float
    answer: str
    choice: int | None
    unknown: bool
    cited: tuple[str, ...]
    moments: tuple[tuple[float, float, float], ...]
    latency_ms: float
    tokens: int = 0
    frames: int = 0
    given: int = 0

    @property
    def score(self) -> float | None:
        """1 or 0 for an option, 0 to 1 for a free answer; None where neither is asked for."""
        item = self.item
        if item.correct is not None:
            return float(self.choice == item.correct)
        if not item.answer or not item.answerable:
            return None
        return 0.0 if self.unknown else free_match(self.answer, item.answer, item.also)

    @property
    def false_evidence(self) -> bool | None:
        """Whether evidence was cited though none can exist; None for a question that can be answered."""
        if self.item.answerable:
            return None
        right = self.item.correct is not None and self.choice == self.item.correct
        return bool(self.cited) and not self.unknown and not right


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A mean over some questions, and what chance would reach on them; None where there is none.

    Attributes:
        value: The mean.
        chance: The same for random moments or options; None where chance says nothing.
        count: How many questions it is over.
    """

    value: float | None = None
    chance: float | None = None
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures of one way to answer.

    Attributes:
        name: The memory, or a baseline.
        questions: How many were asked.
        accuracy: Accuracy of multiple choice; by chance, one over the number of options.
        match: Match of free answers, see `options.free_match`; no benchmark's accuracy.
        r1: The first moment overlaps the evidence.
        r5: One of the first five does.
        iou: Intersection over union of the first moment with the evidence it fits best.
        standard: Figures of QVHighlights' scorer, percent, over questions with evidence.
        false_evidence: Questions without an answer, answered with evidence cited.
        missed: Questions with an answer, said to be unknown.
        latency_p50_ms: Median latency.
        latency_p95_ms: 95th percentile of the latency.
        tokens: Mean tokens a question.
        frames: Mean pictures a question.
        given: Mean moments a question.
        false_kinds: `false_evidence` by kind of question.
        kinds: Accuracy or match by kind of question.
    """

    name: str
    questions: int
    accuracy: Share
    match: Share
    r1: Share
    r5: Share
    iou: Share
    standard: dict[str, float]
    false_evidence: Share
    missed: Share
    latency_p50_ms: float
    latency_p95_ms: float
    tokens: float
    frames: float
    given: float
    false_kinds: dict[str, Share]
    kinds: dict[str, Share]


def summarise(name: str, outcomes: Sequence[Outcome]) -> Summary:
    """The figures of one way to answer.

    Args:
        name: Its name.
        outcomes: One a question, one at least.
    """
    choices = [o for o in outcomes if o.item.correct is not None]
    free = [o for o in outcomes if o.item.correct is None and o.score is not None]
    located = [o for o in outcomes if o.item.answerable and o.item.windows]
    # With nothing found there is nothing to draw at random: the chance of such a question is 0 as well.
    by_chance = [chance([_length(m) for m in o.moments[:TOP]], o.item.windows, o.seen_s) for o in located]
    hopeless = [o for o in outcomes if not o.item.answerable]
    latency = [o.latency_ms for o in outcomes]
    return Summary(
        name=name,
        questions=len(outcomes),
        accuracy=_scored(choices),
        match=_scored(free),
        r1=_share(located, lambda o: _hit(o, 1), [c[0] for c in by_chance]),
        r5=_share(located, lambda o: _hit(o, TOP), [c[1] for c in by_chance]),
        iou=_share(located, _iou, [c[2] for c in by_chance]),
        standard=_standard(located),
        false_evidence=_false(hopeless),
        missed=_share([o for o in outcomes if o.item.answerable], lambda o: o.unknown),
        latency_p50_ms=float(np.percentile(latency, 50)),
        latency_p95_ms=float(np.percentile(latency, 95)),
        tokens=float(np.mean([o.tokens for o in outcomes])),
        frames=float(np.mean([o.frames for o in outcomes])),
        given=float(np.mean([o.given for o in outcomes])),
        false_kinds={kind: _false(part) for kind, part in _by_kind(hopeless).items()},
        kinds={kind: _scored(part) for kind, part in _by_kind(choices + free).items()},
    )


def _scored(outcomes: Sequence[Outcome]) -> Share:
    """Mean score; for free answers there is no chance level."""
    by_chance = [1 / len(o.item.options) for o in outcomes if o.item.options]
    return _share(outcomes, lambda o: o.score or 0.0, by_chance)


def _share(
    outcomes: Sequence[Outcome], value: Callable[[Outcome], float], by_chance: Sequence[float] = ()
) -> Share:
    if not outcomes:
        return Share()
    expected = float(np.mean(by_chance)) if by_chance else None
    return Share(value=float(np.mean([value(o) for o in outcomes])), chance=expected, count=len(outcomes))


def _false(outcomes: Sequence[Outcome]) -> Share:
    return _share(outcomes, lambda o: bool(o.false_evidence))


def _by_kind(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    kinds = sorted({o.item.kind for o in outcomes if o.item.kind})
    return {kind: [o for o in outcomes if o.item.kind == kind] for kind in kinds}


def _hit(outcome: Outcome, top: int) -> bool:
    return any(overlaps(moment[:2], outcome.item.windows) for moment in outcome.moments[:top])


def _iou(outcome: Outcome) -> float:
    return best_iou(outcome.moments[0][:2], outcome.item.windows) if outcome.moments else 0.0


def _length(moment: tuple[float, float, float]) -> float:
    return moment[1] - moment[0]


def _standard(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """QVHighlights' figures; its scorer wants a prediction, so one of no length stands where nothing was found."""
    queries = [Query(found=o.moments or (_NOTHING,), windows=o.item.windows) for o in outcomes]
    return brief(qvhighlights(queries)) if queries else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class QaResult:
    """What a run found.

    Attributes:
        encoder: Id of the encoder.
        reader: Id of the reader.
        layouts: Layouts of the files.
        videos: How many videos were watched.
        watched_s: Their length in all, seconds.
        memory_bytes: What their memories take in all.
        budget_mb: What each may take.
        moments: How many moments the reader is given at most, by the memory and by each baseline of frames.
        fps: Frames looked at a second; None for every one.
        left_out: Questions that were not asked: their video is missing, or they cannot be put as a question.
        summaries: The memory first, then the baselines.
        outcomes: Outcomes by the name of each summary, question by question.
    """

    encoder: str
    reader: str
    layouts: tuple[str, ...]
    videos: int
    watched_s: float
    memory_bytes: int
    budget_mb: float
    moments: int
    fps: float | None
    left_out: int
    summaries: tuple[Summary, ...]
    outcomes: Mapping[str, tuple[Outcome, ...]] = field(repr=False)
