"""Which of two it is: a cat or a dog, red or blue, day or night, a cartoon or real footage.

Records choose, and brightness, where they can. The encoder does not: asked which of two descriptions comes nearer
to a film's pictures, it was wrong of the weather, of day and night, of cartoons and of old houses, on a clip each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hippocam.apps.ask.answer.facts import Closer, Facts, Stay
from hippocam.apps.ask.answer.phrases import LOOKS_LIKE, RECOGNISED, by_stream, stretch
from hippocam.apps.ask.answer.told import SHOWN_AS, Told, told
from hippocam.apps.ask.count.words import one_named
from hippocam.apps.ask.nouns import labels_of, people_shown_as, thing_in
from hippocam.memory.records import Evidence
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reading import SEEN_FROM
from hippocam.models.readers.surety import Surety, hedged

_OR = re.compile(
    r"^(?P<about>.*?)\b(?P<one>(?:(?:an?|the|in|at|on) )*[\w-]+(?: footage)?),? or"
    r" (?P<other>[\w -]+?)(?: there)?$",
    re.IGNORECASE,
)
# Ways and sides are told by where a thing was.
_WAY = re.compile(r"\b(?:left|right|towards?|away|up|down|not|more|less)\b", re.IGNORECASE)
# "Is there a cat or a dog?" asks whether there is any of the two.
_EITHER = re.compile(
    r"^(?:(?:is|are|was|were) there|any|(?:do|did|can|could|have) (?:you|we|i) (?:ever )?(?:see|seen|saw))\b",
    re.IGNORECASE,
)
# "Is it old or new?" wants one of the two, "Did it rain or snow?" may want any.
_ONE_OF_TWO = re.compile(r"^(?:is|are|was|were)\b", re.IGNORECASE)
# What names nothing that a moment shows.
_SHOWN = re.compile(
    r"\b(?:it|this|that|they|there|here|shown|filmed|shot|recorded|taken|by|at|in|during|the|a|an|video|film|clip|scene"
    r"|movie|recording|footage|picture|time|still|already|outside)\b",
    re.IGNORECASE,
)
_ARTICLES = re.compile(r"^(?:(?:an?|the|in|at|on) )+", re.IGNORECASE)
_DRAWN = re.compile(r"^(?:cartoon|animation|animated|drawn|drawing)\b", re.IGNORECASE)
_FILMED = re.compile(r"^(?:real|footage|live|photograph\w*|film(?:ed)?)\b", re.IGNORECASE)
_DAY = re.compile(r"^(?:day|daytime|light|bright|sunny|morning|noon)$", re.IGNORECASE)
_NIGHT = re.compile(r"^(?:night|night-?time|dark|evening)$", re.IGNORECASE)
# Pictures whose mean is darker than this share of white are taken at night, if they are taken outside.
_DARK = 0.22
_PICTURES, _BELIEF, _OF_RECORDS = 6, 0.6, 0.85


def alternatives(facts: Facts, evidence: Sequence[Evidence], closer: Closer | None) -> Told | None:
    """Answer "was it a cat or a dog?", "is it day or night?", "is the car red or blue?".

    Args:
        facts: The question with its records.
        evidence: What was found for it, the strongest first.
        closer: Looks at pictures again; None for nobody.

    Returns:
        None where no two things are offered. Where one is wanted and nothing chooses between them, that is said.
    """
    asked = _OR.match(facts.text) if facts.kind == QuestionKind.WHETHER and not facts.beside else None
    if asked is None or _WAY.search(facts.text) or _EITHER.match(facts.question):
        return None
    one, other = (_ARTICLES.sub("", asked[name].strip()) for name in ("one", "other"))
    chosen = (
        _of_people(facts, asked["about"].strip(), one, other)
        or _of_labels(facts, one, other)
        or _of_colours(facts, asked["about"].strip(), one, other)
        or _of_pictures(
            facts.meant(_SHOWN.sub(" ", asked["about"]), evidence, _PICTURES), facts, closer, one, other
        )
    )
    if chosen is not None or not _ONE_OF_TWO.match(facts.question):
        return chosen
    return _not_told(evidence, f"{asked['one'].strip()} or {asked['other'].strip()}")


def _of_people(facts: Facts, about: str, one: str, other: str) -> Told | None:
    """Of two kinds of people the one that portraits show, all alike, of one meant by when it came, or of all."""
    if not people_shown_as(one) or not people_shown_as(other):
        return None
    meant = one_named(about, facts.came(("person",)))
    stays = facts.filmed(facts.stays(lambda entity: entity.label == "person")) if meant is None else meant
    shown = [name for name in (one, other) if facts.of_kind(people_shown_as(name), stays)]
    if len(shown) != 1 or facts.of_kind(people_shown_as(shown[0]), stays, or_unknown=True) != stays:
        return None
    return _chosen(facts, f"a {shown[0]}", stays, why=LOOKS_LIKE, belief=SHOWN_AS)


def _of_labels(facts: Facts, one: str, other: str) -> Told | None:
    """Of two things that the detector knows the one that it saw."""
    found = dict[str, list[Stay]]()
    for name in (one, other):
        labels = labels_of(name.casefold())
        if labels is None:
            return None
        found[name] = facts.filmed([stay for stay in facts.stays() if stay.visit.label in labels])
    seen = [name for name, stays in found.items() if stays]
    return _chosen(facts, seen[0], found[seen[0]]) if len(seen) == 1 else None


def _of_colours(facts: Facts, about: str, one: str, other: str) -> Told | None:
    """Of two colours the one in which the thing was recorded."""
    thing = thing_in(about)
    if thing is None:
        return None
    stays = facts.stays(lambda entity: entity.label in thing.labels)
    seen = {name: [stay for stay in stays if name.casefold() in stay.visit.colours] for name in (one, other)}
    named = [name for name, own in seen.items() if own]
    return _chosen(facts, named[0], seen[named[0]]) if len(named) == 1 else None


def _of_pictures(
    moments: Sequence[Evidence], facts: Facts, closer: Closer | None, one: str, other: str
) -> Told | None:
    """Of day and night, of drawn and filmed the one that pictures and their sentences tell."""
    if not moments:
        return None
    if _matched(_DRAWN, _FILMED, one, other):
        chosen = _which(_DRAWN if facts.drawn() else _FILMED, one, other)
    elif closer is not None and _matched(_NIGHT, _DAY, one, other):
        chosen = _which(_NIGHT if closer.brightness(moments) < _DARK else _DAY, one, other)
    else:
        return None
    best = moments[0]
    text = hedged(f"{chosen}: {stretch(best.t0_s, best.t1_s)} in {best.stream}", Surety.PERHAPS)
    return told(text, [best], belief=_BELIEF, final=False)


def _matched(first: re.Pattern[str], second: re.Pattern[str], one: str, other: str) -> bool:
    return bool(first.match(one) and second.match(other)) or bool(first.match(other) and second.match(one))


def _which(pattern: re.Pattern[str], one: str, other: str) -> str:
    return one if pattern.match(one) else other


def _not_told(evidence: Sequence[Evidence], both: str) -> Told:
    best = evidence[0] if evidence and evidence[0].score >= SEEN_FROM else None
    if best is None:
        return told(f"I cannot tell whether it is {both}.", unknown=True, belief=0.1, final=False)
    text = f"I cannot tell whether it is {both}: {stretch(best.t0_s, best.t1_s)} in {best.stream}"
    looks = f", which looks like {best.sentence}" if best.sentence else ""
    return told(f"{text}{looks}.", [best], belief=SEEN_FROM, final=False)


def _chosen(
    facts: Facts, name: str, stays: Sequence[Stay], *, why: str = RECOGNISED, belief: float = _OF_RECORDS
) -> Told:
    spans = [(stay.visit.stream, stay.t0_s, stay.t1_s) for stay in stays]
    times = [(*span, stay.visit.frame_s) for span, stay in zip(spans, stays, strict=True)]
    text = hedged(f"{name}: {by_stream(spans)}", Surety.of(belief))
    return told(text, facts.shown(times, why, belief), belief=belief)
