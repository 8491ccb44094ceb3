"""How long recordings are, and which of two has more of what was told apart."""

from __future__ import annotations

import re

from hippocam.apps.ask.answer.facts import Facts, Watched
from hippocam.apps.ask.answer.phrases import lasting, listed, number
from hippocam.apps.ask.answer.told import Told, told
from hippocam.apps.ask.nouns import labels_of, noun_for
from hippocam.stream.timecode import DATES_FROM_S, format_time

_NAMED = 12
_LEAST = re.compile(r"\b(?:fewest|least|fewer|less|shorter|shortest)\b", re.IGNORECASE)
_LENGTH = re.compile(r"\b(?:long|longer|longest|short|shorter|shortest)\b", re.IGNORECASE)


def length(facts: Facts) -> Told | None:
    """Answer "how long is the video"."""
    if not facts.watched:
        return None
    if len(facts.watched) == 1:
        (each,) = facts.watched
        text = f"{each.stream} is {lasting(each.end_s - each.start_s)} long"
        if each.start_s >= DATES_FROM_S:
            text += f", from {format_time(each.start_s)} to {format_time(each.end_s)}"
        return told(f"{text}.")
    total = sum(each.end_s - each.start_s for each in facts.watched)
    named = [f"{each.stream} {lasting(each.end_s - each.start_s)}" for each in facts.watched[:_NAMED]]
    if len(facts.watched) > _NAMED:
        named.append(f"{number(len(facts.watched) - _NAMED)} more")
    return told(f"{lasting(total)} in all, in {number(len(facts.watched))} streams: {listed(named)}.")


def compare(facts: Facts) -> Told | None:
    """Answer which of several streams is longer, or has more of something that was told apart."""
    if len(facts.watched) < 2:
        return None
    question = facts.question
    if _LENGTH.search(question):
        values = [(each.end_s - each.start_s, each) for each in facts.watched]
        said = {each.stream: lasting(value) for value, each in values}
        return _ranked(facts, values, said, "shorter" if _LEAST.search(question) else "longer")
    labels = next(
        (found for word in re.findall(r"[a-z]+", question.casefold()) if (found := labels_of(word))), None
    )
    if labels is None:
        return _side_by_side(facts)
    stays = facts.stays(lambda entity: entity.label in labels)
    counts = {
        each.stream: len({s.entity.id for s in stays if s.visit.stream == each.stream}) for each in facts.watched
    }
    said = {stream: f"{number(count)} {noun_for(labels, count)}" for stream, count in counts.items()}
    values = [(float(counts[each.stream]), each) for each in facts.watched]
    return _ranked(facts, values, said, "fewer" if _LEAST.search(question) else "more")


def _ranked(facts: Facts, values: list[tuple[float, Watched]], said: dict[str, str], word: str) -> Told:
    """The stream with the most, or the least, and what each of them has."""
    less = word in ("fewer", "shorter")
    ordered = sorted(values, key=lambda pair: pair[0] if less else -pair[0])
    parts = listed([f"{each.stream} {said[each.stream]}" for _, each in ordered[:_NAMED]])
    best, second = ordered[0], ordered[1]
    asked = re.match(r"(?:is|are|was|were|did|does|do|has|have)\b", facts.question, re.IGNORECASE)
    if best[0] == second[0]:
        return told(f"{'No: b' if asked else 'B'}oth alike: {parts}.", belief=0.9)
    if asked is not None:  # "are there more in A than in B": A is named first
        return told(f"{'Yes' if best[1] == facts.watched[0] else 'No'}: {parts}.", belief=0.9)
    return told(f"{best[1].stream}: {parts}.", belief=0.9)


def _side_by_side(facts: Facts) -> Told:
    """What was told apart in each of the streams, and how long each is."""
    parts = []
    for each in facts.watched[:_NAMED]:
        labels = dict[str, set[int]]()
        for stay in facts.stays():
            if stay.visit.stream == each.stream:
                labels.setdefault(stay.entity.label, set()).add(stay.entity.id)
        things = [f"{number(len(ids))} {noun_for([label], len(ids))}" for label, ids in labels.items()]
        parts.append(
            f"{each.stream} ({lasting(each.end_s - each.start_s)}): {listed(things) or 'nothing told apart'}"
        )
    return told(f"{'; '.join(parts)}.", belief=0.7, final=False)
