"""The colours that a description gives to things, and whether the colours that were recorded contradict it.

An encoder takes a red car for any car: it knows the noun better than the adjective. Of the things that were
followed the colours were named from their pixels; where every one of a kind has colours, and none is like the one
that is asked for, no such thing was there. Shades that light confuses are alike: a blue shirt is recorded as grey,
a brown one as black, hardly ever a red one as green.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from hippocam.apps.ask.nouns import labels_of

_ALIKE = {
    "black": {"black", "grey", "blue", "brown"},
    "white": {"white", "grey", "yellow", "pink"},
    "grey": {"grey", "white", "black", "blue", "brown", "green"},
    "red": {"red", "pink", "orange", "purple"},
    "orange": {"orange", "red", "brown", "yellow"},
    "brown": {"brown", "orange", "red", "black", "grey", "yellow"},
    "yellow": {"yellow", "orange", "brown", "white", "green"},
    "green": {"green", "grey", "yellow", "blue", "black"},
    "blue": {"blue", "grey", "black", "purple", "green"},
    "purple": {"purple", "blue", "pink", "red", "grey", "black"},
    "pink": {"pink", "red", "purple", "orange", "white"},
}
_NAMED = rf"(?P<colour>{'|'.join(_ALIKE)}|gray)"
_WORN = (
    r"(?:dress|coat|jacket|shirt|t-shirt|sweater|pullover|top|blouse|hoodie|cardigan|vest|suit|uniform|trousers|jeans"
    r"|pants|skirt|shorts|clothes|clothing)"
)
# "A red car", "a red sports car".
_BEFORE = re.compile(rf"\b{_NAMED}\s+(?P<noun>[\w-]+)(?:\s+(?P<next>[\w-]+))?", re.IGNORECASE)
# "A man in a red coat", "somebody in red".
_IN = re.compile(
    rf"\b(?:in|wearing|wears|with)\s+(?:an?\s+)?{_NAMED}(?:\s+[\w-]+)?(?:\s+{_WORN}\b|\s*$)", re.IGNORECASE
)


class Coloured(NamedTuple):
    """A kind of thing with the colour that it is said to have."""

    label: str
    colour: str


class Recorded(Protocol):
    """Something whose colours were recorded: a visit, or a track that becomes one."""

    @property
    def colours(self) -> tuple[str, ...]:
        """Names of its colours by part, "" for a part that tells none."""


def coloured_in(text: str) -> list[Coloured]:
    """The things of a description that it gives a colour, by the detector's labels."""
    found = [Coloured("person", _plain(each["colour"])) for each in _IN.finditer(text)]
    for each in _BEFORE.finditer(text):
        labels = _labels(each["noun"]) or _labels(each["next"] or "")
        if len(labels) == 1:
            found.append(Coloured(labels[0], _plain(each["colour"])))
    return list(dict.fromkeys(found))


def _labels(noun: str) -> list[str]:
    noun = noun.casefold()
    return ["person"] if re.fullmatch(_WORN, noun) else labels_of(noun) or []


def contradicted(asked: Coloured, visits: Iterable[Recorded]) -> bool:
    """Whether visits of the label were recorded in colours, and none in one like that which is asked for."""
    seen = [set(filter(None, visit.colours)) for visit in visits]
    return bool(seen) and all(seen) and not any(_ALIKE[asked.colour] & colours for colours in seen)


def _plain(colour: str) -> str:
    return colour.casefold().replace("gray", "grey")
