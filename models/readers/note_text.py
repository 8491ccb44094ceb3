"""A note in words for people: how it came, when, and what it says, quoted and in one line."""

from __future__ import annotations

from hippocam.stream.records import Note
from hippocam.stream.timecode import format_time

_HOW = {"screen": "on screen", "speech": "said", "subtitle": "subtitle", "chapter": "chapter", "mark": "marked"}
# What stands behind a moment that nobody here has watched.
IMPORTED = "from an imported file"
_CHARS = 160


def told_note(note: Note) -> str:
    """A note as 'said 0:42.0 to 0:45.1: "..."'."""
    return f"{how(note)} {format_time(note.t0_s)} to {format_time(note.t1_s)}: {one_line(note.text)}"


def how(note: Note) -> str:
    """How a note came: "said", "on screen"."""
    return _HOW.get(note.kind, "noted")


def one_line(text: str, most: int = _CHARS) -> str:
    """Words from outside, quoted and in one line, cut where they are long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split()).replace('"', "'")
    return f'"{line[:most]}{"..." if len(line) > most else ""}"'
