"""What sort of scene it is: inside or outside, in a town or the country, bright or dark, the weather, the season.

Descriptions of each are compared with the kept pictures, and the nearer ones win. Of photographs whose captions
say so (COCO and Flickr8k) inside and outside were told apart with an area under the ROC curve of 1.0 and .99, town
and country of .94 and .98, snow of .99 and .96. Rain came to .80, and sun and clouds are told by brightness alone:
so the weather and the season are never surer than "perhaps".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hippocam.apps.ask.answer.facts import Closer, Facts
from hippocam.apps.ask.answer.phrases import stretch
from hippocam.apps.ask.answer.told import Told, told
from hippocam.memory.records import Evidence
from hippocam.models.readers.surety import Surety, affirmed, hedged


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """One of two sorts of scenes.

    Attributes:
        name: As it is told.
        asked: Matches what people call it.
        descriptions: What its pictures look like.
    """

    name: str
    asked: re.Pattern[str]
    descriptions: tuple[str, ...]

    def is_one_of(self, *names: str) -> bool:
        """Whether one of some names is what people call it."""
        return any(self.asked.match(name) for name in names)


def _words(words: str) -> re.Pattern[str]:
    return re.compile(rf"^(?:(?:in|at|on|an?|the|by) )*(?:{words})$", re.IGNORECASE)


_INSIDE = _Side(
    name="indoors",
    asked=_words(r"inside|indoors?|(?:room|building|house|hall)"),
    descriptions=(
        "a living room",
        "a kitchen",
        "a bathroom",
        "an office",
        "a room with white walls",
        "a hall inside a building",
        "people sitting at a table in a room",
    ),
)
_OUTSIDE = _Side(
    name="outdoors",
    asked=_words(r"outside|outdoors?|open air|street"),
    descriptions=(
        "a street",
        "a road with cars",
        "a forest",
        "a meadow under the sky",
        "a beach by the sea",
        "a garden in the sun",
        "a mountain landscape",
        "a landscape with snow",
    ),
)
_TOWN = _Side(
    name="in a town",
    asked=_words(r"cit(?:y|ies)|town|urban(?: area)?"),
    descriptions=(
        "a city street with buildings",
        "houses along a street",
        "cars in a town",
        "people on a pavement",
        "a square in a city",
    ),
)
_COUNTRY = _Side(
    name="in the country",
    asked=_words(r"country(?:side)?|nature|village|rural(?: area)?|forest|woods"),
    descriptions=(
        "a meadow with trees",
        "a forest",
        "a field in the countryside",
        "a mountain landscape",
        "a lake in nature",
        "a country road",
    ),
)
_PAIRS = ((_INSIDE, _OUTSIDE), (_TOWN, _COUNTRY))
_SNOW = ("a landscape covered with snow", "people skiing in the snow", "a snowy street")
_RAIN = ("people with umbrellas in the rain", "a wet street in the rain", "rain falling on a street")
_SEASONS = {
    "spring": ("trees in blossom in spring", "spring flowers on a meadow"),
    "summer": ("a green meadow in summer", "people on a beach in summer", "green trees under a blue sky"),
    "autumn": ("a forest with red and yellow leaves in autumn", "autumn leaves on the ground"),
    "winter": (*_SNOW, "bare trees in winter"),
}
_ALL = (
    r"(?:it|this|that|they|we|you|(?:the |this |that )?(?:video|film|clip|scene|recording|footage|camera|picture))"
)
_SIDE = re.compile(
    rf"^(?:is|was|are|were|does|did)(?: (?:{_ALL}|all|mostly|filmed|shot|recorded|set|taken|play|happen\w*"
    r"|tak(?:e|en|ing) place))+ (?P<side>(?:(?:in|at|on) (?:an? |the )?)?[\w-]+(?: air)?)$",
    re.IGNORECASE,
)
_OR = re.compile(
    r"(?P<one>\b(?:(?:an?|the|in|at|on) )*[\w-]+),? or (?P<other>(?:(?:an?|the|in|at|on) )*[\w-]+)$", re.IGNORECASE
)
# What asks, and names nothing that a moment shows.
_ASKING = re.compile(
    rf"\b(?:{_ALL}|weather|sunny|bright|good|nice|fine|season|year|day|night|inside|outside|indoors?|outdoors?|like"
    r"|city|town|country|countryside|nature|filmed|shot|recorded|taking|place|there|here|or|urban|rural)\b",
    re.IGNORECASE,
)
# How many pictures are looked at, and how many of the descriptions say how near these come.
_PICTURES, _NEAREST = 4, 2
# By how much one side must be nearer to be likely, and how bright pictures in sunshine are, as a share of white.
_PLAIN, _SUNNY = 0.05, 0.5
_LIKELY, _PERHAPS = 0.85, 0.6


class _Found(NamedTuple):
    """What the pictures tell.

    Attributes:
        text: In words.
        belief: That it is so.
        yes: Whether that is what was asked; None where no yes or no was asked for.
    """

    text: str
    belief: float
    yes: bool | None = None


def surroundings(facts: Facts, evidence: Sequence[Evidence], closer: Closer | None) -> Told | None:
    """Answer "is it indoors or outdoors?", "was it in a city?", "how is the weather?", "what season is it?".

    Args:
        facts: The question with its records.
        evidence: What was found for it: where it names something else as well, the best moment is meant.
        closer: Looks at pictures again; None for nobody.

    Returns:
        None where nothing of the kind is asked for, or no picture is kept.
    """
    if closer is None or facts.beside:
        return None
    question = facts.question.strip(" ?!.")
    asked = next(((words, find) for pattern, find in _ASKED if (words := pattern.search(question))), None)
    moments = facts.meant(_ASKING.sub(" ", facts.text), evidence, _PICTURES) if asked is not None else []
    if asked is None or not moments:
        return None
    words, find = asked
    found = find(words, _Look(closer, moments))
    if found is None:
        return None
    best, surety = moments[0], Surety.of(found.belief)
    text = f"{found.text}: {stretch(best.t0_s, best.t1_s)} in {best.stream}"
    if found.yes is False:
        return told(f"No, {text}.", moments, belief=found.belief, final=False)
    said = hedged(text, surety) if found.yes is None else affirmed(text, surety)
    return told(said, moments, belief=found.belief, final=False)


class _Look(NamedTuple):
    """The pictures that a question is about, and who looks at them."""

    closer: Closer
    moments: Sequence[Evidence]

    def near(self, descriptions: Sequence[str]) -> float:
        """How near the pictures come to those of some descriptions that are nearest: a cosine."""
        nearest = sorted(self.closer.near(self.moments, descriptions))[-_NEAREST:]
        return sum(nearest) / max(1, len(nearest))

    def lead(self, one: _Side, other: _Side) -> float:
        """By how much the pictures come nearer to one side than to the other."""
        return self.near(one.descriptions) - self.near(other.descriptions)

    @property
    def sunny(self) -> bool:
        """Whether the pictures are as bright as in sunshine."""
        return self.closer.brightness(self.moments) >= _SUNNY


def _weather(asked: re.Match[str], look: _Look) -> _Found:
    if look.lead(_INSIDE, _OUTSIDE) > 0:
        return _Found("it looks indoors, where no weather is to be seen", _PERHAPS)
    ordinary = look.near(_OUTSIDE.descriptions)
    if look.near(_SNOW) > ordinary:
        return _Found("there is snow", _PERHAPS)
    if look.near(_RAIN) > ordinary:
        return _Found("it is wet or raining", _PERHAPS)
    light = "bright, as in sunshine" if look.sunny else "rather dull, as under clouds"
    return _Found(f"dry, and {light}", _PERHAPS)


def _sun(asked: re.Match[str], look: _Look) -> _Found | None:
    return _Found("it looks bright", _PERHAPS, yes=True) if look.sunny else None


def _season(asked: re.Match[str], look: _Look) -> _Found:
    return _Found(max(_SEASONS, key=lambda name: look.near(_SEASONS[name])), _PERHAPS)


def _one_of_two(asked: re.Match[str], look: _Look) -> _Found | None:
    for one, other in _PAIRS:
        if one.is_one_of(*asked.groups()) and other.is_one_of(*asked.groups()):
            lead = look.lead(one, other)
            return _Found(one.name if lead > 0 else other.name, _belief(lead))
    return None


def _whether(asked: re.Match[str], look: _Look) -> _Found | None:
    for meant, against in (*_PAIRS, *(pair[::-1] for pair in _PAIRS)):
        if meant.is_one_of(asked["side"]):
            lead = look.lead(meant, against)
            return _Found(f"it looks {(meant if lead > 0 else against).name}", _belief(lead), yes=lead > 0)
    return None


_ASKED: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], _Look], _Found | None]], ...] = (
    (re.compile(r"^(?:what|how)\b.*\bweather\b", re.IGNORECASE), _weather),
    (
        re.compile(
            r"^(?:is|was) (?:it|the weather|the day)(?: a)? (?:sunny|bright|good|nice|fine)\b", re.IGNORECASE
        ),
        _sun,
    ),
    (re.compile(r"^(?:in )?(?:what|which) (?:season|time of (?:the )?year)\b", re.IGNORECASE), _season),
    (_OR, _one_of_two),
    (_SIDE, _whether),
)


def _belief(lead: float) -> float:
    return _LIKELY if abs(lead) >= _PLAIN else _PERHAPS
