"""What a robot acted on: the entries that its actions rested on, from when to when, as notes.

A loop acts many times a second on the same entries, so acts that follow each other become one note, which lasts as
long as they do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from hippocam.stream.records import ACTED, Note

# Entries of one act that are kept, and how long after the last one an act on the same entries continues it.
MOST_IDS = 16
_GOES_ON_S = 2.0
_ID = re.compile(r"\b[0-9a-f]{16}\b")


class _Going(NamedTuple):
    t0_s: float
    t1_s: float
    text: str


class ActLog:
    """Turns acts into notes; those of one stream come by time."""

    def __init__(self) -> None:
        self._going: dict[str, _Going] = {}

    def add(self, stream: str, time_s: float, entry_ids: Sequence[int]) -> Note | None:
        """Take an act: a new note, or the last one with a later end; None where the act rested on nothing.

        Args:
            stream: Of the robot's episode.
            time_s: When it was done.
            entry_ids: What it rested on, the strongest first.
        """
        if not entry_ids:
            self._going.pop(stream, None)
            return None
        text = "acted on " + ", ".join(f"{entry_id:016x}" for entry_id in entry_ids[:MOST_IDS])
        last = self._going.get(stream)
        goes_on = last is not None and last.text == text and 0 <= time_s - last.t1_s <= _GOES_ON_S
        t0_s = last.t0_s if last is not None and goes_on else time_s
        self._going[stream] = _Going(t0_s, time_s, text)
        return Note(stream=stream, kind=ACTED, t0_s=t0_s, t1_s=time_s, text=text)


def acted_on(note: Note) -> list[int]:
    """Ids of the entries that an act rested on, the strongest first; none of another note."""
    return [int(found, 16) for found in _ID.findall(note.text)] if note.kind == ACTED else []
