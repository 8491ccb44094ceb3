"""Questions about what was before or after something else: "who came just before the red car?"."""

from __future__ import annotations

import re

from hippocam.apps.ask.description import statement
from hippocam.apps.ask.meaning import Beside, Side
from hippocam.models.readers.question_kind import Asked, asked

# "Just before" looks back so far.
JUST_S = 60.0
SOFT = r"(?:just|right|shortly|directly|immediately|soon)"
_BESIDE = re.compile(
    rf"^(?P<what>.*?)[,\s]*\b(?P<just>{SOFT}\s+)?(?P<side>before|after)\s+(?P<other>\S.*)$", re.IGNORECASE
)
NOTHING = re.compile(
    r"^(?:what|who|which \w+)(?:\s+(?:else|was|were|is|did|does|came|comes|come|happened|happens|happen|there|"
    r"seen|visible|we|you|see|the next|next))*$",
    re.IGNORECASE,
)


def beside_in(question: str, text: str, kind: Asked) -> tuple[str, Asked, Beside | None]:
    """What to look for, what is asked, and what it stands beside: "who came just before the red car?"."""
    found = _BESIDE.match(question.rstrip("?!. "))
    if found is None:
        return text, kind, None
    side: Side = "before" if found["side"].casefold() == "before" else "after"
    what, other = found["what"].strip(), statement(found["other"])
    if NOTHING.match(what) or not what:
        return other, Asked.BEFORE if side == "before" else Asked.AFTER, None
    plain = statement(what)
    return plain, asked(what), Beside(side=side, text=other, just=bool(found["just"]))
