"""Answers questions about what a robot did: what it acted on, where it was, its joints and its actions.

"What did you act on at 12.4 s?" shows the moments that the action rested on; "What was the joint state at 5 s?"
tells the numbers with their names, "What was the left elbow at 5 s?" the ones whose names say so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from hippocam.apps.ask.answer.phrases import stretch
from hippocam.apps.ask.answer.told import Told, told
from hippocam.apps.ask.question.meaning import Meaning
from hippocam.apps.ask.robot.records import OWN_RECORD, Act, RobotRecords, Sample
from hippocam.apps.ask.robot.wording import place_in_words
from hippocam.apps.ask.where import Where, narrowed
from hippocam.memory.records import Evidence, StreamStatus
from hippocam.models.readers.reading import Reading, Sentence
from hippocam.stream.records import FloatArray
from hippocam.stream.robot.dimensions import is_distance
from hippocam.stream.timecode import format_time

_ACTED = re.compile(
    r"\b(?:you|robot|it) (?:act|acted|acting|rely|relied|base|based)\b(?: (?:your|the|its) \w+)? (?:up)?on\b",
    re.IGNORECASE,
)
_WHERE = re.compile(
    r"^where (?:were|was) (?:you|the robot|it)\b|^what (?:was|were) (?:the|your) (?:pose|position)\b"
    r"|^which way (?:were|was|did|does) (?:you|the robot|it)\b",
    re.IGNORECASE,
)
_ACTION = re.compile(r"\b(?:actions?|commands?)\b", re.IGNORECASE)
_STATE = re.compile(r"\b(?:joints?|joint states?|states?|configuration|proprioception|encoders?)\b", re.IGNORECASE)
_NUMBERS = re.compile(r"^(?:what|how|tell|give|show)\b", re.IGNORECASE)
# Words of names, in whichever way they are written: kLeftElbow, left_elbow, left-elbow.2.
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NOT_NAMES = frozenset("k the was were what is at joint state action of value position angle s and a".split())
_RESTED = "the robot acted on it"
# A single instant is asked for with a window of 5 s about it; numbers and moments that are told at most.
_ABOUT_S, _MOST, _TOP = 5.0, 40, 5


class MomentAt(Protocol):
    """Gives the moment of a stream that shows a time."""

    def __call__(self, stream: str, time_s: float) -> Evidence | None:
        """The moment; None where none is held."""


class _When(NamedTuple):
    stream: str | None
    after_s: float
    before_s: float

    @property
    def middle_s(self) -> float:
        """The instant that is meant."""
        return self.before_s - _ABOUT_S if self.after_s <= 0 else self.after_s + _ABOUT_S

    @property
    def is_instant(self) -> bool:
        return self.before_s - self.after_s <= 2 * _ABOUT_S


def answer_of_robot(
    records: RobotRecords, meaning: Meaning, streams: Sequence[StreamStatus], where: Where, moment_at: MomentAt
) -> Told | None:
    """Answer a question about what a robot did; None where it is none, or no robot is known.

    Args:
        records: What is known of robots.
        meaning: The question.
        streams: Those that it may be about.
        where: Its conditions.
        moment_at: Gives the moment of a stream that shows a time.
    """
    if where.get("place_of") is not None or where.get("near") is not None:
        return None
    if _ACTED.search(meaning.question):
        return _acted(records, meaning, where)
    when = _when(meaning)
    if when is None or not when.is_instant:
        return None
    for stream in _meant(meaning, streams):
        sample = records.at(stream.id, when.middle_s, where.get("at_s"))
        text = None if sample is None else _in_words(meaning.question, sample)
        if sample is not None and text:
            shown = moment_at(stream.id, sample.time_s)
            when_where = f"{format_time(sample.time_s)} in {stream.id}"
            return told(f"At {when_where} {text}.", () if shown is None else (_recorded(shown, OWN_RECORD),))
    return None


def _acted(records: RobotRecords, meaning: Meaning, where: Where) -> Told:
    """What a robot acted on: at an instant, in a stretch of time, or last."""
    searches = [own for span in meaning.spans if (own := narrowed(where, span)) is not None]
    acts = [act for own in searches for act in records.acts(own)]
    if not acts:
        then = " then" if records.acts(where) else ""
        return told(f"The memory was not told that anything was acted on{then}.", unknown=True, belief=0.0)
    when = _when(meaning)
    if when is None:
        acts = acts[-1:]
    elif when.is_instant:
        acts = [min(acts, key=lambda act: max(act.t0_s - when.middle_s, when.middle_s - act.t1_s, 0.0))]
    sentences, shown = list[Sentence](), dict[str, Evidence]()
    for act in acts[:_TOP]:
        moments = [_recorded(moment, _RESTED) for moment in records.moments(act.ids, where.get("at_s"))]
        shown |= {moment.id: moment for moment in moments}
        sentences.append(_told_act(act, moments))
    reading = Reading(sentences=tuple(sentences), unknown=False, confidence=1.0)
    return Told(reading=reading, evidence=tuple(shown.values()))


def _told_act(act: Act, moments: Sequence[Evidence]) -> Sentence:
    gone = len(act.ids) - len(moments)
    left = f"; {gone} more {'is' if gone == 1 else 'are'} not held any more" if gone else ""
    when = f"{stretch(act.t0_s, act.t1_s)} in {act.stream}"
    if not moments:
        return Sentence(
            text=f"At {when} the robot acted on {gone} moments that are not held any more.", known=True
        )
    told_of = ", ".join(f"{stretch(moment.t0_s, moment.t1_s)}{_of(moment, act)}" for moment in moments[:_TOP])
    told_of += f" and {len(moments) - _TOP} more" if len(moments) > _TOP else ""
    ids = tuple(moment.id for moment in moments)
    text = f"At {when} the robot acted on what it saw at {told_of}{left}."
    return Sentence(text=text, evidence_ids=ids, known=True)


def _recorded(moment: Evidence, why: str) -> Evidence:
    return replace(moment, score=1.0, why=why, recorded=True)


def _of(moment: Evidence, act: Act) -> str:
    return "" if moment.stream == act.stream else f" in {moment.stream}"


def _when(meaning: Meaning) -> _When | None:
    """The time that a question names; None where it names none, or several."""
    timed = {(span.stream, span.after_s, span.before_s) for span in meaning.spans if span.before_s is not None}
    if len({(after_s, before_s) for _, after_s, before_s in timed}) != 1:
        return None
    stream, after_s, before_s = next(iter(timed))
    return _When(stream, after_s or 0.0, before_s or 0.0)


def _meant(meaning: Meaning, streams: Sequence[StreamStatus]) -> list[StreamStatus]:
    return [stream for stream in streams if any(span.of_stream(stream.id) for span in meaning.spans)]


def _in_words(question: str, sample: Sample) -> str | None:
    """What a sample says to a question; None where it asks for something else, or that is not known."""
    plain = question.strip(" ?!.")
    if _WHERE.search(plain):
        return None if sample.pose is None else f"the robot was {place_in_words(sample.pose)}"
    if not _NUMBERS.search(plain):
        return None
    if _ACTION.search(plain):
        return _numbers("action", sample.action, sample.action_names, plain)
    chosen = _chosen(sample.state_names, plain)
    if _STATE.search(plain) or chosen:
        return _numbers("state", sample.state, sample.state_names, plain)
    return None


def _numbers(what: str, numbers: FloatArray | None, names: Sequence[str], question: str) -> str | None:
    if numbers is None:
        return None
    names = names or [f"number {k}" for k in range(len(numbers))]
    own = [k for k, name in enumerate(names) if not is_distance(name)]  # distances are told where they are named
    rows = _chosen(names, question) or own or list(range(len(numbers)))
    listed = ", ".join(f"{names[k]} {float(numbers[k]):.4g}" for k in rows[:_MOST])
    more = f" and {len(rows) - _MOST} more" if len(rows) > _MOST else ""
    return f"the robot's {what} was {listed}{more}"


def _chosen(names: Sequence[str], question: str) -> list[int]:
    """Which numbers a question names: all whose names have every word that it shares with any of them."""
    words = {word.casefold() for word in re.findall(r"\w+", question)} - _NOT_NAMES
    parts = [{part.casefold() for part in _PART.findall(name)} - _NOT_NAMES for name in names]
    meant = words & {part for each in parts for part in each}
    return [k for k, each in enumerate(parts) if meant and meant <= each]
