"""What came before or after something: the person who came next, or what the picture showed then."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hippocam.apps.ask.answer.facts import SPOKEN, WRITTEN, Facts, Stay
from hippocam.apps.ask.answer.phrases import stretch
from hippocam.apps.ask.answer.told import Told, told
from hippocam.apps.ask.nouns import thing_in
from hippocam.memory.records import Evidence
from hippocam.models.readers.note_text import one_line
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reading import SEEN_FROM

# How far behind a visit's end, or before its start, the picture is that is shown.
_STEP_S = 1.0
_BELIEF = 0.75


def neighbours(facts: Facts, evidence: Sequence[Evidence]) -> Told | None:
    """Tell who or what was there before or after the thing or moment that a question names.

    Args:
        facts: The question with its records.
        evidence: Moments of what it names, the strongest first.
    """
    after = facts.kind == QuestionKind.AFTER
    if evidence and evidence[0].noted and evidence[0].score >= SEEN_FROM:
        return _next_words(facts, evidence[0], after=after)
    asks_who = re.match(r"(?:who|which (?:person|visitor))\b", facts.question, re.IGNORECASE) is not None
    found = _span(facts, evidence, after=after) if asks_who else _visited(facts, after=after)
    if found is None:
        return None
    stream, t0_s, t1_s = found
    word = "After" if after else "Before"
    if asks_who:
        stays = facts.stays(lambda entity: entity.label == "person")
        stay = _next_person([s for s in stays if s.visit.stream == stream], t0_s, t1_s, after=after)
        if stay is None:
            return told(f"{word} it, nobody was recognised.", belief=_BELIEF)
        looks = facts.person(stay, "somebody")
        shown = facts.shown([(stream, stay.t0_s, stay.t1_s, stay.visit.frame_s)], "recognised then", _BELIEF)
        return told(f"{word} it: {looks}, {stretch(stay.t0_s, stay.t1_s)} in {stream}.", shown, belief=_BELIEF)
    moment = facts.records.moment_at(stream, t1_s + _STEP_S if after else max(0.0, t0_s - _STEP_S))
    if moment is None or (moment.t0_s < t1_s - _STEP_S and after and moment.t1_s <= t1_s):
        return None
    looks = f", which looks like {moment.sentence}" if moment.sentence else ""
    text = f"{word} it: {stretch(moment.t0_s, moment.t1_s)} in {stream}{looks}."
    return told(text, [moment], belief=_BELIEF, final=False)


def _next_words(facts: Facts, best: Evidence, *, after: bool) -> Told | None:
    """The words that were read, or said, next after those that the question quotes, or last before them."""
    found = best.notes[0]
    kinds = SPOKEN if found.kind in SPOKEN else WRITTEN
    notes = [n for n in facts.notes(kinds) if n.stream == best.stream and n.text != found.text]
    if after:
        notes = [n for n in notes if n.t0_s > found.t0_s and n.t0_s >= found.t1_s - _STEP_S]
        first = min(notes, key=lambda n: n.t0_s, default=None)
    else:
        notes = [n for n in notes if n.t1_s <= found.t0_s + _STEP_S]
        first = max(notes, key=lambda n: n.t1_s, default=None)
    if first is None:
        return None
    together = [n for n in notes if abs(n.t0_s - first.t0_s) <= _STEP_S]
    t0_s, t1_s = min(n.t0_s for n in together), max(n.t1_s for n in together)
    lines = "; ".join(dict.fromkeys(one_line(n.text) for n in together))
    shown = facts.shown([(best.stream, t0_s, t1_s, (t0_s + t1_s) / 2)], "read or said next", _BELIEF)
    word = "After it" if after else "Before it"
    how = "said" if kinds == SPOKEN else "on screen"
    return told(f"{word}: {how} {lines}, {stretch(t0_s, t1_s)} in {best.stream}.", shown, belief=_BELIEF)


def _span(facts: Facts, evidence: Sequence[Evidence], *, after: bool) -> tuple[str, float, float] | None:
    """When what is named was there: its visit where it was recognised, else the best moment."""
    visited = _visited(facts, after=after)
    best = evidence[0] if evidence and evidence[0].score >= SEEN_FROM else None
    return visited or (None if best is None else (best.stream, best.t0_s, best.t1_s))


def _visited(facts: Facts, *, after: bool) -> tuple[str, float, float] | None:
    """The last visit of a thing of which nothing more is said, or before it the first; None for anything else."""
    thing = thing_in(facts.text)
    stays = facts.stays(lambda e: e.label in thing.labels) if thing is not None and thing.plain else []
    if not stays:
        return None
    stay = max(stays, key=lambda s: s.t1_s) if after else min(stays, key=lambda s: s.t0_s)
    return stay.visit.stream, stay.t0_s, stay.t1_s


def _next_person(stays: Sequence[Stay], t0_s: float, t1_s: float, *, after: bool) -> Stay | None:
    own = {stay.entity.id for stay in stays if stay.t0_s < t1_s and stay.t1_s > t0_s}
    others = [stay for stay in stays if stay.entity.id not in own]
    if after:
        return min((s for s in others if s.t0_s >= t0_s), key=lambda s: s.t0_s, default=None)
    return max((s for s in others if s.t1_s <= t1_s), key=lambda s: s.t1_s, default=None)
