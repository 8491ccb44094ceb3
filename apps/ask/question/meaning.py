"""What a question is taken to mean: the records that understanding, asking and a conversation hand each other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from hippocam.memory.filter import Filter
from hippocam.models.readers.question_kind import QuestionKind
from hippocam.stream.timecode import format_time

Side = Literal["before", "after"]
# "The wall when the light goes on": when the light goes on is to be found.
_DURING = re.compile(r"\S.*?\s(?:when|while)\s(?P<what>\S.*)", re.IGNORECASE)
# What is on the table stands beside a table.
_WHERE_IT_IS = re.compile(
    r"^(?:on|in|at|under|near|by|inside|above|below|behind|beside) (?=(?:the|an?|my|our)\b)", re.IGNORECASE
)
_AT_A_MOMENT = (QuestionKind.COLOUR, QuestionKind.WHERE)
_SOUGHT = {QuestionKind.WHO: "a person", QuestionKind.NOBODY: "nobody"}
_PRESUPPOSING = frozenset(QuestionKind) - {
    QuestionKind.WHETHER, QuestionKind.WHEN, QuestionKind.OFTEN, QuestionKind.COUNT, QuestionKind.WHO,
    QuestionKind.NOBODY, QuestionKind.SAID, QuestionKind.WORDS,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """Another event, before or after which to look.

    Attributes:
        side: Whether to look before or after it.
        text: What it looks like; "" where its time is known.
        just: Whether to look close to it only.
        t0_s: Its start, None where it must be found first.
        t1_s: Its end, None likewise.
        stream: Its stream, None likewise.
    """

    side: Side
    text: str = ""
    just: bool = False
    t0_s: float | None = None
    t1_s: float | None = None
    stream: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a question is taken to mean.

    Attributes:
        question: The question as a whole sentence: a follow-up is completed with what it left out.
        kind: What it wants to know.
        text: What to look for, in the words of the question; "" where it is about all that there was.
        nth: Which in a row, from 1; 0 where it does not say, or means the last.
        spans: In which streams and times to look, one at least; each sets stream, after_s and before_s alone.
        anchor: The event before or after which to look; None for anywhere.
    """

    question: str
    kind: QuestionKind
    text: str
    nth: int = 0
    spans: tuple[Filter, ...] = (Filter(),)
    anchor: Anchor | None = None

    @property
    def sought(self) -> str:
        """What a picture must show, also where the question names nobody: who came is somebody."""
        during = _DURING.match(self.text) if self.kind in _AT_A_MOMENT else None
        text = _WHERE_IT_IS.sub("", self.text) if self.kind == QuestionKind.WHAT else self.text
        return during["what"] if during else text or _SOUGHT.get(self.kind, "")

    @property
    def in_words(self) -> bool:
        """Whether words can be the answer."""
        return self.kind.in_words

    @property
    def presupposed(self) -> bool:
        """Whether it takes it that what it names was there: nobody asks what colour a car was that never came."""
        return self.kind in _PRESUPPOSING

    @property
    def narrowed(self) -> bool:
        """Whether it says where, when, or before or after what to look."""
        return self.anchor is not None or any(self.spans)

    def __str__(self) -> str:
        text = self.kind.value
        if self.nth:
            text += f", number {self.nth}"
        text += f': looked for "{self.text}"' if self.text else ": looked at all that there was"
        spans = [_span_text(span) for span in self.spans if span]
        if spans:
            text += " in " + " and in ".join(spans)
        if self.anchor is not None:
            what = f'"{self.anchor.text}"' if self.anchor.text else "the moment before in this conversation"
            text += f", {'just ' if self.anchor.just else ''}{self.anchor.side} {what}"
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A question of a conversation and the moment that answered it; no moment where it was not seen."""

    meaning: Meaning
    stream: str | None = None
    t0_s: float | None = None
    t1_s: float | None = None


def _span_text(span: Filter) -> str:
    stream = span.stream or "all streams"
    if span.after_s is None and span.before_s is None:
        return stream
    start = "the start" if span.after_s is None else format_time(span.after_s)
    return f"{stream}, {start} to {'the end' if span.before_s is None else format_time(span.before_s)}"
