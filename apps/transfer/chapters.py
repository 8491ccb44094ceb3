"""Entries into a table of their spans, or into chapters for a player.

`csv` has a row a span: stream, t0_s, t1_s, entry, labels, text, surprise, met, place, level, frame_s (of the one
picture that an entry has). `srt` and `vtt` have a cue a span of one stream, by time, that says its labels, or its
words, or its id. A cue lasts a millisecond at least, since players ignore cues without length.

Entries come in the order of their first spans; their later spans are held back until it is their turn.
"""

from __future__ import annotations

import csv
import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hippocam.memory.records import Entry, format_id
from hippocam.stream.timecode import DATES_FROM_S

_COLUMNS = ("stream", "t0_s", "t1_s", "entry", "labels", "text", "surprise", "met", "place", "level", "frame_s")
# SubRip has no escapes, and players take "<" and "{" for markup.
_SRT = str.maketrans("<>{}", "‹›()")
_VTT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class _Line:
    """A file for csv.writer that returns what is written to it."""

    def write(self, line: str) -> str:
        return line


def csv_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """A table with a row a span."""
    writer = csv.writer(_Line(), lineterminator="\n")
    yield writer.writerow(_COLUMNS)
    for entry in entries:
        labels, level = ", ".join(entry.labels), entry.level.name.lower()
        for span in entry.spans:
            yield writer.writerow(
                (
                    entry.stream, span.t0_s, span.t1_s, format_id(entry.id), labels, entry.text,
                    entry.surprise, entry.met, entry.place, level, entry.frame_s,
                )
            )  # fmt: skip


class _Cue(NamedTuple):
    """A chapter; sorts by time."""

    t0_ms: int
    t1_ms: int
    id: str
    text: str


def _cues(entries: Iterable[Entry]) -> Iterator[_Cue]:
    """Yield the spans of entries as cues, by time; times of a live stream start at 0."""
    waiting: list[_Cue] = []
    start_s: float | None = None
    for entry in entries:
        if start_s is None:
            start_s = entry.t0_s if entry.t0_s >= DATES_FROM_S else 0.0
        for number, span in enumerate(entry.spans, start=1):
            t0_ms = max(0, round(1000 * (span.t0_s - start_s)))
            t1_ms = max(t0_ms + 1, round(1000 * (span.t1_s - start_s)))
            heapq.heappush(waiting, _Cue(t0_ms, t1_ms, f"{format_id(entry.id)}-{number}", _words(entry)))
        while waiting and waiting[0].t0_ms < round(1000 * (entry.t0_s - start_s)):
            yield heapq.heappop(waiting)
    while waiting:
        yield heapq.heappop(waiting)


def _words(entry: Entry) -> str:
    """Return the text of a chapter, on one line and without control characters."""
    text = ", ".join(entry.labels) or entry.text
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split()) or f"moment {format_id(entry.id)}"


def _clock(time_ms: int, point: str) -> str:
    seconds, ms = divmod(time_ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{ms:03d}"


def srt_cues(entries: Iterable[Entry]) -> Iterator[str]:
    """Chapters as SubRip."""
    for number, cue in enumerate(_cues(entries), start=1):
        times = f"{_clock(cue.t0_ms, ',')} --> {_clock(cue.t1_ms, ',')}"
        yield f"{number}\n{times}\n{cue.text.translate(_SRT)}\n\n"


def vtt_cues(entries: Iterable[Entry]) -> Iterator[str]:
    """Chapters as WebVTT."""
    yield "WEBVTT\n"
    for cue in _cues(entries):
        times = f"{_clock(cue.t0_ms, '.')} --> {_clock(cue.t1_ms, '.')}"
        yield f"\n{cue.id}\n{times}\n{cue.text.translate(_VTT)}\n"
