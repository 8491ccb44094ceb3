"""A belief that rests on pictures, doubted where the detector looked and never saw such a thing.

Among many pictures some always come near a description, whatever it says. The detector knows some eighty kinds of
things, and of these it knows better: what it has not seen in two frames is hardly there; see
memory/entities/detections.py. What it followed at other times of a stream is hardly there where it saw none. And
a thing that it followed was there, however far its picture lies from the word for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from hippocam.apps.ask.belief.witnesses import believed_anew, is_in_words, shown_belief
from hippocam.apps.ask.nouns import (
    ALIKE_VEHICLES,
    KINDS_OF_PEOPLE,
    OFTEN_MISSED,
    Coloured,
    coloured_in,
    contradicted,
    is_part_of_name,
    labels_of,
    thing_in,
)
from hippocam.memory.entities.detections import VERY_HIGH, Presence
from hippocam.memory.entities.records import Entity, Visit
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.recall.query import Query
from hippocam.memory.recall.trust import BELIEVED_FROM
from hippocam.memory.records import Evidence

# Labels that are other words as well: a colour, what somebody does.
_OTHER_WORDS = frozenset({"orange", "bear", "train", "book", "tie", "remote", "kite"})

# Looks are a second apart.
_LOOK_S = 1.0

# What is left of a belief in a thing of a colour that none of its kind had: less than one half.
_MISCOLOURED = 0.4
# By how much the odds fall that a moment shows what was followed at other times of its stream, and not then; and
# from how many seconds a frame on a stretch of detections says nothing of a moment within it.
_ELSEWHERE, _DENSE = 3.0, 2.0
# So many of a thing are more than one that was followed.
_SEVERAL = re.compile(r"(?:the |these |those |my )?(?:two|three|four|several|many|\d+|no)\b", re.IGNORECASE)
# That a thing was there which the detector followed then.
_FOLLOWED = 0.85
# Odds that what a question presupposes was there.
_SUPPOSED = 8.0


def labels_named(text: str) -> list[str]:
    """The detector's labels that a description names, one for each thing; two words count before one."""
    words = re.findall(r"[a-z]+", text.casefold())
    found, index = list[str](), 0
    while index < len(words):
        both, alone = (labels_of(" ".join(words[index : index + size])) for size in (2, 1))
        part = index + 1 < len(words) and is_part_of_name(words[index], words[index + 1])
        labels = both if both is not None and index + 1 < len(words) else alone
        if words[index] in KINDS_OF_PEOPLE:
            labels = ["person"]  # the detector knows them, though not from others
        if labels is not None and len(labels) == 1 and labels[0] not in _OTHER_WORDS and not part:
            found += [labels[0]] if labels[0] not in found else []
        index += 2 if labels is both and both is not None else 1
    return found


def supposed(moments: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Believe moments more, of what a question takes to have been there: "what colour is the sofa?".

    A belief is calibrated for what is as likely there as not, and people ask such questions of what they saw, so
    the odds are higher from the start. What words claim is left out: it is believed no more.
    """
    return tuple(map(_supposed_of, moments))


def _supposed_of(moment: Evidence) -> Evidence:
    if not moment.claimed:
        return believed_anew(moment, _supposed(shown_belief(moment)), moment.why)
    shown = _supposed(moment.witnessed or 0.0)
    return moment if shown < BELIEVED_FROM else replace(moment, score=shown, witnessed=shown, claimed=False)


def _supposed(belief: float) -> float:
    return _SUPPOSED * belief / (1 + (_SUPPOSED - 1) * belief)


def doubted(
    memory: Memory,
    query: Query,
    moments: Sequence[Evidence],
    prefix: str = "",
    *,
    very_high: float = VERY_HIGH,
) -> tuple[Evidence, ...]:
    """Take belief from moments whose stream shows no such thing, as far as the detector can tell.

    What was read or said stays believed where words can be the answer.

    Args:
        memory: The memory that found them.
        query: What was looked for.
        moments: What was found.
        prefix: What stands before each stream and id: "MEMORY/" where several memories are searched as one.
        very_high: Belief that stands against a detector which often misses such things.
    """
    labels, coloured = labels_named(query.text), coloured_in(query.text)
    if not labels and not coloured:
        return tuple(moments)
    return tuple(
        _miscoloured(memory, query, _doubted(memory, query, moment, labels, prefix, very_high), coloured, prefix)
        for moment in moments
    )


def confirmed(
    text: str,
    moments: Sequence[Evidence],
    entities: Callable[[], Sequence[Entity]],
    is_drawn: Callable[[str], bool],
) -> tuple[Evidence, ...]:
    """Believe moments in which the detector followed a thing of which a text says no more than what it is.

    Args:
        text: What was looked for.
        moments: What was found, the strongest first.
        entities: Gives what was told apart.
        is_drawn: Whether a stream is of drawings or a screen, in which the detector sees what is not there.

    Returns:
        The moments, the strongest first. What an import tells of itself, and what words claim, stay as they are.
    """
    thing = thing_in(text)
    if thing is None or not thing.plain or _SEVERAL.match(text.strip()):
        return tuple(moments)
    visits = [visit for entity in entities() if entity.label in thing.labels for visit in entity.visits]
    followed = [
        moment
        for moment in moments
        if not (is_in_words(moment) or moment.claimed or moment.imported)
        and shown_belief(moment) < _FOLLOWED
        and any(_at_once(visit, moment) for visit in visits)
    ]
    filmed = {stream for stream in {moment.stream for moment in followed} if not is_drawn(stream)}
    anew = {
        moment.id: believed_anew(moment, _FOLLOWED, f"{moment.why}; followed there: {thing.noun}")
        for moment in followed
        if moment.stream in filmed
    }
    return tuple(sorted((anew.get(m.id, m) for m in moments), key=lambda m: -m.score)) if anew else tuple(moments)


def _at_once(visit: Visit, moment: Evidence) -> bool:
    """Whether a thing was there in a moment."""
    spans = moment.spans or ((moment.t0_s, moment.t1_s),)
    return visit.stream == moment.stream and any(visit.t0_s <= t1_s and t0_s <= visit.t1_s for t0_s, t1_s in spans)


def _doubted(
    memory: Memory, query: Query, moment: Evidence, labels: Sequence[str], prefix: str, very_high: float
) -> Evidence:
    if is_in_words(moment) or (moment.noted and moment.claimed) or not labels:
        return moment
    shown, why = moment.score if moment.claimed else shown_belief(moment), moment.why
    wanted = _within(query, moment, prefix)
    away = [label for label in labels if _only_elsewhere(memory, label, wanted, moment)]
    if away:
        shown = shown / (shown + _ELSEWHERE * (1 - shown))
        why = f"{why}; detected at other times: {', '.join(away)}"
    score = shown
    found = [memory.entities.presence([label], wanted) for label in labels]
    for label, presence in zip(labels, found, strict=True):
        if _taken_for(memory, label, presence, wanted):
            presence = replace(presence, frames=0, score=0.0)
        score = presence.believed(score, misses=label in OFTEN_MISSED, very_high=very_high)
    if score == shown:
        thing = thing_in(query.text)
        known = thing is not None and not thing.acts and not thing.of_a_kind
        moment = replace(moment, detected=known and all(presence.shown for presence in found))
    else:
        why = f"{why}; never detected there: {', '.join(labels)}"
    if moment.claimed:
        return replace(moment, score=score, why=why)
    return believed_anew(moment, score, why) if why != moment.why else moment


def _only_elsewhere(memory: Memory, label: str, wanted: Filter, moment: Evidence) -> bool:
    """Whether things of a label were followed in the stream, and neither they nor one in passing in a moment."""
    if label in OFTEN_MISSED:
        return False
    entities = memory.entities.entities(wanted.stream, label, wanted.at_s)
    times = [(visit.t0_s, visit.t1_s) for entity in entities for visit in entity.visits]
    if not times:
        return False
    detected = memory.entities.detected(wanted.stream) if wanted.stream is not None else []
    times += [
        (each.t0_s, each.t1_s)
        for each in detected
        if each.label == label
        and each.t1_s - each.t0_s <= _DENSE * each.frames
        and (wanted.at_s is None or each.t1_s <= wanted.at_s)
    ]
    return not any(
        start_s - _LOOK_S <= end and start <= end_s + _LOOK_S
        for start_s, end_s in times
        for start, end in moment.spans or ((moment.t0_s, moment.t1_s),)
    )


def _taken_for(memory: Memory, label: str, presence: Presence, wanted: Filter) -> bool:
    """Whether what was detected now and then is another vehicle, which was followed all that time.

    A car that is small or half hidden is called a truck in some frames.
    """
    first_s, last_s = presence.first_s, presence.last_s
    if label not in ALIKE_VEHICLES or presence.visits or first_s is None or last_s is None:
        return False
    followed = [
        visit
        for other in ALIKE_VEHICLES - {label}
        for entity in memory.entities.entities(wanted.stream, other, wanted.at_s)
        for visit in entity.visits
    ]
    return any(visit.t0_s - _LOOK_S <= first_s and last_s <= visit.t1_s + _LOOK_S for visit in followed)


def _miscoloured(
    memory: Memory, query: Query, moment: Evidence, coloured: Sequence[Coloured], prefix: str
) -> Evidence:
    """Take belief from a moment of a thing in a colour that none of its kind had in the stream."""
    if is_in_words(moment) or moment.score < BELIEVED_FROM:
        return moment
    wanted = _within(query, moment, prefix)
    for asked in coloured:
        entities = [
            e for label in asked.labels for e in memory.entities.entities(wanted.stream, label, query.at_s)
        ]
        visits = [v for e in entities for v in e.visits if wanted.overlaps(v.t0_s, v.t1_s, v.known_s)]
        if contradicted(asked, visits):
            why = f"{moment.why}; no {asked.labels[0]} there was {asked.colour}"
            return believed_anew(moment, min(shown_belief(moment), _MISCOLOURED), why)
    return moment


def _within(query: Query, moment: Evidence, prefix: str) -> Filter:
    """The conditions of a query in the stream of a moment."""
    return replace(query.wanted, stream=moment.stream.removeprefix(prefix), camera=None)
