"""The words of a question into what it wants to know and what it names to look for.

Each rule is a pattern for one kind, tried in order; the first that fits decides. Its group "named" is what to
look for, nothing where that is empty. A rule without the group leaves that to `statement`, which takes off the
words that only ask. Streams and times were taken out before: "How long is the trailer?" comes as "How long is".

Loops over words are possessive where two of their ways may take the same words ("all this"): else a question of
some twenty such words would be tried in every combination.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from hippocam.apps.ask.count.words import ORDINALS
from hippocam.apps.ask.question.description import names_nothing, statement
from hippocam.apps.ask.question.kind_rules import (
    ASIDE,
    AUX,
    EMPTY,
    FILLER,
    PEOPLE,
    RULES,
    WHATEVER,
    WHOEVER,
    WHOLE,
)
from hippocam.models.readers.question_kind import QuestionKind

# Comparing needs two streams or a word for "the most": "a longer film" by itself compares nothing.
_COMPARED = re.compile(
    r"\b(?:compar\w*|differ\w*|more|fewer|less|most|fewest|longer|longest|shorter|shortest|busier|same)\b",
    re.IGNORECASE,
)


class Wanted(NamedTuple):
    """What a question wants to know.

    Attributes:
        kind: What it asks.
        text: What it names to look for; "" where it is about all that there was.
        nth: Which in a row, from 1; 0 where it does not say.
    """

    kind: QuestionKind
    text: str
    nth: int = 0


def read_kind(question: str, *, streams: int = 1) -> Wanted:
    """Say what a question wants to know; "when" where nothing else is plain.

    Args:
        question: Without the words for streams and times.
        streams: How many streams it names.
    """
    plain = " ".join(question.split()).strip(" ?!.,")
    plain = ASIDE.sub("", FILLER.sub("", plain), count=1).strip(" ?!.,")
    if streams > 1 and _COMPARED.search(plain):
        return Wanted(QuestionKind.COMPARE, _compared(plain))
    for kind, pattern in RULES:
        found = pattern.search(plain)
        if found is not None:
            return _wanted(kind, plain, found)
    named = _named(plain)
    if named or re.match(r"(?:at |since |until )?wh", plain, re.IGNORECASE):
        return Wanted(QuestionKind.WHEN, named or statement(plain))
    return Wanted(QuestionKind.WHAT, "")


def kind_of(question: str) -> QuestionKind:
    """What a question wants to know, without what it names."""
    return read_kind(question).kind


def _wanted(kind: QuestionKind, plain: str, found: re.Match[str]) -> Wanted:
    groups = found.groupdict()
    if nth := groups.get("nth"):
        nth = nth.casefold()
        rest = _NTH_TIME.sub("", plain[: found.start("nth")] + plain[found.end("nth") :])
        number = {"first": 1, "last": 0}.get(nth) or _number(nth)
        return Wanted(kind, _without_article(_leading(_named(rest))), number)
    named = groups.get("named")
    if named is None:
        return Wanted(kind, _named(plain), 1 if kind == QuestionKind.FIRST else 0)
    if kind in (QuestionKind.FIRST, QuestionKind.LAST):
        return Wanted(kind, _in_a_row(named), 1 if kind == QuestionKind.FIRST else 0)
    named = _leading(named) if kind != QuestionKind.WHAT else named.strip()
    if kind in (QuestionKind.COLOUR, QuestionKind.OTHER):
        named = " ".join(_VERB.sub("", _IT_IS.sub("", named), count=1).split())
    if kind == QuestionKind.OTHER and _COMES.match(plain):
        return Wanted(QuestionKind.HAPPENED, "")  # "what comes between 0:14 and 0:18"
    names_them = kind == QuestionKind.WHETHER or _WAY.search(plain)  # "any people?", "which way do people come?"
    of_all = not names_them and _OF_ALL.match(named)
    return Wanted(kind, "" if EMPTY.match(named) or of_all else named)


def _in_a_row(named: str) -> str:
    """What came first or last: "a person" of "who", nothing of "which scene"."""
    if named.casefold() == "who":
        return "a person"
    noun = WHOEVER.sub("", named)
    return "" if WHATEVER.match(noun.casefold()) else noun


# What is left of "who came" and "who are these people": nobody in particular.
_OF_ALL = re.compile(
    rf"^(?:(?:came|come|comes|visit\w*|appear\w*|enter\w*|arriv\w*|pass\w*|walk\w*|went|go|goes|was|were|is|are|be|been"
    rf"|did|do|does|can|could|there|here|in|by|past|through|seen|see|saw|visible|present|you|we|i|it|{WHOLE}|the|these"
    rf"|those|all|else|around|{PEOPLE}|everybody|everyone)\b\s*)*+$",
    re.IGNORECASE,
)
_WAY = re.compile(r"\b(?:sides?|directions?|way)\b", re.IGNORECASE)
_VERB = re.compile(
    r"\b(?:is|are|was|were|does|do|did) (?=(?:the|an?|he|she|it|they|in|on|at|his|her|my)\b)", re.IGNORECASE
)
# "What sort of dog is that?" looks for a dog.
_IT_IS = re.compile(r"(?<=\w)(?: (?:is|was|are|were))? (?:it|this|that|these|those)$", re.IGNORECASE)
_COMES = re.compile(rf"^what (?:comes?|came|follow(?:s|ed)|passes|passed)(?: {WHOLE})?$", re.IGNORECASE)
# "For the second time", without its number.
_NTH_TIME = re.compile(r"\s+(?:for )?the\s+time\b", re.IGNORECASE)
# "When do we get to the kitchen?" looks for the kitchen.
_REACHED = re.compile(
    r"^(?:we |you |they |i |it )?(?:get(?:s|ting)? (?:in)?to|reach(?:es)?|arrives? (?:at|in)|ends? up in"
    r"|comes? to) (?=(?:the|an?|my|our)\b)",
    re.IGNORECASE,
)
_LEADING = re.compile(rf"^(?:(?:{AUX}|there|you|we|i|see|seen|of|did)\b\s*)+(?=\S)", re.IGNORECASE)


def _leading(text: str) -> str:
    return _LEADING.sub("", text.strip()).strip()


def _named(plain: str) -> str:
    text = _REACHED.sub("", statement(plain))
    return "" if EMPTY.match(text) or names_nothing(text) else text


def _compared(plain: str) -> str:
    """What is compared: "more people came" of "did more people come in than in"."""
    text = re.sub(
        r"^(?:what|which|where|who|how)\b|\bgoing on\b|\s*,\s*", " ", _COMPARED.sub("", plain), flags=re.IGNORECASE
    )
    text = " ".join(text.split())
    return "" if EMPTY.match(text) else _named(text)


def _without_article(text: str) -> str:
    return re.sub(r"^(?:(?:who|what) (?:is|was|were|did|does) )?(?:the|my|our) +", "", text, flags=re.IGNORECASE)


def _number(nth: str) -> int:
    return ORDINALS.index(nth) + 1 if nth in ORDINALS else int(re.sub(r"\D", "", nth) or 0)
