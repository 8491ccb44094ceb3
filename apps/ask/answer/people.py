"""Who came, and when nobody was there, from the people who were told apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hippocam.apps.ask.answer.facts import Facts, Stay, Watched, different
from hippocam.apps.ask.answer.phrases import by_stream, lasting, listed, number, times
from hippocam.apps.ask.answer.told import Told, told
from hippocam.apps.ask.nouns import kinds_named, only_there, people_shown_as, thing_in
from hippocam.memory.entities.records import Entity
from hippocam.memory.records import Evidence
from hippocam.models.readers.reading import SEEN_FROM
from hippocam.models.readers.surety import Surety, hedged
from hippocam.stream.timecode import format_time

_WHY = "a person was recognised at these times"
# So short a time between two people is no time without anybody: the detector looks once a second.
_EMPTY_S = 2.0
_NAMED = 6
# Who is likely among people of whom nothing more is known, and how much that is believed.
_GROWN = frozenset({"man", "woman"})
_OF_A_KIND = 0.6
# A window so short stands for a moment.
_MOMENT_S = 12.0
_FOR_GOOD = re.compile(r"\b(?:for good|finally|at last)\b")
Gap = tuple[str, float, float]


def who(facts: Facts) -> Told | None:
    """Answer "who came": how many people, how each of them looks, from when on."""
    if facts.text:
        return None
    every = facts.stays(_is_person)
    if not every:
        return _nobody_seen(facts)
    stays = facts.filmed(every)
    nouns = kinds_named(facts.question)
    if len(nouns) == 1:
        stays = facts.of_kind(people_shown_as(nouns[0]), stays)
    if not stays:
        return None
    first = list({stay.entity.id: stay for stay in reversed(stays)}.values())[::-1]
    first.sort(key=lambda stay: (stay.t0_s, stay.visit.id))
    several = len({stay.visit.stream for stay in first}) > 1
    people = [_told_person(stay, facts.person(stay), several) for stay in first[:_NAMED]]
    if len(first) > _NAMED:
        people.append(f"{number(len(first) - _NAMED)} more")
    count = len(first)
    text = f"{number(count).capitalize()} {'person' if count == 1 else 'people'}: {listed(people)}"
    where = "" if several else f" in {first[0].visit.stream}"
    return told(
        f"{text}{where} (told apart by their looks, not by name).",
        facts.moments_of(first, _WHY, 0.9),
        belief=0.9,
        final=False,
    )


def nobody(facts: Facts) -> Told | None:
    """Answer "is there nobody", "when was nobody there", from the times between the visits of people."""
    looked = facts.told_apart()
    meant = [each for each in facts.watched if each.stream in looked]
    if not meant:
        return None
    stays = facts.stays(_is_person)
    gaps = [gap for each in meant for gap in _gaps(each, stays)]
    if len(meant) == 1 and meant[0].end_s - meant[0].start_s <= _MOMENT_S:
        return _at_a_moment(facts, meant[0])
    there = facts.moments_of(stays, _WHY, 0.9)
    whole = sum(each.end_s - each.start_s for each in meant)
    without = sum(t1_s - t0_s for _, t0_s, t1_s in gaps)
    question, end_s = facts.question.casefold(), max(each.end_s for each in meant)
    if question.startswith("how long"):
        text = f"For about {lasting(without)} of {lasting(whole)}" + (f": {by_stream(gaps)}" if gaps else "")
    elif question.startswith(("how often", "how many times")):
        often = f"{times(len(gaps)).capitalize()}: {by_stream(gaps, most=len(gaps))}"
        text = often if gaps else "Never: somebody was there all the time"
    elif _FOR_GOOD.search(question) and gaps and gaps[-1][2] >= end_s:
        text = f"From {format_time(gaps[-1][1])} on in {gaps[-1][0]}"
        gaps = gaps[-1:]
    elif question.startswith(("when", "at what", "since")):
        text = by_stream(gaps) if gaps else "At no time: somebody was there all the time"
    elif not stays:
        text = "Yes: I saw nobody at any time"
    elif not gaps:
        text = f"No: somebody was there all the time, {number(different(stays))} in all"
    elif " ever " in question:
        text = f"Yes: {by_stream(gaps)}"
    else:
        count = different(stays)
        some = "one person was" if count == 1 else f"{number(count)} people were"
        text = f"No: {some} there, {by_stream([(s.visit.stream, s.t0_s, s.t1_s) for s in stays])}. Nobody: "
        text += by_stream(gaps)
    shown = facts.shown([(s, a, b, (a + b) / 2) for s, a, b in gaps], "nobody was recognised at these times", 0.9)
    yes = not stays or question.startswith(("when", "how", "at what")) or " ever " in question
    evidence = shown if yes and gaps else there
    return told(f"{text} (in the camera's whole view).", evidence, belief=0.9)


def somebody(facts: Facts, evidence: Sequence[Evidence]) -> Told | None:
    """Answer whether a man or a woman was there where people were, and nothing tells which of them is one.

    Where there were people whose portraits do not tell, a man or a woman was among them more often than not; of a
    child that is not so.

    Args:
        facts: The question with its records.
        evidence: What was found for it; where a moment is believed, that says more.
    """
    thing = thing_in(facts.text)
    if thing is None or facts.beside or (evidence and evidence[0].score >= SEEN_FROM):
        return None
    grown = thing.shown_as & _GROWN
    if not grown or thing.before or not only_there(thing.after):
        return None
    stays = facts.of_kind(thing.shown_as, facts.filmed(facts.stays(_is_person)), or_unknown=True)
    if not stays:
        return None
    count = different(stays)
    some = (
        "one person was there, and I cannot tell whether it is"
        if count == 1
        else (f"{number(count)} people were there, and I cannot tell which of them is")
    )
    one = f"a {min(grown)}" if len(grown) == 1 else "grown up"
    where = by_stream([(s.visit.stream, s.t0_s, s.t1_s) for s in stays])
    text = hedged(f"{some} {one}: {where}", Surety.PERHAPS)
    return told(text, facts.moments_of(stays, _WHY, _OF_A_KIND), belief=_OF_A_KIND, final=False)


def _at_a_moment(facts: Facts, meant: Watched) -> Told:
    """Whether nobody was there in the middle of a window that stands for a moment: "at 0:48"."""
    at_s = (meant.start_s + meant.end_s) / 2
    there = [s for s in facts.stays(_is_person) if s.t0_s <= at_s < s.t1_s]
    when = f"at {format_time(at_s)} in {meant.stream} (in the camera's whole view)."
    if there:
        count = different(there)
        some = "one person was" if count == 1 else f"{number(count)} people were"
        return told(f"No: {some} there {when}", facts.moments_of(there, _WHY, 0.9), belief=0.9)
    empty = facts.shown([(meant.stream, at_s, at_s, at_s)], "nobody was recognised then", 0.9)
    return told(f"Yes: I saw nobody {when}", empty, belief=0.9)


def _nobody_seen(facts: Facts) -> Told | None:
    looked = facts.told_apart()
    if not any(each.stream in looked for each in facts.watched):
        return None
    return told("Nobody: no person was recognised.", unknown=True, belief=0.1)


def _is_person(entity: Entity) -> bool:
    return entity.label == "person"


def _told_person(stay: Stay, looks: str, several: bool) -> str:
    where = f" in {stay.visit.stream}" if several else ""
    since = "there from the start" if stay.visit.from_start else f"from {format_time(stay.t0_s)}"
    until = "" if stay.visit.gone_s is None else f" to {format_time(stay.t1_s)}"
    until += ", when the watching broke off" if stay.visit.cut_off else ""
    return f"{looks} {since}{until}{where}"


def _gaps(each: Watched, stays: Sequence[Stay]) -> list[Gap]:
    """Times of a stream at which no person was recognised."""
    gaps, at_s = list[Gap](), each.start_s
    for stay in stays:
        if stay.visit.stream != each.stream:
            continue
        if stay.t0_s - at_s >= _EMPTY_S:
            gaps.append((each.stream, at_s, stay.t0_s))
        at_s = max(at_s, stay.t1_s)
    if each.end_s - at_s >= _EMPTY_S:
        gaps.append((each.stream, at_s, each.end_s))
    return gaps
