"""Vectors into phrases: which of the bank a picture is nearest to, and what sort of picture it is.

Shapes: P phrases; D embedding dimension.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from hippocam.models.sentences.phrases import Part, Phrase, phrases
from hippocam.stream.records import EncoderSpec, FloatArray

# Midpoint and slope of the default encoder's belief, see EncoderSpec.
_MIDPOINT, _SLOPE = 0.235, 33.0
# How near a picture is to a setting: the mean of so many of its scenes that are nearest.
_NEAREST = 4
# Settings of what nobody filmed.
_MADE = ("screen", "drawing", "plain")
# Phrases that vote for the one to be said, and how fast a vote fades as its cosine falls.
_VOTERS = 12
_FADE = 0.03
# Cosines below which nothing particular is said: on the calibration clips what people do is right from .38 on, and
# wrong below .37.
_SCENE_LEAST = 0.32
_ACTION_LEAST = 0.37
_PLACE_LEAST = 0.3
_IN_GENERAL = {
    "room": "a room", "street": "a place outside", "road": "a road", "nature": "a landscape", "water": "water",
    "snow": "a landscape", "sky": "a bright picture",
}  # fmt: skip
_SHOWN = "a picture on a screen"
_OUTSIDE = ("street", "road", "nature", "water", "snow")
# What a phrase loses that names a thing which the detector knows and did not see, and one that names a species.
_UNSEEN = 0.06
_SPECIES = 0.08
VEHICLES = frozenset({"bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"})
_THINGS = (
    ({"car", "truck", "bus"}, r"cars?|vans?|lorry|bus"),
    ({"train"}, r"train at|tram"),
    ({"airplane"}, r"aeroplane in"),
    ({"boat"}, r"boat|ships?"),
    ({"bicycle"}, r"bicycles?"),
    ({"motorcycle"}, r"motorcycle"),
    ({"bird"}, r"bird"),
    ({"dog"}, r"dog"),
    ({"cat"}, r"cat"),
    ({"horse"}, r"horse"),
    ({"cow", "sheep"}, r"cows|sheep"),
    ({"elephant", "bear"}, r"elephant|bear|lion"),
)
_WILD = r"monkey|squirrel|rodent|hamster|rabbit|fox|deer|fish|bee|butterfly|dragon|monster"
_INSIDE = ("in a car", "in a bus", "in a train", "on a boat")
_GOING = ("walking", "running", "jogging", "hiking", "marching")
_STAYING = ("standing", "sitting", "lying", "leaning", "kneeling", "sleeping")


class PhraseBank:
    """The phrases with their vectors.

    Args:
        vectors_PD: float32 [P, D], of length 1, in the space of the moments' vectors; see `phrase_vectors`.
        spec: Spec of the encoder; None for one whose cosines are like the default encoder's.
    """

    def __init__(self, vectors_PD: FloatArray, spec: EncoderSpec | None = None) -> None:
        self._vectors_PD = vectors_PD
        self._midpoint = _MIDPOINT if spec is None else spec.midpoint
        self._stretch = 1.0 if spec is None else spec.slope / _SLOPE
        self._phrases = phrases()
        parts = np.array([phrase.part.value for phrase in self._phrases])
        settings = np.array([phrase.setting for phrase in self._phrases])
        self._scene = parts == Part.SCENE.value
        self._settings = {
            name: np.flatnonzero(self._scene & (settings == name)) for name in sorted(set(settings[self._scene]))
        }
        self._place = (parts == Part.PLACE.value) & ~self._saying(rf"^(?:{'|'.join(_INSIDE)})$")
        several = np.array([phrase.several for phrase in self._phrases])
        self._action = {together: (parts == Part.ACTION.value) & (several == together) for together in (0, 1)}
        self._going, self._staying = self._saying(_begins(_GOING)), self._saying(_begins(_STAYING))
        self._things = [(labels, self._scene & self._saying(rf"\b(?:{words})\b")) for labels, words in _THINGS]
        self._wild = self._scene & self._saying(rf"\b(?:{_WILD})\b")

    def cosines(self, vector_D: FloatArray) -> FloatArray:
        """Cosines of a vector of any length with all phrases, float32 [P].

        They are put on the default encoder's scale, for which all limits here are: what is as likely has the same
        number.
        """
        found_P = self._vectors_PD @ (vector_D / np.float32(max(float(np.linalg.norm(vector_D)), 1e-9)))
        return np.asarray(_MIDPOINT + (found_P - self._midpoint) * self._stretch, np.float32)

    def settings(self, cosines_P: FloatArray) -> dict[str, float]:
        """How near a picture is to each sort of pictures: room, street, screen, drawing."""
        return {name: float(np.sort(cosines_P[rows])[-_NEAREST:].mean()) for name, rows in self._settings.items()}

    def scene(self, cosines_P: FloatArray, seen: Collection[str], *, drawn: bool) -> str:
        """What a picture looks like in which nothing is said to move.

        Args:
            cosines_P: Of the picture.
            seen: Labels of the things that a detector saw.
            drawn: Whether nobody filmed it; else no drawing is named.
        """
        own_P = cosines_P - np.float32(_SPECIES) * self._wild
        for labels, rows in self._things:
            if not labels & set(seen):
                own_P = own_P - np.float32(_UNSEEN) * rows
        if not drawn:
            own_P[self._settings["drawing"]] -= _UNSEEN
        best = self._agreed(own_P, self._scene if drawn else self._scene | self._place)
        if cosines_P[self._phrases.index(best)] < _SCENE_LEAST:
            return _SHOWN if drawn else _IN_GENERAL.get(best.setting, best.encoded)
        return best.encoded

    def of_setting(self, cosines_P: FloatArray, setting: str) -> str:
        """What a picture of a sort that is known looks like."""
        rows = np.zeros(len(cosines_P), bool)
        rows[self._settings[setting]] = True
        return self._agreed(cosines_P, rows).words

    def action(self, cosines_P: FloatArray, *, several: bool, moves: bool | None) -> str:
        """What somebody, or some people, seem to do; "" where nothing is near.

        Args:
            cosines_P: Of the picture.
            several: Whether there are several people.
            moves: Whether they go somewhere, which rules out what they do not do; None where that is not known.
        """
        rows = self._action[several]
        if moves is not None:
            rows = rows & ~(self._staying if moves else self._going)
        best = self._agreed(cosines_P, rows)
        return best.words if cosines_P[self._phrases.index(best)] >= _ACTION_LEAST else ""

    def place(self, cosines_P: FloatArray) -> str:
        """Where it is, with its preposition; where no place is near, whether that is outside."""
        best = self._agreed(cosines_P, self._place)
        if cosines_P[self._phrases.index(best)] >= _PLACE_LEAST:
            return best.words
        near = self.settings(cosines_P)
        return "in a room" if near["room"] >= max(near[name] for name in _OUTSIDE) else "outside"

    def _saying(self, pattern: str) -> NDArray[np.bool_]:
        return np.array([re.search(pattern, phrase.words) is not None for phrase in self._phrases])

    def _agreed(self, cosines_P: FloatArray, among_P: NDArray[np.bool_]) -> Phrase:
        """The phrase on which those that are nearest agree most, each by its weight.

        The nearest alone is often near by chance, and says more than is there: a piano in a room, where most of
        the others speak of a table. (Minimum Bayes risk: Kumar and Byrne 2004.)
        """
        rows = np.flatnonzero(among_P)
        voters = rows[np.argsort(-cosines_P[rows], kind="stable")[:_VOTERS]]
        weights = np.exp((cosines_P[voters] - cosines_P[voters[0]]) / _FADE)
        likeness = self._vectors_PD[voters] @ self._vectors_PD[voters].T
        return self._phrases[int(voters[np.argmax(likeness @ weights)])]


def made_by_hand(settings: dict[str, float]) -> float:
    """By how much a picture is nearer to screens and drawings than to anything that is filmed."""
    filmed = max(near for name, near in settings.items() if name not in _MADE)
    return max(settings[name] for name in _MADE) - filmed


def drawn_by(settings: dict[str, float]) -> float:
    """By how much a picture is nearer to drawings than to anything else."""
    return settings["drawing"] - max(near for name, near in settings.items() if name != "drawing")


def _begins(words: Collection[str]) -> str:
    return rf"^(?:{'|'.join(words)})\b"
