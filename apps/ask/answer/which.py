"""Which of several things is still there, or is gone: "which bottle is missing?", by where it stood in the row."""

from __future__ import annotations

import re

from hippocam.apps.ask.answer.facts import Facts, Stay
from hippocam.apps.ask.answer.phrases import listed, stretch
from hippocam.apps.ask.answer.places import row_of
from hippocam.apps.ask.answer.told import Told, told
from hippocam.apps.ask.nouns import thing_in
from hippocam.memory.records import Evidence
from hippocam.models.readers.surety import Surety, hedged

_WHICH = re.compile(r"^which\b(?! (?:way|direction|colour|color|side)\b)", re.IGNORECASE)
_GONE = re.compile(
    r"\b(?:missing|gone|absent|(?:not|no longer|never) (?:there|here|present)|(?:was|were|been|is|are) (?:taken"
    r"|removed|stolen|picked up)|disappeared|left)\b",
    re.IGNORECASE,
)
_STAYS = re.compile(
    r"\b(?:still|remain(?:s|ed|ing)?|left over|is left|are left|(?:is|are) (?:there|here))\b", re.IGNORECASE
)
# A visit that was seen so short a time before the end is not over.
_END_S = 1.5
_BELIEF = 0.8
_WHY = "recognised by the detector at these times"


def which(facts: Facts) -> Told | None:
    """Tell which of several things of a kind is there at the end of the time that is asked about, or is not.

    Returns:
        None where the question asks neither, or there are not two or three that stand apart.
    """
    question = facts.question
    stays, gone = _STAYS.search(question), _GONE.search(question)
    thing = thing_in(facts.text) if _WHICH.match(question) and (stays or gone) and not facts.beside else None
    if thing is None or len(facts.watched) != 1:
        return None
    every = facts.stays(lambda entity: entity.label in thing.labels)
    of_visit = {stay.visit.id: stay for stay in every}
    row, end_s = row_of([stay.visit for stay in every]), facts.watched[0].end_s
    last = {
        name: max((of_visit[visit.id] for visit in own), key=lambda stay: stay.t1_s) for name, own in row.items()
    }
    there = {name for name, stay in last.items() if stay.t1_s >= end_s - _END_S}
    chosen = [name for name in last if (name in there) == (stays is not None)]
    if not chosen:
        return None
    parts = [f"{name}, {_when(last[name], present=stays is not None)}" for name in chosen]
    text = hedged(f"{listed(parts)} in {facts.watched[0].stream} (as the camera sees it)", Surety.of(_BELIEF))
    return told(text, _shown(facts, [last[name] for name in chosen]), belief=_BELIEF)


def _when(stay: Stay, *, present: bool) -> str:
    if present:
        return f"there {stretch(stay.t0_s, stay.t1_s)}"
    return f"last seen {stretch(stay.t1_s, stay.t1_s)}"


def _shown(facts: Facts, stays: list[Stay]) -> list[Evidence]:
    spans = [(s.visit.stream, s.t0_s, s.t1_s, min(max(s.visit.frame_s, s.t0_s), s.t1_s)) for s in stays]
    return facts.shown(spans, _WHY, _BELIEF)
