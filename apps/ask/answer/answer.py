"""A question to what answers it from records: one function for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hippocam.apps.ask.answer.facts import Facts
from hippocam.apps.ask.answer.overview import overview
from hippocam.apps.ask.answer.people import nobody, who
from hippocam.apps.ask.answer.streams import compare, length
from hippocam.apps.ask.answer.things import cannot_count, things
from hippocam.apps.ask.answer.told import Told
from hippocam.apps.ask.answer.words import words
from hippocam.models.readers.question_kind import QuestionKind

_K = QuestionKind
_ANSWERS: Mapping[QuestionKind, tuple[Callable[[Facts], Told | None], ...]] = {
    _K.LENGTH: (length,),
    _K.COMPARE: (compare,),
    _K.NOBODY: (nobody,),
    _K.WHO: (who,),
    _K.WORDS: (words,),
    _K.SAID: (words,),
    _K.WHAT: (overview,),
    _K.HAPPENED: (overview,),
    _K.SUMMARY: (overview,),
    _K.COUNT: (cannot_count,),
    _K.WHETHER: (things,),
    _K.WHEN: (things,),
    _K.OFTEN: (things,),
    _K.LONG: (things,),
    _K.FIRST: (things, overview),
    _K.LAST: (things, overview),
    _K.ORDINAL: (things,),
}


def answer_from_records(facts: Facts) -> Told | None:
    """Answer a question from what is recorded; None where it takes a search, or a reader."""
    for answer in _ANSWERS.get(facts.kind, ()):
        found = answer(facts)
        if found is not None:
            return found
    return None
