"""What was true as of a moment, beside an answer: seen, gone, never looked, or not seen while looking.

An answer about whether, when or where something was says for each stream which of the four it is. A question for
the present ("Is the car still there?", "Where is it now?") is answered by the newest state, and what is past is
told as past. An answer that found nothing says whether anybody looked.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hippocam.apps.ask.answer.phrases import RECOGNISED, listed, sentence, stretch
from hippocam.apps.ask.nouns import noun_for, thing_in
from hippocam.apps.ask.question.meaning import Meaning
from hippocam.apps.ask.question.timeline import clock_s
from hippocam.apps.ask.where import Where, narrowed
from hippocam.apps.records import Answer
from hippocam.memory.asof.coverage import Coverage
from hippocam.memory.asof.lookup import first_without_s
from hippocam.memory.asof.whereabouts import State, Stay, Whereabouts, foremost, whereabouts
from hippocam.memory.entities.describing import position_of
from hippocam.memory.filter import Filter
from hippocam.memory.records import Evidence
from hippocam.models.readers.extractive import ExtractiveReader
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reading import SEEN_FROM, Sentence
from hippocam.models.readers.surety import Surety
from hippocam.stream.timecode import format_time

_K = QuestionKind
_OF_PRESENCE = frozenset({_K.WHETHER, _K.WHEN, _K.WHERE, _K.FIRST, _K.LAST, _K.OFTEN, _K.LONG})
# A question for the present: its words, and those of a question that asks for nothing else.
_PRESENT = re.compile(r"^(?:is|are|isn't|aren't|do|does|where(?:'s| is| are))\b", re.IGNORECASE)
_NOW = re.compile(r"\b(?:right now|now|still|currently|at the moment|at present|any ?more)\b", re.IGNORECASE)
_QUOTED = re.compile(r"[\"“']([^\"”']{2,})[\"”']")
_CAMERA = re.compile(r"\b(?:camera|robot|it|you|we)\b", re.IGNORECASE)
# Who answers by rules, whose words may be replaced.
_RULES = ("records", "counting", ExtractiveReader.id)
# Earlier stays that are told, and streams whose looks are told.
_TOLD = 3
_BELIEF = 0.97


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a question asks the whereabouts of: things, words, or a camera with regard to a place.

    Attributes:
        name: What to call it: "car", "the words “EXIT”", "the camera at that place".
        labels: The detector's labels of things; empty for anything else.
        words: The words; "" for anything else.
    """

    name: str
    labels: tuple[str, ...] = ()
    words: str = ""


class Known(Protocol):
    """Where states are looked up; `Search` is one, over one memory or several."""

    def whereabouts(self, subject: Subject, where: Where) -> Sequence[Whereabouts]:
        """Whereabouts of a subject in each stream that is meant: by its labels, its words, else by `place_of`."""

    def coverage(self, where: Where) -> Mapping[str, Coverage]:
        """When each stream that is meant was looked at."""

    def moment_at(self, stream: str, time_s: float, at_s: float | None) -> Evidence | None:
        """The moment of a stream that shows a time."""


def with_states(known: Known, answer: Answer, where: Where, *, missing: Iterable[str] = ()) -> Answer:
    """Say beside an answer what was true as of the moment that it is about.

    Args:
        known: Where states are looked up.
        answer: The answer, as it was found.
        where: The conditions of the question.
        missing: Streams whose cameras are away: of them now is by the clock, and nobody looks.
    """
    meaning = answer.understood
    if meaning is None or meaning.kind not in _OF_PRESENCE or not meaning.text or meaning.anchor is not None:
        return answer
    if where.get("near") is not None:
        return answer
    present = is_present(meaning.question, asked_as_of=where.get("at_s") is not None)
    subject = subject_of(meaning.text, at_place=where.get("place_of") is not None)
    states = _states(known, answer, meaning, where, subject, present=present)
    if present and where.get("at_s") is None:
        states = [_by_the_clock(known, one, where, subject) if one.stream in missing else one for one in states]
    best = foremost(states)
    if best is None:
        return answer
    told = replace(answer, states=tuple(states))
    if present and subject is not None and answer.reader in _RULES:
        return _of_present(known, told, best, subject, where)
    return _with_looks(told, states) if answer.not_seen and answer.reader in _RULES else told


def subject_of(text: str, *, at_place: bool = False) -> Subject | None:
    """What a text names that records tell the whereabouts of; None where only pictures can.

    Args:
        text: What a question names.
        at_place: Whether the question is about a place: then it asks for the camera.
    """
    quoted = _QUOTED.search(text)
    if quoted is not None:
        return Subject(name=f"the words “{quoted[1]}”", words=quoted[1])
    if at_place:
        return Subject(name="the camera at that place") if _CAMERA.search(text) else None
    thing = thing_in(_NOW.sub("", text).strip())
    if thing is None or not thing.plain:
        return None
    noun = noun_for(thing.labels, 1)
    return Subject(name=f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}", labels=thing.labels)


def is_present(question: str, *, asked_as_of: bool = False) -> bool:
    """Whether a question is about what is so at the time of asking: it says "now" or "still", or gives that time.

    Else "Is there a dog?" asks for all that a recording shows.
    """
    return _PRESENT.match(question.strip()) is not None and (asked_as_of or _NOW.search(question) is not None)


def _states(
    known: Known, answer: Answer, meaning: Meaning, where: Where, subject: Subject | None, *, present: bool
) -> list[Whereabouts]:
    found = dict[str, Whereabouts]()
    for span in meaning.spans:
        own = narrowed(where, Filter(stream=span.stream) if present else span)
        if own is None:
            continue
        if not present and own.get("after_s") is None and own.get("before_s") is None:
            own["after_s"] = -math.inf
        every = known.whereabouts(subject, own) if subject is not None else ()
        if subject is None or subject.labels:  # where no detector looked, pictures alone can tell
            found |= {each.stream: each for each in _by_moments(known, answer, own)}
        found |= {each.stream: each for each in every}
    return list(found.values())


def _by_the_clock(known: Known, one: Whereabouts, where: Where, subject: Subject | None) -> Whereabouts:
    """A state of a stream whose camera is away, as of now."""
    own = narrowed(where, Filter(stream=one.stream)) if subject is not None else None
    if own is None or subject is None:
        return one
    own["at_s"] = clock_s()
    return next(iter(known.whereabouts(subject, own)), one)


def _by_moments(known: Known, answer: Answer, where: Where) -> list[Whereabouts]:
    """Whereabouts of what no detector knows: by the moments that are believed to show it."""
    believed = [m for m in answer.evidence if m.score >= SEEN_FROM and not answer.unknown and not m.claimed]
    every = list[Whereabouts]()
    for stream, coverage in known.coverage(where).items():
        end_s = where.get("at_s") or coverage.last_s or 0.0
        before_s, after_s = where.get("before_s"), where.get("after_s")
        end_s = end_s if before_s is None else min(end_s, before_s)
        start_s = end_s if after_s is None and before_s is None else min(end_s, after_s or -math.inf)
        spans = sorted(span for m in believed if m.stream == stream for span in m.spans or ((m.t0_s, m.t1_s),))
        stays = [Stay(t0_s, t1_s, first_without_s(coverage, t1_s, end_s)) for t0_s, t1_s in spans]
        every.append(whereabouts(coverage, stays, start_s, end_s))
    return every


def _of_present(known: Known, answer: Answer, best: Whereabouts, subject: Subject, where: Where) -> Answer:
    """Answer a question for the present by the newest state."""
    assert answer.understood is not None
    evidence = tuple(_shown(known, best, where))
    cited = tuple(moment.id for moment in evidence)
    asks_where = answer.understood.kind == _K.WHERE
    texts = [_told(best, subject.name, asks_where=asks_where)]
    if best.state in (State.SEEN, State.GONE) and asks_where and best.earlier:
        past = listed([_stay(stay, best.stream, where=True) for stay in best.earlier[:_TOLD]])
        texts.append(f"Before that: {past}.")
    unknown = best.state in (State.NEVER_LOOKED, State.NOT_SEEN)
    mark = " [1]" if cited else ""
    words = " ".join([f"{texts[0][:-1]}{mark}.", *texts[1:]])
    return replace(
        answer,
        answer=words,
        unknown=unknown,
        confidence=0.0 if unknown else _BELIEF,
        surety=Surety.NOT_SEEN if unknown else Surety.of(_BELIEF),
        evidence=evidence,
        cited=cited,
        reader="records",
        sentences=tuple(
            Sentence(text=text, evidence_ids=cited if index == 0 else (), known=True)
            for index, text in enumerate(texts)
        ),
    )


def _told(one: Whereabouts, name: str, *, asks_where: bool) -> str:
    """A state in words."""
    moment = format_time(one.t1_s)
    if one.state == State.SEEN and one.stay is not None:
        since = f"since {format_time(one.stay.t0_s)}, as of the look at {moment}"
        if asks_where:
            return sentence(", ".join(filter(None, (_place(one.stay), f"in {one.stream}", since))))
        return f"Yes: {name} in sight in {one.stream} {since}."
    if one.state == State.GONE and one.stay is not None:
        return f"No longer in sight: {_past(one)}."
    if one.state == State.NEVER_LOOKED:
        last = (
            "nobody ever did before"
            if one.looked_s is None
            else f"the last look was at {format_time(one.looked_s)}"
        )
        before = f" Before that it was there: {_past(one)}." if one.stay is not None else ""
        return f"Not seen, never looked: nobody looked for it in {one.stream} at {moment}; {last}.{before}"
    return f"Not seen while looking: {name} in {one.stream}, {_looks([one])}."


def _past(one: Whereabouts) -> str:
    """The last stay, told as past, and the first look without it."""
    assert one.stay is not None
    without = "nobody has looked since"
    if one.without_s is not None:
        without = f"the look at {format_time(one.without_s)} shows its place without it"
    return f"last seen {_stay(one.stay, one.stream, where=True)}; {without}"


def _stay(stay: Stay, stream: str, *, where: bool) -> str:
    place = f", {_place(stay)}" if where and stay.box is not None else ""
    return f"{stretch(stay.t0_s, stay.t1_s)} in {stream}{place}"


def _place(stay: Stay) -> str:
    return "" if stay.box is None else f"{position_of(stay.box)} of the picture"


def _looks(states: Sequence[Whereabouts]) -> str:
    """When streams were looked at: "looked at from 0:00 to 1:01"."""
    told = [
        f"{'now and then ' if one.rough else ''}from {listed([stretch(*span) for span in one.looked[:_TOLD]])}"
        for one in states
        if one.looked
    ]
    return f"looked at {listed(told)}" if told else "not looked at"


def _with_looks(answer: Answer, states: Sequence[Whereabouts]) -> Answer:
    """Say beside an answer that found nothing whether anybody looked, and when it was there before."""
    best = foremost(states)
    assert best is not None
    if best.state == State.NEVER_LOOKED:
        more = f"Nobody looked for it in {listed([one.stream for one in states[:_TOLD]])} then."
    elif best.state == State.GONE:
        more = f"Before that time it was there: {_past(best)}."
    else:
        looked = [one for one in states if one.looked][:_TOLD]
        more = f"{listed([one.stream for one in looked])}: {_looks(looked)}."
    told = (*answer.sentences, Sentence(text=more, known=True))
    return replace(answer, answer=f"{answer.answer} {more}", sentences=told)


def _shown(known: Known, one: Whereabouts, where: Where) -> list[Evidence]:
    """The moment of the stay that is told, with its times."""
    if one.stay is None:
        return []
    until_s = min(one.stay.t1_s, one.t1_s)
    moment = known.moment_at(one.stream, until_s, where.get("at_s"))
    if moment is None or not any(t0_s <= until_s and t1_s >= one.stay.t0_s for t0_s, t1_s in moment.spans):
        return []  # its own entry was given up, or is still open
    span = (one.stay.t0_s, until_s)
    return [
        replace(
            moment, t0_s=span[0], t1_s=span[1], spans=(span,), score=_BELIEF, why=RECOGNISED, met=1, recorded=True
        )
    ]
