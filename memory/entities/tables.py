"""The tables of the entity memory, and how many bytes their rows take.

All functions work on a connection inside the caller's transaction and commit nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from hippocam.memory.entities.records import EntityChange, Visit
from hippocam.memory.store.schema import ENTITY_COLUMNS_5, ENTITY_TABLES, ENTITY_TABLES_5
from hippocam.stream.records import Box

TABLES = ("entity", "visit", "entity_change", "entity_total", "detected")
_VISIT_3 = (
    "id", "entity", "stream", "label", "t0_s", "t1_s", "first_s", "known_s", "linked_s", "gone_s", "from_start",
    "hits", "score", "frame_s", "box", "gaps",
)  # fmt: skip
_VISIT = (*_VISIT_3, "path", "colours", "portrait_s")
# A point of a path: seconds since the visit began, and a box in parts of 65,535.
_POINT = np.dtype([("after_s", "<f4"), ("box", "<u2", 4)])
_MOST_PARTS = 65_535
# Bytes of a row beside its texts and its look: numbers, keys of the table and of its indices.
_ROW_BYTES = {"entity": 60, "visit": 190, "entity_change": 40, "entity_total": 60, "detected": 80}


def create(connection: sqlite3.Connection) -> None:
    """Create the tables that do not exist yet."""
    for statement in ENTITY_TABLES:
        connection.execute(statement)
    if not _has_paths(connection):
        for column in ENTITY_COLUMNS_5:
            connection.execute(f"ALTER TABLE visit ADD COLUMN {column}")
    for statement in ENTITY_TABLES_5:
        connection.execute(statement)


def bytes_used(connection: sqlite3.Connection) -> int:
    """Bytes that all rows take, at most."""
    texts = {
        "entity": "length(stream) + length(label)",
        "visit": "2 * length(stream) + length(label) + length(box) + length(gaps) + coalesce(length(look), 0) + "
        "coalesce(length(path), 0) + coalesce(length(colours), 0) + coalesce(length(portrait), 0)",
        "entity_change": "length(kind) + length(moved)",
        "entity_total": "2 * length(stream) + 2 * length(label)",
        "detected": "2 * length(stream) + 2 * length(label)",
    }
    total = 0
    for table, size in texts.items():
        row = connection.execute(f"SELECT count(*), coalesce(sum({size}), 0) FROM {table}").fetchone()
        total += row[0] * _ROW_BYTES[table] + row[1]
    return int(total)


def visits(connection: sqlite3.Connection, where: str = "1", values: Sequence[object] = ()) -> list[Visit]:
    """Visits that meet a condition, by stream and time."""
    names = ", ".join(_VISIT if _has_paths(connection) else _VISIT_3)
    rows = connection.execute(f"SELECT {names} FROM visit WHERE {where} ORDER BY stream, t0_s, id", values)
    return [_visit(row) for row in rows]


def put_visit(
    connection: sqlite3.Connection, visit: Visit, look: bytes | None, portrait: bytes | None = None
) -> bool:
    """Write a visit, or what is new of it; whose it is stays as it is.

    A visit that is out of sight may go on: a detector misses a frame, somebody is hidden for a moment. So what was
    seen further is written, whether or not the visit was out of sight when it was last written. Its end grows with
    everything that is seen of it, and whoever watches again from the start does not make it shorter.

    Returns:
        Whether anything was written.
    """
    names = (*_VISIT, "look", "portrait")
    values: dict[str, object] = {name: getattr(visit, name) for name in _VISIT}
    values |= {"box": json.dumps(visit.box), "gaps": json.dumps(visit.gaps), "look": look, "portrait": portrait}
    values |= {"path": _packed_path(visit), "colours": json.dumps(visit.colours) if visit.colours else None}
    fixed = ("id", "entity", "stream", "known_s", "linked_s", "from_start")
    renewed = ", ".join(f"{name} = excluded.{name}" for name in names if name not in fixed)
    parameters = ", ".join(f":{name}" for name in names)
    done = connection.execute(
        f"INSERT INTO visit ({', '.join(names)}) VALUES ({parameters}) ON CONFLICT (id) DO UPDATE SET {renewed} "
        "WHERE excluded.t1_s > t1_s OR (excluded.t1_s = t1_s AND gone_s IS NULL)",
        values,
    )
    return done.rowcount > 0


def add_entity_of(connection: sqlite3.Connection, visit_id: int) -> None:
    """Add the entity that has this visit alone, unless it is there."""
    connection.execute(
        "INSERT OR IGNORE INTO entity (id, stream, label) SELECT ?1, stream, label FROM visit "
        "WHERE id = ?1 AND entity = ?1",
        (visit_id,),
    )


def move(connection: sqlite3.Connection, visit_ids: Iterable[int], entity: int, linked_s: float | None) -> None:
    """Move visits to an entity, adding it where needed, and delete entities left without a visit."""
    for visit_id in visit_ids:
        connection.execute(
            "UPDATE visit SET entity = ?, linked_s = coalesce(?, linked_s) WHERE id = ?",
            (entity, linked_s, visit_id),
        )
    connection.execute(
        "INSERT OR IGNORE INTO entity (id, stream, label) SELECT entity, stream, label FROM visit "
        "WHERE entity = ? ORDER BY t0_s LIMIT 1",
        (entity,),
    )
    delete_empty(connection)


def was_moved(connection: sqlite3.Connection, visit_id: int) -> bool:
    """Whether somebody, or the bank itself, has said before whose a visit is."""
    row = connection.execute(
        "SELECT 1 FROM entity_change, json_each(moved) WHERE json_extract(value, '$[0]') = ? LIMIT 1",
        (visit_id,),
    ).fetchone()
    return row is not None


def delete_empty(connection: sqlite3.Connection) -> None:
    """Delete entities without a visit."""
    connection.execute("DELETE FROM entity WHERE id NOT IN (SELECT entity FROM visit)")


def note_change(
    connection: sqlite3.Connection, kind: str, into: int, moved: Sequence[tuple[int, int]]
) -> EntityChange:
    """Write into the journal that visits changed their entity.

    Args:
        connection: The memory's database.
        kind: "link", "merge" or "split".
        into: Id of the entity that has them now.
        moved: Id of each visit and of the entity that had it.
    """
    done = connection.execute(
        "INSERT INTO entity_change (kind, into_id, moved) VALUES (?, ?, ?)", (kind, into, json.dumps(moved))
    )
    return EntityChange(id=int(done.lastrowid or 0), kind=kind, into=into, moved=tuple(moved), undone=False)


def delete_stale_changes(connection: sqlite3.Connection) -> None:
    """Delete the changes that moved a visit which is no longer held: they can be undone no more."""
    connection.execute(
        "DELETE FROM entity_change WHERE EXISTS (SELECT 1 FROM json_each(moved) WHERE json_extract(value, '$[0]') "
        "NOT IN (SELECT id FROM visit))"
    )


def changes(connection: sqlite3.Connection) -> list[EntityChange]:
    """The journal of changes, by time."""
    rows = connection.execute("SELECT id, kind, into_id, moved, undone FROM entity_change ORDER BY id")
    return [
        EntityChange(
            id=change_id,
            kind=kind,
            into=into,
            moved=tuple((visit, was) for visit, was in json.loads(moved)),
            undone=bool(undone),
        )
        for change_id, kind, into, moved, undone in rows
    ]


def portraits(connection: sqlite3.Connection) -> list[tuple[int, bytes]]:
    """Ids of the visits whose thing the encoder was shown, with its vector, packed (memory/codec.py)."""
    if not _has_paths(connection):
        return []
    return connection.execute("SELECT id, portrait FROM visit WHERE portrait IS NOT NULL ORDER BY id").fetchall()


def _has_paths(connection: sqlite3.Connection) -> bool:
    """Whether a database has what format 5 adds; a reader may have one of an older format."""
    return any(name == "path" for _, name, *_ in connection.execute("PRAGMA main.table_info(visit)"))


def _visit(row: Sequence[Any]) -> Visit:
    fields = dict(zip(_VISIT, row, strict=False))  # of an older format, the last ones are missing
    blob, colours = fields.pop("path", None), fields.pop("colours", None)
    return Visit(
        **{
            **fields,
            "from_start": bool(fields["from_start"]),
            "box": tuple(json.loads(fields["box"])),
            "gaps": tuple((from_s, to_s) for from_s, to_s in json.loads(fields["gaps"])),
            "path": _path(blob or b"", fields["first_s"]),
            "colours": tuple(json.loads(colours)) if colours else (),
        }
    )


def _packed_path(visit: Visit) -> bytes | None:
    rows = [(time_s - visit.first_s, [round(edge * _MOST_PARTS) for edge in box]) for time_s, box in visit.path]
    return np.array([(after_s, tuple(box)) for after_s, box in rows], _POINT).tobytes() if rows else None


def _path(blob: bytes, first_s: float) -> tuple[tuple[float, Box], ...]:
    points = np.frombuffer(blob, _POINT)
    boxes = (points["box"] / _MOST_PARTS).tolist()
    return tuple(
        (first_s + after_s, tuple(box)) for after_s, box in zip(points["after_s"].tolist(), boxes, strict=True)
    )
