"""Which animals, vehicles or rooms there were: things of a category, and what moments look like that name one."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from hippocam.apps.ask.answer.facts import Facts, Stay
from hippocam.apps.ask.answer.phrases import by_stream, listed, number
from hippocam.apps.ask.answer.told import Told, told
from hippocam.apps.ask.nouns import ALIKE_VEHICLES, PLACES, noun_for
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reading import Sentence
from hippocam.models.readers.surety import Surety, hedged

_ASKED = re.compile(
    r"^(?:and )?(?:(?:in )?(?:what|which)(?: (?:kinds?|sorts?|types?) of| other)?"
    r"|(?:list|name)(?: all)?(?: the)?) "
    r"(?P<category>animals?|pets?|vehicles?|furniture|foods?|fruits?|devices?|appliances?|rooms?|places?)\b",
    re.IGNORECASE,
)
# "Where was it filmed?", "where are they?": what sort of place it is.
_SCENE = re.compile(
    r"^where (?:does|do|did|is|was|were|are)(?: the| this| that| all)?"
    r"(?: (?:film|video|movie|clip|story|scene|action|trailer|recording|footage|it|this|that|everything|of it))?"
    r" (?:tak(?:e|es|ing) place|filmed|recorded|shot|set|happen\w*|play(?:ing|ed)?)\b"
    r"|^where (?:are|were) (?:we|they|you|(?:the |these |those )?people)$|^where (?:is|was) (?:this|it|that)$",
    re.IGNORECASE,
)
# What the detector knows of a category, and words that name one in a sentence.
_ANIMALS = ("bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe")
_FRUITS = ("banana", "apple", "orange")
_CATEGORIES = {
    "animal": (_ANIMALS, "animal|rabbit|squirrel|butterfly|fish|" + "|".join(_ANIMALS)),
    "pet": (("cat", "dog", "bird"), "cat|dog|puppy|kitten"),
    "vehicle": (
        ("bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
        "car|van|minibus|truck|bus|train|boat|ship|bicycle|motorcycle|tractor|tram|plane",
    ),
    "furniture": (
        ("chair", "couch", "bed", "dining table", "bench"),
        "chairs?|table|sofa|couch|bed|desk|shel(?:f|ves)|cupboard",
    ),
    "food": (
        (*_FRUITS, "sandwich", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake"),
        "food|fruit|cake|pizza|bread",
    ),
    "fruit": (_FRUITS, "fruit|apple|banana|orange"),
    "device": (
        ("tv", "laptop", "mouse", "remote", "keyboard", "cell phone"),
        "computer|laptop|phone|monitor|tv|camera",
    ),
    "appliance": (("microwave", "oven", "toaster", "sink", "refrigerator"), "oven|stove|fridge|refrigerator|sink"),
    "room": ((), r"\w*rooms?|kitchen|hall|hallway|corridor|office|gym|doorway|garage|stairs|shop|library"),
    "place": ((), PLACES),
}
_LOOKED, _SENTENCES = 64, 6
# That what a moment looks like names it rightly.
_LOOKS_LIKE = 0.6
_BELIEF = 0.8
# Frames that must show what was never followed.
_GLIMPSES = 2
_WHY = "of the kind that is asked for"


def category(facts: Facts) -> Told | None:
    """Answer "which animals are there?", "what rooms are shown?".

    Returns:
        None where no category is asked for, or nothing of it is known.
    """
    asked, scene = _ASKED.match(facts.question), _SCENE.match(facts.question.strip(" ?!."))
    if (
        (asked is None and scene is None)
        or facts.beside
        or facts.kind not in (QuestionKind.OTHER, QuestionKind.WHAT, QuestionKind.WHERE)
    ):
        return None
    name = "place" if asked is None else asked["category"].casefold()
    labels, words = _CATEGORIES[name if name in _CATEGORIES else name.removesuffix("s")]
    every = facts.filmed(facts.stays(lambda entity: entity.label in labels))
    stays = [stay for stay in every if stay.sure]
    named = re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    likely = [m for _, m in facts.records.notable(_LOOKED) if named.search(m.sentence)]
    moments = list({m.sentence: m for m in sorted(likely, key=lambda m: -m.t0_s)}.values())[::-1][:_SENTENCES]
    perhaps = _unsure(facts, labels, stays, every)
    if not stays and not moments and not perhaps:
        return None
    spans = [(s.visit.stream, s.t0_s, s.t1_s) for s in stays]
    shown = facts.shown([(*span, s.visit.frame_s) for span, s in zip(spans, stays, strict=True)], _WHY, _BELIEF)
    shown += [moment for moment in moments if moment.id not in {each.id for each in shown}]
    seen = [(*when, sum(when[1:]) / 2) for when in perhaps.values()]
    shown += [m for m in facts.shown(seen, _WHY, _LOOKS_LIKE) if m.id not in {each.id for each in shown}]
    looks = listed([moment.sentence for moment in moments])
    more = (
        [Sentence(text=f"Perhaps also {listed(list(perhaps))}.", known=True)]
        if perhaps and (stays or looks)
        else []
    )
    if stays:
        text = f"{_counted(stays)}: {by_stream(spans)}" + (f". It looks like {looks}" if looks else "")
        return told(hedged(text, Surety.of(_BELIEF)), shown, belief=_BELIEF, final=False, more=more)
    said = looks or f"{listed(list(perhaps))}: {by_stream(list(perhaps.values()))}"
    return told(hedged(said, Surety.PERHAPS), shown, belief=_LOOKS_LIKE, final=False, more=more)


def _unsure(
    facts: Facts, labels: Collection[str], sure: Sequence[Stay], every: Sequence[Stay]
) -> dict[str, tuple[str, float, float]]:
    """Things that were perhaps there, with their article, and when: followed unsurely, or seen in two frames."""
    drawn = facts.drawn()
    found = {stay.visit.label: (stay.visit.stream, stay.t0_s, stay.t1_s) for stay in every}
    for each in facts.glimpsed(list(labels)):
        if each.frames >= _GLIMPSES and each.stream not in drawn:
            found.setdefault(each.label, (each.stream, each.t0_s, each.t0_s))
    told_surely = {stay.visit.label for stay in sure}
    if told_surely & ALIKE_VEHICLES:
        told_surely |= ALIKE_VEHICLES  # one of these is taken for another now and then
    return {
        f"{'an' if label[0] in 'aeiou' else 'a'} {label}": when
        for label, when in found.items()
        if label not in told_surely
    }


def _counted(stays: list[Stay]) -> str:
    """How many of each label: "two dogs and one bird"."""
    kinds = dict[str, set[int]]()
    for stay in stays:
        kinds.setdefault(stay.entity.label, set()).add(stay.entity.id)
    return listed([f"{number(len(ids))} {noun_for([label], len(ids))}" for label, ids in kinds.items()])
