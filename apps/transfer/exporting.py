"""A memory into a file: JSON lines with all of it, a table of its spans, or chapters for a player.

`jsonl` holds everything that recall rests on (lines.py has its schema); `importing.py` makes a memory from it
that answers the same. It leaves out what the memory learned from its streams, which is learned again, and the
working memory of streams that were not watched to their end, which go on with a new background. `csv`, `srt` and
`vtt` are for other programs (chapters.py).
"""

from __future__ import annotations

import importlib.metadata
import math
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from hippocam.apps.ask.where import on_clock
from hippocam.apps.sentences.contents import contents
from hippocam.apps.sentences.sentences import Sentences
from hippocam.apps.transfer import FORMATS
from hippocam.apps.transfer import lines as transfer_lines
from hippocam.apps.transfer.chapters import csv_lines, srt_cues, vtt_cues
from hippocam.memory.errors import MemoryFolderError, memory_errors
from hippocam.memory.filter import Filter
from hippocam.memory.memory import Memory
from hippocam.memory.records import Entry, Level, Span
from hippocam.memory.store.database import Store
from hippocam.memory.store.exemplars import Exemplars
from hippocam.memory.store.streams import StreamRow
from hippocam.memory.transfer import read_detected, read_entries, read_summaries, read_visits
from hippocam.stream.errors import HippocamError


class Timed(Protocol):
    """Something with a start and an end, in seconds of its stream."""

    @property
    def t0_s(self) -> float:
        """The start."""

    @property
    def t1_s(self) -> float:
        """The end."""


def export(
    folder: Path,
    format_: str,
    *,
    stream: str | None = None,
    after_s: float | None = None,
    before_s: float | None = None,
    pictures: bool = True,
    journal: bool = False,
) -> Iterator[str]:
    """A memory as pieces of a file. A writer may work on it meanwhile: what it gives up is left out.

    Args:
        folder: The memory's folder.
        format_: One of `hippocam.apps.transfer.FORMATS`.
        stream: Only this stream, or the cameras of this source; None for all.
        after_s: Only what was there after this time.
        before_s: Only what was there before this time.
        pictures: Whether JSON lines hold the pictures.
        journal: Whether they hold what happened to the entries.

    Raises:
        HippocamError: There is no memory, the stream is unknown, a time is not on the clock of a stream that is
            meant, or chapters are asked for of several streams.
    """
    if format_ not in FORMATS:
        raise HippocamError(f"--format {format_!r} is not known; give one of {', '.join(FORMATS)}")
    with memory_errors(folder), Memory.open_reader(folder) as memory:
        store = memory.store
        streams = _chosen(store.streams.rows(), stream)
        wanted = on_clock(Filter(stream=stream, after_s=after_s, before_s=before_s), memory.streams(), dates=True)
        if format_ == "jsonl":
            yield from _numbered(_jsonl(store, folder, streams, wanted, pictures=pictures, journal=journal))
        elif format_ == "csv":
            held = (row.entry for s in streams for row in read_entries(store, s.id))
            entries = (replace(entry, spans=spans) for entry in held if (spans := _within(entry, wanted)))
            yield from csv_lines(entries, Sentences(memory, most_told=0).of_entry)
        else:
            if len(streams) > 1:
                names = ", ".join(row.id for row in streams)
                raise HippocamError(f"--format {format_} is for one stream; choose it with --stream: {names}")
            sentences = Sentences(memory)
            chapters = (c for s in streams for c in contents(memory, sentences, s.id) if _touches(c, wanted))
            yield from (srt_cues if format_ == "srt" else vtt_cues)(chapters)


def _chosen(streams: list[StreamRow], wanted: str | None) -> list[StreamRow]:
    chosen = [row for row in streams if wanted in (None, row.id) or row.id.startswith(f"{wanted}/")]
    if wanted is not None and not chosen:
        names = ", ".join(row.id for row in streams)
        raise HippocamError(f"stream {wanted!r} is not in this memory; it holds {names or 'none'}")
    return chosen


def _within(entry: Entry, wanted: Filter) -> tuple[Span, ...]:
    """The spans of an entry in the time that is wanted."""
    return tuple(span for span in entry.spans if _touches(span, wanted))


def _touches(one: Timed, wanted: Filter) -> bool:
    return wanted.overlaps(one.t0_s, one.t1_s, one.t1_s)


def _jsonl(
    store: Store, folder: Path, streams: list[StreamRow], wanted: Filter, *, pictures: bool, journal: bool
) -> Iterator[str]:
    made_with = store.meta.encoder()
    if made_with is None:
        raise MemoryFolderError(folder, "nothing was watched yet")
    yield transfer_lines.header_line(
        importlib.metadata.version("hippocam"),
        *made_with,
        store.meta.budget_bytes(),
    )
    exemplars = Exemplars(folder / "exemplars")
    names = {row.id for row in streams}
    yield from map(transfer_lines.stream_line, streams)
    for stream in streams:
        yield from map(transfer_lines.place_line, store.places.of(stream.id))
        summaries = (one for one in read_summaries(store, stream.id) if _touches(one, wanted))
        yield from map(transfer_lines.summary_line, summaries)
        for row in read_entries(store, stream.id):
            if _within(row.entry, wanted):
                yield transfer_lines.entry_line(row, _picture(exemplars, row.entry) if pictures else None)
        notes = (row for row in store.notes.of(stream.id) if _touches(row.note, wanted))
        yield from map(transfer_lines.note_line, notes)
        visits = (row for row in read_visits(store, stream.id) if _touches(row.visit, wanted))
        yield from map(transfer_lines.visit_line, visits)
        detected = (one for one in read_detected(store, stream.id) if _touches(one, wanted))
        yield from map(transfer_lines.detected_line, detected)
        looked = store.coverage.of(stream.id).within(*_limits(wanted))
        yield from map(transfer_lines.looked_line, looked.runs)
    if journal:
        yield from (transfer_lines.journal_line(row) for row in store.journal.rows() if row.stream in names)


def _limits(wanted: Filter) -> tuple[float, float]:
    """From when to when, infinite where there is no limit."""
    after_s, before_s = wanted.after_s, wanted.before_s
    return -math.inf if after_s is None else after_s, math.inf if before_s is None else before_s


def _numbered(lines: Iterator[str]) -> Iterator[str]:
    """Yield the lines and then their number, so that a truncated file is noticed."""
    count = 0
    for line in lines:
        yield line
        count += 1
    yield transfer_lines.end_line(count)


def _picture(exemplars: Exemplars, entry: Entry) -> bytes | None:
    """Return an entry's picture; None if it was given up, perhaps a moment ago."""
    if entry.level >= Level.VECTORS:
        return None
    try:
        return exemplars.path(entry.id).read_bytes() or None
    except FileNotFoundError:
        return None


def write_file(path: Path, pieces: Iterable[str], *, memory: Path) -> None:
    """Write a file whole or not at all; a pipe and the like is written to directly.

    Raises:
        HippocamError: It cannot be written, or lies in the memory's folder.
    """
    if Path(os.path.realpath(memory)) in Path(os.path.realpath(path)).parents:
        raise HippocamError(
            f"--out {path}: lies in the memory's folder, whose bytes are counted; give another place"
        )
    plain = path.is_file() or not path.exists()
    part = path.with_name(f"{path.name}.part") if plain else path
    try:
        try:
            with part.open("w", encoding="utf-8", newline="") as file:
                file.writelines(pieces)
            if plain:
                os.replace(part, path)
        except BaseException:
            if plain:
                part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise HippocamError(f"--out {path}: cannot be written ({error.strerror or error})") from error


def write_stdout(pieces: Iterable[str]) -> None:
    """Write to standard output as UTF-8, without translating line ends.

    Raises:
        BrokenPipeError: The reader has gone.
        HippocamError: It cannot be written, for instance because the disk is full.
    """
    try:
        with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as stdout:
            stdout.writelines(pieces)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise HippocamError(f"stdout: cannot be written ({error.strerror or error})") from error
