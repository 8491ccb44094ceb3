"""When the credits of a film run: the last words that stand in it one after another, some of which name a role."""

from __future__ import annotations

import re

from hippocam.apps.ask.answer.facts import READ, Facts, Watched
from hippocam.apps.ask.answer.phrases import lasting, stretch
from hippocam.apps.ask.answer.told import Told, told
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.surety import Surety, affirmed, hedged
from hippocam.stream.records import Note
from hippocam.stream.timecode import format_time

_K = QuestionKind
_ASKED = re.compile(
    r"^(?:the |any |end |closing |final )*credits?(?: (?:are|is|run|roll|shown|there|seen|appear)\w*)*$"
)
_EDGE = re.compile(r"^(?:the )?(?:end |closing )?credits? (?P<edge>start|begin|come|end|stop|finish)s?$")
_ROLE = re.compile(
    r"\b(?:direct(?:or|ed)|produc(?:er|ed|tion)|music|sound|script|written by|screenplay|cast|starring|edited"
    r"|editor|animat(?:ors?|ion)|design|camera|photography|thanks|artists?|composer|copyright)\b",
    re.IGNORECASE,
)
# Words follow one another with at most so many seconds between, and stand on so many lines at least; before this
# share of a film nothing of its credits is shown.
_PAUSE_S = 8.0
_FEWEST = 6
# What comes within so many seconds stands on one screen.
_SCREEN_S = 1.0
_LATE = 0.5
_BELIEF = 0.85
_WHY = "words one after another, with roles among them, at the end"


def credits_of(facts: Facts) -> Told | None:
    """Answer whether, when and how long the credits run; None where they are not asked for, or none were read."""
    text = facts.text.casefold()
    edge = _EDGE.match(text)
    if facts.beside or len(facts.watched) != 1 or not (edge or _ASKED.match(text)):
        return None
    run = _last_run(facts.watched[0], facts.notes(READ))
    if not run:
        return None
    stream, t0_s, t1_s = run[0].stream, run[0].t0_s, max(note.t1_s for note in run)
    shown = facts.shown([(stream, t0_s, t1_s, t0_s)], _WHY, _BELIEF)
    surety, where = Surety.of(_BELIEF), f"{stretch(t0_s, t1_s)} in {stream}"
    if facts.kind == _K.WHETHER:
        said = affirmed(where, surety)
    elif facts.kind == _K.LONG:
        said = hedged(f"about {lasting(t1_s - t0_s)}: {where}", surety)
    elif edge is not None:
        begins = edge["edge"] in ("start", "begin", "come")
        said = hedged(f"at about {format_time(t0_s if begins else t1_s)}, {where}", surety)
    else:
        said = hedged(where, surety)
    return told(said, shown, belief=_BELIEF)


def _last_run(watched: Watched, notes: list[Note]) -> list[Note]:
    """The last lines that follow one another, from the first role on; none where they are few or early."""
    late_s = watched.start_s + _LATE * (watched.end_s - watched.start_s)
    run = list[Note]()
    for note in sorted(notes, key=lambda note: note.t0_s):
        if run and note.t0_s - max(each.t1_s for each in run) > _PAUSE_S:
            run = []
        if run or note.t0_s >= late_s:
            run.append(note)
    first = next((note for note in run if _ROLE.search(note.text)), None)
    own = [note for note in run if first is not None and note.t0_s >= first.t0_s - _SCREEN_S]
    return own if len(own) >= _FEWEST else []
