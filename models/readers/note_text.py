"""Notes in words for people: how they came, when, and what they say, quoted and in one line."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from hippocam.stream.records import Note
from hippocam.stream.timecode import format_time

_HOW = {"screen": "on screen", "speech": "said", "subtitle": "subtitle", "chapter": "chapter", "mark": "marked"}
# What stands behind a moment that nobody here has watched.
IMPORTED = "from an imported file"
_CHARS = 160
# Characters of a whole screen.
_SCREEN_CHARS = 600


def told_note(note: Note) -> str:
    """A note as 'said 0:42.0 to 0:45.1: "..."'."""
    return f"{how(note)} {format_time(note.t0_s)} to {format_time(note.t1_s)}: {one_line(note.text)}"


def told_notes(notes: Sequence[Note]) -> str:
    """Several notes, by "; "; lines in a row that stand on the screen together are told as one."""
    return "; ".join(_told_together(list(group)) for _, group in itertools.groupby(notes, _screen_of))


def _screen_of(note: Note) -> object:
    """What lines of one screen share, and no other notes."""
    return note.stream if note.kind == "screen" else note


def _told_together(notes: list[Note]) -> str:
    first = notes[0]
    t0_s, t1_s = max(note.t0_s for note in notes), min(note.t1_s for note in notes)
    if len(notes) == 1 or t0_s > t1_s:
        return "; ".join(map(told_note, notes))
    lines = one_line(" / ".join(note.text for note in notes), _SCREEN_CHARS)
    return f"{how(first)} {format_time(t0_s)} to {format_time(t1_s)}: {lines}"


def how(note: Note) -> str:
    """How a note came: "said", "on screen"."""
    return _HOW.get(note.kind, "noted")


def one_line(text: str, most: int = _CHARS) -> str:
    """Words from outside, quoted and in one line, cut where they are long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split()).replace('"', "'")
    return f'"{line[:most]}{"..." if len(line) > most else ""}"'
