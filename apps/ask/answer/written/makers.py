"""Who made what: the role that words on a screen name, with the names that stand beside it.

Whoever asks who composed the music asks for what credits call "Music" or "Composer", and of whom no picture tells.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hippocam.apps.ask.answer.facts import WRITTEN, Facts
from hippocam.apps.ask.answer.phrases import stretch
from hippocam.apps.ask.answer.told import Told, on_screen
from hippocam.models.readers.note_text import one_line
from hippocam.stream.records import Note

# "Who", "by whom", "which studio"; "what does the script print?" asks for nobody.
_ASKED = re.compile(
    r"^(?:by |for )?(?:who|whom|whose|(?:which|what) (?:(?:is|was) the name of|studios?|compan(?:y|ies)|people"
    r"|organi[sz]ations?|foundations?|institut(?:e|ion)s?|persons?|artists?|bands?|publishers?|distributors?"
    r"|sponsors?))\b",
    re.IGNORECASE,
)
# What is asked of a work, and what credits call it.
_ROLES = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(called, re.IGNORECASE))
    for asked, called in (
        (r"\b(?:compos(?:er|ed)|(?:made|did|wrote|created|recorded) the (?:music|score|soundtrack|songs?)|music by"
         r"|soundtrack)\b", r"\b(?:music|compos(?:er|ed)|score|soundtrack)\b"),
        (r"\b(?:directors?|directed)\b", r"\b(?:directors?|directed)\b"),
        (r"\b(?:producers?|produced)\b", r"\b(?:producers?|produced)\b"),
        (r"\b(?:(?:screen)?writers?|wrote|written by|authors?|script|screenplay)\b",
         r"\b(?:written|(?:screen)?writers?|script|screenplay|story|authors?)\b"),
        (r"\b(?:narrat(?:ors?|ed|es)|voice of|speakers?)\b", r"\b(?:narrat(?:ors?|ed|ion)|voice|speakers?)\b"),
        (r"\b(?:animat(?:ors?|ed)|animation)\b", r"\banimat(?:ors?|ed|ion)\b"),
        (r"\b(?:editors?|edited)\b", r"\b(?:editors?|edited|editing)\b"),
        (r"\b(?:camera(?:man|woman)|cinematographers?|filmed|shot by)\b",
         r"\b(?:camera|cinematograph\w*|photography|filmed)\b"),
        (r"\bsound (?:design\w*|effects)\b", r"\bsound\b"),
        (r"\b(?:sponsor\w*|fund(?:ed|s|ing)|financ\w+|paid)\b", r"\b(?:sponsor\w*|fund(?:ed|s|ing)?|financial)\b"),
        (r"\b(?:published|publishers?|distribut\w+)\b", r"\b(?:publish\w*|distribut\w+)\b"),
    )
)  # fmt: skip
# Lines of one screen begin so shortly after each other; so many before and after that of a role go with it.
_SCREEN_S = 1.0
_BESIDE = 2
_TOLD = 2


def makers(facts: Facts) -> Told | None:
    """Tell the lines that name the role which is asked for, with those beside them.

    Returns:
        None where no such role is asked for, or no line names it.
    """
    if facts.beside or not _ASKED.match(facts.question):
        return None
    called = next((called for asked, called in _ROLES if asked.search(facts.question)), None)
    notes = [] if called is None else facts.notes(WRITTEN)
    named = [note for note in notes if called is not None and called.search(note.text)]
    if not named:
        return None
    named.sort(key=lambda note: (len(note.text.split()), note.t0_s))  # "Director" before "Technical Director"
    chosen = list[list[Note]]()
    for note in named:
        own = _beside(note, notes)
        if len(chosen) < _TOLD and not any(set(own) & set(other) for other in chosen):
            chosen.append(own)
    parts = [f"{one_line(' / '.join(each.text for each in own))} ({stretch(*_times(own))})" for own in chosen]
    spans = [(own[0].stream, *_times(own), own[0].t0_s) for own in chosen]
    return on_screen(facts, chosen[0][0].stream, "; ".join(parts), spans)


def _beside(note: Note, notes: Sequence[Note]) -> list[Note]:
    """A line with those before and after it on its screen, in reading order."""
    screen = {
        each.text: each
        for each in notes
        if each.stream == note.stream and abs(each.t0_s - note.t0_s) <= _SCREEN_S and each.kind == note.kind
    }
    ordered = sorted(screen.values(), key=lambda each: (each.t0_s, each.line))
    place = next(index for index, each in enumerate(ordered) if each.text == note.text)
    return ordered[max(0, place - _BESIDE) : place + _BESIDE + 1]


def _times(notes: Sequence[Note]) -> tuple[float, float]:
    return min(note.t0_s for note in notes), max(note.t1_s for note in notes)
