"""Things that the detector knows, answered from the visits that were recorded of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hippocam.apps.ask.answer.facts import Facts, Stay, different
from hippocam.apps.ask.answer.phrases import (
    LOOKS_LIKE,
    RECOGNISED,
    by_stream,
    lasting,
    listed,
    number,
    stretch,
    times,
)
from hippocam.apps.ask.answer.told import SHOWN_AS, Told, told
from hippocam.apps.ask.count.words import ordinal
from hippocam.apps.ask.nouns import (
    ALIKE_VEHICLES,
    Thing,
    has_colour,
    kinds_named,
    noun_for,
    only_coloured,
    only_there,
    people_shown_as,
    thing_in,
)
from hippocam.memory.boxes import centre
from hippocam.memory.entities.describing import position, position_of
from hippocam.memory.entities.detections import Detected
from hippocam.memory.records import Evidence
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.models.readers.reading import SEEN_FROM
from hippocam.models.readers.surety import Surety, affirmed, hedged
from hippocam.models.sentences.words import plural
from hippocam.stream.timecode import format_time

_K = QuestionKind
# Visits that follow one another within so many seconds are told as one time.
_AGAIN_S = 2.0
_LEFT = re.compile(r"\b(?:left|leaves?|gone|goes?(?: away)?|driv(?:es?|en|ing)|drove)\b", re.IGNORECASE)
_CAME = re.compile(r"\b(?:came|comes?|coming|arriv\w+|appear\w*|enter\w*|show(?:ed)? up)\b", re.IGNORECASE)
_WHERE = re.compile(r"(?:in |on )?(?:where|which (?:side|corner|part))\b", re.IGNORECASE)
_WHO = re.compile(r"who\b", re.IGNORECASE)
_WEARING = re.compile(r"\s*\b(?:wear|wears|wore|wearing|dressed)$", re.IGNORECASE)
# That the colours of clothes are right.
_COLOURS = 0.85
_ANYBODY = r"(?:how many|people|persons|visitors|guests|customers)"
# That somebody in such clothes is the man, or the woman, who is meant.
_OF_A_KIND = 0.7
# As many at most may be meant.
_FEW = 3
_OF_COLOUR = (QuestionKind.WHETHER, QuestionKind.WHEN, QuestionKind.OFTEN)
# Frames that must show what was never followed; that it was there then.
_GLIMPSES = 2
_GLIMPSED = 0.7
# Seconds to a frame that shows a thing from which on nothing is known of the time between the first and the last.
_SPARSE_S = 2.0
# Looks are a second apart; that a thing which was not recognised at a moment was not there.
_LOOK_S, _NOT_THEN = 1.5, 0.85
_DETECTED = "detected now and then in these times"


def things(facts: Facts) -> Told | None:
    """Answer whether, when, how often and how long a thing was there, which was the first, the third, the last.

    Returns:
        None where the question says more of it than the records hold, or it was never recognised.
    """
    thing = thing_in(_WEARING.sub("", facts.text))
    if thing is None or facts.beside:
        return None
    stays = facts.stays(lambda entity: entity.label in thing.labels)
    most = 1.0
    if thing.shown_as and not thing.before and only_there(thing.after):
        stays, most = facts.of_kind(thing.shown_as, stays), SHOWN_AS
    elif not thing.plain:
        stays, most = _of_colour(facts, thing)
    at_s, stays = facts.moment_s, facts.filmed(stays)
    if at_s is not None and facts.kind in (_K.FIRST, _K.LAST):
        stays = [stay for stay in stays if stay.t0_s <= at_s <= stay.t1_s] or stays
    if facts.kind == _K.WHETHER and at_s is not None and thing.plain:
        return _at_the_moment(facts, thing, at_s)
    in_row = facts.kind in (_K.FIRST, _K.LAST, _K.ORDINAL)
    if in_row and not stays and _WHERE.match(facts.question) and not thing.of_a_kind:
        stays, most = facts.filmed(facts.stays(lambda entity: entity.label in thing.labels)), _COLOURS
    if not stays:
        return None
    spans = _joined(stays)
    if in_row:
        return _one_of(facts, thing, stays, most)
    if facts.kind == _K.LONG:
        return _how_long(facts, thing, stays)
    evidence = facts.moments_of(stays, RECOGNISED, belief := min(most, _belief(stays)))
    surety = Surety.of(belief)
    if facts.kind == _K.WHETHER:
        return told(_yes(spans, surety), evidence, belief=belief)
    if facts.kind == _K.WHEN and (_LEFT.search(thing.after) or _CAME.search(thing.after)):
        return _edges(facts, thing, stays, most)
    if facts.kind == _K.WHEN:
        return told(hedged(by_stream(spans), surety), evidence, belief=belief)
    if facts.kind == _K.OFTEN:
        return told(hedged(f"{times(len(spans))}: {by_stream(spans)}", surety), evidence, belief=belief)
    return None


def _at_the_moment(facts: Facts, thing: Thing, at_s: float) -> Told | None:
    """Whether a thing was there at one moment: "at 0:46", "at the end"; None where it never was."""
    stream, _, end_s = facts.watched[0]
    stays = facts.filmed(
        [
            Stay(entity, visit, visit.t0_s, visit.t1_s)
            for entity in facts.records.entities()
            for visit in entity.visits
            if visit.stream == stream and visit.label in thing.labels
        ]
    )
    if not stays:
        return None
    there = [stay for stay in stays if stay.t0_s - _LOOK_S <= at_s <= stay.t1_s + _LOOK_S]
    if there:
        belief = _belief(there)
        return told(
            _yes(_joined(there), Surety.of(belief)), facts.moments_of(there, RECOGNISED, belief), belief=belief
        )
    shown = facts.shown([(stream, at_s, at_s, at_s)], "nothing of the kind was recognised then", _NOT_THEN)
    before = max((stay.t1_s for stay in stays if stay.t1_s < at_s), default=None)
    after = min((stay.t0_s for stay in stays if stay.t0_s > at_s), default=None)
    beside = [] if before is None else [f"last seen before it at {format_time(before)}"]
    beside += [] if after is None else [f"next seen at {format_time(after)}"]
    when = "at the end" if at_s == end_s else f"at {format_time(at_s)}"
    kind = noun_for(thing.labels, 1)
    return told(f"No: no {kind} {when}, {listed(beside)} in {stream}.", shown, belief=_NOT_THEN)


def _of_colour(facts: Facts, thing: Thing) -> tuple[list[Stay], float]:
    """Visits of what a description gives a colour and nothing else, and the most that they are believed."""
    asked = only_coloured(facts.text) if facts.kind in _OF_COLOUR else None
    if asked is None:
        return [], 0.0
    stays = facts.stays(lambda entity: entity.label in asked.labels)
    own = facts.of_kind(thing.shown_as, [s for s in stays if has_colour(asked, s.visit)], or_unknown=True)
    if thing.of_a_kind and different(own) > _FEW:
        return [], 0.0  # of a crowd in black the encoder knows better who is the man
    return own, _OF_A_KIND if thing.of_a_kind else _COLOURS


def glimpsed(facts: Facts, evidence: Sequence[Evidence]) -> Told | None:
    """Answer whether or when a thing was there that was detected now and then, and never long enough for a visit.

    Args:
        facts: The question with its records.
        evidence: What was found for it; where a moment is believed, that says more.
    """
    thing = thing_in(facts.text)
    if thing is None or not thing.plain or facts.beside or (evidence and evidence[0].score >= SEEN_FROM):
        return None
    visits = facts.stays(lambda entity: entity.label in thing.labels)
    if visits and not facts.filmed(visits):
        return None
    stretches = [each for each in facts.glimpsed(thing.labels) if not _is_another(facts, each)]
    if sum(each.frames for each in stretches) < _GLIMPSES:
        return None
    spans = [span for each in stretches for span in _looks(each)]
    best = sorted(spans, key=lambda span: -_score_at(span, evidence))  # stable
    shown = facts.shown([(*span, (span[1] + span[2]) / 2) for span in best], _DETECTED, _GLIMPSED)
    text = by_stream(best)
    surety = Surety.of(_GLIMPSED)
    said = affirmed(text, surety) if facts.kind == _K.WHETHER else hedged(text, surety)
    return told(said, shown, belief=_GLIMPSED)


def _looks(glimpsed: Detected) -> list[tuple[str, float, float]]:
    """When a thing was detected: a stretch, or its first and last frame where few frames between showed it."""
    stream, t0_s, t1_s = glimpsed.stream, glimpsed.t0_s, glimpsed.t1_s
    if t1_s - t0_s <= _SPARSE_S * glimpsed.frames:
        return [(stream, t0_s, t1_s)]
    return [(stream, t0_s, t0_s), (stream, t1_s, t1_s)]


def _score_at(span: tuple[str, float, float], evidence: Sequence[Evidence]) -> float:
    """The belief in the best moment that was found at a time; 0 where none was."""
    stream, t0_s, t1_s = span
    at_once = (m.score for m in evidence if m.stream == stream and m.t0_s <= t1_s and m.t1_s >= t0_s)
    return max(at_once, default=0.0)


def _is_another(facts: Facts, glimpsed: Detected) -> bool:
    """Whether a vehicle that was detected now and then is one of another kind that was followed all that time."""
    if glimpsed.label not in ALIKE_VEHICLES:
        return False
    others = facts.stays(lambda entity: entity.label in ALIKE_VEHICLES - {glimpsed.label})
    return any(
        stay.visit.stream == glimpsed.stream
        and stay.t0_s - _LOOK_S <= glimpsed.t0_s
        and glimpsed.t1_s <= stay.t1_s + _LOOK_S
        for stay in others
    )


def _edges(facts: Facts, thing: Thing, stays: Sequence[Stay], most: float) -> Told:
    """When things of a kind came, or left, one after another."""
    left = _LEFT.search(thing.after) is not None
    own = [stay for stay in stays if stay.visit.left_s is not None] if left else list(stays)
    if not own:
        ended = "watching broke off" if any(stay.visit.cut_off for stay in stays) else "recording ended"
        return told(f"It had not left when the {ended}: {by_stream(_joined(stays))}.", belief=0.8)
    edges = [(stay.visit.stream, *((stay.t1_s,) * 2 if left else (stay.t0_s,) * 2)) for stay in own]
    belief = min(most, _belief(own))
    text = hedged(f"at about {by_stream(edges)}", Surety.of(belief))
    return told(text, facts.moments_of(own, RECOGNISED, belief), belief=belief)


def _yes(spans: Sequence[tuple[str, float, float]], surety: Surety) -> str:
    if len(spans) == 1:
        return affirmed(by_stream(spans), surety)
    often = f"{times(len(spans))}: {by_stream(spans)}"
    if surety == Surety.PERHAPS:
        return f"Perhaps {often}."
    return f"Yes, {often} (clear)." if surety == Surety.CLEAR else f"Yes, likely {often}."


def of_kinds(facts: Facts) -> Told | None:
    """Answer "how many of the visitors were women", or how many there were, where no more can be told of them."""
    text = facts.question.casefold().split("how many", 1)[-1].strip(" ?!.")
    thing = thing_in(text.removeprefix("of the ").removeprefix("different "))
    if thing is None:
        return None
    stays = facts.stays(lambda entity: entity.label in thing.labels)
    if not stays:
        return None
    nouns = kinds_named(text)
    if nouns and thing.labels == ("person",) and (counted := _of_kinds(facts, nouns, text, stays)):
        return counted
    count = different(stays)
    text = f"I can count {number(count)} {noun_for(thing.labels, count)}, but not tell how many of them are meant"
    return told(f"{text}: {by_stream(_joined(stays))}.", facts.moments_of(stays, RECOGNISED, 0.5), belief=0.5)


def _of_kinds(facts: Facts, nouns: Sequence[str], text: str, stays: Sequence[Stay]) -> Told | None:
    """How many people were women, men or children, as far as portraits tell; None where more is said of them."""
    named = "|".join(nouns)
    rest = re.sub(rf"\b(?:of|the|and|different|other|{named}|{_ANYBODY}|were|was|are|is)\b", " ", text)
    stays = facts.filmed(stays)
    people, unknown = different(stays), different([stay for stay in stays if not facts.kind_of(stay)])
    if not only_there(" ".join(rest.split())) or unknown == people:
        return None
    own = [facts.of_kind(people_shown_as(noun), stays) for noun in nouns]
    counts = [
        f"{number(n := different(each))} {_noun(noun, n) or noun}" for noun, each in zip(nouns, own, strict=True)
    ]
    shown = sorted((stay for each in own for stay in each), key=lambda stay: stay.t0_s)
    when = f": {by_stream(_joined(shown))}" if shown else f" of {number(people)} people"
    unsure = f"; of {number(unknown)} more I cannot tell" if unknown else ""
    said = hedged(f"{listed(counts)}{when}{unsure}", Surety.of(SHOWN_AS))
    return told(said, facts.moments_of(shown or stays, LOOKS_LIKE, SHOWN_AS), belief=SHOWN_AS)


def _one_of(facts: Facts, thing: Thing, stays: Sequence[Stay], sure: float) -> Told | None:
    """The first, the third or the last that came, of each stream."""
    nth = facts.nth if facts.kind != _K.LAST else 0
    streams = dict[str, list[Stay]]()
    for stay in stays:
        streams.setdefault(stay.visit.stream, []).append(stay)
    chosen = list[Stay]()
    for own in streams.values():
        firsts = list({stay.entity.id: stay for stay in reversed(own)}.values())[::-1]
        if facts.kind == _K.LAST:
            chosen.append(max(own, key=lambda stay: stay.t1_s))
        elif nth <= len(firsts):
            chosen.append(sorted(firsts, key=lambda stay: stay.t0_s)[max(nth, 1) - 1])
    if not chosen:
        most = max(different(own) for own in streams.values())
        kind = _noun(thing.noun, most) or noun_for(thing.labels, most)
        none = f"I know of no {ordinal(nth)}" if thing.shown_as else f"There was no {ordinal(nth)}"
        text = f"{none}: I can tell {number(most)} {kind} apart."
        return told(text, facts.moments_of(stays, RECOGNISED, 0.5), belief=0.5)
    name = "last" if nth == 0 else ordinal(nth)
    worn = _WEARING.search(facts.text) is not None
    if _WHERE.match(facts.question):
        looks = [f"{_place(stay, facts)}, " for stay in chosen]
    elif _WHO.match(facts.question):
        looks = [f"{facts.person(stay)}, " if facts.person(stay) != "one" else "" for stay in chosen]
    else:
        looks = [f"{stay.clothes}, " if worn and stay.clothes else "" for stay in chosen]
    spans = [f"{stretch(stay.t0_s, stay.t1_s)} in {stay.visit.stream}" for stay in chosen]
    where = "; ".join(look + span for look, span in zip(looks, spans, strict=True))
    told_by_looks = worn or (_WHO.match(facts.question) is not None and any(looks))
    belief = min(sure, _belief(chosen), _COLOURS if told_by_looks else 1.0)
    text = hedged(f"the {name} {_noun(thing.noun, 1) or noun_for(thing.labels, 1)}: {where}", Surety.of(belief))
    return told(text, facts.moments_of(chosen, RECOGNISED, belief), belief=belief)


def _place(stay: Stay, facts: Facts) -> str:
    """Where in the picture it was: when it came, or was last seen, where that is asked; or which way it left."""
    path = [box for time_s, box in stay.visit.path if stay.t0_s <= time_s <= stay.t1_s]
    if path and _LEFT.search(facts.text):
        return f"left on the {'left' if centre(path[-1])[0] < 0.5 else 'right'}"
    if (path and _CAME.search(facts.text)) or facts.kind == _K.FIRST:
        return str(position_of(path[0])) if path else str(position(stay.visit))
    return str(position_of(path[-1])) if path and facts.kind == _K.LAST else str(position(stay.visit))


def _how_long(facts: Facts, thing: Thing, stays: Sequence[Stay]) -> Told:
    spans, belief = _joined(stays), _belief(stays)
    whole = sum(t1_s - t0_s for _, t0_s, t1_s in spans)
    often = "" if len(spans) == 1 else f" in all, {times(len(spans))}"
    text = hedged(f"about {lasting(whole)}{often}: {by_stream(spans)}", Surety.of(belief))
    return told(text, facts.moments_of(stays, RECOGNISED, belief), belief=belief)


def _joined(stays: Sequence[Stay]) -> list[tuple[str, float, float]]:
    """When anything of the kind was there: visits that overlap, or follow at once, are one time."""
    spans = list[tuple[str, float, float]]()
    for stay in sorted(stays, key=lambda stay: (stay.visit.stream, stay.t0_s)):
        if spans and spans[-1][0] == stay.visit.stream and stay.t0_s <= spans[-1][2] + _AGAIN_S:
            spans[-1] = (spans[-1][0], spans[-1][1], max(spans[-1][2], stay.t1_s))
        else:
            spans.append((stay.visit.stream, stay.t0_s, stay.t1_s))
    return sorted(spans, key=lambda span: (span[1], span[0]))


def _noun(noun: str, count: int) -> str:
    """The noun for so many people of a kind: "women" for two ladies; "" for what is no kind, or several."""
    meant = people_shown_as(noun)
    kind = next(iter(meant)) if len(meant) == 1 else ""
    return plural(kind) if kind and count != 1 else kind


def _belief(stays: Sequence[Stay]) -> float:
    """That something of the kind was there: sure where one visit was seen often and well."""
    return 0.97 if any(stay.sure for stay in stays) else 0.85
