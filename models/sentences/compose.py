"""What is known of a moment into one sentence: who, what, where, and which words can be read.

Nothing is trained. The encoder says which phrases of the bank (phrases.py) a picture is nearest to; what a
detector saw says who is there and how many; what was read is quoted. A sentence is a noun phrase: "two people
sitting at a table", "a car on a driveway", "a web page with the words ...". It says what a moment looks like, and
is no evidence.

Shapes: P phrases; D embedding dimension.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.entities.records import MOVERS
from hippocam.models.sentences.moment import Moment, Subject
from hippocam.models.sentences.phrases import Part, Phrase, phrases
from hippocam.models.sentences.words import counted, listed, quoted, telling
from hippocam.stream.records import FloatArray

# Said where nothing is known: no vector, no thing, no words.
NOTHING_KNOWN = "a moment of which no picture is kept"
# How near a picture is to a setting: the mean of so many of its scenes that are nearest.
_NEAREST = 4
# Settings of what nobody filmed.
_MADE = ("screen", "drawing", "plain")
# Drawn is what is nearer to drawings than this below any other setting. Of 206 calibration moments ...
_DRAWN = -0.11
_SCREEN = -0.12
# Letters on a screen or a slide, and cosine by which a screen beats all that is filmed.
_SCREEN_LETTERS = 60
# Cosine from which a place is said.
_PLACE_LEAST = 0.3
# Phrases that vote for the one to be said, and how fast a vote fades as its cosine falls.
_VOTERS = 12
_FADE = 0.03
# What a phrase loses that names a thing which the detector did not see.
_UNSEEN = 0.06
_KINDS = (
    ({"car", "truck", "bus"}, r"\b(?:cars?|vans?|lorry|bus)\b"),
    ({"train"}, r"\b(?:train at|tram)\b"),
    ({"airplane"}, r"\baeroplane in\b"),
    ({"boat"}, r"\b(?:boat|ships?)\b"),
    ({"bicycle"}, r"\bbicycles?\b"),
    ({"motorcycle"}, r"\bmotorcycle\b"),
    ({"bird"}, r"\bbird\b"),
    ({"dog"}, r"\bdog\b"),
    ({"cat"}, r"\bcat\b"),
    ({"horse"}, r"\bhorse\b"),
    ({"cow", "sheep"}, r"\b(?:cows|sheep)\b"),
    ({"elephant", "bear"}, r"\b(?:elephant|bear|lion)\b"),
)
# The first of these kinds are no animals: a cartoon does not show them either, unless the detector says so.
_VEHICLES = 6
_PLACED = re.compile(r"\b(?:in|on|at|by|along|across|over|uphill|up|down|from|into|towards) ")
_INSIDE = ("in a car", "in a bus", "in a train", "on a boat")


class _Scores(NamedTuple):
    """Cosines of a moment with all phrases, float32 [P]: by itself, and with what is around it."""

    own_P: FloatArray
    around_P: FloatArray


class Composer:
    """Words what moments look like.

    Args:
        vectors_PD: float32 [P, D], the phrases in the space of the moments' vectors; see `phrase_vectors`. None
            where they cannot be had: then only things and words are told.
    """

    def __init__(self, vectors_PD: FloatArray | None) -> None:
        self._vectors_PD = vectors_PD
        self._phrases = phrases()
        parts = np.array([phrase.part.value for phrase in self._phrases])
        settings = np.array([phrase.setting for phrase in self._phrases])
        several = np.array([phrase.several for phrase in self._phrases])
        scenes = parts == Part.SCENE.value
        self._settings = {name: np.flatnonzero(scenes & (settings == name)) for name in set(settings[scenes])}
        self._scenes, self._places = np.flatnonzero(scenes), np.flatnonzero(parts == Part.PLACE.value)
        self._made = np.flatnonzero(scenes & np.isin(settings, _MADE))
        actions = parts == Part.ACTION.value
        self._alone, self._together = np.flatnonzero(actions & ~several), np.flatnonzero(actions & several)
        self._outside = np.array([i for i in self._places if self._phrases[i].words not in _INSIDE], np.intp)
        self._kinds = [
            (labels, np.array([i for i in self._scenes if re.search(pattern, self._phrases[i].words)], np.intp))
            for labels, pattern in _KINDS
        ]

    def sentence(self, moment: Moment) -> str:
        """One readable sentence, without a capital letter and a full stop; never empty."""
        lines = telling(moment.lines, 2)
        if moment.scene_D is None or self._vectors_PD is None:
            seen = [_described(subject) for subject in moment.subjects]
            return _with_words(listed(seen), lines) if seen else _with_words("", lines) or NOTHING_KNOWN
        scores = _scores(self._vectors_PD, moment.scene_D, moment.around_D)
        near = {name: self._nearness(scores.around_P, rows) for name, rows in self._settings.items()}
        filmed = max(value for name, value in near.items() if name not in _MADE)
        screen = max(near["screen"], near["plain"], near["drawing"]) - filmed
        letters = sum(c.isalpha() for line in (*moment.lines, *moment.standing) for c in line)
        if letters >= _SCREEN_LETTERS and screen > _SCREEN:
            words = lines or telling(moment.standing, 2)
            return _with_words(self._best(scores.own_P, self._settings["screen"]).words, words)
        drawn = near["drawing"] - max(v for name, v in near.items() if name != "drawing") > _DRAWN
        if drawn or not moment.subjects:
            return _with_words(self._scene(scores, (), drawn=drawn), lines)
        return _with_words(self._filmed(scores, moment.subjects), lines)

    def _filmed(self, scores: _Scores, subjects: Sequence[Subject]) -> str:
        """A sentence of what a camera saw, with the things in it."""
        people = next((subject for subject in subjects if subject.label == "person"), None)
        movers = [subject for subject in subjects if subject.label in MOVERS and subject.label != "person"]
        if people is not None:
            action = self._best(scores.own_P, self._together if people.count > 1 else self._alone)
            place = "" if _PLACED.search(action.words) else self._place(scores)
            return " ".join(filter(None, (counted(people), people.look, action.words, place)))
        if movers:
            return " ".join(filter(None, (listed([_described(m) for m in movers[:2]]), self._place(scores))))
        return self._scene(scores, subjects, drawn=False)

    def _scene(self, scores: _Scores, subjects: Sequence[Subject], *, drawn: bool) -> str:
        own_P = scores.own_P.copy()
        if not drawn:
            own_P[self._settings["drawing"]] -= _UNSEEN
        labels = {subject.label for subject in subjects}
        for kinds, rows in self._kinds[: _VEHICLES if drawn else None]:
            if not kinds & labels:
                own_P[rows] -= _UNSEEN
        best = self._best(own_P, self._scenes if drawn else np.concatenate([self._scenes, self._outside]))
        return best.encoded

    def _place(self, scores: _Scores) -> str:
        best = self._best(scores.around_P, self._outside)
        index = self._phrases.index(best)
        return best.words if scores.around_P[index] > _PLACE_LEAST else ""

    def _nearness(self, scores_P: FloatArray, rows: NDArray[np.intp]) -> float:
        return float(np.sort(scores_P[rows])[-_NEAREST:].mean())

    def _best(self, scores_P: FloatArray, rows: NDArray[np.intp]) -> Phrase:
        """The phrase on which those that are nearest agree most, each by its weight.

        The nearest alone is often near by chance, and says more than is there: a piano in a room, where most of
        the others speak of a table. (Minimum Bayes risk: Kumar and Byrne 2004.)
        """
        voters = rows[np.argsort(-scores_P[rows], kind="stable")[:_VOTERS]]
        weights = np.exp((scores_P[voters] - scores_P[voters[0]]) / _FADE)
        assert self._vectors_PD is not None  # without vectors there are no cosines
        likeness = self._vectors_PD[voters] @ self._vectors_PD[voters].T
        return self._phrases[int(voters[np.argmax(likeness @ weights)])]


def _scores(vectors_PD: FloatArray, scene_D: FloatArray, around_D: FloatArray | None) -> _Scores:
    own_D = _unit(scene_D)
    both_D = own_D if around_D is None else _unit(own_D + _unit(around_D))
    return _Scores(vectors_PD @ own_D, vectors_PD @ both_D)


def _described(subject: Subject) -> str:
    return " ".join(filter(None, (counted(subject), subject.look, subject.position)))


def _with_words(text: str, lines: Sequence[str]) -> str:
    if not lines:
        return text
    words = f"the words {listed([quoted(line) for line in lines])}"
    return f"{text} with {words}" if text else words


def _unit(vector_D: FloatArray) -> FloatArray:
    return vector_D / np.float32(max(float(np.linalg.norm(vector_D)), 1e-9))
