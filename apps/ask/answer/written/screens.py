"""What stands on the first, the third or the last slide: lines that stand together are a screen."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hippocam.apps.ask.answer.facts import READ, Facts
from hippocam.apps.ask.answer.phrases import number, stretch
from hippocam.apps.ask.answer.told import ON_SCREEN, Told, on_screen, told
from hippocam.apps.ask.count.words import ORDINALS, index_of
from hippocam.models.readers.note_text import one_line
from hippocam.stream.records import Note

_ASKED = re.compile(
    rf"\b(?P<nth>{'|'.join(ORDINALS)}|last) (?:[\w-]+ )?"
    r"(?:slides?|screens?|pages?|cards?|titles?|captions?|texts?|words that (?:are|were) (?:shown|written))\b",
    re.IGNORECASE,
)
# A line that stands for so much of a recording is a mark in its corner, and of no screen.
_ALWAYS = 0.5
# A screen is over once nothing of it stands any more, within a look.
_LOOK_S = 0.5
# Characters of a screen that are told.
_WORDS = 400


def nth_screen(facts: Facts) -> Told | None:
    """Tell the lines of the screen that is meant by its place in the row.

    Returns:
        None where none is, or no words were read.
    """
    asked = _ASKED.search(facts.question)
    if asked is None or facts.beside or len(facts.watched) != 1:
        return None
    watched = facts.watched[0]
    screens = screens_of(facts.notes(READ), watched.end_s - watched.start_s)
    if not screens:
        return None
    index = index_of(asked["nth"].casefold(), len(screens))
    if index is None:
        return told(f"There was no such screen: {number(len(screens))} with words were read.", belief=ON_SCREEN)
    lines = screens[index]
    t0_s, t1_s = min(line.t0_s for line in lines), max(line.t1_s for line in lines)
    words = one_line("; ".join(dict.fromkeys(line.text for line in lines)), _WORDS)
    where = f"{watched.stream}, {stretch(t0_s, t1_s)}"
    return on_screen(facts, where, words, [(watched.stream, t0_s, t1_s, t0_s)])


def screens_of(notes: Sequence[Note], duration_s: float) -> list[list[Note]]:
    """Put lines of one stream that stand together into screens, by time, each in reading order.

    Args:
        notes: Lines that were read.
        duration_s: Of what they were read in.
    """
    screens, until_s = list[list[Note]](), 0.0
    for note in sorted(notes, key=lambda note: (note.t0_s, note.line)):
        if note.t1_s - note.t0_s > _ALWAYS * duration_s:
            continue
        if not screens or note.t0_s > until_s + _LOOK_S:
            screens.append([])
            until_s = note.t1_s
        screens[-1].append(note)
        until_s = max(until_s, note.t1_s)
    return screens
