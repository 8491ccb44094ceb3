"""Entries into a table of their spans, a stream into chapters for a player.

`csv` has a row a span: stream, t0_s, t1_s, entry, looks_like, text, surprise, met, place, level, frame_s (of the
one picture that an entry has). `srt` and `vtt` have a cue a chapter of one stream's table of contents, by time. A
cue lasts a millisecond at least, since players ignore cues without length.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from hippocam.apps.sentences.contents import Chapter
from hippocam.apps.wording import cell, one_line
from hippocam.memory.records import Entry, format_id
from hippocam.stream.timecode import DATES_FROM_S

_COLUMNS = tuple("stream t0_s t1_s entry looks_like text surprise met place level frame_s".split())
# SubRip has no escapes, and players take "<" and "{" for markup.
_SRT = str.maketrans("<>{}", "‹›()")
_VTT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class _Line:
    """A file for csv.writer that returns what is written to it."""

    def write(self, line: str) -> str:
        return line


def csv_lines(entries: Iterable[Entry], sentence: Callable[[Entry], str]) -> Iterator[str]:
    """A table with a row a span; `sentence` says what an entry looks like."""
    writer = csv.writer(_Line(), lineterminator="\n")
    yield writer.writerow(_COLUMNS)
    for entry in entries:
        told, level = sentence(entry), entry.level.name.lower()
        for span in entry.spans:
            yield writer.writerow(
                (
                    cell(entry.stream), span.t0_s, span.t1_s, format_id(entry.id), cell(told), cell(entry.text),
                    entry.surprise, entry.met, entry.place, level, entry.frame_s,
                )
            )  # fmt: skip


class _Cue(NamedTuple):
    """A chapter in whole milliseconds."""

    t0_ms: int
    t1_ms: int
    id: str
    text: str


def _cues(chapters: Iterable[Chapter]) -> Iterator[_Cue]:
    """Yield chapters as cues; times of a live stream start at 0."""
    start_s: float | None = None
    for number, chapter in enumerate(chapters, start=1):
        if start_s is None:
            start_s = chapter.t0_s if chapter.t0_s >= DATES_FROM_S else 0.0
        t0_ms = max(0, round(1000 * (chapter.t0_s - start_s)))
        t1_ms = max(t0_ms + 1, round(1000 * (chapter.t1_s - start_s)))
        yield _Cue(t0_ms, t1_ms, f"{format_id(chapter.entry_id)}-{number}", _title(chapter.title))


def _title(text: str) -> str:
    """A chapter's title with a capital letter, on one line and without control characters."""
    line = one_line(text)
    return line[:1].upper() + line[1:]


def _clock(time_ms: int, point: str) -> str:
    seconds, ms = divmod(time_ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{ms:03d}"


def srt_cues(chapters: Iterable[Chapter]) -> Iterator[str]:
    """Chapters as SubRip."""
    for number, cue in enumerate(_cues(chapters), start=1):
        times = f"{_clock(cue.t0_ms, ',')} --> {_clock(cue.t1_ms, ',')}"
        yield f"{number}\n{times}\n{cue.text.translate(_SRT)}\n\n"


def vtt_cues(chapters: Iterable[Chapter]) -> Iterator[str]:
    """Chapters as WebVTT."""
    yield "WEBVTT\n"
    for cue in _cues(chapters):
        times = f"{_clock(cue.t0_ms, '.')} --> {_clock(cue.t1_ms, '.')}"
        yield f"\n{cue.id}\n{times}\n{cue.text.translate(_VTT)}\n"
