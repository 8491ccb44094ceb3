"""What a reader gives back: sentences, each with what it rests on, and what the reader was given."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hippocam.models.readers.marks import MARKS, marks_in
from hippocam.models.readers.surety import Surety

# Belief below which the best evidence is no answer.
SEEN_FROM = 0.5
# By how much the log odds of two beliefs that are nearly alike differ at most; beliefs above this do not differ.
# Odds, and not beliefs: what is believed by .97 has a fifth of the odds of what is believed by .995.
_ALIKE = 1.5
_SUREST = 0.995


def nearly_as_likely(belief: float, best: float) -> bool:
    """Whether a belief, 0 to 1, is nearly as high as the best one."""
    return _log_odds(belief) >= _log_odds(best) - _ALIKE


def _log_odds(belief: float) -> float:
    belief = min(max(belief, 1 - _SUREST), _SUREST)
    return math.log(belief / (1 - belief))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence of an answer.

    Attributes:
        text: Its words; a model's may hold marks of moments, as "[E2]".
        evidence_ids: Ids of what it rests on; empty for an inference, and where the answer is unknown.
        marks: The mark of each of these, in the same order; empty where the reader uses none.
        known: Whether it is from the memory's own records, so that it is no inference where it rests on no moment.
    """

    text: str
    evidence_ids: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A moment that a reader was given.

    Attributes:
        mark: What the reader calls it: "E1" a moment of the memory, "L1" a live frame.
        id: Id of the evidence; "live:<stream>@<seconds>" for a live frame.
        stream: Which stream.
        time_s: Time of its frame.
        picture: Whether its picture was given.
    """

    mark: str
    id: str
    stream: str
    time_s: float
    picture: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An answer to a question, out of what was given.

    Attributes:
        sentences: One or a few.
        unknown: Whether what was given does not support an answer.
        confidence: Belief, 0 to 1, that the answer is right; if it is unknown, the belief in the nearest moment.
        given: What the reader was given.
        prompt: The same as text, word for word, with a line for each picture; "" for a reader without a prompt.
        sure: How sure it is, where that is less than the belief says; None for what the belief says.
    """

    sentences: tuple[Sentence, ...]
    unknown: bool
    confidence: float = 0.0
    given: tuple[Given, ...] = ()
    prompt: str = ""
    sure: Surety | None = None

    @property
    def surety(self) -> Surety:
        """How sure it is, in a word."""
        if self.unknown:
            return Surety.NOT_SEEN
        return self.sure or Surety.of(self.confidence)

    @property
    def answer(self) -> str:
        """The sentences in a row."""
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def evidence_ids(self) -> tuple[str, ...]:
        """Ids of all that the sentences rest on, in their order."""
        return tuple(dict.fromkeys(found for sentence in self.sentences for found in sentence.evidence_ids))

    def cited_answer(self, names: Mapping[str, str]) -> str:
        """The sentences, each with what it rests on, as "He came in at 1:05 [1]", or marked as an inference.

        Args:
            names: What to write for an id, as "1".
        """
        if self.unknown:
            return self.answer
        return " ".join(_cited(sentence, names) for sentence in self.sentences)


def _cited(sentence: Sentence, names: Mapping[str, str]) -> str:
    ends = sentence.text[-1:] if sentence.text[-1:] in (".", "!", "?") else "."
    body = sentence.text.removesuffix(ends)
    if not sentence.evidence_ids and sentence.known:
        return f"{body}{ends}"
    if not sentence.evidence_ids:
        return f"{' '.join(MARKS.sub(' ', body).split())} (inference){ends}"
    by_mark = dict(zip(sentence.marks, sentence.evidence_ids, strict=True)) if sentence.marks else {}
    standing = marks_in(body)

    def named(found: re.Match[str]) -> str:
        return _brackets([by_mark[mark] for mark in marks_in(found[0]) if mark in by_mark], names)

    body = MARKS.sub(named, body) if by_mark else body
    shown = {by_mark[mark] for mark in standing if mark in by_mark}
    rest = [found for found in sentence.evidence_ids if found not in shown]
    return f"{body}{' ' + _brackets(rest, names) if rest else ''}{ends}"


def _brackets(ids: Sequence[str], names: Mapping[str, str]) -> str:
    return f"[{', '.join(names.get(found, found) for found in ids)}]"
