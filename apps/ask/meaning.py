"""What a question was taken to mean: records that travel between understanding, asking and a conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hippocam.models.readers.question_kind import Asked
from hippocam.stream.timecode import format_time

Side = Literal["before", "after"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Something else that happened, before or after which to look.

    Attributes:
        side: On which side of it.
        text: What it looks like; empty where its time is known.
        just: Whether close to it.
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
class LookIn:
    """Where and when to look; None, each, for no condition. Times in seconds."""

    stream: str | None = None
    after_s: float | None = None
    before_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What a question is taken to mean.

    Attributes:
        question: The question as a whole sentence: of a follow-up, with what it left out.
        kind: What it wants to know.
        text: What to look for, in the words of the question.
        spans: Where and when; one at least.
        beside: Something else beside which to look.
    """

    question: str
    kind: Asked
    text: str
    spans: tuple[LookIn, ...] = (LookIn(),)
    beside: Beside | None = None

    @property
    def narrowed(self) -> bool:
        """Whether it says where, when or beside what to look."""
        return self.beside is not None or any(span != LookIn() for span in self.spans)

    def __str__(self) -> str:
        told = f'looked for "{self.text}"'
        places = [_told(span) for span in self.spans if span != LookIn()]
        if places:
            told += " in " + " and in ".join(places)
        if self.beside is not None:
            what = f'"{self.beside.text}"' if self.beside.text else "the moment before in this conversation"
            told += f", {'just ' if self.beside.just else ''}{self.beside.side} {what}"
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A question of a conversation and the moment that answered it; no moment where it was not seen."""

    understood: Understood
    stream: str | None = None
    t0_s: float | None = None
    t1_s: float | None = None


def _told(span: LookIn) -> str:
    told = span.stream or "all streams"
    if span.after_s is None and span.before_s is None:
        return told
    start = "the start" if span.after_s is None else format_time(span.after_s)
    return f"{told}, {start} to {'the end' if span.before_s is None else format_time(span.before_s)}"
