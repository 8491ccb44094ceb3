"""A file of JSON lines, as `exporting.py` writes it, into a memory. The file is not trusted.

Lines of the journal are for reading: an imported entry's journal begins with its import. A stream's source is a
path on the machine that it came from. What is there on this machine is neither played on the page nor looked at
again until a person says so: whoever made the file could name any path.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hippocam.apps.content import alike
from hippocam.apps.errors import LineError
from hippocam.apps.records import ImportReport
from hippocam.apps.settings import budget_bytes
from hippocam.apps.transfer import lines as transfer_lines
from hippocam.apps.transfer.fields import MAX_LINE
from hippocam.apps.transfer.lines import Row
from hippocam.apps.wording import legible
from hippocam.memory.asof.coverage import Run
from hippocam.memory.config import MemoryConfig
from hippocam.memory.entities.bank import VisitRow
from hippocam.memory.entities.detections import Detected
from hippocam.memory.errors import memory_errors
from hippocam.memory.folder import has_memory
from hippocam.memory.memory import Memory
from hippocam.memory.provenance.records import Import, ImportedPart
from hippocam.memory.records import format_id
from hippocam.memory.store.entries import EntryRow
from hippocam.memory.store.journal import JournalRow
from hippocam.memory.store.notes import NoteRow
from hippocam.memory.store.places import PlaceRow
from hippocam.memory.store.streams import StreamRow
from hippocam.memory.store.summaries import Summary
from hippocam.memory.transfer import Restoring
from hippocam.models.registry import ENCODERS
from hippocam.stream.errors import HippocamError
from hippocam.stream.records import EncoderSpec


def import_file(
    path: Path,
    folder: Path,
    *,
    encoder: str | None = None,
    budget_mb: float | None = None,
    config: MemoryConfig | None = None,
    now_s: float | None = None,
) -> ImportReport:
    """Take the streams of an export into a memory, which is made if there is none.

    The whole file is checked before anything is written. A stream that the memory knows already stays as it is.
    An import that was cut short can be run again, and goes on.

    Args:
        path: A file of JSON lines, as `export` makes it. It is not trusted.
        folder: The memory's folder.
        encoder: Its encoder's name, to agree to one that the file names and that is loaded from elsewhere.
        budget_mb: What the folder may take, in millions of bytes, 1 or more; None keeps its own, or takes the
            file's where it is new.
        config: The memory's other settings.
        now_s: Time by the clock on the wall; None for now.

    Raises:
        LineError: A line is not as it must be; nothing was written.
        EncoderMismatchError: The memory was made with another encoder.
        HippocamError: Something else is in the way: a stream of that name with other content, no such file.
        ValueError: budget_mb is out of its range.
    """
    name, spec, own_budget, streams, parts = _check(path)
    _agree(path, name, encoder)
    made_by = _import_of(path, time.time() if now_s is None else now_s)
    config = config or MemoryConfig()
    if budget_mb is not None:
        config = replace(config, budget_bytes=budget_bytes(budget_mb))
    elif config.budget_bytes is None and not has_memory(folder):
        config = replace(config, budget_bytes=own_budget)
    entries = notes = 0
    with Memory.open_writer(folder, encoder=name, spec=spec, config=config) as memory, memory_errors(folder):
        known = _known(path, streams, memory.progress())
        wanted = {row.id: row for row in streams if row.id not in known}
        budget = memory.budget_bytes()
        restoring = Restoring(memory.store, memory.longterm, memory.entities, dim=spec.dim, budget_bytes=budget)
        for stream in wanted.values():
            last_seq, end_s = parts[stream.id]
            restoring.stream(stream, ImportedPart(made_by=made_by, last_seq=last_seq, end_s=end_s))
        for row, jpeg in _rows(path, spec.dim):
            if isinstance(row, EntryRow) and row.entry.stream in wanted:
                entries += restoring.entry(row, jpeg)
            elif isinstance(row, PlaceRow) and row.stream in wanted:
                restoring.place(row)
            elif isinstance(row, Summary) and row.stream in wanted:
                restoring.summary(row)
            elif isinstance(row, NoteRow) and row.note.stream in wanted:
                notes += restoring.notes([row])
            elif isinstance(row, VisitRow) and row.visit.stream in wanted:
                restoring.visit(row)
            elif isinstance(row, Detected) and row.stream in wanted:
                restoring.detected(row)
            elif isinstance(row, Run) and row.stream in wanted:
                restoring.looked(row)
        with memory.store.transaction():
            for stream in wanted.values():
                memory.store.streams.note_imported(stream.id, stream.source)
        for stream in wanted.values():
            restoring.settle(stream)
        return ImportReport(
            id=format_id(made_by.id),
            streams=tuple(wanted),
            entries=entries,
            notes=notes,
            known=tuple(sorted(known)),
            held=sum(status.entries for status in memory.streams()),
            memory_bytes=memory.bytes(),
            budget_bytes=memory.budget_bytes(),
        )


def _check(path: Path) -> tuple[str, EncoderSpec, int, list[StreamRow], dict[str, tuple[int, float]]]:
    """Read the whole file and check every line.

    Returns:
        Its encoder with the spec, its budget, its streams, and by stream the position of the last frame and the
        end of all that it has of it, whatever its line of the stream says.
    """
    name, spec, budget = transfer_lines.header(*next(_lines(path), ("", f"{path}: line 1")))
    streams: dict[str, StreamRow] = {}
    parts: dict[str, tuple[int, float]] = {}
    for row, _ in _rows(path, spec.dim):
        if isinstance(row, StreamRow):
            streams[row.id] = row
            parts[row.id] = row.last_seq, row.end_s
        elif isinstance(row, EntryRow):
            last_seq, end_s = parts[row.entry.stream]
            end_s = max(end_s, *(span.t1_s for span in row.entry.spans))
            parts[row.entry.stream] = max(last_seq, row.entry.first_seq), end_s
        elif isinstance(row, NoteRow):
            last_seq, end_s = parts[row.note.stream]
            parts[row.note.stream] = last_seq, max(end_s, row.note.t1_s)
    return name, spec, budget, list(streams.values()), parts


def _import_of(path: Path, made_s: float) -> Import:
    """The import of a file: the same content is the same one."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8, person=b"import")).digest()
    except OSError as error:
        raise HippocamError(f"{path}: cannot be read ({error.strerror or error})") from error
    return Import(id=int.from_bytes(digest, "big") >> 1, file=legible(path.name), made_s=round(made_s, 3))


def _rows(path: Path, dim: int) -> Iterator[tuple[Row, bytes | None]]:
    """Yield the checked rows of a file with their pictures; refuse an order that makes no sense."""
    streams: set[str] = set()
    where, ended = f"{path}: line 1", False
    for count, (text, where) in enumerate(_lines(path)):
        if count == 0:
            continue
        if ended:
            raise LineError(f"{where}: behind the end of the export; remove what was added")
        row, jpeg = transfer_lines.row_of(text, where, dim)
        if isinstance(row, int):
            if row != count:
                raise LineError(f"{where}: {row} lines should come before; export the memory again")
            ended = True
            continue
        stream = row.id if isinstance(row, StreamRow) else _stream_of(row)
        if isinstance(row, StreamRow) == (stream in streams):
            what = "comes twice" if isinstance(row, StreamRow) else "is not among the streams above"
            raise LineError(f"{where}: stream {stream!r:.60} {what}; export the memory again")
        streams.add(stream)
        yield row, jpeg
    if not ended:
        raise LineError(f"{where}: the file was cut off behind this; export the memory again")


def _stream_of(row: EntryRow | PlaceRow | Summary | NoteRow | VisitRow | Detected | Run | JournalRow) -> str:
    if isinstance(row, NoteRow):
        return row.note.stream
    if isinstance(row, VisitRow):
        return row.visit.stream
    return row.entry.stream if isinstance(row, EntryRow) else row.stream


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the lines of a file, each with its position for messages."""
    number = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(MAX_LINE + 1):
                number += 1
                where = f"{path}: line {number}"
                if len(line) > MAX_LINE:
                    raise LineError(f"{where}: longer than {MAX_LINE >> 20} MiB; export the memory again")
                try:
                    yield line.decode(), where
                except UnicodeDecodeError as error:
                    raise LineError(f"{where}: no UTF-8; export the memory again") from error
    except OSError as error:
        raise HippocamError(f"{path}: cannot be read ({error.strerror or error})") from error


def _agree(path: Path, name: str, agreed: str | None) -> None:
    """Refuse an encoder that the user did not name: its name decides which code and files are loaded."""
    if agreed is not None and agreed != name:
        raise HippocamError(f"{path}: made with encoder {name}, not {agreed}; use --encoder {name}")
    if agreed is None and name not in ENCODERS:
        raise HippocamError(
            f"{path}: made with encoder {name}, which this hippocam does not bring itself; if you trust it, "
            f"say so with --encoder {name}"
        )


def _known(path: Path, streams: list[StreamRow], here: list[StreamRow]) -> set[str]:
    """Return the streams that the memory holds completely.

    Raises:
        HippocamError: A name stands for other content here.
    """
    for row in streams:
        for own in here:
            named = own.id == row.id or own.recording == row.recording
            same = own.recording == row.recording and alike(own.fingerprint, row.fingerprint)
            if named and not same:
                raise HippocamError(
                    f"{path}: its stream {row.id!r} is another one than {own.id!r} in this memory; "
                    "import into another --memory folder"
                )
    have = {own.id for own in here if own.last_seq >= 0}
    return {row.id for row in streams if row.id in have}
