"""Which of the moments that were found come first, where somebody may have planted some: see trust.py.

Shapes: N moments, K of them counted, D embedding dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from hippocam.memory.recall.query import Candidate
from hippocam.memory.recall.trust import BELIEVED_FROM
from hippocam.memory.recall.words import content_words
from hippocam.stream.records import FloatArray

M = TypeVar("M")
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


def trusted(found: Sequence[Candidate]) -> list[Candidate]:
    """Put what is doubted, and what words claim, where it belongs.

    Args:
        found: Candidates, the strongest first.

    Returns:
        The same in the same order, believed as with_doubted_behind and with_claims_behind say.
    """
    return with_claims_behind(with_doubted_behind(found))


def by_belief(candidate: Candidate) -> tuple[float, bool]:
    """Sort key of candidates that are trusted: the strongest first, of equals those that are no claims."""
    return -candidate.score, candidate.claimed


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

    So a claim takes no place from what may be one more moment of the same. Where no picture is believed, the first
    few claims stay first: the words of an honest screen mostly are what was asked for. No claim stands further
    behind than its picture would by itself, so that honest words cost a moment nothing; but an import's picture
    says nothing before it was looked at.

    Args:
        found: Candidates, the strongest first.

    Returns:
        The same, in the same order, with claims believed less than the least picture that is nearly believed, and
        those after the first few as their pictures are.
    """
    most = 1.0
    if any(c.score >= BELIEVED_FROM for c in found):
        most = min((c.score for c in found if not c.claimed and c.seen >= _NEARLY), default=BELIEVED_FROM)
    placed, claims = list[Candidate](), 0
    for candidate in found:
        if candidate.claimed:
            claims += 1
            places = 1 if candidate.doubted else _ALIKE
            claim = min(candidate.score, _just_below(most)) if claims <= places else 0.0
            by_picture = 0.0 if candidate.doubted else candidate.shown
            candidate = replace(candidate, score=max(claim, by_picture))
        placed.append(candidate)
    return placed


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
        `top` of them at most, the strongest first: those that are believed and copy no others, then their copies,
        then what is not believed; copies among that only for want of others. The last place is that of the moment
        of which words tell most; see `with_told`.
    """
    witnesses = _Witnesses(found, scenes, words)
    alone, copies = list[Candidate](), list[Candidate]()
    others, behind = list[Candidate](), list[Candidate]()
    for candidate in found:
        believed = candidate.score >= BELIEVED_FROM
        if len(alone) == top or (not believed and len(alone) + len(copies) + len(others) >= top):
            break
        copy = witnesses.is_shown_elsewhere(candidate)
        if believed:
            copy = copy or sum(witnesses.are_alike(candidate, other) for other in alone) >= _ALIKE
            (copies if copy else alone).append(candidate)
        else:
            (behind if copy else others).append(candidate)
    kept = {candidate.entry.id for candidate in [*alone, *copies, *others, *behind][:top]}
    told = _one_told(found, witnesses)
    best = [candidate for candidate in told if candidate.entry.id in kept]
    return with_told(best, told, lambda candidate: candidate.together)


def without_copies(scenes_ND: FloatArray, most: int) -> int:
    """Count moments, `most` at most, of which none is nearly the same picture as one that was counted before.

    Args:
        scenes_ND: What they show in all, float32 [N, D], the strongest first.
        most: How many are counted at most.
    """
    counted_KD = np.zeros((0, scenes_ND.shape[1]), np.float32)
    for scene_D in scenes_ND:
        unit_D = _unit(scene_D)
        if (counted_KD @ unit_D < COPY_COSINE).all():
            counted_KD = np.vstack([counted_KD, unit_D])
        if len(counted_KD) == most:
            break
    return len(counted_KD)


def _one_told(found: Sequence[Candidate], witnesses: _Witnesses) -> list[Candidate]:
    """The same, with words told of one moment alone: that for which they speak most, and which is no copy."""
    told = sorted((c for c in found if c.told), key=lambda c: -c.together)
    most = next((c for c in told if not witnesses.is_shown_elsewhere(c)), None)
    return [c if c is most or not c.told else replace(c, told=0.0) for c in found]


def with_told(best: Sequence[M], found: Sequence[M], together: Callable[[M], float]) -> list[M]:
    """Give the last place to the moment of which words tell most, where they say that it is there.

    Words lift no picture, so where many others look alike, what an honest narrator speaks of would not be found.
    It is believed no more for that; and who plants words takes no more than that place.

    Args:
        best: Moments that are chosen.
        found: Those of which they were chosen, the strongest first.
        together: Belief of the words and the picture of a moment together; 0 where no words speak for it.

    Returns:
        The chosen, the strongest first.
    """
    most = max(found, key=together, default=None)
    if most is None or together(most) < BELIEVED_FROM or len(best) <= _ALIKE or any(most is c for c in best):
        return list(best)
    kept = [*best[:-1], most]
    return [moment for moment in found if any(moment is each for each in kept)]


class _Witnesses:
    """Which moments show the same picture; arguments as in `varied`."""

    def __init__(
        self, found: Sequence[Candidate], scenes: Mapping[int, FloatArray], words: Collection[str]
    ) -> None:
        self._words = words
        self._shown = [candidate for candidate in found if candidate.entry.id in scenes]
        # those first that nobody beside a camera speaks for, by words, a name or an import
        self._shown.sort(key=lambda candidate: _is_spoken_for(candidate, words))  # stable
        self._index = {candidate.entry.id: index for index, candidate in enumerate(self._shown)}
        self._units_ND = [_unit(scenes[candidate.entry.id]) for candidate in self._shown]

    def is_shown_elsewhere(self, candidate: Candidate) -> bool:
        """Whether other sources show the very picture of a moment, and are the better witnesses.

        One is, where somebody speaks for the moment. Else it takes two: which was first is not known, so that a
        single source, however often it shows a copy, does not take the original's place.
        """
        index = self._index.get(candidate.entry.id)
        if not index:
            return False
        cosines_N = np.stack(self._units_ND[:index]) @ self._units_ND[index]
        same = [self._shown[other] for other in np.flatnonzero(cosines_N >= SAME_COSINE).tolist()]
        sources = {
            other.entry.stream if other.made_by is None else other.made_by
            for other in same
            if not _one_source(candidate, other)
        }
        return len(sources) >= (1 if _is_spoken_for(candidate, self._words) else _ALIKE)

    def are_alike(self, one: Candidate, other: Candidate) -> bool:
        """Whether two moments of one source show nearly the same picture."""
        a, b = self._index.get(one.entry.id), self._index.get(other.entry.id)
        if a is None or b is None or not _one_source(one, other):
            return False
        return float(self._units_ND[a] @ self._units_ND[b]) >= COPY_COSINE


def _is_spoken_for(candidate: Candidate, words: Collection[str]) -> bool:
    named = not set(words).isdisjoint(content_words(candidate.entry.stream))
    return named or candidate.noted is not None or candidate.made_by is not None or candidate.claimed


def _one_source(one: Candidate, other: Candidate) -> bool:
    """Whether two moments are of one stream, or came with one import."""
    return one.entry.stream == other.entry.stream or (one.made_by is not None and one.made_by == other.made_by)


def _unit(vector_D: FloatArray) -> FloatArray:
    unit_D: FloatArray = vector_D / max(float(np.linalg.norm(vector_D)), 1e-9)
    return unit_D


def _just_below(belief: float) -> float:
    return max(0.0, belief - 1e-4)
