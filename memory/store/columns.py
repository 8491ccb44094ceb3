"""The columns of an entry, named once, and how an entry is laid out in them.

The table of entries and the table of tombstones both have them.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hippocam.memory.codec import is_short, unpack
from hippocam.memory.records import Entry, Held, Level, Slot, Span
from hippocam.stream.records import FloatArray, Sensors, known
from hippocam.stream.robot.motion import Motion

R = TypeVar("R")

# Types of plain fields, by how they are annotated.
_PLAIN: dict[str, type | tuple[type, ...]] = {"int": int, "float": (int, float), "str": str, "bool": bool}

VECTORS = ("key", "scene")
SENSORS = ("state", "action", "pose")
ENTRY_COLUMNS = (
    "id", "stream", "first_seq", "t0_s", "t1_s", "known_s", "frame_s", "last_s", "spans", "surprise", "utility",
    "strength", "met", "uses", "pinned", "level", "place", "labels", "text", "frames", "repeats", "jpeg_bytes",
    *VECTORS, *SENSORS, "motion", "slept",
)  # fmt: skip
# What `entry_from`, `held_from` and `slot_from` read.
ENTRY = tuple(name for name in ENTRY_COLUMNS if name not in (*VECTORS, "last_s", "slept"))
HELD = (
    "id", "stream", "t0_s", "t1_s", "known_s", "spans", "utility", "strength", "met", "pinned", "level", "place",
    "text", "slept", *VECTORS,
)  # fmt: skip
SLOT = (
    "id", "stream", "first_seq", "last_s", "utility", "strength", "met", "uses", "pinned", "level", "place",
    "jpeg_bytes", "key",
)  # fmt: skip
# About what the words of an entry take beside its row, full text included, and what its robot did. Labels are
# joined by ", ".
WORDS_BYTES = (
    "2 * (length(CAST(text AS BLOB)) + length(CAST(replace(labels, ', ', '') AS BLOB))) "
    "+ coalesce(length(motion), 0)"
)


def listed(names: Sequence[str]) -> str:
    """Names of columns as SQL lists them."""
    return ", ".join(names)


def listed_ids(ids: Sequence[int]) -> str:
    """Ids as they stand in a statement."""
    return ", ".join(map(str, map(int, ids)))


def values_of(entry: Entry, key: bytes | None, scene: bytes | None) -> dict[str, object]:
    """An entry with its packed vectors as it is stored: a value for each column but `slept`, which is 0 first."""
    first, *further = entry.spans
    return {
        "id": entry.id,
        "stream": entry.stream,
        "first_seq": entry.first_seq,
        "t0_s": first.t0_s,
        "t1_s": first.t1_s,
        "known_s": first.known_s,
        "frame_s": entry.frame_s,
        "last_s": max(span.t1_s for span in entry.spans),
        "spans": pack_spans(further),
        "surprise": entry.surprise,
        "utility": entry.utility,
        "strength": entry.strength,
        "met": entry.met,
        "uses": entry.uses,
        "pinned": entry.pinned,
        "level": int(entry.level),
        "place": entry.place,
        "labels": ", ".join(entry.labels),
        "text": entry.text,
        "frames": entry.frames,
        "repeats": entry.repeats,
        "jpeg_bytes": entry.jpeg_bytes,
        "key": key,
        "scene": scene,
        "state": _pack_sensor(entry.sensors.state),
        "action": _pack_sensor(entry.sensors.action),
        "pose": _pack_sensor(entry.sensors.pose),
        "motion": None if entry.motion is None else entry.motion.pack(),
    }


def damaged_rows_named(read: Callable[[Sequence[Any]], R]) -> Callable[[Sequence[Any]], R]:
    """Wrap what reads rows of entries: a row that holds what was never written there is a damaged database.

    The rows begin with the id. SQLite itself does not mind a number where a text was, and the other way round.
    """
    seen = set[tuple[type, ...]]()  # types of whole rows

    @functools.wraps(read)
    def checked(row: Sequence[Any]) -> R:
        types = tuple(map(type, row))
        try:
            found = read(row)
            if types not in seen:
                _check(found)
                seen.add(types)
        except (AttributeError, TypeError, ValueError, OverflowError) as error:
            raise sqlite3.DatabaseError(f"the row of entry {row[0]!r} cannot be read: {error}") from error
        return found

    return checked


def _check(record: Any) -> None:
    """Raise TypeError where a plain field of a record is of another type than is said there."""
    for field in fields(record):
        expected = _PLAIN.get(str(field.type))
        value = getattr(record, field.name)
        if expected is not None and not isinstance(value, expected):
            raise TypeError(f"{field.name} is {value!r}")


@damaged_rows_named
def entry_from(row: Sequence[Any]) -> Entry:
    """An entry from a row of the columns ENTRY."""
    values = dict(zip(ENTRY, row, strict=True))
    labels = values["labels"]
    sensors = {name: unpack_sensor(values.pop(name)) for name in SENSORS}
    return Entry(
        **values
        | {
            "labels": tuple(labels.split(", ")) if labels else (),
            "sensors": Sensors(**sensors),
            "motion": None if values["motion"] is None else Motion.unpack(values["motion"]),
            "spans": _spans(values),
            "pinned": bool(values["pinned"]),
            "level": Level(values["level"]),
        }
    )


@damaged_rows_named
def held_from(row: Sequence[Any]) -> Held:
    """An entry with its vectors from a row of the columns HELD."""
    values = dict(zip(HELD, row, strict=True))
    spans = _spans(values)
    for name in ("t0_s", "t1_s", "known_s"):
        del values[name]
    key, scene = (unpack(values.pop(name)) for name in VECTORS)
    return Held(
        **values
        | {
            "key_D": key,
            "scene_D": scene,
            "spans": spans,
            "pinned": bool(values["pinned"]),
            "level": Level(values["level"]),
        }
    )


@damaged_rows_named
def slot_from(row: Sequence[Any]) -> Slot:
    """An entry as the bank weighs it, from a row of the columns SLOT and WORDS_BYTES."""
    # in the order of SLOT
    (
        entry_id, stream, first_seq, last_s, utility, strength, met, uses, pinned, level, place, jpeg_bytes, key,
        words_bytes,
    ) = row  # fmt: skip
    return Slot(
        entry_id=entry_id,
        stream=stream,
        first_seq=first_seq,
        last_s=last_s,
        utility=utility,
        strength=strength,
        met=met,
        uses=uses,
        pinned=bool(pinned),
        level=Level(level),
        place=place,
        jpeg_bytes=jpeg_bytes,
        words_bytes=words_bytes,
        short=key is not None and is_short(key),
        key_D=None if key is None else unpack(key),
    )


def pack_spans(further: Sequence[Span]) -> bytes | None:
    """The spans after the first one, as little-endian float64 [n, 3]; None for none."""
    flat = [value for span in further for value in (span.t0_s, span.t1_s, span.known_s)]
    return np.asarray(flat, "<f8").tobytes() if flat else None


def unpack_spans(blob: bytes | None) -> list[Span]:
    """What `pack_spans` wrote."""
    rows = np.frombuffer(blob or b"", "<f8").reshape(-1, 3).tolist()
    return [Span(t0_s=t0_s, t1_s=t1_s, known_s=known_s) for t0_s, t1_s, known_s in rows]


def unpack_sensor(blob: bytes | None) -> FloatArray | None:
    """One sensor's numbers, which are stored as little-endian float32; None where they are not finite."""
    return None if blob is None else known(np.frombuffer(blob, "<f4").astype(np.float32))


def unpack_poses(pose: bytes | None, motion: bytes | None) -> NDArray[np.float64]:
    """The poses of an entry, as `Entry.poses` has them, from two of its columns."""
    along = Motion.unpack(motion) if motion is not None else None
    own = unpack_sensor(pose)
    if along is not None and along.poses is not None:
        return along.poses
    return np.zeros((0, 7)) if own is None else own.astype(np.float64).reshape(-1, 7)


def _pack_sensor(numbers: NDArray[Any] | None) -> bytes | None:
    return None if numbers is None else numbers.astype("<f4").tobytes()


def _spans(values: Mapping[str, Any]) -> tuple[Span, ...]:
    first = Span(t0_s=values["t0_s"], t1_s=values["t1_s"], known_s=values["known_s"])
    return (first, *unpack_spans(values["spans"]))
