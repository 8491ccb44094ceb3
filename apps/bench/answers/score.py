"""An answer against the truth: right or wrong by a strict rule, and whether its first moment is a right one.

An answer is right if it says what is accepted and nothing that is rejected, tells the right time where a time is
asked for, and rests, where it cites moments, first on one that overlaps the annotated evidence. Of what is absent
it must say so. What a rule cannot see, a person overrules; see `sheet.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hippocam.apps.bench.answers.films import START, Film, FilmQuestion, Window
from hippocam.apps.records import Answer
from hippocam.stream.timecode import parse_time

# Evidence that covers more of a film than this cannot be missed, and says nothing of a first moment.
_ALL = 0.9
# Shared time over joint time, with a window widened by the tolerance, from which a stretch that is told fits it.
_FITS = 0.3
# A pattern that begins so is matched with times, percentages and names left in.
_RAW = "raw:"
_CLOCK = r"(?:\d+:)?\d{1,2}:\d\d(?:\.\d+)?"
_TIMES = re.compile(rf"~?({_CLOCK})(?:\s*(?:to|-|until|and)\s*~?({_CLOCK}))?")
_CITED = re.compile(r"\[[\d, ]+\]|\(inference\)")
_QUOTED_OR_TIME = re.compile(rf"(\"[^\"]*\")|~?{_CLOCK}|\d+(?:\.\d+)? ?%")
_DENIES = re.compile(
    r"(?:no|not seen|not heard|not shown|never|nobody|none|nothing|there (?:is|was) no|0(?= [a-z]))\b", re.I
)
_MAY_SHOW = re.compile(r"\bmay show it\b|\bi can show when\b", re.I)


class Shown(NamedTuple):
    """A moment that came with an answer: its stream, and its times in seconds."""

    stream: str
    t0_s: float
    t1_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer as it is scored.

    Attributes:
        text: What was said.
        unknown: Whether it was said not to be known.
        belief: 0 to 1, that what was asked for is there.
        moments: What came with it, the strongest first.
        cited: Those of them that the answer rests on, in the order in which it names them.
        word: How sure it says that it is: "clear", "likely", "perhaps", "not seen"; "" where it does not say.
    """

    text: str
    unknown: bool = False
    belief: float = 0.0
    moments: tuple[Shown, ...] = ()
    cited: tuple[Shown, ...] = ()
    word: str = ""

    @property
    def denies(self) -> bool:
        """Whether it says that what was asked for is not there."""
        return bool(_DENIES.match(self.text)) and not _MAY_SHOW.search(self.text)

    @property
    def first(self) -> Shown | None:
        """The moment that a user looks at first; None where there is none."""
        return next(iter(self.cited or self.moments), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the rule makes of an answer.

    Attributes:
        right: Whether it is right.
        why: What decided, for people.
        hit: Whether the first moment of an answer that does not deny is a right one; None where none can be wrong.
        found: Whether the first moment is a right one, also where it is only the nearest; None likewise.
        chance: What a random moment of the same length would reach; None likewise.
    """

    right: bool
    why: str
    hit: bool | None = None
    found: bool | None = None
    chance: float | None = None


def said(answer: Answer) -> Said:
    """An answer of the product, as it is scored."""
    moments = {moment.id: Shown(moment.stream, moment.t0_s, moment.t1_s) for moment in answer.evidence}
    text = answer.answer
    is_no = not answer.unknown and bool(_DENIES.match(text))
    return Said(
        text=text,
        unknown=answer.unknown,
        belief=1 - answer.confidence if is_no else answer.confidence,
        moments=tuple(moments.values()),
        cited=tuple(moments[found] for found in answer.cited if found in moments),
        word=answer.surety.value,
    )


def judge(question: FilmQuestion, film: Film, answer: Said, stream: str) -> Verdict:
    """Judge an answer to a question about a film.

    Args:
        question: What was asked.
        film: Of which film.
        answer: What was said.
        stream: The film's stream, as the answer's moments name it.
    """
    right, why = _right(question, film, answer, stream)
    if question.absent or not question.evidence or _covered(question.evidence, film.duration_s) > _ALL:
        return Verdict(right=right, why=why)
    first = answer.first
    found = first is not None and _shows(question, film, first, stream)
    length_s = first.t1_s - first.t0_s if first else 0.0
    return Verdict(
        right=right,
        why=why,
        hit=found and not answer.denies and not answer.unknown,
        found=found,
        chance=chance(question.evidence, film, length_s),
    )


def _right(question: FilmQuestion, film: Film, answer: Said, stream: str) -> tuple[bool, str]:
    if question.absent:
        if answer.denies:
            return True, "denied"
        if not answer.unknown and _matches(question.accept, answer, film):
            return True, "accepted"
        return False, "not denied"
    if answer.unknown:
        return False, "not answered"
    if _matches(question.reject, answer, film):
        return False, "rejected words"
    if question.accept and not _matches(question.accept, answer, film):
        return False, "no accepted words"
    if not question.accept and answer.denies:
        return False, "denied"
    if question.timed and not _tells_time(question, film, answer.text):
        return False, "wrong time"
    if answer.cited and question.evidence and not _shows(question, film, answer.cited[0], stream):
        return False, "first moment beside the evidence"
    return True, "accepted"


def _matches(patterns: Iterable[str], answer: Said, film: Film) -> bool:
    plain = _plain(answer.text, film)
    return any(
        re.search(pattern.removeprefix(_RAW), answer.text if pattern.startswith(_RAW) else plain, re.I | re.S)
        for pattern in patterns
    )


def _plain(text: str, film: Film) -> str:
    """An answer without times and percentages outside quotes, citations, and the names of stream and memory."""
    text = _CITED.sub("", text.replace(f"{film.name}/", "").replace(film.video.stem, ""))
    return " ".join(_QUOTED_OR_TIME.sub(lambda found: found[1] or "", text).split())


def told_times(text: str) -> Window | None:
    """The first stretch of time that an answer tells, in seconds; a single time is a stretch without length."""
    found = _TIMES.search(_CITED.sub("", text))
    if found is None:
        return None
    start_s = parse_time(found[1])
    return start_s, max(start_s, parse_time(found[2])) if found[2] else start_s


def _tells_time(question: FilmQuestion, film: Film, text: str) -> bool:
    told = told_times(text)
    if told is None:
        return False
    wide = _widened(question.evidence, film)
    if question.timed == START:
        return any(start <= told[0] <= end for start, end in wide)
    return any(_fits(told, window) for window in wide)


def _fits(told: Window, window: Window) -> bool:
    """Whether a stretch lies within a window, or shares enough of its time with it."""
    if window[0] <= told[0] and told[1] <= window[1]:
        return True
    both = min(told[1], window[1]) - max(told[0], window[0])
    return both / (max(told[1], window[1]) - min(told[0], window[0])) >= _FITS


def _shows(question: FilmQuestion, film: Film, moment: Shown, stream: str) -> bool:
    if moment.stream != stream:
        return False
    wide = _widened(question.evidence, film)
    return any(min(moment.t1_s, end) >= max(moment.t0_s, start) for start, end in wide)


def _widened(windows: Sequence[Window], film: Film) -> list[Window]:
    return [(start - film.tolerance_s, end + film.tolerance_s) for start, end in windows]


def _covered(windows: Sequence[Window], duration_s: float) -> float:
    """Share of a film that lies in one of some windows."""
    total, until = 0.0, 0.0
    for start, end in sorted(windows):
        total += max(0.0, min(end, duration_s) - max(start, until))
        until = max(until, end)
    return total / duration_s


def chance(windows: Sequence[Window], film: Film, length_s: float) -> float:
    """Chance that a moment of some length, anywhere in the film alike, overlaps a window within the tolerance."""
    room_s = film.duration_s - length_s
    if room_s <= 0:
        return 1.0
    starts = [(max(0.0, a - length_s), min(b, room_s)) for a, b in _widened(windows, film)]
    return _covered([window for window in starts if window[1] > window[0]], room_s)
