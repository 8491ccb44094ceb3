"""Questions about what was before or after another event: "who came just before the red car?"."""

from __future__ import annotations

import re

from hippocam.apps.ask.question.description import JUST, names_nothing, statement
from hippocam.apps.ask.question.meaning import Anchor, Side
from hippocam.models.readers.question_kind import QuestionKind, kind_of

# How far "just before" and "just after" reach from the other event, in seconds.
JUST_S = 60.0
_ANCHORED = re.compile(
    rf"^(?P<what>.*?)[,\s]*\b(?P<just>{JUST}\s+)?(?P<side>before|after)\s+(?P<other>\S.*)$", re.IGNORECASE
)


def split_anchor(question: str, text: str, kind: QuestionKind) -> tuple[str, QuestionKind, Anchor | None]:
    """Split a question at "before" or "after".

    Args:
        question: In plain words.
        text: What it looks for, if it names no other event.
        kind: What it wants to know, likewise.

    Returns:
        What to look for, what the question wants to know, and the event beside which to look. Where nothing else
        is named ("what happened after the fire?") the event itself is looked for, and its neighbours are wanted.
    """
    found = _ANCHORED.match(question.rstrip("?!. "))
    if found is None:
        return text, kind, None
    side: Side = "before" if found["side"].casefold() == "before" else "after"
    what, other = found["what"].strip(), statement(found["other"])
    if names_nothing(what):
        return other, QuestionKind.BEFORE if side == "before" else QuestionKind.AFTER, None
    return statement(what), kind_of(what), Anchor(side=side, text=other, just=bool(found["just"]))
