"""Nouns into what the detector calls them; the thing that a description is of, and the colours that it gives.

An encoder takes a red car for any car: it knows the noun better than the adjective. Of the things that were
followed the colours were named from their pixels; where every one of a kind has colours, and none is like the one
that is asked for, no such thing was there. Shades that light confuses are alike: a blue shirt is recorded as grey,
a brown one as black, hardly ever a red one as green.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from hippocam.models.sentences.words import plural

_PEOPLE = frozenset(
    "people person persons visitor visitors anyone anybody someone somebody customer customers guest guests "
    "pedestrian pedestrians human humans individual individuals".split()
)
_VEHICLES = ("car", "truck", "bus", "motorcycle")
# Vehicles that the detector takes for each other: a car that is far away is a truck in some frames.
ALIKE_VEHICLES = frozenset({"car", "truck", "bus"})
# What the detector often misses though it fills the picture: furniture, and what is built in.
OFTEN_MISSED = frozenset({"dining table", "bed", "couch", "chair", "bench", "potted plant", "tv", "refrigerator",
                           "sink", "oven", "microwave", "toilet", "book", "vase", "clock"})  # fmt: skip
_PLURALS = {
    "knives": "knife",
    "mice": "mouse",
    "sheep": "sheep",
    "skis": "skis",
    "scissors": "scissors",
    "buses": "bus",
    "benches": "bench",
}
# Other words for what the detector knows.
_SAME = {
    "sofa": "couch", "bike": "bicycle", "motorbike": "motorcycle", "plane": "airplane", "phone": "cell phone",
    "television": "tv", "fridge": "refrigerator", "lorry": "truck", "puppy": "dog", "kitten": "cat",
}  # fmt: skip
# A noun before one of these is no such thing: a mouse pointer is no mouse.
_NOT_ITSELF = {
    "mouse": {"pointer", "cursor", "pad", "click"}, "car": {"park", "door", "key", "keys", "wash", "seat"},
    "bus": {"stop", "station"}, "train": {"station", "track", "tracks"}, "phone": {"number", "call"},
    "boat": {"house"}, "bird": {"house", "cage"}, "dog": {"house", "food"}, "book": {"shelf", "case"},
    "bed": {"room"}, "tv": {"show", "programme", "program"}, "table": {"tennis"}, "bear": {"market"},
    "chair": {"lift"}, "bottle": {"opener", "cap", "caps"}, "clock": {"tower"}, "cup": {"board"},
}  # fmt: skip
_ARTICLE = r"(?:an?|the|any|some|my|our|one|this|that|these|those|ever|no|two|three|several|many)"
# Nouns for kinds of people, with what the portrait of one shows; the detector sees a person and no more.
_MAN, _WOMAN, _BOY, _GIRL = frozenset({"man"}), frozenset({"woman"}), frozenset({"boy"}), frozenset({"girl"})
_CHILD, _GROWN = _BOY | _GIRL | {"child"}, _MAN | _WOMAN
_PEOPLE_SHOWN = {
    "man": _MAN, "men": _MAN, "guy": _MAN, "guys": _MAN, "gentleman": _MAN, "gentlemen": _MAN, "male": _MAN,
    "males": _MAN, "woman": _WOMAN, "women": _WOMAN, "lady": _WOMAN, "ladies": _WOMAN, "female": _WOMAN,
    "females": _WOMAN, "boy": _BOY, "boys": _BOY, "girl": _GIRL, "girls": _GIRL, "child": _CHILD,
    "children": _CHILD, "kid": _CHILD, "kids": _CHILD, "adult": _GROWN, "adults": _GROWN, "grown-up": _GROWN,
    "grown-ups": _GROWN, "he": _MAN | _BOY, "she": _WOMAN | _GIRL,
}  # fmt: skip
KINDS_OF_PEOPLE = frozenset(_PEOPLE_SHOWN) - {"he", "she"}
# Other words for people.
_SOME_PEOPLE = KINDS_OF_PEOPLE | frozenset(
    "baby player worker driver cyclist speaker dancer runner he she they somebody someone anybody anyone"
    " nobody".split()
)
_EVERYBODY = frozenset("somebody someone anybody anyone they".split())
# Words after a noun that say nothing of how it looks or what it does, beside being there.
_THERE = re.compile(
    r"^(?:(?:there|here|visible|seen|present|shown|ever|at all|is|are|was|were|been|be|has|have|had|can be|to be"
    r"|again|once|appears?|appeared|come|comes|came|coming|in view|on camera|pass(?:es|ed)?|by|past|through"
    r"|enter(?:s|ed)?|arrives?|arrived|show up|showed up|left|leaves?|leave|gone|go|goes|going|away"
    r"|drives? (?:away|off)|drove (?:away|off)|(?:in|out|back|over|along)(?=\s*$))\b\s*)*"
    r"(?:(?:(?:in|on|at|around|inside|outside|near) |(?<=left )|(?<=leave )|(?<=leaves )|(?<=enter )|(?<=enters )"
    r"|(?<=entered ))(?:the |this |that )?(?:house|home|room|flat|hall|kitchen|yard"
    r"|garden|driveway|street|road|park|shop|office|building|place|scene|view|picture|image|video|film|table|door"
    r"|camera|entrance|parking lot|campus|world|background|foreground|distance)\b)?"
    r"(?:\s*\b(?:for good|finally|at last|completely))?\s*$",
    re.IGNORECASE,
)
# Words after a noun that say how it looks, or where it is.
_LOOKS = re.compile(
    r"(?:in|on|at|with|of|by|under|behind|beside|near|above|below|inside|outside|wearing)\b", re.IGNORECASE
)
# Places that fill a picture.
PLACES = (
    r"(?:\w*rooms?|kitchens?|hall\w*|corridors?|offices?|gyms?|garages?|shops?|stores?|streets?|roads?|highways?|parks?"
    r"|playgrounds?|forests?|meadows?|fields?|beach(?:es)?|gardens?|yards?|courtyards?|campus|driveways?|stations?"
    r"|restaurants?|stages?|studios?|workshops?|factory|laboratory|library|church|museum|mountains?|hills?|lakes?"
    r"|rivers?|sea|harbour|deserts?|city|village|bridges?|squares?|airport|pools?|stadium)"
)
_A_PLACE = re.compile(
    rf"^(?:{_ARTICLE}\s+)?(?:[\w-]+\s+){{0,2}}{PLACES}(?:\s+(?:is|was|are|were|shown|seen|visible|there|again|appears?"
    r"|appeared|comes?|came))*$",
    re.IGNORECASE,
)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A kind of thing that is asked for.

    Attributes:
        labels: The detector's labels that it may have.
        noun: The word for it.
        plain: Whether nothing more is said of it: else a visit of the label may be of another one.
        before: Words before the noun: "red".
        after: Words after it: "in a black jacket".
    """

    labels: tuple[str, ...]
    noun: str
    plain: bool
    before: str = ""
    after: str = ""

    @property
    def of_a_kind(self) -> bool:
        """Whether it is a man, a woman, a child: the detector sees a person, and not of which kind."""
        return self.noun in _SOME_PEOPLE - _EVERYBODY

    @property
    def shown_as(self) -> frozenset[str]:
        """What a portrait of one shows, "man" for "guys"; nothing where it is no kind of people."""
        return people_shown_as(self.noun)

    @property
    def acts(self) -> bool:
        """Whether it is said to do something beside being there: no detector sees what it does."""
        return not _THERE.match(self.after) and not _LOOKS.match(self.after)


def people_shown_as(noun: str) -> frozenset[str]:
    """What a portrait of somebody of a kind shows: "man" for "guys"; nothing where a noun means no kind."""
    return _PEOPLE_SHOWN.get(noun.casefold(), frozenset())


def kinds_named(text: str) -> list[str]:
    """The nouns for kinds of people in a text, as they stand there: "ladies"."""
    return [noun for noun in re.findall(r"[\w-]+", text) if people_shown_as(noun)]


def thing_in(text: str) -> Thing | None:
    """The thing that a description begins with, as far as the detector knows it; None for anything else."""
    words = re.sub(rf"^(?:{_ARTICLE}\s+)+", "", text.strip(), flags=re.IGNORECASE).split()
    for first in range(min(4, len(words))):
        for length in (2, 1):
            noun = " ".join(words[first : first + length]).casefold().strip(",.'")
            if is_part_of_name(noun, " ".join(words[first + length : first + length + 1])):
                return None
            people = noun in _SOME_PEOPLE
            labels = ["person"] if people else labels_of(noun) if len(noun) > 1 else None
            if labels is None or (length == 2 and first + 2 > len(words)):
                continue
            before, after = " ".join(words[:first]), " ".join(words[first + length :])
            plain = not before and bool(_THERE.match(after)) and (not people or noun in _EVERYBODY)
            return Thing(labels=tuple(labels), noun=noun, plain=plain, before=before, after=after)
        if words[first].casefold() in ("in", "on", "at", "with", "of", "and", "to", "from", "that", "who"):
            return None
    return None


def is_part_of_name(noun: str, following: str) -> bool:
    """Whether a noun and the word after it name something else: "mouse pointer", "car park"."""
    return following.casefold().strip(",.?!'") in _NOT_ITSELF.get(noun, ())


def names_place(text: str) -> bool:
    """Whether a description is of a place: "the kitchen", "a city street"; a dog in one is a thing."""
    return _A_PLACE.match(text.strip()) is not None


def only_there(words: str) -> bool:
    """Whether words after a noun say no more than that it was there, came or left."""
    return _THERE.match(words.strip()) is not None


def labels_of(noun: str) -> list[str] | None:
    """The detector's labels that a noun means; None where the detector knows none."""
    from hippocam.models.senses.efficientdet import LABELS

    noun = noun.strip()
    if noun in _PEOPLE:
        return ["person"]
    if noun in ("vehicle", "vehicles"):
        return list(_VEHICLES)
    for each in (
        _PLURALS.get(noun),
        _SAME.get(noun),
        _SAME.get(noun.removesuffix("s")),
        noun,
        noun.removesuffix("s"),
        noun.removesuffix("es"),
    ):
        if each and each in LABELS:
            return [each]
    return None


def noun_for(labels: Sequence[str], number: float) -> str:
    """The noun for things of these labels, in the singular or plural that the number needs."""
    if list(labels) == ["person"]:
        return "person" if number == 1 else "people"
    name = labels[0] if len(labels) == 1 else "vehicle"
    return name if number == 1 else plural(name)


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
