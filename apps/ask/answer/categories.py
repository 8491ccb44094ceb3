"""Which animals, vehicles or rooms there were: things of a category, and what moments look like that name one."""

from __future__ import annotations

import re

from hippocam.apps.ask.answer.facts import Facts, Stay
from hippocam.apps.ask.answer.phrases import by_stream, listed, number
from hippocam.apps.ask.answer.told import Told, told
from hippocam.apps.ask.nouns import PLACES, noun_for
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.surety import Surety, hedged

_ASKED = re.compile(
    r"^(?:and )?(?:(?:in )?(?:what|which)(?: (?:kinds?|sorts?|types?) of| other)?|list(?: all)?(?: the)?) "
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
    stays = facts.filmed([stay for stay in facts.stays(lambda entity: entity.label in labels) if stay.sure])
    named = re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    likely = [m for _, m in facts.records.notable(_LOOKED) if named.search(m.sentence)]
    moments = list({m.sentence: m for m in sorted(likely, key=lambda m: -m.t0_s)}.values())[::-1][:_SENTENCES]
    if not stays and not moments:
        return None
    spans = [(s.visit.stream, s.t0_s, s.t1_s) for s in stays]
    shown = facts.shown([(*span, s.visit.frame_s) for span, s in zip(spans, stays, strict=True)], _WHY, _BELIEF)
    shown += [moment for moment in moments if moment.id not in {each.id for each in shown}]
    looks = listed([moment.sentence for moment in moments])
    if not stays:
        return told(hedged(looks, Surety.PERHAPS), shown, belief=_LOOKS_LIKE, final=False)
    also = f". It looks like {looks}" if looks else ""
    return told(
        hedged(f"{_counted(stays)}: {by_stream(spans)}{also}", Surety.of(_BELIEF)),
        shown,
        belief=_BELIEF,
        final=False,
    )


def _counted(stays: list[Stay]) -> str:
    """How many of each label: "two dogs and one bird"."""
    kinds = dict[str, set[int]]()
    for stay in stays:
        kinds.setdefault(stay.entity.label, set()).add(stay.entity.id)
    return listed([f"{number(len(ids))} {noun_for([label], len(ids))}" for label, ids in kinds.items()])
