"""From one record to the next: where a thing was before it came, by the visits of the same thing.

Recall finds what looks like a question. "Where was the man with the cart before he came in?" asks for a moment
that looks like none of its words: first the man is found, by the records or by recall, then the visit of the same
thing before. The links that were followed are told with the answer. After HCAM (Lampinen et al. 2021), which
recalls in two steps, and memories that keep links between their notes (A-MEM, Xu et al. 2025).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from hippocam.apps.ask.answer.phrases import RECOGNISED, sentence, stretch
from hippocam.apps.ask.nouns import Thing, noun_for, thing_in
from hippocam.apps.ask.where import Where, filter_of
from hippocam.memory.asof.links import Link, Step
from hippocam.memory.entities.describing import position_of
from hippocam.memory.entities.records import Entity, Visit
from hippocam.memory.records import Evidence, format_id
from hippocam.models.readers.reading import SEEN_FROM, Reading, Sentence
from hippocam.models.readers.surety import Surety, hedged

_BEFORE = re.compile(
    r"^where (?:was|were) (?P<what>.+?),?\s+(?:before(?: (?:that|then|this))?|earlier|previously"
    r"|before (?:he|she|it|they) (?:came|come|arrived|entered|appeared|got|walked|went|drove|was|were)\b.*)$",
    re.IGNORECASE,
)
_WHY = f"{RECOGNISED}, as the same thing"
_BELIEF = 0.85


class Linked(NamedTuple):
    """An answer that links led to.

    Attributes:
        reading: Its sentences.
        evidence: The moments that they rest on.
        path: The records on the way.
    """

    reading: Reading
    evidence: tuple[Evidence, ...]
    path: tuple[Step, ...]


class Records(Protocol):
    """Where things and moments are looked up."""

    def entities(self, at_s: float | None) -> Sequence[Entity]:
        """Things and people that were told apart, by the time of their first visit."""

    def search(self, text: str, where: Where) -> tuple[Evidence, ...]:
        """Moments that show what a text describes, the strongest first."""

    def moment_at(
        self, stream: str, time_s: float, at_s: float | None, within: tuple[float, float] | None = None
    ) -> Evidence | None:
        """The moment of a stream that shows a time, as in `Search`."""


def where_before(records: Records, question: str, where: Where) -> Linked | None:
    """Answer where a thing was before it came the last time; None where a question asks for something else.

    Args:
        records: Where things and moments are looked up.
        question: As a whole sentence.
        where: Its conditions.
    """
    asked = _BEFORE.match(question.strip(" ?!."))
    thing = thing_in(asked["what"]) if asked is not None else None
    if asked is None or thing is None or where.get("place_of") is not None or where.get("near") is not None:
        return None
    entity = _entity(records, asked["what"], thing, where)
    if entity is None or len(entity.visits) < 2:
        return None
    *_, before, newest = sorted(entity.visits, key=lambda visit: (visit.t0_s, visit.id))
    path = (_step(Link.FOUND, newest), _step(Link.SAME_THING, before))
    evidence = tuple(_shown(records, visit, where) for visit in (before, newest))
    shown = tuple(moment for moment in evidence if moment is not None)
    noun = noun_for(thing.labels, 1)
    text = f"{_place(before)}, {stretch(before.t0_s, before.t1_s)} in {before.stream}"
    came = f"it came back at {stretch(newest.t0_s, newest.t0_s)} in {newest.stream}, {_place(newest)}"
    ids = tuple(dict.fromkeys(moment.id for moment in shown))
    sentences = (
        Sentence(text=hedged(text, Surety.of(_BELIEF)), evidence_ids=ids, known=True),
        Sentence(text=sentence(f"the same {noun}: {came}"), known=True),
    )
    return Linked(Reading(sentences=sentences, unknown=False, confidence=_BELIEF), shown, path)


def _entity(records: Records, text: str, thing: Thing, where: Where) -> Entity | None:
    """The thing that is meant: the one of its kind that came last, or the one that the best moment shows."""
    wanted = filter_of(where)
    every = [
        entity
        for entity in records.entities(where.get("at_s"))
        if entity.label in thing.labels and wanted.of_stream(entity.stream)
    ]
    if thing.plain:
        return max(every, key=lambda entity: max(visit.t0_s for visit in entity.visits), default=None)
    best = next(iter(records.search(text, {**where, "top": 1})), None)
    if best is None or best.score < SEEN_FROM:
        return None
    owners = [entity for entity in every if any(_is_of(visit, best) for visit in entity.visits)]
    return owners[0] if len(owners) == 1 else None


def _is_of(visit: Visit, moment: Evidence) -> bool:
    if moment.visit:
        return moment.visit.endswith(format_id(visit.id))
    return visit.stream == moment.stream and visit.t0_s < moment.t1_s and visit.t1_s > moment.t0_s


def _step(link: Link, visit: Visit) -> Step:
    return Step(link, visit.stream, visit.t0_s, visit.t1_s)


def _place(visit: Visit) -> str:
    return f"{position_of(visit.box)} of the picture"


def _shown(records: Records, visit: Visit, where: Where) -> Evidence | None:
    moment = records.moment_at(visit.stream, visit.frame_s, where.get("at_s"), (visit.t0_s, visit.t1_s))
    if moment is None or not any(t0_s <= visit.t1_s and t1_s >= visit.t0_s for t0_s, t1_s in moment.spans):
        return None
    span = (visit.t0_s, visit.t1_s)
    return replace(
        moment, t0_s=span[0], t1_s=span[1], spans=(span,), met=1, score=_BELIEF, why=_WHY, recorded=True
    )
