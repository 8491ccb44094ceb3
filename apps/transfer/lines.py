"""One row of a memory as one line of JSON, and back with every value checked.

The lines of an export, each an object; times are seconds of their stream, ids 16 hexadecimal digits, bytes base64:

    {"hippocam": "0.1.0", "format": 6, "encoder": "bundled", "spec": {...}, "budget_bytes": 256000000}
    {"kind": "stream", "id", "recording", "source", "fingerprint", "fps": number or null, "end_s", "last_seq",
        "complete", "frames_seen", "frames_encoded", "events", "evicted", "newest": id or null}
    {"kind": "place", "stream", "number", "vector", "seen", "last_s"}
    {"kind": "summary", "id", "stream", "storey": "day", "chapter" or "scene", "parent": id or null, "first_seq",
        "t0_s", "t1_s", "known_s", "seconds", "events", "place", "exemplar": id or null, "vector",
        "words": [[word, count], ...]}
    {"kind": "entry", "id", "stream", "first_seq", "spans": [[t0_s, t1_s, known_s], ... 4 at most], "frame_s",
        "labels": [...], "text", "surprise", "utility", "strength", "met", "uses", "pinned", "place",
        "level": "full", "small", "vectors", "signs" or "words", "frames", "repeats",
        "key", "scene": scaled int8, at level "signs" what is left (memory/codec.py), null at level "words",
        "state", "action", "pose": little-endian float32 or null, "motion": as in stream/robot/motion.py, or null,
        "jpeg": null where there is no picture, or it was left out}
    {"kind": "note", "id", "stream", "how": "screen", "speech", "subtitle", "chapter" or "mark", "t0_s", "t1_s",
        "known_s", "text", "line": which line of its screen, from 0}
    {"kind": "visit", "id", "entity": id, "stream", "label", "t0_s", "t1_s", "first_s", "known_s", "linked_s",
        "gone_s": number or null, "from_start", "hits", "score", "frame_s", "box": [left, top, right, bottom],
        "gaps": [[from_s, to_s], ...], "path": [[time_s, left, top, right, bottom], ...],
        "colours": [name or "", ...], "portrait_s": number or null,
        "look": scaled int8 or null, "portrait": the same, or a bit a number}
    {"kind": "detected", "stream", "label", "t0_s", "t1_s", "frames", "score"}
    {"kind": "looked", "stream", "t0_s", "t1_s", "looked_s", "looks", "by": [encoder, "sense id", ...]}
    {"kind": "journal", "stream", "time_s", "action", "entry": id, "other": id or null, "why": JSON as text}
    {"kind": "end", "lines": how many came before}

Exports of formats 2 to 5 are read too: the first has no notes and no visits, the second nothing of where things
went, of their colours and portraits, of what was detected and of what a robot did, the third nothing of when
streams were looked at, the fourth other outlines. Places are those of streams that are not complete. A file that
is read is not trusted: an entry's id must be that of its stream and position, numbers must be finite and in their
range, bytes of the right size, and nothing is evaluated.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hippocam.apps.errors import LineError
from hippocam.apps.transfer.entity_fields import detected_of, looked_of, visit_of
from hippocam.apps.transfer.fields import (
    MAX_JPEG_BYTES,
    MAX_LENGTH,
    MAX_NUMBER,
    MAX_SENSOR_BYTES,
    MAX_WORDS,
    Fields,
    short,
)
from hippocam.memory.asof.coverage import Run
from hippocam.memory.codec import pack, unpack
from hippocam.memory.config import MIN_BUDGET_BYTES
from hippocam.memory.entities.bank import VisitRow
from hippocam.memory.entities.detections import Detected
from hippocam.memory.longterm.scene import summary_id
from hippocam.memory.records import Entry, Level, format_id, id_of
from hippocam.memory.store.entries import EntryRow
from hippocam.memory.store.journal import JournalRow
from hippocam.memory.store.notes import NoteRow
from hippocam.memory.store.places import PlaceRow
from hippocam.memory.store.streams import StreamRow
from hippocam.memory.store.summaries import Kind, Summary
from hippocam.stream.records import EncoderSpec, Note, Sensors
from hippocam.stream.robot.motion import Motion

# What the first line of an export says: the format of memories that had such rows first. Later ones added none.
FORMAT = 6
# Older formats whose lines are among those of the present one.
_OLDER = frozenset({2, 3, 4, 5})
# Most characters of a note.
_MAX_NOTE = 1000
# Most lines of a screen.
_MAX_LINE = 10_000
_MAX_DIM = 65536
# exp() of a belief's exponent must not overflow.
_MAX_EXPONENT = 700.0
Row = StreamRow | PlaceRow | Summary | EntryRow | NoteRow | VisitRow | Detected | Run | JournalRow


# the header ----------------------------------------------------------------------------------------------


def header_line(version: str, encoder: str, spec: EncoderSpec, budget_bytes: int) -> str:
    """The first line of an export."""
    fields = ("id", "dim", "normalised", "midpoint", "slope", "growth")
    values = {name: getattr(spec, name) for name in fields}
    return _line(hippocam=version, format=FORMAT, encoder=encoder, spec=values, budget_bytes=budget_bytes)


def header(text: str, where: str) -> tuple[str, EncoderSpec, int]:
    """Encoder's name, its spec and the budget in bytes out of the first line.

    Raises:
        LineError: It is none, or of another format.
    """
    fields = Fields(text, where)
    version = fields.text("hippocam")
    found = fields.whole("format")
    if found != FORMAT and found not in _OLDER:
        raise LineError(
            f"{where}: an export of format {found} by hippocam {version!r:.40}, this hippocam reads {FORMAT}; "
            f"{'upgrade hippocam' if found > FORMAT else 'export again with this one'}"
        )
    encoder, values = fields.name("encoder"), fields.take("spec")
    budget_bytes = fields.whole("budget_bytes", MIN_BUDGET_BYTES, 10**15)
    fields.end()
    inner = Fields(json.dumps(values), f"{where}: spec")
    spec = EncoderSpec(
        id=inner.name("id"),
        dim=inner.whole("dim", 1, _MAX_DIM),
        normalised=inner.flag("normalised"),
        midpoint=inner.number("midpoint", -10, 10),
        slope=inner.number("slope", 0, 1000),
        growth=inner.number("growth", 0, 10),
    )
    inner.end()
    if spec.slope * (abs(spec.midpoint) + 20 * spec.growth + MAX_LENGTH) > _MAX_EXPONENT:
        inner.refuse(f"'slope' {spec.slope:g} is too steep")
    return encoder, spec, budget_bytes


# rows ----------------------------------------------------------------------------------------------------


def stream_line(row: StreamRow) -> str:
    """A stream as a line."""
    return _line(**{"kind": "stream", **row._asdict(), "newest": _id(row.newest)})


def place_line(row: PlaceRow) -> str:
    """A place as a line."""
    return _line(**{"kind": "place", **row._asdict(), "vector": _base64(row.vector)})


def summary_line(row: Summary) -> str:
    """A summary as a line."""
    return _line(
        kind="summary",
        id=_id(row.id),
        stream=row.stream,
        storey=row.kind.name.lower(),
        parent=_id(row.parent),
        first_seq=row.first_seq,
        t0_s=row.t0_s,
        t1_s=row.t1_s,
        known_s=row.known_s,
        seconds=row.seconds,
        events=row.events,
        place=row.place,
        exemplar=_id(row.exemplar),
        vector=_base64(pack(row.vector_D)),
        words=[list(pair) for pair in row.words],
    )


def journal_line(row: JournalRow) -> str:
    """What happened to an entry as a line."""
    return _line(
        kind="journal",
        stream=row.stream,
        time_s=row.time_s,
        action=row.action,
        entry=_id(row.entry_id),
        other=_id(row.other_id),
        why=row.why,
    )


def entry_line(row: EntryRow, jpeg: bytes | None) -> str:
    """An entry as a line; `jpeg` is its picture, None where there is none or it is left out."""
    entry, sensors = row.entry, row.entry.sensors
    return _line(
        kind="entry",
        id=_id(entry.id),
        stream=entry.stream,
        first_seq=entry.first_seq,
        spans=[[span.t0_s, span.t1_s, span.known_s] for span in entry.spans],
        frame_s=entry.frame_s,
        labels=list(entry.labels),
        text=entry.text,
        surprise=entry.surprise,
        utility=entry.utility,
        strength=entry.strength,
        met=entry.met,
        uses=entry.uses,
        pinned=entry.pinned,
        place=entry.place,
        level=entry.level.name.lower(),
        frames=entry.frames,
        repeats=entry.repeats,
        key=_base64(row.key),
        scene=_base64(row.scene),
        state=_floats(sensors.state),
        action=_floats(sensors.action),
        pose=_floats(sensors.pose),
        motion=None if entry.motion is None else _base64(entry.motion.pack()),
        jpeg=_base64(jpeg),
    )


def note_line(row: NoteRow) -> str:
    """A note as a line."""
    note = row.note
    return _line(
        kind="note",
        id=_id(row.id),
        stream=note.stream,
        how=note.kind,
        t0_s=note.t0_s,
        t1_s=note.t1_s,
        known_s=row.known_s,
        text=note.text,
        line=note.line,
    )


def visit_line(row: VisitRow) -> str:
    """A visit as a line."""
    values = {field.name: getattr(row.visit, field.name) for field in dataclasses.fields(row.visit)}
    values |= {"id": _id(row.visit.id), "entity": _id(row.visit.entity)}
    values["path"] = [[time_s, *box] for time_s, box in row.visit.path]
    return _line(kind="visit", **values, look=_base64(row.look), portrait=_base64(row.portrait))


def detected_line(row: Detected) -> str:
    """When a label was detected, as a line."""
    return _line(kind="detected", **row._asdict())


def looked_line(run: Run) -> str:
    """When a stream was looked at, as a line."""
    return _line(kind="looked", **run._asdict())


def end_line(lines: int) -> str:
    """The last line, which says how many came before."""
    return _line(kind="end", lines=lines)


def row_of(text: str, where: str, dim: int) -> tuple[Row | int, bytes | None]:
    """The row that a line holds and its picture; the number of lines before where it is the last one.

    Args:
        text: The line.
        where: File and number of the line, for messages.
        dim: Length D of the encoder's vectors.

    Raises:
        LineError: A value is missing, of another kind or out of its range.
    """
    fields = Fields(text, where)
    kind = fields.take("kind")
    row: Row | int
    jpeg = None
    if kind == "entry":
        row, jpeg = _entry(fields, dim)
    elif kind == "stream":
        row = _stream(fields)
    elif kind == "place":
        row = _place(fields, dim)
    elif kind == "summary":
        row = _summary(fields, dim)
    elif kind == "note":
        row = _note(fields)
    elif kind == "visit":
        row = visit_of(fields, dim)
    elif kind == "detected":
        row = detected_of(fields)
    elif kind == "looked":
        row = looked_of(fields)
    elif kind == "journal":
        row = _journal(fields)
    elif kind == "end":
        row = fields.whole("lines")
    else:
        fields.refuse(f"unknown kind {short(kind)}")
    fields.end()
    return row, jpeg


def _stream(fields: Fields) -> StreamRow:
    row = StreamRow(
        id=fields.name("id"),
        recording=fields.name("recording"),
        source=fields.text("source", 4096),
        fingerprint=fields.text("fingerprint"),
        fps=fields.maybe_number("fps", 0, MAX_NUMBER),
        end_s=fields.time("end_s"),
        last_seq=fields.whole("last_seq", -1),
        complete=fields.flag("complete"),
        frames_seen=fields.whole("frames_seen"),
        frames_encoded=fields.whole("frames_encoded"),
        events=fields.whole("events"),
        evicted=fields.whole("evicted"),
        newest=fields.maybe_id("newest"),
    )
    parts = row.fingerprint.split(":")
    if len(parts) in (3, 4) and not (parts[0].isdecimal() and parts[0].isascii()):
        fields.refuse("'fingerprint' must begin with a size")
    if row.id != row.recording and not row.id.startswith(row.recording + "/"):
        fields.refuse(f"stream {row.id!r:.60} is none of recording {row.recording!r:.60}")
    return row


def _place(fields: Fields, dim: int) -> PlaceRow:
    vector = fields.vector("vector", dim)
    if vector is None:
        fields.refuse("'vector' is null")
    return PlaceRow(
        stream=fields.name("stream"),
        number=fields.whole("number", 1),
        vector=vector,
        seen=fields.whole("seen"),
        last_s=fields.time("last_s"),
    )


def _summary(fields: Fields, dim: int) -> Summary:
    id_, stream, first_seq = fields.id("id"), fields.name("stream"), fields.whole("first_seq")
    names = {kind.name.lower(): kind for kind in Kind}
    kind = names.get(fields.text("storey"))
    if kind is None:
        fields.refuse(f"'storey' must be one of {', '.join(names)}")
    if id_ != summary_id(stream, kind, first_seq):
        fields.refuse(f"'id' {format_id(id_)} is not that of the {kind.name.lower()} from position {first_seq}")
    vector = fields.vector("vector", dim)
    if vector is None:
        fields.refuse("'vector' is null")
    return Summary(
        id=id_,
        stream=stream,
        kind=kind,
        parent=fields.maybe_id("parent"),
        first_seq=first_seq,
        t0_s=fields.time("t0_s"),
        t1_s=fields.time("t1_s"),
        known_s=fields.time("known_s"),
        seconds=fields.number("seconds", 1e-3, 1e12),
        events=fields.whole("events", 1),
        place=fields.whole("place", 0, (1 << 31) - 1),
        exemplar=fields.maybe_id("exemplar"),
        vector_D=unpack(vector),
        words=fields.counts("words"),
    )


def _note(fields: Fields) -> NoteRow:
    id_, stream, how = fields.id("id"), fields.name("stream"), fields.name("how")
    t0_s, t1_s, known_s = fields.time("t0_s"), fields.time("t1_s"), fields.time("known_s")
    if not t0_s <= t1_s or known_s < t0_s:
        fields.refuse("'t0_s', 't1_s' and 'known_s' are not in order")
    text = fields.text("text", _MAX_NOTE)
    line = fields.whole("line", 0, _MAX_LINE) if fields.has("line") else 0
    note = Note(stream=stream, kind=how, t0_s=t0_s, t1_s=t1_s, text=text, line=line)
    return NoteRow(id=id_, note=note, known_s=known_s)


def _journal(fields: Fields) -> JournalRow:
    return JournalRow(
        id=0,
        stream=fields.name("stream"),
        time_s=fields.time("time_s"),
        action=fields.name("action"),
        entry_id=fields.id("entry"),
        other_id=fields.maybe_id("other"),
        why=fields.text("why", MAX_WORDS),
    )


def _entry(fields: Fields, dim: int) -> tuple[EntryRow, bytes | None]:
    entry_id, stream, first_seq = fields.id("id"), fields.name("stream"), fields.whole("first_seq")
    if entry_id != id_of(stream, first_seq):
        fields.refuse(f"'id' {format_id(entry_id)} is not that of position {first_seq} in stream {stream!r:.60}")
    names = {level.name.lower(): level for level in Level}
    level = names.get(fields.text("level"))
    if level is None:
        fields.refuse(f"'level' must be one of {', '.join(names)}")
    key, scene = fields.vector("key", dim), fields.vector("scene", dim)
    if (key is None) != (level is Level.WORDS) or (scene is None) != (level is Level.WORDS):
        fields.refuse("'key' and 'scene' must be there, but not at level words")
    jpeg = fields.blob("jpeg", MAX_JPEG_BYTES)
    if jpeg is not None and level >= Level.VECTORS:
        fields.refuse(f"'jpeg' must be null at level {level.name.lower()}")
    if jpeg is not None and not jpeg.startswith(b"\xff\xd8"):
        fields.refuse("'jpeg' is no JPEG")
    if jpeg is None:  # left out by --no-pictures, or given up while the export was made
        level = max(level, Level.VECTORS)
    spans = fields.spans("spans")
    state, action, pose = fields.floats("state"), fields.floats("action"), fields.floats("pose")
    if pose is not None and len(pose) != 7:
        fields.refuse(f"'pose' must be 7 numbers, found {len(pose)}")
    motion = None
    if fields.has("motion") and (packed := fields.blob("motion", MAX_SENSOR_BYTES)) is not None:
        try:
            motion = Motion.unpack(packed)
        except ValueError as error:
            fields.refuse(f"'motion' cannot be read: {error}")
    entry = Entry(
        id=entry_id,
        stream=stream,
        t0_s=spans[0].t0_s,
        t1_s=spans[0].t1_s,
        known_s=spans[0].known_s,
        frame_s=fields.time("frame_s"),
        surprise=fields.number("surprise", -1, 3),
        utility=fields.number("utility", -MAX_NUMBER, MAX_NUMBER),
        labels=fields.texts("labels"),
        text=fields.text("text", MAX_WORDS),
        frames=fields.whole("frames"),
        repeats=fields.whole("repeats"),
        jpeg_bytes=len(jpeg or b""),
        sensors=Sensors(state=state, action=action, pose=pose),
        motion=motion,
        spans=spans,
        strength=fields.number("strength", 0, MAX_NUMBER),
        met=fields.whole("met", 1),
        uses=fields.whole("uses"),
        pinned=fields.flag("pinned"),
        level=level,
        place=fields.whole("place", 0, (1 << 31) - 1),
        first_seq=first_seq,
    )
    return EntryRow(entry, key, scene), jpeg


def _line(**values: object) -> str:
    return json.dumps(values, allow_nan=False, separators=(",", ":")) + "\n"


def _id(entry_id: int | None) -> str | None:
    return None if entry_id is None else format_id(entry_id)


def _base64(blob: bytes | None) -> str | None:
    return None if blob is None else base64.b64encode(blob).decode()


def _floats(values: Sequence[float] | NDArray[Any] | None) -> str | None:
    return None if values is None else _base64(np.asarray(values, "<f4").tobytes())
