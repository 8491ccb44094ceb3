"""Verdicts into figures: shares with Wilson's intervals, the area under the ROC curve, how far words are kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hippocam.apps.bench.answers.films import Film, FilmQuestion
from hippocam.apps.bench.answers.score import Said, Verdict
from hippocam.memory.training.auc import auc as area_under_roc

# Standard deviations of a 95 % interval.
_Z = 1.959964
WORDS = ("clear", "likely", "perhaps", "")
# Ways of answering that are the memory's.
ALONE, TOGETHER = "memory, a film alone", "memory, all films, the film named"


class Share(NamedTuple):
    """So many of so many."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """The share; nan of nothing."""
        return self.part / self.whole if self.whole else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval after Wilson (1927), J. Am. Stat. Assoc. 22; (0, 1) of nothing."""
        if not self.whole:
            return 0.0, 1.0
        n, p, z2 = self.whole, self.value, _Z * _Z
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = _Z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one question was answered.

    Attributes:
        film: Of which film.
        question: What was asked.
        asked: The question word for word.
        answer: What was said.
        verdict: What the rule makes of it.
        read: What a person made of it; None where nobody has read it.
        latency_ms: Time from question to answer.
    """

    film: Film
    question: FilmQuestion
    asked: str
    answer: Said
    verdict: Verdict
    read: bool | None = None
    latency_ms: float = 0.0

    @property
    def right(self) -> bool:
        """Whether it is right: by the person who read it, else by the rule."""
        return self.verdict.right if self.read is None else self.read


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersResult:
    """What was answered.

    Attributes:
        encoder: Id of the encoder.
        reader: Id of the reader that worded the answers.
        senses: Ids of the senses that the films were watched with.
        films: The films.
        outcomes: By way of answering, the memory's first.
    """

    encoder: str
    reader: str
    senses: tuple[str, ...]
    films: tuple[Film, ...]
    outcomes: Mapping[str, tuple[Outcome, ...]]

    @property
    def memory_outcomes(self) -> dict[str, tuple[Outcome, ...]]:
        """What the memory answered, without the baselines."""
        return {way: made for way, made in self.outcomes.items() if way in (ALONE, TOGETHER)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one way of answering reached.

    Attributes:
        right: Right by the rule.
        read: Right where people's readings overrule the rule; None where nobody has read any.
        hit: First moment right, of questions of things that are there; a denial is a miss.
        found: First moment right, also where the answer only calls it the nearest.
        chance: What random moments of the same lengths reach, mean over the same questions.
        absent_denied: Of what is absent, said to be absent.
        present_denied: Of what is there, said to be absent.
        auc: Chance that what is there is believed more than what is absent; ties count one half.
        kinds: Right by the rule, by kind of question.
        words: Right by the better of both readings, by how sure the answer said that it is.
        latency_ms: Median time from question to answer.
    """

    right: Share
    read: Share | None
    hit: Share
    found: Share
    chance: float
    absent_denied: Share
    present_denied: Share
    auc: float
    kinds: dict[str, Share]
    words: dict[str, Share]
    latency_ms: float


def figures(outcomes: Sequence[Outcome]) -> Figures:
    """Sum up the outcomes of one way of answering."""
    asks = [o for o in outcomes if o.question.tells_presence]
    absent = [o for o in asks if o.question.absent]
    present = [o for o in asks if not o.question.absent]
    placed = [o for o in outcomes if o.verdict.hit is not None]
    spoken = [o for o in outcomes if not o.answer.unknown]
    words = {word: _share((o for o in spoken if o.answer.word == word), lambda o: o.right) for word in WORDS}
    kinds = sorted({o.question.kind for o in outcomes})
    chances = [o.verdict.chance for o in placed if o.verdict.chance is not None]
    return Figures(
        right=_share(outcomes, lambda o: o.verdict.right),
        read=_share(outcomes, lambda o: o.right) if any(o.read is not None for o in outcomes) else None,
        hit=_share(placed, lambda o: bool(o.verdict.hit)),
        found=_share(placed, lambda o: bool(o.verdict.found)),
        chance=float(np.mean(chances)) if chances else math.nan,
        absent_denied=_share(absent, lambda o: o.answer.denies),
        present_denied=_share(present, lambda o: o.answer.denies),
        auc=auc([o.answer.belief for o in present], [o.answer.belief for o in absent]),
        kinds={k: _share((o for o in outcomes if o.question.kind == k), lambda o: o.verdict.right) for k in kinds},
        words={word: share for word, share in words.items() if share.whole},
        latency_ms=float(np.median([o.latency_ms for o in outcomes])) if outcomes else math.nan,
    )


def auc(present: Sequence[float], absent: Sequence[float]) -> float:
    """Chance that one of the first is greater than one of the second, ties one half; nan without either."""
    if not present or not absent:
        return math.nan
    return area_under_roc(present, absent)


def _share(outcomes: Iterable[Outcome], is_part: Callable[[Outcome], bool]) -> Share:
    parts = [is_part(outcome) for outcome in outcomes]
    return Share(sum(parts), len(parts))
