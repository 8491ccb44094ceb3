"""What is known of a moment into one sentence: who, what, where, and which words can be read.

Nothing is trained. The encoder says which phrases of the bank a picture is nearest to (bank.py); what a detector
saw says who is there and how many; pixels give colours; what was read is quoted. A sentence is a noun phrase: "two
people in black sitting at a table", "a blue car on a driveway". It says what a moment looks like, and is no
evidence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hippocam.memory.entities.records import MOVERS
from hippocam.models.sentences.bank import VEHICLES, PhraseBank, drawn_by, made_by_hand
from hippocam.models.sentences.moment import Moment, Subject
from hippocam.models.sentences.picture import Look
from hippocam.models.sentences.words import counted, listed, quoted, telling
from hippocam.stream.records import EncoderSpec, FloatArray

# Said where nothing is known: no vector, or no phrases to compare it with, no thing, no words.
NOTHING_KNOWN = "a moment of which no more is known"
# Scenes whose mean is nearer to drawings than this are drawn; see `drawn_by`. On the calibration clips the drawn
# ones lie at -.08 and above, the filmed ones at -.13 and below.
_DRAWN = -0.10
# A single moment of them lies at -.16 and above, nine times of ten.
_OWN_DRAWN = -0.16
# Pictures with letters on them are screens or slides if they look like such: the more letters, the less so; see
# `made_by_hand`.
_LEAST_LETTERS = 12
_SCREEN = -0.05
_A_LETTER = 0.001
# Pictures of few shades that look made by hand, in a scene that is drawn: plainness and so often `made_by_hand`
# are more than this. It holds for 94 % of an animated clip's moments, for none of five filmed ones', and for 2 %
# of photographs that were made grey, faded, dark or narrow.
_PLAIN = 0.45
_MADE_WEIGHT = 3.0
# Plainness from which there is nothing in a picture, drawn or filmed.
_NOTHING_THERE = 0.97
# Share of one colour from which it is the background, and from which it is all that there is.
_BACKGROUND = 0.6
_NOTHING_ELSE = 0.97
_FIGURE = re.compile(r"\b(?:animals?|figures?|rabbit|squirrel|face|bird|monkey|dragon|monster|rodent|hamster)\b")
_PLACED = re.compile(r"\b(?:in|on|at|by|along|across|over|uphill|up|down|from|into|towards) ")
# Lines that are quoted, and colours that are named.
_MOST_LINES = 2
_MOST_COLOURS = 3


class Composer:
    """Words what moments look like.

    Args:
        vectors_PD: float32 [P, D], the phrases in the space of the moments' vectors; see `phrase_vectors`. None
            where they cannot be had: then only things and words are told.
        spec: Spec of the encoder; None for one whose cosines are like the default encoder's.
    """

    def __init__(self, vectors_PD: FloatArray | None, spec: EncoderSpec | None = None) -> None:
        self._bank = None if vectors_PD is None else PhraseBank(vectors_PD, spec)

    def sentence(self, moment: Moment) -> str:
        """One readable sentence, without a capital letter and a full stop; never empty."""
        lines = telling(moment.lines, _MOST_LINES)
        if self._bank is None or moment.scene_D is None:
            seen = [counted(subject) for subject in moment.subjects]
            return _with_words(listed(seen) if seen else "", lines) or NOTHING_KNOWN
        own_P = self._bank.cosines(moment.scene_D)
        around_P = own_P if moment.around_D is None else self._bank.cosines(moment.around_D)
        both_P = np.asarray((own_P + around_P) / 2, np.float32)
        made = made_by_hand(self._bank.settings(both_P))
        letters = sum(c.isalpha() for line in (*moment.lines, *moment.standing) for c in line)
        if letters >= _LEAST_LETTERS and made + _A_LETTER * letters > _SCREEN:
            words = lines or telling(moment.standing, _MOST_LINES)
            return _with_words(_text(moment.look) or self._bank.of_setting(own_P, "screen"), words)
        own_drawn, all_drawn = (drawn_by(self._bank.settings(cosines_P)) for cosines_P in (own_P, around_P))
        drawn = all_drawn > _DRAWN and own_drawn > _OWN_DRAWN
        if moment.look is not None and _is_plain(moment.look, made, drawn=drawn):
            return _with_words(_drawing(moment.look), lines)
        subjects = moment.subjects
        if moment.look is not None and moment.look.grey:
            subjects = tuple(replace(subject, colour="") for subject in subjects)
        told = (self._drawn if drawn else self._filmed)(own_P, both_P, subjects)
        return _with_words(told, lines)

    def _drawn(self, own_P: FloatArray, with_around_P: FloatArray, subjects: Sequence[Subject]) -> str:
        """What a drawn picture shows, in which a detector of photographs sees figures, but not what they are."""
        assert self._bank is not None
        scene = self._bank.scene(own_P, [subject.label for subject in subjects], drawn=True)
        count = sum(subject.count for subject in subjects if subject.label in MOVERS - VEHICLES)
        if not count or _FIGURE.search(scene):
            return scene
        return f"{'a figure' if count == 1 else 'figures'} {self._bank.place(with_around_P)}"

    def _filmed(self, own_P: FloatArray, with_around_P: FloatArray, subjects: Sequence[Subject]) -> str:
        """What a camera saw, with the things in it."""
        assert self._bank is not None
        people = next((subject for subject in subjects if subject.label == "person"), None)
        movers = [subject for subject in subjects if subject.label in MOVERS and subject.label != "person"]
        if people is not None:
            action = self._bank.action(own_P, several=people.count > 1, moves=people.moves)
            place = "" if _PLACED.search(action) else self._bank.place(with_around_P)
            return _on_side(" ".join(filter(None, (counted(people), action, place))), people)
        if movers:
            place = self._bank.place(with_around_P)
            return _on_side(f"{listed([counted(m) for m in movers[:2]])} {place}", movers[0])
        return self._bank.scene(own_P, [subject.label for subject in subjects], drawn=False)


def _is_plain(look: Look, made: float, *, drawn: bool) -> bool:
    """Whether a picture's colours say more of it than any phrase."""
    if look.plainness >= _NOTHING_THERE:
        return True
    return drawn and look.plainness + _MADE_WEIGHT * made > _PLAIN


def _text(look: Look | None) -> str:
    """A picture of text by its background; "" where that has no one colour."""
    if look is None or not look.colours or look.colours[0][1] < _BACKGROUND:
        return ""
    return f"text on a {look.colours[0][0]} background"


def _drawing(look: Look) -> str:
    """A picture that is made by hand and shows nothing that the bank knows, by its colours."""
    names = [name for name, _ in look.colours[:_MOST_COLOURS]]
    if not names:
        return "a drawing in many colours"
    most = look.colours[0][1]
    if most < _BACKGROUND:
        return f"a drawing in {listed(names)}"
    if len(names) > 1:
        return f"a drawing in {listed(names[1:])} on a {names[0]} background"
    return f"a plain {names[0]} picture" if most >= _NOTHING_ELSE else f"a drawing on a {names[0]} background"


def _on_side(text: str, subject: Subject) -> str:
    return f"{text}, on the {subject.side}" if subject.side else text


def _with_words(text: str, lines: Sequence[str]) -> str:
    if not lines:
        return text
    words = f"the words {listed([quoted(line) for line in lines])}"
    return f"{text} with {words}" if text else words
