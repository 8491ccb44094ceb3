"""Which of two came first: "which is shown first, the bus or the car?", "was the bus there before the car?"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from hippocam.apps.ask.answer.facts import Facts
from hippocam.apps.ask.answer.phrases import RECOGNISED, stretch
from hippocam.apps.ask.answer.told import Told, told
from hippocam.apps.ask.nouns import thing_in
from hippocam.apps.ask.question.meaning import Anchor
from hippocam.apps.ask.where import TOP, Where
from hippocam.memory.records import Evidence
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reading import SEEN_FROM
from hippocam.models.readers.surety import Surety, affirmed, hedged

_SEEN = (
    r"(?:(?:is|was|are|were|did|do|does|be|shown|seen|comes?|came|coming|appear(?:s|ed)?|there|visible|happen(?:s|ed)?"
    r"|arrive[sd]?|we|you|see|to be seen)\b ?)*"
)
_FIRST = re.compile(rf"^{_SEEN}(?P<side>first|last)[,:]? (?P<one>[^,]+?),? or (?P<other>[^,]+)$", re.IGNORECASE)
# One that is known: of "anybody" there may be a later one as well.
_THE = re.compile(rf"^(?P<name>the (?:[\w'-]+ ?){{1,4}}?) ?{_SEEN}$", re.IGNORECASE)
_RECORDED, _FOUND = 0.85, 0.6
# Moments are believed to show it, too, that come so near to the best.
_ALSO = 0.8


class Searched(Protocol):
    """Where moments are looked for; `Search` is one."""

    def search(self, text: str, where: Where) -> Sequence[Evidence]:
        """Moments that show what a text describes, the strongest first."""


class _Came(NamedTuple):
    """When and where one of the two is seen first."""

    moment: Evidence
    recorded: bool


def order(memory: Searched, facts: Facts, anchor: Anchor | None, searches: Sequence[Where]) -> Told | None:
    """Tell which of two things came first.

    Args:
        memory: Where to look for what no visit is of.
        facts: The question with its records.
        anchor: The other thing, where it is asked whether one was there before or after it.
        searches: Conditions of each search.

    Returns:
        None where no order of two is asked for, or one of them is nowhere seen.
    """
    asked = _two(facts, anchor)
    if asked is None:
        return None
    side, names = asked[0], asked[1:]
    one, other = (_came(memory, facts, name, searches) for name in names)
    if one is None or other is None or one.moment.stream != other.moment.stream:
        return None
    if one.moment.t0_s == other.moment.t0_s:
        return None
    belief = _RECORDED if one.recorded and other.recorded else _FOUND
    surety = Surety.of(belief)
    is_before = one.moment.t0_s < other.moment.t0_s
    told_of = [
        f"{name} {stretch(each.moment.t0_s, each.moment.t1_s)}"
        for name, each in zip(names, (one, other), strict=True)
    ]
    both = ", then ".join(told_of if is_before else told_of[::-1]) + f" in {one.moment.stream}"
    shown = [one.moment, other.moment] if is_before else [other.moment, one.moment]
    shown = list({moment.id: moment for moment in shown}.values())
    if side in ("before", "after"):
        yes = is_before == (side == "before")
        no = f"No{'' if belief == _RECORDED else ', as far as I can tell'}: {both}."
        return told(affirmed(both, surety) if yes else no, shown, belief=belief, final=False)
    chosen = names[0] if is_before == (side == "first") else names[1]
    return told(hedged(f"{chosen}: {both}", surety), shown, belief=belief, final=False)


def _two(facts: Facts, anchor: Anchor | None) -> tuple[str, str, str] | None:
    """Which end or side is asked for, and the names of the two; None where it is no such question."""
    if anchor is None:
        asked = _FIRST.match(facts.text)
        return None if asked is None else (asked["side"].casefold(), asked["one"].strip(), asked["other"].strip())
    one, other = _THE.match(facts.text), _THE.match(anchor.text)
    if facts.kind != QuestionKind.WHETHER or anchor.t0_s is not None or one is None or other is None:
        return None
    return anchor.side, one["name"].strip(), other["name"].strip()


def _came(memory: Searched, facts: Facts, name: str, searches: Sequence[Where]) -> _Came | None:
    """When one of the two is first seen: by its visits, else by the moment that looks most like it."""
    thing = thing_in(name)
    if thing is not None and thing.plain:
        stays = facts.filmed(facts.stays(lambda entity: entity.label in thing.labels))
        spans = [(stay.visit.stream, stay.t0_s, stay.t1_s, stay.visit.frame_s) for stay in stays[:1]]
        if shown := facts.shown(spans, RECOGNISED, _RECORDED):
            return _Came(shown[0], recorded=True)
    limits: Where = {"top": TOP, "beside": 0, "presupposed": True, "in_words": False}
    found = [moment for own in searches for moment in memory.search(name, {**own, **limits})]
    best = max((moment.score for moment in found), default=0.0)
    likely = [moment for moment in found if moment.score >= max(SEEN_FROM, _ALSO * best)]
    return _Came(min(likely, key=lambda moment: moment.t0_s), recorded=False) if likely else None
