"""What somebody or something does: as far as the sentences of the moments tell that show it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hippocam.apps.ask.answer.facts import Facts, Stay
from hippocam.apps.ask.answer.phrases import stretch
from hippocam.apps.ask.answer.told import Told, told
from hippocam.apps.ask.count.words import IN_A_ROW, one_named, says_which
from hippocam.apps.ask.nouns import Thing, thing_in
from hippocam.memory.records import Evidence
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reading import SEEN_FROM
from hippocam.models.readers.surety import Surety, hedged

_DOING = re.compile(
    r"^what (?:is|are|was|were) (?P<doing>.+?) (?:up to|doing)\b|^what (?:do|does|did) (?P<do>.+?) do\b"
    r"|^(?:what|how) (?:do|does|did) (?P<look>.+?) look\b",
    re.IGNORECASE,
)
_SOMEBODY = re.compile(r"\b(?:person|people|figures?|somebody|m[ae]n|wom[ae]n|boys?|girls?|child(?:ren)?)\b")
# "What is the man doing", "what does the first visitor do".
_KINDS = (QuestionKind.OTHER, QuestionKind.FIRST, QuestionKind.LAST, QuestionKind.ORDINAL)
_TOLD = 3
# That a sentence, which is composed of phrases that a picture looks like, tells what is done.
_BELIEF = 0.6
_WHY = "the thing is there at these times"


def doing(facts: Facts, evidence: Sequence[Evidence]) -> Told | None:
    """Answer "what is the man doing?", "how does the car look?" with what the moments look like that show him.

    Args:
        facts: The question with its records.
        evidence: What was found for it, the strongest first.

    Returns:
        None where that is not asked, or no moment of it has a sentence.
    """
    asked = _DOING.match(facts.question) if facts.kind in _KINDS and not facts.beside else None
    if asked is None:
        return None
    named = asked["doing"] or asked["do"] or asked["look"]
    if facts.kind != QuestionKind.OTHER and not says_which(named):
        return None
    if asked["look"] and IN_A_ROW.search(named):
        return None  # who is meant by when it came is told by the visit's colours
    moments = _of_thing(facts, named) or [m for m in evidence if m.score >= SEEN_FROM]
    told_apart = list({moment.sentence: moment for moment in reversed(moments) if moment.sentence}.values())[::-1]
    if not told_apart:
        return None
    chosen = sorted(told_apart[:_TOLD], key=lambda moment: (moment.stream, moment.t0_s))
    parts = [f"{moment.sentence}, {stretch(moment.t0_s, moment.t1_s)}" for moment in chosen]
    text = hedged(f"{'; '.join(parts)} in {chosen[0].stream}", Surety.PERHAPS)
    return told(text, chosen, belief=_BELIEF, final=False)


def _of_thing(facts: Facts, named: str) -> list[Evidence]:
    """Moments of the visits of what is named, where the detector knows it and nothing more is said of it."""
    thing = thing_in(re.sub(r"\b(?:they|these|those)\b", "people", named, flags=re.IGNORECASE))
    if thing is not None and says_which(named):
        came = [own for own in facts.came(thing.labels) if facts.of_kind(thing.shown_as, own)]
        return _moments(facts, one_named(named, came) or [], thing)
    if thing is None or thing.before or thing.acts or (thing.after and not thing.plain and not thing.of_a_kind):
        return []
    stays = facts.stays(lambda entity: entity.label in thing.labels)
    stays = facts.likely_of(thing.shown_as, stays)
    return _moments(facts, stays, thing)


def _moments(facts: Facts, stays: Sequence[Stay], thing: Thing) -> list[Evidence]:
    moments = facts.moments_of(stays, _WHY, _BELIEF)
    if thing.labels != ("person",):
        return moments
    return [moment for moment in moments if _SOMEBODY.search(moment.sentence)]
