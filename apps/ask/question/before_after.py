"""Questions about what was before or after another event: "who came just before the red car?"."""

from __future__ import annotations

import re

from hippocam.apps.ask.question.description import JUST, names_nothing, statement
from hippocam.apps.ask.question.kinds import Wanted, read_kind
from hippocam.apps.ask.question.meaning import Anchor, Side
from hippocam.models.readers.question_kind import QuestionKind

# How far "just before" and "just after" reach from the other event, in seconds.
JUST_S = 60.0
_ANCHORED = re.compile(
    rf"^(?P<what>.*?)[,\s]*\b(?P<just>{JUST}\s+)?(?P<side>before|after)\s+(?P<other>\S.*)$", re.IGNORECASE
)
_FOLLOWED = re.compile(
    r"^what (?:has |had )?(?P<verb>preceded|precedes|followed|follows)\s+(?P<other>\S.*)$", re.IGNORECASE
)


def split_anchor(question: str, wanted: Wanted) -> tuple[Wanted, Anchor | None]:
    """Split a question at "before" or "after".

    Args:
        question: In plain words.
        wanted: What it wants to know, if it names no other event.

    Returns:
        What it wants to know, and the event beside which to look. Where nothing else is named ("what happened
        after
        the fire?") the event itself is looked for, and its neighbours are wanted.
    """
    plain = question.rstrip("?!. ")
    next_to = _FOLLOWED.match(plain)
    if next_to is not None:
        kind = QuestionKind.BEFORE if next_to["verb"].startswith("prec") else QuestionKind.AFTER
        return Wanted(kind, statement(next_to["other"])), None
    found = _ANCHORED.match(plain)
    if found is None:
        return wanted, None
    side: Side = "before" if found["side"].casefold() == "before" else "after"
    what, other = found["what"].strip(), statement(found["other"])
    if names_nothing(what):
        return Wanted(QuestionKind.BEFORE if side == "before" else QuestionKind.AFTER, other), None
    return read_kind(what), Anchor(side=side, text=other, just=bool(found["just"]))
