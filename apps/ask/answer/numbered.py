"""Whether there was a second one, three of them, more than two at once: from those that were told apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hippocam.apps.ask.answer.facts import Facts, Stay, different
from hippocam.apps.ask.answer.phrases import by_stream, number
from hippocam.apps.ask.answer.told import Told, told
from hippocam.apps.ask.count.words import NUMBERS, ORDINALS, number_of
from hippocam.apps.ask.nouns import noun_for, thing_in
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.surety import Surety, affirmed

_ASKED = re.compile(
    rf"^(?:an? |the )?(?:(?P<more>more than|over) (?P<beyond>{'|'.join(NUMBERS)}|\d+)|(?:at least |exactly )?"
    rf"(?P<count>{'|'.join(NUMBERS[1:])}|\d+)|(?P<nth>{'|'.join(ORDINALS[1:])}|another))"
    r" (?:other |different )?(?P<rest>[a-z].*)$",
    re.IGNORECASE,
)
_TOGETHER = re.compile(
    r"\b(?:at (?:the same|any(?: one)?|one) (?:time|moment)|at once|together|side by side)\b", re.IGNORECASE
)
# That they stood or sat somewhere says no more than that they were there.
_POSED = re.compile(
    r"\b(?:ever )?(?:standing|stand|stood|sitting|sit|sat|being)\b"
    r"(?: (?:at|by|near|in|on|around) (?:the |an? )?\w+)?",
    re.IGNORECASE,
)
# Detections that err are counted with the others, so a number is never clear.
_BELIEF = 0.85
_WHY = "told apart by the detector at these times"


def numbered(facts: Facts) -> Told | None:
    """Answer "did a second car come?", "are there three bottles?", "were there two people at the same time?".

    Returns:
        None where no number is asked for, or more is said of the things than that they were there.
    """
    asked = _ASKED.match(facts.text) if facts.kind == QuestionKind.WHETHER and not facts.beside else None
    if asked is None:
        return None
    together = _TOGETHER.search(asked["rest"]) is not None
    thing = thing_in(" ".join(_POSED.sub(" ", _TOGETHER.sub(" ", asked["rest"])).split()))
    if thing is None or not thing.plain:
        return None
    stays = facts.filmed(facts.stays(lambda entity: entity.label in thing.labels))
    if not stays:
        return None
    least = _least(asked)
    at_once, in_all = _most_at_once(stays), different(stays)
    spans = [(stay.visit.stream, stay.t0_s, stay.t1_s) for stay in stays]
    shown = facts.shown(
        [(*span, stay.visit.frame_s) for span, stay in zip(spans, stays, strict=True)], _WHY, _BELIEF
    )
    nouns = f"{number(in_all)} {noun_for(thing.labels, in_all)}"
    if at_once >= least or (in_all >= least and not together):
        most = f", {number(at_once)} at most at once" if in_all > at_once else ""
        return told(affirmed(f"{nouns}{most}: {by_stream(spans)}", Surety.of(_BELIEF)), shown, belief=_BELIEF)
    most = f", never more than {number(at_once)} at once" if in_all > at_once else ""
    return told(f"No: I can tell {nouns} apart{most}: {by_stream(spans)}.", shown, belief=_BELIEF)


def _least(asked: re.Match[str]) -> int:
    """How many there must be for a yes."""
    if asked["more"]:
        return number_of(asked["beyond"].casefold()) + 1
    if asked["count"]:
        return number_of(asked["count"].casefold())
    return 2 if asked["nth"].casefold() == "another" else ORDINALS.index(asked["nth"].casefold()) + 1


def _most_at_once(stays: Sequence[Stay]) -> int:
    return max(
        sum(each.visit.stream == stay.visit.stream and each.t0_s <= stay.t0_s < each.t1_s for each in stays) or 1
        for stay in stays
    )
