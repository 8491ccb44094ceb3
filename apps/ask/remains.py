"""What is left of a time whose moments were given up for room, told beside an answer that found nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from hippocam.apps.ask.answer.phrases import listed, number, stretch
from hippocam.apps.ask.where import Where, narrowed
from hippocam.apps.records import Answer
from hippocam.memory.asof.remains import Remains
from hippocam.models.readers.note_text import one_line
from hippocam.models.readers.reading import Sentence

# Lines that are told, and characters of a word.
_TOLD, _WORD = 3, 40


class Known(Protocol):
    """Where lines that outlived their moments are looked up; `Search` is one."""

    def remains(self, where: Where) -> Sequence[Remains]:
        """What is left of a time of which no moment is held."""


def with_remains(known: Known, answer: Answer, where: Where) -> Answer:
    """Say beside an answer that found nothing what is left of the time that it is about.

    Args:
        known: Where it is looked up.
        answer: The answer, as it was found.
        where: The conditions of the question.
    """
    meaning = answer.understood
    if (
        meaning is None
        or not answer.not_seen
        or where.get("place_of") is not None
        or where.get("near") is not None
    ):
        return answer
    found = list[Remains]()
    for span in meaning.spans:
        own = narrowed(where, span)
        if own is not None and (own.get("after_s") is not None or own.get("before_s") is not None):
            found += known.remains(own)
    if not found:
        return answer
    text = (
        f"I only know that {'; '.join(map(_told, found[:_TOLD]))}: the moments themselves were given up for room."
    )
    sentence = Sentence(text=text, known=True)
    return replace(answer, answer=f"{answer.answer} {text}", sentences=(*answer.sentences, sentence))


def _told(line: Remains) -> str:
    events = f"{number(line.events)} event{'' if line.events == 1 else 's'}"
    words = listed([f"“{one_line(word, _WORD)}”" for word in line.words])
    return f"{stretch(line.t0_s, line.t1_s)} in {line.stream} had {events}" + (f", with {words}" if words else "")
