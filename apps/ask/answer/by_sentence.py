"""Whether or when something was there that no picture is believed to show, and that a moment's sentence names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hippocam.apps.ask.answer.facts import Facts
from hippocam.apps.ask.answer.phrases import stretch
from hippocam.apps.ask.answer.told import Told, told
from hippocam.apps.ask.nouns import labels_of
from hippocam.memory.recall.words import content_words
from hippocam.memory.records import Evidence
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reading import SEEN_FROM
from hippocam.models.readers.surety import Surety, affirmed, hedged

_LOOKED, _TOLD = 64, 3
# Words that say no more than that there was something, and endings in which two forms of a word differ.
_GENERAL = frozenset(
    "a person people man men woman women somebody someone anybody anyone something anything thing place picture"
    " image show shown shows see seen appear appears come comes go goes visible part scene".split()
)
_ENDINGS = ("ing", "ed", "es", "s", "e")
_SHORTEST = 3
_QUOTED = re.compile("“[^”]*”")
_BELIEF = 0.55


def by_sentence(facts: Facts, evidence: Sequence[Evidence]) -> Told | None:
    """Answer with the moments whose sentences have all words of what is asked for.

    A sentence is composed of those of many phrases that come nearest to the picture, so it is another witness than
    the likeness of the picture to the question. Words that it quotes are none, nor is the sentence of an import,
    whose vectors somebody else chose, beside own footage.

    Args:
        facts: The question with its records.
        evidence: What was found for it; where a moment is believed, that says more.

    Returns:
        None where the detector knows such a thing, and so tells better, or no sentence names it.
    """
    words = content_words(facts.text)
    asked = _stems(facts.text) - {_stem(word) for word in _GENERAL}
    if facts.beside or not asked or (evidence and evidence[0].score >= SEEN_FROM):
        return None
    if any(set(labels_of(word) or ()) - {"person"} for word in words):
        return None
    every = [moment for _, moment in facts.records.notable(_LOOKED)]
    own = [moment for moment in every if not moment.imported] or every
    named = [moment for moment in own if asked <= _own_words(moment, asked)]
    if not named:
        return None
    likely = {moment.id: moment.score for moment in evidence}
    moments = sorted(named, key=lambda moment: -likely.get(moment.id, 0.0))[:_TOLD]  # stable
    best = moments[0]
    text = f"{stretch(best.t0_s, best.t1_s)} in {best.stream}, which looks like {best.sentence}"
    whether = facts.kind == QuestionKind.WHETHER
    said = affirmed(text, Surety.PERHAPS) if whether else hedged(text, Surety.PERHAPS)
    return told(said, moments, belief=_BELIEF, final=False)


def _own_words(moment: Evidence, asked: set[str]) -> set[str]:
    """The words of a moment's sentence; none where what was read or heard there speaks of what is asked for."""
    if any(asked & _stems(note.text) for note in moment.notes):
        return set()
    return _stems(_QUOTED.sub(" ", moment.sentence))


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in content_words(text)}


def _stem(word: str) -> str:
    """A word without its ending, as far as three letters are left."""
    ending = next((e for e in _ENDINGS if word.endswith(e) and len(word) - len(e) >= _SHORTEST), "")
    return word.removesuffix(ending)
