"""A question to what answers it from records: one function for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from hippocam.apps.ask.answer.alternatives import alternatives
from hippocam.apps.ask.answer.by_sentence import by_sentence
from hippocam.apps.ask.answer.categories import category
from hippocam.apps.ask.answer.doing import doing
from hippocam.apps.ask.answer.facts import Closer, Facts
from hippocam.apps.ask.answer.looks import looks
from hippocam.apps.ask.answer.neighbours import neighbours
from hippocam.apps.ask.answer.numbered import numbered
from hippocam.apps.ask.answer.overview import background, overview, what_with
from hippocam.apps.ask.answer.people import nobody, somebody, who
from hippocam.apps.ask.answer.streams import compare, length
from hippocam.apps.ask.answer.surroundings import surroundings
from hippocam.apps.ask.answer.things import glimpsed, of_kinds, things
from hippocam.apps.ask.answer.told import Told
from hippocam.apps.ask.answer.which import in_row, moved_nth, which
from hippocam.apps.ask.answer.written.credits import credits_of
from hippocam.apps.ask.answer.written.makers import makers
from hippocam.apps.ask.answer.written.screens import nth_screen
from hippocam.apps.ask.answer.written.words import few_lines, lines_like, read_only, words
from hippocam.memory.records import Evidence
from hippocam.models.readers.question_kind import QuestionKind

_K = QuestionKind
_LOOKS = (_K.COLOUR, _K.WHERE, _K.OTHER, _K.WHETHER)
_ANSWERS: Mapping[QuestionKind, tuple[Callable[[Facts], Told | None], ...]] = {
    _K.LENGTH: (length,),
    _K.COMPARE: (compare,),
    _K.NOBODY: (nobody,),
    _K.WHO: (who,),
    _K.WORDS: (lines_like, makers, nth_screen, words),
    _K.SAID: (words,),
    _K.WHAT: (category, overview),
    _K.HAPPENED: (overview,),
    _K.SUMMARY: (overview,),
    _K.COUNT: (of_kinds,),
    _K.WHETHER: (numbered, things, credits_of),
    _K.WHERE: (category,),
    _K.WHEN: (lines_like, in_row, things, credits_of),
    _K.OTHER: (moved_nth, lines_like, makers, which, category),
    _K.OFTEN: (in_row, things),
    _K.LONG: (in_row, things, credits_of),
    _K.FIRST: (moved_nth, nth_screen, lines_like, in_row, things, overview),
    _K.LAST: (moved_nth, nth_screen, lines_like, in_row, things, overview),
    _K.ORDINAL: (moved_nth, nth_screen, things),
}


def answer_beside(facts: Facts, evidence: Sequence[Evidence], closer: Closer | None = None) -> Told | None:
    """Answer a question from records of the moments that were found for it; None where a reader must word it.

    Args:
        facts: The question with its records.
        evidence: What was found, the strongest first.
        closer: Looks again at the picture of a moment; None for nobody.
    """
    if facts.kind in (_K.BEFORE, _K.AFTER):
        return neighbours(facts, evidence)
    found = (
        surroundings(facts, evidence, closer) or alternatives(facts, evidence, closer) or doing(facts, evidence)
    )
    if found is None and facts.kind in _LOOKS:
        found = looks(facts, evidence, closer)
    if facts.kind == _K.WHAT and facts.text:
        return what_with(facts, evidence)
    if found is None and facts.kind in (_K.WHETHER, _K.WHEN):
        return glimpsed(facts, evidence) or somebody(facts, evidence) or by_sentence(facts, evidence)
    if facts.kind == _K.SAID:
        return read_only(facts, evidence)
    return few_lines(facts, evidence) if facts.kind == _K.WORDS else found


def trusted(facts: Facts, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Moments of what was found, without the detector's word for those in drawings and on screens."""
    drawn = facts.drawn() if any(moment.detected for moment in evidence) else ()
    return tuple(replace(moment, detected=False) if moment.stream in drawn else moment for moment in evidence)


def told_records(facts: Facts, recorded: Told | None) -> list[str]:
    """What a reader is given of the records, in sentences: an answer from them, and what was there in all."""
    own = [sentence.text for sentence in recorded.reading.sentences] if recorded is not None else []
    return own + [text for text in background(facts) if text not in own]


def answer_from_records(facts: Facts) -> Told | None:
    """Answer a question from what is recorded; None where it takes a search, or a reader."""
    for answer in _ANSWERS.get(facts.kind, ()):
        found = answer(facts)
        if found is not None:
            return found
    return None
