"""A question into what it wants to know: when, how often, the first, the last, before, after, where, how long."""

from __future__ import annotations

import re
from enum import Enum


class QuestionKind(Enum):
    """What a question wants to know of what it describes."""

    WHEN = "when"
    OFTEN = "how often"
    FIRST = "first"
    LAST = "last"
    BEFORE = "before"
    AFTER = "after"
    WHERE = "where"
    LONG = "how long"
    WORDS = "words"
    WHAT = "what"
    COUNT = "how many"


_KINDS = (
    (
        QuestionKind.WHAT,
        r"^what (?:happened|happens|(?:was|is) (?:there|going on|happening|seen|visible|shown)|"
        r"(?:did|do|can) (?:you|we|i|the camera) "
        r"see|can be seen)(?: (?:to see|then|there|here))?\W*$"
        r"|^(?:summari[sz]e|describe)\b(?: it| the video)?\W*$",
    ),
    (QuestionKind.COUNT, r"^how many\b(?! times)"),
    (QuestionKind.OFTEN, r"\bhow (?:often|many times)\b"),
    (QuestionKind.LONG, r"\bhow long\b(?! ago)"),
    (
        QuestionKind.WORDS,
        r"^what (?:does|did|do) .*\b(?:say|said|read)\b|^what (?:is|was|were|are) (?:\w+ )?(?:written|said)\b",
    ),
    (QuestionKind.BEFORE, r"^(?:what|who) (?:happened|happens|was|is|came|comes)\b.*\bbefore\b"),
    (QuestionKind.AFTER, r"^(?:what|who) (?:happened|happens|was|is|came|comes)\b.*\bafter\b"),
    (QuestionKind.FIRST, r"\bfirst (?:see|seen|appear|shown|visible|come|came)\b|\bthe first time\b|\bfirst\W*$"),
    (QuestionKind.LAST, r"\blast (?:see|seen|appear|shown|visible|come|came)\b|\bthe last time\b|\blast\W*$"),
    (QuestionKind.WHERE, r"^(?:in )?(?:where|which (?:place|room|camera|stream))\b"),
)
_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _KINDS)


def kind_of(question: str) -> QuestionKind:
    """Say what a question wants to know; "when" where nothing else is plain."""
    text = " ".join(question.split())
    return next((kind for kind, pattern in _PATTERNS if pattern.search(text)), QuestionKind.WHEN)
