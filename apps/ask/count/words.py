"""The words of questions that count: nouns, ordinals, and verbs for coming, staying and leaving."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

ORDINALS = tuple("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split())
NUMBERS = tuple("one two three four five six seven eight nine ten".split())
NTH = rf"(?:{'|'.join(ORDINALS)}|last|\d+(?:st|nd|rd|th))"
NOUN = r"(?P<noun>[a-z]+(?: [a-z]+)??)"
PLACE = r"(?: (?:at|in|into|on|onto|to|from|by|near|inside|past|through) (?:the |this )?[a-z]+(?: [a-z]+)?)?"
NOW = r"\b(?:right now|now|currently|at the moment|at this moment|at present)\b"
# Words for what an entity memory does not know: a question with any of these needs a reader that sees pictures.
UNKNOWN = re.compile(
    r"\b(?:m[ae]n|wom[ae]n|girls?|boys?|child(?:ren)?|kids?|adults?|red|blue|green|black|white|grey|gray|yellow|"
    r"brown|orange|pink|purple|silver|dark|light|small|big|large|tall|young|old|wear\w*|dress\w*|carry\w*|hold\w*|"
    r"with|without|talk\w*|sit\w*|smil\w*|look\w*|yesterday|today|hours?|minutes?|week|after|before|between|during|"
    r"while|when|until|since|from|and|or|who|that|not|n't|never|only|same|again|twice|both|each|other|another)\b"
)
# One of several by where it stands: told by `answer/in_row.py`.
SIDE = re.compile(r"\b(?:left|right|middle|leftmost|rightmost)\b")
CAME = (
    r"(?:visit(?:ed)?|came|come|pass(?:ed)?(?: by| through)?|appear(?:ed)?|enter(?:ed)?|arriv(?:e|ed)|"
    r"show(?:n|ed)?(?: up)?|seen|see|walk(?:ed)? (?:by|in|past|through)|go(?:ne)?(?: by| past| through)|"
    r"went (?:by|past|through)|driv(?:e|en) (?:by|past|through)|drove (?:by|past|through|away|off)|"
    r"been (?:here|there|at|in|on)|stopped by|(?:were|was) there)"
)
# Of these, what happens when a visit begins; the others go on while it lasts.
ARRIVED = (
    r"(?:came|come|appear(?:ed)?|enter(?:ed)?|arriv(?:e|ed)|show(?:ed)? up|pass(?:ed)?|"
    r"walk(?:ed)? |go(?:ne)?\b|went|driv(?:e|en) |drove|stopped by)"
)
# What may follow without changing the count: where, and that all is meant.
SO_FAR = (
    r"(?: (?:by|past|through|in|here|there|up|over|along))?"
    r"(?: (?:at|in|into|on|to|by|near|past|through)? ?(?:the |this )?[a-z]+(?: [a-z]+)?)?"
    r"(?: (?:so far|in total|in all|altogether|overall|until now|up to now|by now))?$"
)
IN_A_ROW = re.compile(rf"\b({'|'.join(ORDINALS)}|last)\b", re.IGNORECASE)
# Which of several that came is meant: "the trousers of the last visitor".
_NAMED_NTH = re.compile(rf"\b({'|'.join(ORDINALS)}|last) (?:[\w-]+ )?\w+", re.IGNORECASE)
TAKEN = r"(?:taken(?: away| off| out)?|removed|picked up|lifted|carried away|gone missing)"
BACK = r"(?:put (?:back|down|there)|returned|placed|brought back|added)"


def index_of(nth: str, count: int) -> int | None:
    """Index that "third" or "last" means in a list of `count`; None where the list is too short."""
    index = count - 1 if nth == "last" else ORDINALS.index(nth) if nth in ORDINALS else int(nth[:-2]) - 1
    return index if 0 <= index < count else None


def says_which(text: str) -> bool:
    """Whether a text means one of several by when it came: "the trousers of the last visitor"."""
    return _NAMED_NTH.search(text) is not None


def one_named(text: str, several: Sequence[T]) -> T | None:
    """The one that a text means of several in the order in which they came: "the trousers of the last visitor"."""
    found = _NAMED_NTH.search(text)
    index = None if found is None else index_of(found[1].casefold(), len(several))
    return None if index is None else several[index]


def ordinal(number: int) -> str:
    """Which in a row, from 1: "third"; in digits beyond what `ORDINALS` has: "21st"."""
    if number <= len(ORDINALS):
        return ORDINALS[number - 1]
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def number_of(word: str) -> int:
    """Read a number, written as a word up to ten or in digits."""
    return NUMBERS.index(word) + 1 if word in NUMBERS else int(word)
