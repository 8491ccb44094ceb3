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

from hippocam.apps.ask.nouns import labels_of, only_there, thing_in

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
# Clothes above and below.
ABOVE = re.compile(
    r"\b(?:jackets?|shirts?|t-shirts?|coats?|sweaters?|pullovers?|tops?|blouses?|hood(?:ie|y)|cardigans?|vests?)\b",
    re.IGNORECASE,
)
BELOW = re.compile(r"\b(?:trousers|jeans|pants|skirts?|shorts|leggings)\b", re.IGNORECASE)
# What the detector calls a van.
_VAN = ("car", "truck", "bus")
# "A red car", "a red sports car".
_BEFORE = re.compile(rf"\b{_NAMED}\s+(?P<noun>[\w-]+)(?:\s+(?P<next>[\w-]+))?", re.IGNORECASE)
# "A man in a red coat", "somebody in red".
_IN = re.compile(
    rf"\b(?:in|wearing|wears|with)\s+(?:an?\s+|the\s+)?{_NAMED}(?:(?:\s+[\w-]+)?\s+{_WORN}\b|(?=\s+(?:there|come|comes|came|leave|leaves|left|appear|appears)\b)|(?:\s+[\w-]+)?\s*$)",
    re.IGNORECASE,
)


class Coloured(NamedTuple):
    """A kind of thing with the colour that it is said to have.

    Attributes:
        labels: What the detector may call it.
        colour: One of the eleven names.
        part: Which part of a person has it: 0 above, 1 below; None where that is not said, and of things.
    """

    labels: tuple[str, ...]
    colour: str
    part: int | None = None


class Recorded(Protocol):
    """Something whose colours were recorded: a visit, or a track that becomes one."""

    @property
    def colours(self) -> tuple[str, ...]:
        """Names of its colours by part, "" for a part that tells none."""


def coloured_in(text: str) -> list[Coloured]:
    """The things of a description that it gives a colour, by the detector's labels."""
    found = [Coloured(("person",), _plain(each["colour"]), _part(each[0])) for each in _IN.finditer(text)]
    for each in _BEFORE.finditer(text):
        noun = each["noun"] if _labels(each["noun"]) else each["next"] or ""
        if labels := _labels(noun):
            found.append(Coloured(labels, _plain(each["colour"]), _part(noun)))
    return list(dict.fromkeys(found))


def _labels(noun: str) -> tuple[str, ...]:
    noun = noun.casefold()
    if re.fullmatch(_WORN, noun):
        return ("person",)
    return _VAN if noun in ("van", "vans", "minivan") else tuple(labels_of(noun) or ())


def _part(text: str) -> int | None:
    """Which part of a person a garment covers: 0 above, 1 below; None for all, or where none is named."""
    return 0 if ABOVE.search(text) else 1 if BELOW.search(text) else None


def only_coloured(text: str) -> Coloured | None:
    """The thing of a description that says its colour and nothing else: "a man in a red coat"; None otherwise."""
    thing, found = thing_in(text), coloured_in(text)
    if thing is None or len(found) != 1 or not set(thing.labels) & set(found[0].labels):
        return None
    worn = _IN.match(thing.after)
    rest = thing.after[worn.end() :] if worn else thing.after
    before = thing.before.casefold().replace("gray", "grey")
    return found[0] if before in ("", found[0].colour) and only_there(rest) else None


def has_colour(asked: Coloured, visit: Recorded) -> bool:
    """Whether a visit was recorded in a colour, in the part that is meant."""
    return asked.colour in (visit.colours if asked.part is None else visit.colours[asked.part : asked.part + 1])


def contradicted(asked: Coloured, visits: Iterable[Recorded]) -> bool:
    """Whether visits of the label were recorded in colours, and none in one like that which is asked for."""
    seen = [set(filter(None, visit.colours)) for visit in visits]
    return bool(seen) and all(seen) and not any(_ALIKE[asked.colour] & colours for colours in seen)


def _plain(colour: str) -> str:
    return colour.casefold().replace("gray", "grey")
