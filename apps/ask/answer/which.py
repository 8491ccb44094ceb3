"""Several things by where they stand in a row: which is missing, when the left one was taken and came back."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hippocam.apps.ask.answer.facts import Facts, Stay
from hippocam.apps.ask.answer.phrases import RECOGNISED, by_stream, lasting, listed, stretch, times
from hippocam.apps.ask.answer.places import row_of
from hippocam.apps.ask.answer.told import Told, told
from hippocam.apps.ask.count.words import IN_A_ROW, index_of
from hippocam.apps.ask.nouns import labels_of, thing_in
from hippocam.memory.entities.records import Visit
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.surety import Surety, hedged

_K = QuestionKind
_WHICH_OR_WHERE = re.compile(r"^(?:which|where)\b", re.IGNORECASE)
# Things that go or come within so many seconds do so together.
_TOGETHER_S = 1.0
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
# What is said of the one that is meant by its side.
_SIDE = re.compile(
    r"(?:\b(?:the|a) |^)(?P<before>left|right|middle|centre|center)(?:most|-hand)? (?=[a-z])"
    r"|\b(?:on|at|in|to) the (?:far )?(?P<after>left|right|middle|centre|center)\b",
    re.IGNORECASE,
)
_BACK = re.compile(r"\b(?:put|placed|brought|back|returned|added|comes?|came|appears?|appeared)\b", re.IGNORECASE)
_WAS_TAKEN = re.compile(
    r"\b(?:takes?|taken|removed|picked|grabbed|lifted|stolen|disappear\w*|leaves?|goes|taken away|carried)\b",
    re.IGNORECASE,
)
_MISSING = re.compile(r"\b(?:missing|gone|absent|away|not (?:there|visible)|not in (?:the )?row)\b", re.IGNORECASE)
Span = tuple[str, float, float]
_BELIEF = 0.8


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
    return told(text, facts.moments_of([last[name] for name in chosen], RECOGNISED, _BELIEF), belief=_BELIEF)


def _when(stay: Stay, *, present: bool) -> str:
    if present:
        return f"there {stretch(stay.t0_s, stay.t1_s)}"
    return f"last seen {stretch(stay.t1_s, stay.t1_s)}"


def moved_nth(facts: Facts) -> Told | None:
    """Answer "which bottle was taken first?", "where was the last one that came back?" by its place in the row.

    Returns:
        None where that is not asked, nothing went or came so often, or the things stand in no row of two or three.
    """
    nth = IN_A_ROW.search(facts.question)
    thing = thing_in(IN_A_ROW.sub(" ", facts.text)) if nth and _WHICH_OR_WHERE.match(facts.question) else None
    back = thing is not None and _BACK.search(thing.after) is not None
    if nth is None or thing is None or not (back or _WAS_TAKEN.search(thing.after)) or facts.beside:
        return None
    if len(facts.watched) != 1:
        return None
    _, start_s, end_s = facts.watched[0]
    row = row_of([stay.visit for stay in facts.stays(lambda entity: entity.label in thing.labels)])
    moves = sorted(
        (visit.t0_s if back else visit.t1_s, visit.stream, name)
        for name, own in row.items()
        for visit in own
        if (back and not visit.from_start and visit.t0_s > start_s)
        or (not back and visit.left_s is not None and visit.t1_s < end_s - _END_S)
    )
    index = index_of(nth[1].casefold(), len(moves))
    if index is None:
        return None
    time_s, stream, _ = moves[index]
    names = [name for at_s, _, name in moves if abs(at_s - time_s) < _TOGETHER_S]
    did = "put there" if back else "taken away"
    text = hedged(f"{listed(names)}, {did} at about {stretch(time_s, time_s)} in {stream}", Surety.of(_BELIEF))
    shown = facts.shown([(stream, time_s - 1, time_s + 1, time_s)], RECOGNISED, _BELIEF)
    return told(f"{text.removesuffix('.')} (as the camera sees it).", shown, belief=_BELIEF)


def in_row(facts: Facts) -> Told | None:
    """Answer "when was the left bottle taken?", "how often was the middle one missing?".

    Returns:
        None where no side of the row is named, or fewer than two or more than three things stand there.
    """
    side = _SIDE.search(facts.text)
    labels = next(
        (found for word in re.findall(r"[a-z]+", facts.text.casefold()) if (found := labels_of(word))), None
    )
    if side is None or labels is None or labels == ["person"] or facts.beside or len(facts.watched) != 1:
        return None
    watched = facts.watched[0]
    at = (side["before"] or side["after"]).casefold()
    name = {"centre": "middle", "center": "middle"}.get(at, at)
    visits = row_of([stay.visit for stay in facts.stays(lambda entity: entity.label in labels)])
    own = sorted(visits.get(f"the {name} one", []), key=lambda visit: visit.t0_s)
    if not own:
        return None
    text, spans, moments = _told_of(facts, own, watched.stream, watched.end_s)
    if facts.kind in (_K.FIRST, _K.LAST) and spans:
        spans = spans[:1] if facts.kind == _K.FIRST else spans[-1:]
    if not spans:
        return None
    where = by_stream([(stream, a, a) for stream, a, _ in spans] if moments else spans)
    if facts.kind == _K.OFTEN:
        said = f"the {name} one was {text} {times(len(spans))}: {where}"
    elif facts.kind == _K.LONG:
        if moments:
            return None
        said = f"the {name} one was {text} for about {lasting(sum(b - a for _, a, b in spans))}: {where}"
    else:
        said = f"{'at about ' if moments else ''}{where}, when the {name} one was {text}"
    shown = facts.shown([(*span, (span[1] + span[2]) / 2) for span in spans], RECOGNISED, _BELIEF)
    return told(
        f"{hedged(said, Surety.of(_BELIEF)).removesuffix('.')} (as the camera sees it).", shown, belief=_BELIEF
    )


def _told_of(facts: Facts, own: Sequence[Visit], stream: str, end_s: float) -> tuple[str, list[Span], bool]:
    """What is asked of a place in the row, when that was so, and whether these are moments."""
    if _MISSING.search(facts.text):
        ends = [visit.t0_s for visit in own[1:]] + [end_s]
        gaps = [
            (stream, visit.t1_s, start)
            for visit, start in zip(own, ends, strict=True)
            if visit.left_s is not None and start - visit.t1_s >= _END_S
        ]
        return "missing", gaps, False
    if _BACK.search(facts.text):
        return "put there", [(stream, v.t0_s, v.t0_s) for v in own if not v.from_start], True
    if _WAS_TAKEN.search(facts.text) or facts.kind == _K.OFTEN:
        return "taken away", [(stream, v.t1_s, v.t1_s) for v in own if v.left_s is not None], True
    return "there", [(stream, v.t0_s, v.t1_s) for v in own], False
