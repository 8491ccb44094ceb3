"""Questions about what was before or after another event: "who came just before the red car?"."""

from __future__ import annotations

import re

from hippocam.apps.ask.question.description import JUST, names_nothing, statement
from hippocam.apps.ask.question.meaning import Anchor, Side

# How far "just before" and "just after" reach from the other event, in seconds.
JUST_S = 60.0
_ANCHORED = re.compile(
    rf"^(?P<what>.*?)[,\s]*\b(?P<just>{JUST}\s+)?(?P<side>before|(?<!one )after)\s+(?P<other>\S.*)$", re.IGNORECASE
)
_FOLLOWED = re.compile(
    r"^what (?:has |had )?(?P<verb>preceded|precedes|followed|follows)\s+(?P<other>\S.*)$", re.IGNORECASE
)


def split_anchor(question: str) -> tuple[str, Anchor] | None:
    """Split a question at "before" or "after".

    Args:
        question: In plain words.

    Returns:
        What is wanted, "" where that is whatever there was ("what happened after the fire?"), and the event beside
        which to look; None where no such event is named.
    """
    plain = question.rstrip("?!. ")
    found = _FOLLOWED.match(plain)
    if found is not None:
        return "", Anchor(
            side="before" if found["verb"].startswith("prec") else "after", text=statement(found["other"])
        )
    found = _ANCHORED.match(plain)
    if found is None:
        return None
    side: Side = "before" if found["side"].casefold() == "before" else "after"
    what = found["what"].strip()
    anchor = Anchor(side=side, text=statement(found["other"]), just=bool(found["just"]))
    return "" if names_nothing(what) else what, anchor
